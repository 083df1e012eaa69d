"""One task: its form, what others said, what happened and comes next; claim, release, draft, complete, upload."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from flask import Blueprint, flash, jsonify, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from engine import commands
from handlers.tasks import service as tasks
from webapp import task_screen
from webapp.context import actor, engine, wants_json
from webapp.languages import local_path
from webapp.rendering import time_of_day
from webapp.submission import submitted_data
from webapp.uploads import receive

blueprint = Blueprint("task", __name__, url_prefix="/tasks/<int:key>")


@blueprint.before_request
def hide_foreign_tasks() -> None:
    """To applicants a task outside their own projects is 404, whatever they try to do with it."""
    if request.view_args is not None:
        with engine().reading() as session:
            tasks.require_known(session, actor(), request.view_args["key"])


@blueprint.get("")
def show(key: int) -> str:
    """The task on a page of its own."""
    return render_template("task.html", full=True, **task_screen.build(key))


@blueprint.get("/pane")
def pane(key: int) -> str:
    """The same task for the third pane of the work list."""
    return render_template("_pane.html", fragment=True, **task_screen.build(key))


@blueprint.get("/<any(others, opinions, steps):part>")
def part(key: int, part: str) -> str:
    """One live part of the task, fetched again when its project changes."""
    return render_template(f"_{part}.html", **task_screen.build(key))


@blueprint.post("/claim")
def claim(key: int) -> Response:
    """签收: the task becomes the visitor's own; a colleague's task is refused."""
    with engine().unit_of_work() as session:
        commands.claim_task(session, actor(), key)
    return _back(key)


@blueprint.post("/release")
def release(key: int) -> Response:
    """释放: the task goes back to its candidates."""
    with engine().unit_of_work() as session:
        commands.unclaim_task(session, actor(), key)
    flash(_("任务已释放，同单位的人可以签收。"), "info")
    return _back(key)


@blueprint.post("/draft")
def draft(key: int) -> Response:
    """Keep what has been typed so far; answers when it was kept."""
    data = submitted_data()
    with engine().unit_of_work() as session:
        saved_at = commands.save_draft(session, actor(), key, data)
    return jsonify(saved_at=time_of_day(saved_at), version=str(saved_at.timestamp()))


@blueprint.post("/complete")
def complete(key: int) -> Response:
    """Submit the form. Refusals carry the fields' paths (422) or the reason (403, 404, 409) and change nothing."""
    data = submitted_data()
    with engine().unit_of_work() as session:
        commands.complete_task(session, actor(), key, data)
    flash(_("已提交。"), "success")
    target = _next_address()
    return jsonify(next=target) if wants_json() else redirect(target)


@blueprint.post("/materials")
def upload(key: int) -> Response:
    """Store one file for the task's project. Too large 413, disguised or of a kind that is not accepted 415 or 422."""
    answer = receive(lambda session: task_screen.project_of(session, key))
    if wants_json():
        return jsonify(answer)
    flash(_("已上传：%(name)s", name=answer["name"]), "success")
    return _back(key, tab="materials")


def _next_address() -> str:
    """Where to go on: the next of the own tasks, beside the list."""
    with engine().reading() as session:
        mine = tasks.work_list(session, actor(), tasks.WorkListQuery(box="mine"))
    following = mine.rows[0].key if mine.rows else None
    return url_for("worklist.index", box="mine", task=following)


def _back(key: int, **changes: Any) -> Response:
    """To the page the button was on (the work list with its filters, or the task's own page)."""
    came_from = urlsplit(request.referrer or "")
    if came_from.netloc != request.host or changes:
        return redirect(url_for("task.show", key=key, **changes))
    return redirect(local_path(f"{came_from.path}?{came_from.query}" if came_from.query else came_from.path))
