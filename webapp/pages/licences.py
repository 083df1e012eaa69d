"""证照: what a project holds and until when, what may be asked for, and the public list (行政许可法 40, 49, 50, 69, 70)."""

from __future__ import annotations

from datetime import date
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from engine import clock
from engine.clock import CHINA
from engine.errors import Invalid
from handlers.catalogue.service import catalogue
from handlers.directory import service as directory
from handlers.licences import service as licences
from handlers.projects import service as projects
from webapp.context import actor, engine

blueprint = Blueprint("licences", __name__)
MOST_FIELDS = 5


@blueprint.get("/licences")
def published() -> str:
    """The decisions in force and ended, for everybody who is logged in; nothing of a confidential project."""
    with engine().reading() as session:
        found = licences.published(session, q=request.args.get("q", "")[:100], page=request.args.get("page", 1, type=int))
        return render_template("licences.html", found=found, q=request.args.get("q", ""), units=directory.unit_names(session))


@blueprint.get("/intermediaries")
def intermediaries() -> str:
    """The directory of intermediary services, each with its legal basis (优化营商环境条例 43)."""
    return render_template("intermediaries.html", services=licences.intermediary_services(), items=catalogue().items)


@blueprint.get("/projects/<row:project_id>/licences")
def of_project(project_id: int) -> str:
    """The results that a project holds, those that will end first on top of each item."""
    with engine().reading() as session:
        project = projects.get_project(session, actor(), project_id)
        today = clock.now().astimezone(CHINA).date()
        areas = licences.area_results(project.data, today)
        near = {one.id: last for one, last in licences.expiring(session, project.id, today)}
        rows = [
            {"licence": one, "last": near.get(one.id), "history": licences.history(session, one.id)}
            | {"kinds": licences.kinds_for(session, actor(), one, project)}
            for one in licences.licences_of(session, project.id)
        ]
        return render_template(
            "project_licences.html",
            project=project,
            rows=rows,
            areas=areas,
            items=catalogue().items,
            units=directory.unit_names(session),
            bars=licences.bars_of(session, project.organisation_code, today),
            may_enter=actor().can("represent_owner") or any(group.endswith(".handler") for group in actor().groups),
            endings=licences.endings(),
            given_up=licences.GIVEN_UP,
            terms=licences.terms(),
            today=today,
        )


@blueprint.post("/projects/<row:project_id>/licences")
def enter(project_id: int) -> Response:
    """Enter a result that was issued before or elsewhere."""
    form = request.form
    on, until = _day("granted_on"), _day("valid_until")
    if on is None:
        raise Invalid(reason=_("请填写批准日期"))
    with engine().unit_of_work() as session:
        entered = licences.enter_existing(session, actor(), project_id, form.get("item", ""), form.get("number", ""), on, until)
    flash(_("已登记：%(name)s", name=f"{entered.title} {entered.number}"), "success")
    return redirect(url_for("licences.of_project", project_id=project_id))


@blueprint.post("/licences/<row:licence_id>/requests")
def ask(licence_id: int) -> Response:
    """Ask for 变更, 延续, 撤销 or 注销; the flow 证后办理 begins."""
    form = request.form
    with engine().unit_of_work() as session:
        found, project = licences.seen_licence(session, actor(), licence_id)
        licences.request(session, actor(), found.id, form.get("kind", ""), _asked())
    flash(_("已提出“%(kind)s”，由审批部门办理。", kind=form.get("kind", "")), "success")
    return redirect(url_for("licences.of_project", project_id=project.id))


def _asked() -> dict[str, Any]:
    form = request.form
    pairs = zip(form.getlist("field")[:MOST_FIELDS], form.getlist("value")[:MOST_FIELDS], strict=False)
    return {
        "months": form.get("months", type=int),
        "fields": {label: value for label, value in pairs if label.strip()},
        "reason": form.get("reason", ""),
        "ground": form.get("ground", ""),
    }


def _day(name: str) -> date | None:
    """A day of the form, None when it was left empty; Invalid when it is none."""
    text = request.form.get(name, "")
    try:
        return date.fromisoformat(text) if text else None
    except ValueError as error:
        raise Invalid(reason=_("日期应为 年-月-日")) from error
