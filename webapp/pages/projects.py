"""项目: the list, and one project with everything on one page; the outside events it awaits as buttons."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, jsonify, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from handlers import lights
from handlers.board import service as boards
from handlers.catalogue.service import catalogue
from handlers.directory import service as directory
from handlers.filing import service as filing
from handlers.projects import service as projects
from webapp import decision_screen, project_screen
from webapp.context import actor, engine, is_fragment
from webapp.submission import submitted_data

blueprint = Blueprint("projects", __name__, url_prefix="/projects")

TABS = ("board", "cases", "history", "materials", "decisions", "diagram")


@blueprint.get("")
def index() -> str:
    """The projects this person may see; the filters stand in the address."""
    q, stage, state = (request.args.get(name, "").strip()[:100] for name in ("q", "stage", "state"))
    with engine().reading() as session:
        page = projects.list_projects(session, actor(), q=q, stage=stage, state=state, page=request.args.get("page", 1, type=int))
        calendar = lights.calendar_of(session)
    simple = not directory.is_staff(actor())
    return render_template(
        "projects.html",
        page=page,
        lines=[_line(line, lights.of_due(calendar, line.next_due, None)) for line in page.rows],
        q=q,
        stage=stage,
        state=state,
        stages=[(entry.code, entry.name) for entry in catalogue().stages if entry.code != "S5"],
        states=list(projects.STATES.items()),
        simple=simple,
        may_register=simple or actor().can("represent_owner"),
    )


def _line(line: projects.ProjectLine, light: lights.Light) -> dict[str, Any]:
    return {
        "project": line.project,
        "stages": project_screen.stage_names(line.stages),
        "open_tasks": line.open_tasks,
        "incidents": line.incidents,
        "left": light if line.next_due is not None else None,
    }


@blueprint.get("/<row:project_id>")
def show(project_id: int) -> str:
    """One project. `tab` chooses what is under the rail; applicants see the same truth, simpler."""
    tab = request.args.get("tab", TABS[0])
    tab = tab if tab in TABS else TABS[0]
    with engine().reading() as session:
        screen = project_screen.overview(session, actor(), project_id)
        screen |= {
            "head": project_screen.header(screen["project"]),
            "events": boards.awaited_events(session, actor(), project_id),
            "may_file": filing.offered(session, actor(), project_id),
            "tab": tab,
            "tabs": _tabs(screen["simple"]),
            "history": project_screen.history(session, actor(), project_id) if tab == "history" else [],
            "materials": project_screen.material_rows(session, project_id) if tab == "materials" else [],
            "shared": project_screen.sharing_log(session, project_id) if tab == "materials" else [],
            "decisions": decision_screen.of_project(session, project_id) if tab == "decisions" else [],
            "diagrams": project_screen.diagrams(session, screen["board"]) if tab == "diagram" else [],
        }
    return render_template("project.html", **screen)


def _tabs(simple: bool) -> list[tuple[str, str]]:
    labels = {
        "board": _("办理进度") if simple else _("并联办理"),
        "cases": _("办件"),
        "history": _("经过"),
        "materials": _("材料"),
        "decisions": _("决策依据"),
        "diagram": _("流程图"),
    }
    return [(code, labels[code]) for code in TABS]


@blueprint.get("/<row:project_id>/<any(rail, lanes, side):part>")
def part(project_id: int, part: str) -> str:
    """One live part of the page, fetched again when the project changes."""
    with engine().reading() as session:
        screen = project_screen.overview(session, actor(), project_id)
    return render_template(f"_project_{part}.html", **screen)


@blueprint.post("/<row:project_id>/events/<int:key>")
def report(project_id: int, key: int) -> Response:
    """Report an outside event with its form's data; refused when it is awaited no more (404) or wrong (422)."""
    data = submitted_data()
    with engine().unit_of_work() as session:
        boards.report_event(session, actor(), project_id, key, data)
    flash(_("已登记，流程继续。"), "success")
    target = url_for("projects.show", project_id=project_id)
    return jsonify(next=target) if request.is_json else redirect(target)


@blueprint.get("/<row:project_id>/reviews")
def reviews(project_id: int) -> str:
    """The joint-review boards of a project: each unit's words side by side."""
    with engine().reading() as session:
        project = projects.get_project(session, actor(), project_id)
        found = boards.reviews(session, actor(), project_id)
        calendar = lights.calendar_of(session)
        times = [lights.of_due(calendar, review.due, None) if review.due is not None else None for review in found]
    template = "_reviews.html" if is_fragment() else "reviews.html"
    return render_template(template, project=project, reviews=list(zip(found, times, strict=True)))
