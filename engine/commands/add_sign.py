"""Ask others to sign the same user task, before or after oneself (前加签, 后加签), and take such a request back (减签).

Every signer gets a task of the same element with the same form; its opinion is kept with that task and shown with the others, the
diagram goes by what the asking person submits. A signer may not add signers, nobody signs for themselves, and the separation of duties
(`separateFrom`) holds for signers as for everybody. Only people of the offices sign, and only tasks of the offices: what an applicant
fills in is the applicant's alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from sqlalchemy.orm import Session

from engine import policy
from engine.bpmn import Signer
from engine.commands.complete_task import open_task
from engine.commands.reasons import checked_reason
from engine.commands.root_run import RootRun
from engine.errors import Conflict, Forbidden, Invalid
from engine.policy import Actor
from engine.runtime import runtime_of
from engine.store import audit, reads
from engine.store.models import element_key, split_key

MAX_NAME = 100


@dataclass(frozen=True, slots=True)
class Asked:
    """Who is asked to sign: a username, or a group (UNIT.role) of which anybody may."""

    user: str | None = None
    group: str | None = None

    def __str__(self) -> str:
        return self.user or self.group or ""


def add_sign(
    session: Session, actor: Actor, task_key: int, when: Literal["before", "after"], who: Sequence[Asked], *, reason: str = ""
) -> list[int]:
    """Ask for signatures on an open task of the actor's -> keys of the tasks opened now (none yet when they sign afterwards).

    Raises NotFound, Forbidden (not the actor's, or the applicant's own task), Invalid (nobody or too many asked, oneself, the applicant,
    somebody or a group that is not known, a long reason), Conflict (closed; asked already; before and after mixed).
    """
    instance_key, token_id = split_key(task_key)
    run = RootRun.locked(session, actor, instance_key)
    task = open_task(session, task_key)
    policy.check(actor, "complete", reads.task_facts(session, task))
    if task.owner is not None and task.assignee == task.owner:
        raise Forbidden(reason="申请人填报的任务不能加签")
    _check(session, actor, who)
    _check_not_open(session, instance_key, task_key, who)
    said = checked_reason(reason)
    note = (("signOf", str(task_key)), ("signBy", actor.username))
    live = run.instance(instance_key)
    opened = live.add_signs(token_id, when, [Signer(each.user, each.group, note) for each in who])
    audit.record(
        session,
        actor,
        "task.sign_added",
        root_key=task.root_key,
        instance_key=instance_key,
        element_id=task.element_id,
        task_key=task_key,
        business_id=task.business_id,
        data={"name": task.name, "when": when, "who": [str(each) for each in who], "reason": said},
    )
    run.finish()
    return [element_key(instance_key, each) for each in opened]


def _check_not_open(session: Session, instance_key: int, task_key: int, who: Sequence[Asked]) -> None:
    """A second click asks nobody twice."""
    for task in reads.open_tasks_of_instance(session, instance_key):
        if task.properties.get("signOf") == str(task_key) and any(
            each.group in task.candidate_groups if each.group else each.user == task.assignee for each in who
        ):
            raise Conflict(reason="已经向其加签，对方还没有办理")


def _check(session: Session, actor: Actor, who: Sequence[Asked]) -> None:
    for each in who:
        if bool(each.user) == bool(each.group) or len(str(each)) > MAX_NAME:
            raise Invalid(reason="每位加签人应是一个用户或一个岗位")
        if each.user == actor.username:
            raise Invalid(reason="不能加签给自己")
    if len(set(who)) != len(who):
        raise Invalid(reason="加签人重复")
    users = frozenset(each.user for each in who if each.user)
    strangers = sorted(users - runtime_of(session).active_staff(session, users)) if users else []
    if strangers:
        raise Invalid(reason=f"只能加签给在职的部门人员：{'、'.join(strangers)}")
    groups = {each.group for each in who if each.group}
    known = runtime_of(session).known_groups(session) if groups else None
    unknown = sorted(groups - known) if known is not None else []
    if unknown:
        raise Invalid(reason=f"没有这些岗位：{'、'.join(unknown)}")
