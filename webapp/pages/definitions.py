"""What is deployed: processes with their diagram and use, decision tables, forms; every version of each."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext
from sqlalchemy import Row
from sqlalchemy.orm import Session

from engine.bpmn import ProcessModel
from engine.definitions import decision_model, form_schema, process_model
from engine.dmn.model import Box, Decision, Literal, Table
from engine.errors import Forbidden, NotFound
from engine.store import definitions as store
from engine.store.definitions import Usage
from handlers.directory import service as directory
from handlers.policies import service as policies
from webapp.context import actor, engine
from webapp.playground_screen import with_required

blueprint = Blueprint("definitions", __name__, url_prefix="/definitions")

KINDS: dict[str, store.Kind] = {"processes": "process", "decisions": "decision", "forms": "form"}
KIND_LABELS = {"processes": lazy_gettext("流程"), "decisions": lazy_gettext("决策"), "forms": lazy_gettext("表单")}
ACTIVITIES = frozenset(
    {"userTask", "serviceTask", "businessRuleTask", "scriptTask", "sendTask", "receiveTask", "callActivity", "manualTask", "task"}
)
ACTIVITY_LABELS = {
    "userTask": lazy_gettext("人工"),
    "serviceTask": lazy_gettext("自动"),
    "businessRuleTask": lazy_gettext("决策"),
    "scriptTask": lazy_gettext("计算"),
    "sendTask": lazy_gettext("发送"),
    "receiveTask": lazy_gettext("等待"),
    "callActivity": lazy_gettext("调用"),
    "manualTask": lazy_gettext("线下"),
    "task": lazy_gettext("任务"),
}


@blueprint.before_request
def staff_only() -> None:
    """Definitions show how offices work inside: applicants have no business here."""
    if not directory.is_staff(actor()):
        raise Forbidden(reason="流程定义供部门人员查阅")


@blueprint.get("")
def index() -> str:
    """Everything that is deployed, the newest version of each; `q` narrows it by id or name."""
    wanted = request.args.get("q", "").strip().lower()
    with engine().reading() as session:
        usage = store.usage(session)
        processes = [_process_line(session, row, usage) for row in store.latest_versions(session, "process")]
        decisions = [_line("decisions", row, row.decision_id, row.name) for row in store.latest_versions(session, "decision")]
        forms = [_line("forms", row, row.form_id, _form_title(session, row)) for row in store.latest_versions(session, "form")]
    groups = [
        {"code": code, "label": KIND_LABELS[code], "lines": [line for line in lines if _matches(line, wanted)]}
        for code, lines in (("processes", processes), ("decisions", decisions), ("forms", forms))
    ]
    return render_template("definitions.html", groups=groups, q=wanted, total=len(processes) + len(decisions) + len(forms))


@blueprint.get("/processes/<identifier>")
def process(identifier: str) -> str:
    """One process: diagram with where tasks stand, its steps, its versions with how many instances run on each."""
    with engine().reading() as session:
        rows, row = _version("processes", identifier)(session)
        model = process_model(session, row.key)
        usage = store.usage(session)
        counts = store.active_elements(session, row.key)
        screen = {
            "row": row,
            "model": model,
            "bases": policies.bases_of(session, row.process_id, model),
            "use": usage.get(row.key, Usage()),
            "versions": [_version_line(session, "processes", version, usage.get(version.key)) for version in rows],
            "steps": [_step(session, model, element) for element in model.elements.values() if element.kind in ACTIVITIES],
            "state": {"active": list(counts), "tokens": counts},
        }
    return render_template("definition_process.html", **screen)


@blueprint.get("/decisions/<identifier>")
def decision(identifier: str) -> str:
    """One decision as its table (or its expression), with what it asks of other decisions."""
    with engine().reading() as session:
        rows, row = _version("decisions", identifier)(session)
        model = decision_model(session, row)
        found = model.decisions[identifier]
        screen = {
            "row": row,
            "versions": [_version_line(session, "decisions", version) for version in rows],
            "parts": [_decision_part(part) for part in with_required(found, model.decisions)],
        }
    return render_template("definition_decision.html", **screen)


@blueprint.get("/forms/<identifier>")
def form(identifier: str) -> str:
    """One form as people will see it, empty and read-only."""
    with engine().reading() as session:
        rows, row = _version("forms", identifier)(session)
        screen = {
            "row": row,
            "title": _form_title(session, row),
            "schema": form_schema(session, row.key),
            "versions": [_version_line(session, "forms", version) for version in rows],
        }
    return render_template("definition_form.html", **screen)


def _version(kind: str, identifier: str) -> Any:
    """A query: all versions of a definition and the one that the address asks for (`version`), the newest without."""

    def find(session: Session) -> tuple[list[Row[Any]], Row[Any]]:
        rows = list(store.versions(session, KINDS[kind], identifier))
        wanted = request.args.get("version", type=int)
        chosen = [row for row in rows if wanted is None or row.version == wanted]
        if not chosen:
            raise NotFound(what=str(KIND_LABELS[kind]), key=identifier if wanted is None else f"{identifier} v{wanted}")
        return rows, chosen[0]

    return find


def _matches(line: dict[str, Any], wanted: str) -> bool:
    return wanted in line["id"].lower() or wanted in line["name"].lower()


def _line(kind: str, row: Row[Any], identifier: str, name: str) -> dict[str, Any]:
    url = url_for(f"definitions.{KINDS[kind]}", identifier=identifier)
    return {"id": identifier, "name": name or identifier, "version": row.version, "file": row.resource_name, "url": url}


def _process_line(session: Session, row: Row[Any], usage: dict[int, Usage]) -> dict[str, Any]:
    model = process_model(session, row.key)
    versions = [usage.get(version.key, Usage()) for version in store.versions(session, "process", row.process_id)]
    return _line("processes", row, row.process_id, row.name) | {
        "stage": model.properties.get("stage", ""),
        "approval": model.properties.get("approval") == "true",
        "active": sum(use.active for use in versions),
        "total": sum(use.total for use in versions),
        "incidents": sum(use.incidents for use in versions),
    }


def _version_line(session: Session, kind: str, row: Row[Any], use: Usage | None = None) -> dict[str, Any]:
    deployment = store.deployment_row(session, row.deployment_key)
    names = directory.display_names(session, [deployment.deployed_by])
    identifier = getattr(row, store.KINDS[KINDS[kind]].id_column)
    return {
        "version": row.version,
        "tag": row.version_tag,
        "at": deployment.deployed_at,
        "by": names.get(deployment.deployed_by, deployment.deployed_by),
        "use": use or Usage(),
        "url": url_for(f"definitions.{KINDS[kind]}", identifier=identifier, version=row.version),
    }


def _step(session: Session, model: ProcessModel, element: Any) -> dict[str, Any]:
    """One activity of a process as a line of the table."""
    links = []
    if element.form_id and store.latest(session, "form", element.form_id) is not None:
        links.append((_("表单"), element.form_id, url_for("definitions.form", identifier=element.form_id)))
    if element.called and store.latest(session, "process", element.called) is not None:
        links.append((_("流程"), element.called, url_for("definitions.process", identifier=element.called)))
    return {
        "id": element.id,
        "name": element.name or element.id,
        "kind": ACTIVITY_LABELS.get(element.kind, element.kind),
        "inside": model.elements[element.parent].name if element.parent in model.elements else "",
        "lane": element.lane or "",
        "unit": element.properties.get("unit", ""),
        "limit": element.properties.get("limit", ""),
        "law": element.properties.get("legalBasis", ""),
        "links": links,
    }


def _form_title(session: Session, row: Row[Any]) -> str:
    """A form's first label: that is its title for people."""
    components = form_schema(session, row.key).get("components", [])
    labels = [part.get("label") for part in components if part.get("type") == "group" and part.get("label")]
    return labels[0] if labels else str(row.form_id)


def _decision_part(decision_: Decision) -> dict[str, Any]:
    """A decision for the template: a table's columns and rows, or an expression's text."""
    box = decision_.box
    part: dict[str, Any] = {"id": decision_.id, "name": decision_.name, "table": None, "text": ""}
    if isinstance(box, Table):
        part["table"] = {
            "policy": f"{box.hit_policy} {box.aggregation}".strip(),
            "inputs": [(column.label or column.expression.text, column.expression.text) for column in box.inputs],
            "outputs": [column.label or column.name or decision_.name for column in box.outputs],
            "rules": [
                {
                    "number": rule.index,
                    "inputs": [cell.text or "-" for cell in rule.inputs],
                    "outputs": [cell.text for cell in rule.outputs],
                    "note": rule.annotation,
                }
                for rule in box.rules
            ],
        }
    elif isinstance(box, Literal):
        part["text"] = box.text
    elif isinstance(box, Box):
        part["text"] = _("由多个表达式组成，请在 Camunda Modeler 中查看。")
    return part
