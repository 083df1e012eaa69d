"""一表申请 (R041, issue 6): all applications of a stage as one form; each field is asked once and serves every item that has it.

application_forms.csv: which application forms a stage has, and for which projects. field_sources.csv: fields that need not be asked because
the registration or a licence says them (FEEL over `project` and `numbers`: item -> number of the result that holds). What is saved here
stands in the task of every item when it opens, over which its own draft and form rules still hold. The only import allowed from outside.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

import orjson
from sqlalchemy.orm import Session

from engine import clock
from engine.definitions import form_schema
from engine.errors import Conflict, Forbidden, Invalid, NotFound
from engine.feel import Environment, compile_expression, to_json
from engine.policy import Actor
from engine.store import audit, definitions
from handlers.catalogue.service import FOLDER, catalogue, read_table
from handlers.licences import service as licences
from handlers.oneform.models import StageFormRow
from handlers.projects import service as projects

GROUP = "application"
MOST_BYTES = 1024 * 1024
NOT_ASKED = frozenset({"text", "separator", "spacer", "filepicker", "image", "button", "html"})
"""Components that hold no value of their own; files are handed in as materials."""


@dataclass(frozen=True, slots=True)
class ApplicationForm:
    """An application form of a stage, for the projects for which `ask_if` (FEEL) holds."""

    form: str
    stage: str
    item: str
    ask_if: str


@dataclass(frozen=True, slots=True)
class FieldSource:
    """A field that something else says: `source` FEEL, `label` where it comes from."""

    form: str
    field: str
    source: str
    label: str


@dataclass(frozen=True, slots=True)
class Field:
    """One field of the merged form. `items`: names of the items that ask for it; `source`: where its value comes from, "" typed in here."""

    key: str
    label: str
    items: tuple[str, ...]
    source: str


@dataclass(frozen=True, slots=True)
class StageForm:
    """The merged form: a form-js schema, its values, and where each field goes and comes from."""

    stage: str
    schema: dict[str, Any]
    data: dict[str, Any]
    fields: tuple[Field, ...]
    saved_at: datetime | None


@lru_cache(maxsize=4)
def application_forms(folder: Path = FOLDER) -> tuple[ApplicationForm, ...]:
    """The application forms in the order of the stages."""
    return tuple(ApplicationForm(r["form"], r["stage"], r["item"], r["ask_if"]) for r in read_table("application_forms", folder))


@lru_cache(maxsize=4)
def field_sources(folder: Path = FOLDER) -> tuple[FieldSource, ...]:
    """The fields that something else says."""
    return tuple(FieldSource(r["form"], r["field"], r["source"], r["label"]) for r in read_table("field_sources", folder))


def stage_form(session: Session, actor: Actor, project_id: int | str, stage: str) -> StageForm:
    """The merged form of a stage; NotFound without access to the project or for a stage without applications."""
    project = projects.get_project(session, actor, project_id)
    forms = [one for one in application_forms() if one.stage == stage and _true(one.ask_if, {"project": project.data})]
    if not forms:
        raise NotFound(what="阶段", key=stage)
    known = _known(session, project)
    merged: dict[str, dict[str, Any]] = {}
    items: dict[str, list[str]] = {}
    said: dict[str, tuple[Any, str]] = {}
    for one in forms:
        for component in _components(session, one.form):
            key = _key(component)
            merged.setdefault(key, component)
            items.setdefault(key, []).append(catalogue().item(one.item).name)
            if (found := _said(one.form, key, known)) is not None:
                said.setdefault(key, found)
    row = session.get(StageFormRow, (project.id, stage))
    data = {key: value for key, (value, _label) in said.items()} | (row.data if row is not None else {})
    fields = tuple(
        Field(key, str(component.get("label") or key), tuple(items[key]), said[key][1] if _is_said(key, data, said) else "")
        for key, component in merged.items()
    )
    return StageForm(stage, _schema(stage, merged), {"project": project.data, GROUP: data}, fields, row.saved_at if row else None)


def save(session: Session, actor: Actor, project_id: int | str, stage: str, submission: Mapping[str, Any]) -> StageForm:
    """Keep what was filled in for a stage; half a form is kept, too: each item's own form checks it when it is handed in.

    Raises NotFound, Forbidden unless the person files for the project or the window does, Conflict when the project is closed, Invalid.
    """
    project = projects.get_project(session, actor, project_id)
    if not (projects.is_own(session, actor, str(project.id)) or actor.can("represent_owner")):
        raise Forbidden(reason="一表申请由项目单位或者综合窗口填报")
    if project.state != "active":
        raise Conflict(reason="项目已经办结")
    shown = stage_form(session, actor, project.id, stage)
    given = submission.get(GROUP)
    names = {field.key for field in shown.fields}
    values = {key: value for key, value in given.items() if key in names} if isinstance(given, Mapping) else {}
    if not values or len(orjson.dumps(values)) > MOST_BYTES:
        raise Invalid(reason="没有填写内容，或者内容超过 1 MB")
    row = session.get(StageFormRow, (project.id, stage), with_for_update=True)
    if row is None:
        row = StageFormRow(project_id=project.id, stage=stage)
        session.add(row)
    row.data, row.saved_by, row.saved_at = values, actor.username, clock.now()
    session.flush()
    audit.record(session, actor, "stage_form.saved", business_id=str(project.id), data={"stage": stage, "fields": sorted(values)})
    return stage_form(session, actor, project.id, stage)


def values_for(session: Session, project_id: int | str, form: str) -> dict[str, Any]:
    """What a task with this application form is to show before anybody has typed into it. For callers that have checked access."""
    one = next((each for each in application_forms() if each.form == form), None)
    project = projects.find_project(session, str(project_id))
    if one is None or project is None:
        return {}
    known = _known(session, project)
    keys = [_key(component) for component in _components(session, form)]
    said = {key: found[0] for key in keys if (found := _said(form, key, known)) is not None}
    row = session.get(StageFormRow, (project.id, one.stage))
    typed = {key: value for key, value in row.data.items() if key in keys} if row is not None else {}
    values = said | typed
    return {GROUP: values} if values else {}


def _known(session: Session, project: projects.Project) -> dict[str, Any]:
    held = licences.held_items(session, project.id)
    return {"project": project.data, "numbers": {code: one.number for code, one in held.items() if one.number}}


def _said(form: str, key: str, known: Mapping[str, Any]) -> tuple[Any, str] | None:
    for source in field_sources():
        if (source.form, source.field) == (form, key):
            value = to_json(compile_expression(source.source).evaluate(known, Environment()))
            return None if value is None else (value, source.label)
    return None


def _is_said(key: str, data: Mapping[str, Any], said: Mapping[str, tuple[Any, str]]) -> bool:
    return key in said and data.get(key) == said[key][0]


def _components(session: Session, form: str) -> Iterator[dict[str, Any]]:
    """The fields of a form's group `application`, groups without a path dissolved; copies."""
    found = definitions.latest(session, "form", form)
    if found is None:
        raise NotFound(what="表单", key=form)
    roots = [one for one in form_schema(session, found.key)["components"] if one.get("path") == GROUP]
    pending = [component for root in roots for component in root.get("components", [])]
    while pending:
        component = pending.pop(0)
        if component.get("type") == "group" and not component.get("path"):
            pending[:0] = component.get("components", [])
        elif component.get("type") not in NOT_ASKED and _key(component):
            yield copy.deepcopy(component)


def _key(component: Mapping[str, Any]) -> str:
    return str(component.get("path") or component.get("key") or "")


def _schema(stage: str, merged: Mapping[str, dict[str, Any]]) -> dict[str, Any]:
    """One form-js form with every field once, one below the other; nothing is required yet, half a form can be kept."""
    components = []
    for number, (key, component) in enumerate(merged.items()):
        component["id"], component["layout"] = f"Merged_{number}_{key}", {"row": f"Row_m{number}", "columns": None}
        _relax(component)
        components.append(component)
    group = {"type": "group", "id": "Group_root", "label": "", "path": GROUP, "showOutline": False, "components": components}
    group["layout"] = {"row": "Row_root", "columns": None}
    return {"type": "default", "id": f"stage_form_{stage}", "schemaVersion": 19, "components": [group]}


def _relax(component: dict[str, Any]) -> None:
    component.get("validate", {}).pop("required", None)
    for inner in component.get("components", []):
        _relax(inner)


def _true(text: str, known: Mapping[str, Any]) -> bool:
    return not text or compile_expression(text).evaluate(known, Environment()) is True
