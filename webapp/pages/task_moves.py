"""What may be done with a task beside submitting it: 退回, 撤回, 加签, 减签. Each on a page of its own that says what will happen."""

from __future__ import annotations

import re
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from engine import commands
from engine.commands import Asked, ReturnTarget
from engine.errors import Invalid
from engine.store import reads
from handlers.directory import service as directory
from handlers.tasks import service as tasks
from webapp.context import actor, engine, user

blueprint = Blueprint("task_moves", __name__, url_prefix="/tasks/<int:key>")

KEY = re.compile(r"[0-9]{1,18}")
"""A key as our own page writes it; any such number fits into 64 bits."""


@blueprint.before_request
def hide_foreign_tasks() -> None:
    """To applicants a task outside their own projects is 404, whatever they try to do with it."""
    if request.view_args is not None:
        with engine().reading() as session:
            tasks.require_known(session, actor(), request.view_args["key"])


# ---------------------------------------------------------------------- return
@blueprint.get("/return")
def choose_return(key: int) -> str:
    """Where the task may be returned to, the last step first."""
    with engine().reading() as session:
        task = reads.get_task(session, key)
        targets = commands.return_targets(session, actor(), key)
        names = directory.display_names(session, [target.completed_by for target in targets])
    choices = [_choice(target, names) for target in targets]
    return render_template("task_return.html", key=key, title=task.name, choices=choices)


@blueprint.post("/return")
def give_back(key: int) -> Response:
    """退回: the reason is shown to whoever gets it back."""
    instance_key, _colon, rest = request.form.get("target", "").partition(":")
    element_id, _colon, mode = rest.partition(":")
    if not KEY.fullmatch(instance_key) or mode not in ("branch", "all"):
        raise Invalid(reason=_("请选择退回到哪个环节"))
    with engine().unit_of_work() as session:
        commands.return_task(
            session,
            actor(),
            key,
            element_id,
            reason=request.form.get("reason", ""),
            mode="all" if mode == "all" else "branch",
            instance_key=int(instance_key),
        )
    flash(_("已退回。"), "success")
    return redirect(url_for("worklist.index"))


def _choice(target: ReturnTarget, names: dict[str, str]) -> dict[str, Any]:
    """The mildest mode that works: recalling the others only when there is no other way."""
    return {
        "value": f"{target.instance_key}:{target.element_id}:{target.modes[0]}",
        "name": target.name,
        "who": names.get(target.completed_by, target.completed_by) if target.completed_by else "",
        "at": target.completed_at,
        "recalled": list(target.recalled) if target.modes[0] == "all" else [],
    }


# ---------------------------------------------------------------------- withdraw
@blueprint.get("/withdraw")
def confirm_withdraw(key: int) -> str:
    """Ask before a completed task is taken back, or say why it cannot be."""
    with engine().reading() as session:
        task = reads.get_task(session, key)
        refusal = commands.withdrawable(session, actor(), key)
    return render_template("task_withdraw.html", key=key, title=task.name, refusal=refusal)


@blueprint.post("/withdraw")
def withdraw(key: int) -> Response:
    """撤回: the task opens again with what was submitted as its draft."""
    with engine().unit_of_work() as session:
        opened = commands.withdraw_task(session, actor(), key)
    flash(_("已撤回，可以修改后重新提交。"), "success")
    return redirect(url_for("task.show", key=opened))


# ---------------------------------------------------------------------- signatures
@blueprint.get("/sign")
def choose_signers(key: int) -> str:
    """Whom to ask: colleagues of the own offices first, then every office's roles."""
    with engine().reading() as session:
        view = tasks.task_view(session, actor(), key)
        colleagues, groups = _colleagues(session), _groups(session)
    return render_template("task_sign.html", key=key, title=view.task.name, colleagues=colleagues, groups=groups, moves=view.moves)


@blueprint.post("/sign")
def ask_to_sign(key: int) -> Response:
    """加签: a task for every one asked, now or after one's own submission."""
    when = request.form.get("when")
    if when not in ("before", "after"):
        raise Invalid(reason=_("请选择前加签或后加签"))
    who = [_asked(written) for written in request.form.getlist("who")]
    with engine().unit_of_work() as session:
        commands.add_sign(session, actor(), key, "before" if when == "before" else "after", who, reason=request.form.get("reason", ""))
    flash(_("已加签。"), "success")
    return redirect(url_for("task.show", key=key))


@blueprint.post("/sign/remove")
def remove_signer(key: int) -> Response:
    """减签: the signer's task goes."""
    with engine().unit_of_work() as session:
        asking = reads.get_task(session, key).properties.get("signOf", str(key))
        commands.remove_sign(session, actor(), key)
    flash(_("已减签。"), "success")
    return redirect(url_for("task.show", key=int(asking)))


def _asked(written: str) -> Asked:
    kind, _colon, name = written.partition(":")
    return Asked(user=name) if kind == "user" else Asked(group=name)


def _colleagues(session: Session) -> list[tuple[str, str]]:
    mine = {unit for unit, _role in user().memberships}
    found = [each for each in directory.users(session) if not each.disabled and mine & {unit for unit, _role in each.memberships}]
    return [(each.username, each.display_name) for each in found if each.username != user().username]


def _groups(session: Session) -> list[tuple[str, str]]:
    units = directory.unit_names(session)
    peopled = {f"{unit}.{role}" for each in directory.users(session) if not each.disabled for unit, role in each.memberships}
    return [(group, tasks.group_name(units, group)) for group in sorted(peopled)]
