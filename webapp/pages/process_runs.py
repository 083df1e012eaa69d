"""What runs on a version of a process: heat and counts on the diagram, durations by element, its instances, operations on many of them."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext
from sqlalchemy import Row
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from engine import commands
from engine.bpmn import ProcessModel
from engine.definitions import process_model
from engine.errors import Invalid, LianbanError, NotFound
from engine.policy import require, require_watch
from engine.store import definitions, runs
from engine.store.definitions import Usage
from engine.store.runs import ElementUse, RunFilter
from webapp import runs_screen
from webapp.context import actor, engine
from webapp.languages import language
from webapp.once import take_turn

blueprint = Blueprint("process_runs", __name__, url_prefix="/definitions/processes/<identifier>/runs")

PAGE = 50
SHOWN_NAMES = 8
SORTS: dict[runs.Sort, Any] = {
    "newest": lazy_gettext("最新在前"),
    "oldest": lazy_gettext("最早在前"),
    "business": lazy_gettext("按业务编号"),
    "incidents": lazy_gettext("故障多的在前"),
}
OPERATIONS = {
    "retry_incidents": lazy_gettext("再次执行出错的环节；原因没有消除的会再次出错。"),
    "suspend": lazy_gettext("暂停办理：任务不能提交，期限和作业都停下，可以随时恢复。"),
    "resume": lazy_gettext("恢复办理：暂停期间到期的事件随即发生。"),
    "cancel": lazy_gettext("终止后不能恢复：打开的任务、等待和子流程全部关闭。"),
}


@blueprint.before_request
def watchers_only() -> None:
    require_watch(actor())


@blueprint.get("")
def show(identifier: str) -> str:
    """One version: `version`, without it the newest; `state`, `incident`, `element`, `q`, `sort` and `page` concern the list."""
    with engine().reading() as session:
        rows, row = runs_screen.version_row(session, identifier, request.args.get("version", type=int))
        model = process_model(session, row.key)
        uses = runs.element_uses(session, row.key)
        screen = {
            "row": row,
            "versions": rows,
            "use": definitions.usage(session).get(row.key, Usage()),
            "heat": _heat(dict(sorted(uses.items()))),
            "elements": _elements(model, uses),
            "sample": runs.SAMPLE,
            "names": {id: info.name or id for id, info in model.elements.items()},
            **_list(session, row, model),
        }
    return render_template("runs.html", **screen)


@blueprint.get("/batch")
def confirm(identifier: str) -> str | Response:
    """What is about to be done to which instances; nothing happens yet. A migration goes to its own screen."""
    if request.args.get("kind") == "migrate":
        return redirect(url_for("migration.show", identifier=identifier, **_carried(request.args)))
    return _confirmation(identifier, request.args)


@blueprint.post("/batch")
def create(identifier: str) -> Any:
    """Begin the operation as a batch. What is refused is said in place."""
    require(actor(), "operate")
    kind = _kind(request.form)
    try:
        with engine().unit_of_work() as session:
            word = take_turn(session)
            key = commands.batch_of_request(session, actor(), word) or _begin(session, identifier, kind, word)
    except LianbanError as refusal:
        return _confirmation(identifier, request.form, refusal.message(language())), refusal.status
    flash(_("批处理已开始。"), "success")
    return redirect(url_for("batches.show", key=key))


def _begin(session: Session, identifier: str, kind: str, word: str) -> int:
    _rows, row = runs_screen.version_row(session, identifier, request.form.get("version", type=int))
    keys = runs_screen.selected(session, actor(), row.key, request.form)
    return commands.create_batch(session, actor(), kind, keys, reason=request.form.get("reason", ""), request=word)


def _kind(args: MultiDict[str, str]) -> str:
    kind = args.get("kind", "")
    if kind not in OPERATIONS:
        raise NotFound(what="批处理", key=kind)
    return kind


def _confirmation(identifier: str, args: MultiDict[str, str], refusal: str = "") -> str:
    require(actor(), "operate")
    kind = _kind(args)
    with engine().reading() as session:
        _rows, row = runs_screen.version_row(session, identifier, args.get("version", type=int))
        try:
            keys = runs_screen.selected(session, actor(), row.key, args)
        except Invalid as too_many:
            keys, refusal = [], too_many.message(language())
        shown = runs.page(session, RunFilter(row.key, keys=tuple(keys[:SHOWN_NAMES])), "oldest", SHOWN_NAMES, 0) if keys else []
        named = runs_screen.projects_of(session, (instance.business_id for instance in shown))
    return render_template(
        "runs_confirm.html",
        row=row,
        kind=kind,
        label=runs_screen.BATCH_KINDS[kind],
        effect=OPERATIONS[kind],
        count=len(keys),
        shown=[(instance.key, named.get(instance.business_id or "", (instance.business_id or "", ""))[0]) for instance in shown],
        fields=runs_screen.selection_fields(args),
        back=url_for("process_runs.show", identifier=identifier, **_carried(args, keys=False)),
        reason=args.get("reason", ""),
        refusal=refusal,
    )


def _carried(args: MultiDict[str, str], *, keys: bool = True) -> dict[str, Any]:
    """The selection as arguments of the next address."""
    carried: dict[str, Any] = {
        name: value for name, value in runs_screen.selection_fields(args) if name != "key" and (keys or name != "all")
    }
    return carried | ({"key": args.getlist("key")} if keys and "all" not in carried else {})


def _list(session: Session, row: Row[Any], model: ProcessModel) -> dict[str, Any]:
    """One page of the instances that the address asks for."""
    wanted = runs_screen.run_filter(session, actor(), row.key, request.args)
    asked = request.args.get("sort", "newest")
    sort: runs.Sort = next((code for code in SORTS if code == asked), "newest")
    total = runs.count(session, wanted)
    pages = max(1, -(-total // PAGE))
    page = min(runs_screen.page_number(), pages)
    found = runs.page(session, wanted, sort, PAGE, (page - 1) * PAGE)
    named = runs_screen.projects_of(session, (instance.business_id for instance in found))
    standing = runs.standing_at(session, [instance.key for instance in found if instance.ended_at is None])
    people = runs_screen.people(session, (instance.started_by for instance in found))
    return {
        "filter": wanted,
        "narrowed": bool(wanted.state or wanted.incident or wanted.element or wanted.text),
        "sort": sort,
        "sorts": SORTS.items(),
        "states": runs_screen.STATES,
        "total": total,
        "page": page,
        "pages": pages,
        "instances": [
            {
                "row": instance,
                "project": named.get(instance.business_id or ""),
                "at": _places(model, standing.get(instance.key, {})),
                "by": people.get(instance.started_by, instance.started_by),
            }
            for instance in found
        ],
    }


def _places(model: ProcessModel, standing: dict[str, int]) -> dict[str, int]:
    """Where an instance stands, for people: a subprocess says nothing that what happens inside it does not say better."""
    around = {model.elements[id].parent for id in standing if id in model.elements}
    return {id: count for id, count in standing.items() if id not in around}


def _heat(uses: dict[str, ElementUse]) -> dict[str, dict[str, Any]]:
    """For the diagram: view -> element id -> (value, words); incidents apart."""
    return {
        "now": {id: (use.now, str(use.now)) for id, use in uses.items() if use.now},
        "total": {id: (use.entered, str(use.entered)) for id, use in uses.items() if use.entered},
        "mean": {id: (use.mean, runs_screen.duration(use.mean)) for id, use in uses.items() if use.mean},
        "incidents": {id: use.incidents for id, use in uses.items() if use.incidents},
    }


def _elements(model: ProcessModel, uses: dict[str, ElementUse]) -> list[dict[str, Any]]:
    """Elements that somebody has entered, as lines of the table: the busiest first; gateways and plain events tell nothing."""
    lines = [
        {
            "id": id,
            "name": model.elements[id].name or id,
            "use": use,
            "mean": runs_screen.duration(use.mean),
            "median": runs_screen.duration(use.median),
            "longest": runs_screen.duration(use.longest),
        }
        for id, use in uses.items()
        if id in model.elements and (use.now or use.incidents or (use.longest or 0) > 0 or model.elements[id].kind.endswith("Task"))
    ]
    return sorted(lines, key=lambda line: (-line["use"].incidents, -line["use"].now, -(line["use"].mean or 0)))
