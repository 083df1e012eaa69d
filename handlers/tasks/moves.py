"""What else than completing it may be done with a task now: return it, ask others to sign it, take it back; and whether the case stands
still. Cheap enough for every page: only a completed task of one's own looks at the live instance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row
from sqlalchemy.orm import Session

from engine import commands
from engine.commands.return_task import return_policy
from engine.definitions import process_model
from engine.policy import Actor
from engine.store import reads
from handlers.catalogue.service import catalogue
from handlers.directory import service as directory


@dataclass(frozen=True, slots=True)
class Signature:
    """A signer's task that is still open. `who`: a person's name, or the office and role that may sign."""

    task_key: int
    who: str
    may_remove: bool


@dataclass(frozen=True, slots=True)
class Moves:
    """`signatures`: what this task waits for; `sign_of`: the task this one was asked to sign, None for ordinary ones;
    `returned_by` and `return_reason`: who sent it back here, and why."""

    suspended: bool = False
    can_return: bool = False
    can_sign: bool = False
    can_withdraw: bool = False
    signatures: tuple[Signature, ...] = ()
    sign_of: int | None = None
    returned_by: str = ""
    return_reason: str = ""


def moves_of(session: Session, actor: Actor, row: Row[Any], *, can_complete: bool) -> Moves:
    """The moves of one task for one person; `can_complete`: the person may complete it."""
    suspended = reads.instance_row(session, row.instance_key).suspended_at is not None
    sign_of = row.properties.get("signOf")
    ordinary = can_complete and not suspended and sign_of is None
    model = process_model(session, row.definition_key)
    mine = row.state == "COMPLETED" and row.completed_by == actor.username and not suspended
    return Moves(
        suspended=suspended,
        can_return=ordinary and row.element_id in model.elements and bool(return_policy(model, row.element_id)),
        can_sign=ordinary and directory.is_staff(actor) and not (row.owner is not None and row.owner == row.assignee),
        can_withdraw=mine and commands.withdrawable(session, actor, row.key) is None,
        signatures=_signatures(session, actor, row),
        sign_of=int(sign_of) if sign_of else None,
        returned_by=_name(session, row.properties.get("returnedBy")),
        return_reason=row.properties.get("returnReason", ""),
    )


def group_name(units: dict[str, str], group: str) -> str:
    """A group in words: office and role (自然资源局 经办人); an unknown one as it is written. `units`: names by code."""
    unit, _, role = group.partition(".")
    known = catalogue().roles.get(role)
    return f"{units.get(unit, unit)} {known.name}" if known is not None else group


def _name(session: Session, username: str | None) -> str:
    if not username:
        return ""
    return directory.display_names(session, [username]).get(username, username)


def _signatures(session: Session, actor: Actor, row: Row[Any]) -> tuple[Signature, ...]:
    opened = reads.open_tasks_of_instance(session, row.instance_key)
    signs = [each for each in opened if each.properties.get("signOf") == str(row.key)]
    names = directory.display_names(session, [each.assignee for each in signs])
    return tuple(Signature(each.key, _who(session, each, names), _may_remove(actor, each)) for each in signs)


def _who(session: Session, sign: Row[Any], names: dict[str, str]) -> str:
    username: str | None = sign.assignee
    if username:
        return names.get(username, username)
    units = directory.unit_names(session)
    return "、".join(group_name(units, group) for group in sign.candidate_groups)


def _may_remove(actor: Actor, sign: Row[Any]) -> bool:
    return sign.properties.get("signBy") == actor.username or actor.can("operate")
