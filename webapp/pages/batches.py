"""Batches: what is being done to many instances, how far it is, what failed and why; pause, go on, leave the rest out, again, undo."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from engine import commands
from engine.commands.batches import MAX_ITEMS, may_change_batch
from engine.errors import Conflict, LianbanError, NotFound
from engine.policy import Actor, require_watch
from engine.store import batches as store
from engine.store import definitions
from engine.store.batches import BatchProgress
from webapp import runs_screen
from webapp.context import actor, engine
from webapp.languages import language
from webapp.once import take_turn

blueprint = Blueprint("batches", __name__, url_prefix="/batches")

PAGE = 50
NEWEST = 100
ITEM_STATES = {
    "DONE": (lazy_gettext("完成"), "green"),
    "FAILED": (lazy_gettext("失败"), "red"),
    "PENDING": (lazy_gettext("等待"), "grey"),
    "SKIPPED": (lazy_gettext("未执行"), "grey"),
}
CHANGES: dict[str, tuple[Callable[[Session, Actor, int], None], Any]] = {
    "pause": (commands.pause_batch, lazy_gettext("已暂停，正在执行的一个做完后停下。")),
    "resume": (commands.resume_batch, lazy_gettext("继续执行。")),
    "cancel": (commands.cancel_batch, lazy_gettext("其余的不再执行，已完成的保持不变。")),
}


@blueprint.before_request
def watchers_only() -> None:
    require_watch(actor())


@blueprint.get("")
def index() -> str:
    """The newest batches."""
    with engine().reading() as session:
        found = store.newest(session, NEWEST)
        people = runs_screen.people(session, (batch.created_by for batch in found))
        lines = [{"batch": batch, "by": people.get(batch.created_by, batch.created_by), "about": _about(session, batch)} for batch in found]
    return render_template("batches.html", lines=lines, kinds=runs_screen.BATCH_KINDS, states=runs_screen.BATCH_STATES)


@blueprint.get("/<int:key>")
def show(key: int) -> str:
    """One batch; `state` and `page` concern its items. As a fragment only what changes while it runs."""
    with engine().reading() as session:
        screen = _screen(session, commands.batch_progress(session, actor(), key))
    return render_template("_batch.html" if request.headers.get("X-Fragment") == "batch" else "batch.html", **screen)


@blueprint.post("/<int:key>/<change>")
def change(key: int, change: str) -> Response:
    """pause, resume or cancel; a refusal (it is over by now) is said on the batch's page."""
    if change not in CHANGES:
        raise NotFound(what="操作", key=change)
    command, done = CHANGES[change]
    try:
        with engine().unit_of_work() as session:
            command(session, actor(), key)
    except Conflict as over:
        flash(over.message(language()), "error")
    else:
        flash(str(done), "success")
    return redirect(url_for("batches.show", key=key))


@blueprint.post("/<int:key>/again")
def again(key: int) -> Response:
    """The same operation once more for what failed, as a batch of its own."""
    with engine().unit_of_work() as session:
        word = take_turn(session)
        batch = commands.batch_progress(session, actor(), key)
        keys = [item.instance_key for item in store.items(session, key, "FAILED", MAX_ITEMS)]
        fresh = commands.batch_of_request(session, actor(), word) or commands.create_batch(
            session, actor(), batch.kind, keys, batch.parameters, batch.reason, request=word
        )
    flash(_("对失败的 %(n)s 个再执行一次。", n=len(keys)), "success")
    return redirect(url_for("batches.show", key=fresh))


@blueprint.get("/<int:key>/undo")
def confirm_undo(key: int) -> str:
    """Who can be brought back to where they were before this migration, and who cannot, with the reason."""
    return _undo_page(key)


@blueprint.post("/<int:key>/undo")
def undo(key: int) -> Any:
    """Undo the migration of everybody who can be, as a batch of its own."""
    try:
        with engine().unit_of_work() as session:
            word = take_turn(session)
            fresh = commands.batch_of_request(session, actor(), word) or _begin_undo(session, key, word)
    except LianbanError as refusal:
        return _undo_page(key, refusal.message(language())), refusal.status
    flash(_("撤销已开始。"), "success")
    return redirect(url_for("batches.show", key=fresh))


def _begin_undo(session: Session, key: int, word: str) -> int:
    _migration(session, key)
    keys = [each.instance_key for each in commands.undoable_of_batch(session, actor(), key) if each.why_not is None]
    reason = request.form.get("reason", "")
    return commands.create_batch(session, actor(), "undo_migration", keys, {"batchKey": key}, reason, request=word)


def _migration(session: Session, key: int) -> BatchProgress:
    batch = commands.batch_progress(session, actor(), key)
    if batch.kind != "migrate":
        raise NotFound(what="可以撤销的迁移", key=key)
    return batch


def _undo_page(key: int, refusal: str = "") -> str:
    with engine().reading() as session:
        batch = _migration(session, key)
        found = commands.undoable_of_batch(session, actor(), key)
        stuck = [each for each in found if each.why_not]
        named = runs_screen.projects_of(session, (each.business_id for each in stuck[:PAGE]))
        about = _about(session, batch)
    screen = {"batch": batch, "about": about, "ready": len(found) - len(stuck), "stuck": stuck, "shown": PAGE, "named": named}
    return render_template("batch_undo.html", **screen, may=may_change_batch(actor(), batch.kind), refusal=refusal)


def _screen(session: Session, batch: BatchProgress) -> dict[str, Any]:
    state = request.args.get("state", "")
    counts = {"FAILED": batch.failed, "DONE": batch.done, "PENDING": batch.pending, "SKIPPED": batch.skipped}
    total = counts.get(state, batch.total)
    pages = max(1, -(-total // PAGE))
    page = min(runs_screen.page_number(), pages)
    items = store.items(session, batch.key, state if state in counts else None, PAGE, (page - 1) * PAGE)
    return {
        "batch": batch,
        "about": _about(session, batch),
        "kind": runs_screen.BATCH_KINDS.get(batch.kind, batch.kind),
        "states": runs_screen.BATCH_STATES,
        "item_states": ITEM_STATES,
        "counts": counts,
        "by": runs_screen.people(session, [batch.created_by]).get(batch.created_by, batch.created_by),
        "reasons": store.failures(session, batch.key),
        "items": items,
        "named": runs_screen.projects_of(session, (item.business_id for item in items)),
        "state": state if state in counts else "",
        "page": page,
        "pages": pages,
        "total": total,
        "may": may_change_batch(actor(), batch.kind),
        "running": batch.state == "RUNNING",
        "undoable": batch.kind == "migrate" and batch.done > 0 and batch.state != "RUNNING",
    }


def _about(session: Session, batch: BatchProgress) -> dict[str, Any]:
    """What a batch is about, in names: the two versions of a migration and what is mapped otherwise than proposed; the batch undone."""
    parameters = batch.parameters
    about: dict[str, Any] = {"source": None, "target": None, "mapping": {}, "undoes": parameters.get("batchKey")}
    if batch.kind == "migrate":
        about["source"] = definitions.by_key(session, "process", int(parameters["sourceKey"]))
        about["target"] = definitions.by_key(session, "process", int(parameters["targetKey"]))
        about["mapping"] = parameters.get("mapping") or {}
    return about
