"""What stands in the tabs of an instance's page: variables by scope, incidents with their expression, tasks and jobs, messages waited for,
decisions, called instances, the audit trail. Of a past moment only what the history tells."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext
from flask_babel.speaklater import LazyString
from sqlalchemy import Row
from sqlalchemy.orm import Session

from engine import commands
from engine.bpmn import ElementInfo
from engine.commands import WaitingCondition
from engine.errors import NotFound
from engine.store import inspection, reads
from engine.store.history import VariableChange
from engine.store.inspection import AUDIT_EVENTS, LastChange
from engine.store.models import element_key
from engine.store.search import Condition, Order, PageRequest, Source, search
from engine.store.search_messages import MESSAGE_SUBSCRIPTIONS
from engine.store.search_sources import INCIDENTS, JOBS, USER_TASKS
from handlers.directory import service as directory
from handlers.tasks import service as task_service
from webapp import audit_words
from webapp.context import actor
from webapp.decision_screen import explain
from webapp.instance_screen import Picture, bodies, children_of, element_name, member_labels
from webapp.runs_screen import people as people_named

TABS: dict[str, LazyString] = {
    "variables": lazy_gettext("变量"),
    "incidents": lazy_gettext("异常"),
    "work": lazy_gettext("任务和作业"),
    "messages": lazy_gettext("等待的消息"),
    "decisions": lazy_gettext("决策"),
    "calls": lazy_gettext("上下级流程"),
    "audit": lazy_gettext("操作和经过"),
}
PAST_TABS = ("variables", "incidents", "work", "decisions", "audit")
"""What the history tells of a past moment."""

BEGINNINGS = frozenset(
    {
        *("task", "userTask", "manualTask", "serviceTask", "sendTask", "receiveTask", "scriptTask", "businessRuleTask", "callActivity"),
        *("subProcess", "transaction", "adHocSubProcess", "intermediateCatchEvent", "intermediateThrowEvent"),
    }
)
"""What people begin inside an ad-hoc subprocess."""
MAX_ROWS = 200
MAX_SCOPES = 20
"""Scopes beside the process that are listed unless an element is chosen: then its own and those around it are."""
LONG_VALUE = 80
"""Longer values are folded."""
MAX_VALUE = 20_000
"""Characters of a value on the page: longer ones are cut, and cannot be edited there."""

INCIDENT_KINDS = {
    "JOB_NO_RETRIES": lazy_gettext("作业失败，重试用完"),
    "EXECUTION_LISTENER_NO_RETRIES": lazy_gettext("执行监听器失败，重试用完"),
    "TASK_LISTENER_NO_RETRIES": lazy_gettext("任务监听器失败，重试用完"),
    "IO_MAPPING_ERROR": lazy_gettext("输入输出映射出错"),
    "CONDITION_ERROR": lazy_gettext("分支条件出错"),
    "EXTRACT_VALUE_ERROR": lazy_gettext("表达式取值出错"),
    "CALLED_DECISION_ERROR": lazy_gettext("决策没有部署"),
    "DECISION_EVALUATION_ERROR": lazy_gettext("决策出错"),
    "CALLED_ELEMENT_ERROR": lazy_gettext("被调用的流程不可用"),
    "FORM_NOT_FOUND": lazy_gettext("表单没有部署"),
    "UNHANDLED_ERROR_EVENT": lazy_gettext("错误事件无人捕获"),
}
JOB_STATES = {
    "CREATED": (lazy_gettext("待领取"), "blue"),
    "ACTIVATED": (lazy_gettext("执行中"), "blue"),
    "COMPLETED": (lazy_gettext("已完成"), "green"),
    "FAILED": (lazy_gettext("失败"), "red"),
    "CANCELED": (lazy_gettext("已取消"), "grey"),
    "ERROR_THROWN": (lazy_gettext("抛出错误"), "yellow"),
}


@dataclass(frozen=True, slots=True)
class VariableLine:
    """One variable. `text`: its JSON, cut at MAX_VALUE (then `editable` is False)."""

    name: str
    text: str
    pretty: str
    editable: bool
    last: LastChange | None
    who: str


@dataclass(frozen=True, slots=True)
class ScopeLines:
    """The variables of one scope: the process (scope id 0), or an element instance."""

    scope_id: int
    key: int
    title: str
    label: str
    element_id: str
    lines: list[VariableLine]


def build(session: Session, seen: Picture, tab: str, scope: int) -> dict[str, Any]:
    """The tabs and what stands in the chosen one. NotFound for a tab there is not."""
    if tab not in TABS:
        raise NotFound(what=_("页签"), key=tab)
    past = seen.moment.at is not None
    shown = tab if not past or tab in PAST_TABS else "variables"
    screen: dict[str, Any] = {"tabs": _tabs(session, seen), "tab": shown, "scope": scope}
    parts: dict[str, Callable[[], dict[str, Any]]] = {
        "variables": lambda: {
            "scopes": list(variable_scopes(session, seen, scope)),
            "more_scopes": not scope and len(seen.variables) > MAX_SCOPES + 1,
        },
        "incidents": lambda: {"incidents": list(incidents(session, seen))},
        "work": lambda: work(session, seen),
        "messages": lambda: {
            "messages": _found(session, MESSAGE_SUBSCRIPTIONS, seen.row.key),
            "conditions": conditions(session, seen),
            "element_names": element_names(seen),
        },
        "decisions": lambda: {"decisions": decisions(session, seen)},
        "calls": lambda: calls(session, seen),
        "audit": lambda: {"events": audit_lines(session, _audit_of(session, seen))},
    }
    return screen | parts[shown]()


def _tabs(session: Session, seen: Picture) -> list[tuple[str, LazyString, int]]:
    """(code, name, how many; 0 is not shown) of the tabs that the moment has."""
    if seen.moment.at is not None:
        counts = {"incidents": len(seen.open_incidents), "work": len(seen.open_tasks)}
        return [(code, TABS[code], counts.get(code, 0)) for code in PAST_TABS]
    none = PageRequest(limit=0)
    here = [Condition("process_instance_key", "eq", seen.row.key)]
    counts = {
        "incidents": len(seen.failed),
        "work": search(session, USER_TASKS, [*here, Condition("state", "eq", "CREATED")], page=none).total
        + search(session, JOBS, [*here, Condition("state", "in", ["CREATED", "FAILED"])], page=none).total,
        "messages": search(session, MESSAGE_SUBSCRIPTIONS, here, page=none).total + len(conditions(session, seen)),
        "calls": len(children_of(session, seen.row.key)),
    }
    return [(code, name, counts.get(code, 0)) for code, name in TABS.items()]


def _found(session: Session, source: Source, key: int, order: str = "", *more: Condition) -> Sequence[Row[Any]]:
    conditions = [Condition("process_instance_key", "eq", key), *more]
    return search(session, source, conditions, [Order(order, descending=True)] if order else (), PageRequest(limit=MAX_ROWS)).rows


def element_names(seen: Picture) -> dict[str, str]:
    """Element id -> what people call it."""
    return {element: element_name(info) for element, info in seen.model.elements.items()}


# ---------------------------------------------------------------------- variables
def variable_scopes(session: Session, seen: Picture, chosen: int) -> Iterator[ScopeLines]:
    """The scopes to show: the chosen element instance and everything around it, innermost first; without one the process and every
    scope that has variables."""
    changes = inspection.last_changes(session, seen.row.key) if seen.moment.at is None else {}
    people = people_named(session, [change.by for change in changes.values()])
    by_token, names, labels = {each.token_id: each for each in seen.elements}, element_names(seen), member_labels(seen)
    for scope in _scopes(seen, chosen):
        element = by_token[scope].element_id if scope else ""
        yield ScopeLines(
            scope,
            element_key(seen.row.key, scope) if scope else seen.row.key,
            names.get(element, element) if scope else _("流程"),
            labels.get(scope, ""),
            element,
            [_line(name, value, changes.get((scope, name)), people) for name, value in sorted(seen.variables.get(scope, {}).items())],
        )


def _scopes(seen: Picture, chosen: int) -> list[int]:
    by_token = {each.token_id: each for each in seen.elements}
    if not chosen:
        return [0, *sorted(scope for scope in seen.variables if scope and scope in by_token)][: MAX_SCOPES + 1]
    if chosen not in by_token:
        raise NotFound(what=_("元素实例"), key=chosen)
    around = [chosen]
    while around[-1] in by_token:
        around.append(by_token[around[-1]].scope_id)
    return [scope for scope in around if scope in (0, chosen) or scope in seen.variables]


def _line(name: str, value: Any, change: LastChange | None, people: Mapping[str, str]) -> VariableLine:
    text = json.dumps(value, ensure_ascii=False)
    pretty = json.dumps(value, ensure_ascii=False, indent=2) if len(text) > LONG_VALUE else text
    who = people.get(change.by, change.by) if change else ""
    return VariableLine(name, text[:MAX_VALUE], pretty[:MAX_VALUE], len(pretty) <= MAX_VALUE, change, who)


# ---------------------------------------------------------------------- incidents
def incidents(session: Session, seen: Picture) -> Iterator[dict[str, Any]]:
    """Open ones first with what is known of the cause, then the newest resolved ones; of a past moment those open then."""
    names = element_names(seen)
    if seen.moment.at is not None:
        for past in seen.open_incidents:
            yield {
                "key": past.key,
                "open": True,
                "element": names.get(past.element_id, past.element_id),
                "element_id": past.element_id,
                "kind": INCIDENT_KINDS.get(past.kind, past.kind),
                "message": past.message,
            }
        return
    rows = sorted(_found(session, INCIDENTS, seen.row.key, "creation_time"), key=lambda row: (row.state != "ACTIVE", -row.key))
    people = people_named(session, [row.resolved_by for row in rows if row.resolved_by])
    for row in rows:
        details = dict(row.details or {})
        yield {
            "key": row.key,
            "open": row.state == "ACTIVE",
            "token_id": row.token_id,
            "scope_key": element_key(seen.row.key, row.token_id),
            "element": names.get(row.element_id, row.element_id),
            "element_id": row.element_id,
            "kind": INCIDENT_KINDS.get(row.kind, row.kind),
            "message": row.message,
            "expression": _marked(details),
            "warnings": [str(each) for each in details.get("warnings", [])],
            "read": {name: _short(value) for name, value in (details.get("values") or {}).items()},
            "job_type": details.get("type", ""),
            "decision": details.get("decision", ""),
            "at": row.created_at,
            "resolved_at": row.resolved_at,
            "resolved_by": people.get(row.resolved_by, row.resolved_by) if row.resolved_by else "",
        }


def _marked(details: Mapping[str, Any]) -> tuple[str, str, str] | None:
    """An expression cut at the place of its fault: before, the character, after. Positions count from 0; without one nothing is marked."""
    text = details.get("expression")
    if not isinstance(text, str):
        return None
    position = details.get("position")
    if not isinstance(position, int) or not 0 <= position < len(text):
        return text, "", ""
    return text[:position], text[position], text[position + 1 :]


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= MAX_ROWS else f"{text[:MAX_ROWS]}…"


# ---------------------------------------------------------------------- tasks, jobs, decisions, calls, audit
def work(session: Session, seen: Picture) -> dict[str, Any]:
    """User tasks (open first) and jobs, newest first; of a past moment the tasks open then."""
    if seen.moment.at is not None:
        return {"past_tasks": seen.open_tasks, "tasks": [], "jobs": [], "ad_hoc": []}
    tasks = sorted(_found(session, USER_TASKS, seen.row.key, "creation_date"), key=lambda task: task.state != "CREATED")
    jobs = _found(session, JOBS, seen.row.key, "job_key")
    units = directory.unit_names(session)
    people = people_named(session, [name for task in tasks for name in (task.assignee, task.completed_by) if name])
    return {
        "past_tasks": [],
        "ad_hoc": ad_hoc(seen),
        "tasks": tasks,
        "jobs": jobs,
        "people": people,
        "groups": {group: task_service.group_name(units, group) for task in tasks for group in task.candidate_groups},
        "job_states": JOB_STATES,
        "element_names": element_names(seen),
    }


def ad_hoc(seen: Picture) -> list[dict[str, Any]]:
    """The open ad-hoc subprocesses with what can be begun inside: everything that does not begin by itself."""
    labels = member_labels(seen)
    around = bodies(seen.elements)
    running = Counter((each.scope_id, each.element_id) for each in seen.elements if each.state == "ACTIVE")
    found = []
    for each in seen.elements:
        info = seen.model.elements.get(each.element_id)
        if info is None or info.kind != "adHocSubProcess" or each.state != "ACTIVE" or each.token_id in around:
            continue
        inside = [one for one in seen.model.elements.values() if one.parent == info.id and _can_begin(one)]
        found.append(
            {
                "key": element_key(seen.row.key, each.token_id),
                "name": element_name(info),
                "label": labels.get(each.token_id, ""),
                "elements": [(one.id, element_name(one), running[each.token_id, one.id]) for one in inside],
            }
        )
    return found


def _can_begin(info: ElementInfo) -> bool:
    return not info.attached_to and info.kind in BEGINNINGS


def conditions(session: Session, seen: Picture) -> list[WaitingCondition]:
    """The conditional events that wait; an ended instance has none."""
    if seen.row.state != "ACTIVE" or not any(info.trigger == "conditional" for info in seen.model.elements.values()):
        return []
    return commands.waiting_conditions(session, actor(), seen.row.key)


def decisions(session: Session, seen: Picture) -> list[dict[str, Any]]:
    """The decisions taken by then, newest first, each with its trace."""
    rows = inspection.decisions_of_instance(session, seen.row.key)
    taken = [row for row in rows if seen.moment.at is None or row.at <= seen.moment.at][:MAX_ROWS]
    return [explain(row.trace, row.output, name="" if row.trace else row.decision_id, at=row.at) for row in taken]


def calls(session: Session, seen: Picture) -> dict[str, Any]:
    """The instance that called this one, and those it called."""
    parent = reads.instance(session, seen.row.parent_key) if seen.row.parent_key is not None else None
    return {"parent": parent, "called": children_of(session, seen.row.key), "element_names": element_names(seen)}


def _audit_of(session: Session, seen: Picture) -> list[Row[Any]]:
    at = seen.moment.at
    return [row for row in _found(session, AUDIT_EVENTS, seen.row.key, "id") if at is None or row.business_at <= at]


def audit_lines(session: Session, rows: Sequence[Row[Any]]) -> list[dict[str, Any]]:
    """Audit events in words."""
    people = people_named(session, [row.actor for row in rows])
    return [_audit_line(row, people) for row in rows]


def _audit_line(row: Row[Any], people: Mapping[str, str]) -> dict[str, Any]:
    at: datetime = row.at
    data = row.data or {}
    return {
        "id": row.id,
        "at": at,
        "business_at": row.business_at,
        "username": row.actor,
        "who": people.get(row.actor, row.actor),
        "action": row.action,
        "name": audit_words.action_name(row.action),
        "details": audit_words.details(row.action, data),
        "reason": str(data.get("reason", "")),
        "element_id": row.element_id or "",
        "instance_key": row.instance_key,
        "business_id": row.business_id,
    }


def history_line(change: VariableChange, people: Mapping[str, str]) -> dict[str, Any]:
    """One line of a variable's history."""
    text = json.dumps(change.value, ensure_ascii=False, indent=2)
    return {"at": change.at, "who": people.get(change.by, change.by), "removed": change.removed, "text": text[:MAX_VALUE]}
