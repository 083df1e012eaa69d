"""Who may do what: pure functions over facts, asked by every command; lists use the SQL twin in engine.store.reads.

The rules that hold whatever a diagram says: a task belongs to its assignee or to the people of its candidate groups; whoever did one
of the tasks named in a task's `separateFrom` may not do this one (审核 is not 经办); nobody acts for an office in a case of their own
(行政许可法 and the plans' separation of window and approval); a task of the case's owner is done by the owner or by somebody who may
represent owners (the window, an agent with a mandate).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from engine.errors import Forbidden

Action = Literal["view", "claim", "unclaim", "complete", "save_draft"]
Power = Literal["deploy", "operate", "read_all", "represent_owner", "administer"]


@dataclass(frozen=True, slots=True)
class Actor:
    """Whoever sends a command. `groups` are `UNIT.role`; `owns` are the owners (of cases) this person belongs to or speaks for."""

    username: str
    groups: frozenset[str] = frozenset()
    powers: frozenset[Power] = frozenset()
    owns: frozenset[str] = frozenset()
    display_name: str = ""

    def can(self, power: Power) -> bool:
        return power in self.powers


SYSTEM = Actor("system", powers=frozenset({"deploy", "operate", "read_all", "represent_owner", "administer"}), display_name="系统")


@dataclass(frozen=True, slots=True)
class TaskFacts:
    """What the rules need to know of a user task. `doers`: element id -> usernames who completed it anywhere under the same root."""

    assignee: str | None
    candidate_groups: frozenset[str] = frozenset()
    candidate_users: frozenset[str] = frozenset()
    owner: str | None = None
    separate_from: frozenset[str] = frozenset()
    doers: Mapping[str, frozenset[str]] = field(default_factory=dict)


def refusal(actor: Actor, action: Action, task: TaskFacts, called: str = "") -> str | None:
    """Why `actor` may not do `action` on the task (Chinese sentence), or None when it may. `called`: what to call the assignee there, by
    default the user name."""
    if action == "view" and may_watch(actor):
        return None
    if task.owner is not None and task.assignee == task.owner:
        return _owner_task(actor, task)
    if action != "view" and task.owner is not None and task.owner in actor.owns | {actor.username}:
        return "这是您本人（本单位）申请的办件，不能由您办理"
    if not _is_candidate(actor, task):
        return "这项任务属于其他部门或其他人员"
    if action == "view":
        return None
    return _assigned_to_other(actor, task, called) or _separation(actor, task)


def check(actor: Actor, action: Action, task: TaskFacts) -> None:
    """Raise Forbidden with the reason unless `actor` may do `action`."""
    reason = refusal(actor, action, task, called="{person}")
    if reason:
        raise Forbidden(reason=reason, person=task.assignee)


def require(actor: Actor, *powers: Power) -> None:
    """Raise Forbidden unless the actor has the power, or one of several."""
    if actor.powers.isdisjoint(powers):
        names = "”或“".join(_POWER_NAMES[power] for power in powers)
        raise Forbidden(reason=f"需要“{names}”权限")


def may_watch(actor: Actor) -> bool:
    """Whether the actor may look at everything that runs: operators, whoever may read all, and analysts, who follow their diagrams."""
    return actor.can("operate") or actor.can("read_all") or actor.can("deploy")


def require_watch(actor: Actor) -> None:
    """Raise Forbidden unless the actor may look at everything that runs."""
    if not may_watch(actor):
        raise Forbidden(reason="需要“流程运维”“流程部署”或“全部查阅”权限")


_POWER_NAMES: dict[Power, str] = {
    "deploy": "流程部署",
    "operate": "流程运维",
    "read_all": "全部查阅",
    "represent_owner": "代申请人办理",
    "administer": "系统管理",
}


def _owner_task(actor: Actor, task: TaskFacts) -> str | None:
    if task.owner in actor.owns | {actor.username} or actor.can("represent_owner"):
        return None
    return "这项任务由申请人办理"


def _is_candidate(actor: Actor, task: TaskFacts) -> bool:
    if task.assignee == actor.username or actor.username in task.candidate_users:
        return True
    if task.candidate_groups & actor.groups:
        return True
    return not (task.assignee or task.candidate_groups or task.candidate_users) and actor.can("operate")


def _assigned_to_other(actor: Actor, task: TaskFacts, called: str) -> str | None:
    if task.assignee is not None and task.assignee != actor.username:
        return f"任务已由 {called or task.assignee} 签收"
    return None


def _separation(actor: Actor, task: TaskFacts) -> str | None:
    for element in sorted(task.separate_from):
        if actor.username in task.doers.get(element, frozenset()):
            return "您已办理过本办件的前一环节，审核与经办不能是同一人"
    return None
