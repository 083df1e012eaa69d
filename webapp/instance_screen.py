"""What an instance's page shows: its head, where its tokens are on the diagram, the tree of its elements, now or at a past moment.

What stands in the tabs beside the tree (variables, incidents, jobs, ...) is webapp.instance_tabs.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import orjson
from flask_babel import gettext as _
from flask_babel import lazy_gettext
from sqlalchemy import Row
from sqlalchemy.orm import Session

from engine import clock
from engine.bpmn import ElementInfo, ProcessModel
from engine.clock import CHINA
from engine.definitions import process_model
from engine.errors import Invalid, NotFound
from engine.policy import Actor, require_watch
from engine.store import definitions, history, inspection, reads
from engine.store.models import element_key, split_key
from engine.store.reads import ElementInstance
from engine.store.search import Condition, Order, PageRequest, search
from engine.store.search_sources import PROCESS_INSTANCES
from webapp.runs_screen import people

MAX_NODES = 500
"""Element instances that the tree shows at once, unless all are asked for."""
MOST_NODES = 5_000

KINDS = {
    "userTask": lazy_gettext("人工任务"),
    "serviceTask": lazy_gettext("自动任务"),
    "businessRuleTask": lazy_gettext("决策"),
    "scriptTask": lazy_gettext("计算"),
    "sendTask": lazy_gettext("发送"),
    "receiveTask": lazy_gettext("等待消息"),
    "callActivity": lazy_gettext("调用流程"),
    "manualTask": lazy_gettext("线下任务"),
    "task": lazy_gettext("任务"),
    "subProcess": lazy_gettext("子流程"),
    "adHocSubProcess": lazy_gettext("临时子流程"),
    "transaction": lazy_gettext("事务"),
    "startEvent": lazy_gettext("开始"),
    "endEvent": lazy_gettext("结束"),
    "intermediateCatchEvent": lazy_gettext("等待事件"),
    "intermediateThrowEvent": lazy_gettext("触发事件"),
    "boundaryEvent": lazy_gettext("边界事件"),
    "exclusiveGateway": lazy_gettext("排他网关"),
    "parallelGateway": lazy_gettext("并行网关"),
    "inclusiveGateway": lazy_gettext("包容网关"),
    "eventBasedGateway": lazy_gettext("事件网关"),
}
"""BPMN tags in words."""

STATES = {
    "ACTIVE": (lazy_gettext("进行中"), "blue"),
    "COMPLETED": (lazy_gettext("已完成"), "green"),
    "TERMINATED": (lazy_gettext("已取消"), "grey"),
    "MERGED": (lazy_gettext("已汇合"), "green"),
    "FAILED": (lazy_gettext("出错"), "red"),
    "SUSPENDED": (lazy_gettext("已暂停"), "yellow"),
}
"""States of instances and elements: words and light."""


@dataclass(slots=True)
class Node:
    """One element instance in the tree. `state`: a key of STATES; `label` tells the members of a multi-instance apart."""

    token_id: int
    key: int
    element_id: str
    name: str
    kind: str
    state: str
    entered_at: datetime
    ended_at: datetime | None
    duration: str
    label: str = ""
    called: list[Any] = field(default_factory=list)
    children: list[Node] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Moment:
    """The instant that a page shows. `at` None: now. `before` and `after` are the neighbouring changes, None where there is none."""

    at: datetime | None
    instants: Sequence[datetime]

    @property
    def shown(self) -> int:
        """The place of the latest change that the moment shows (where a slider over `instants` stands); -1 before the first."""
        return len(self.instants) - 1 if self.at is None else bisect_right(self.instants, self.at) - 1

    @property
    def texts(self) -> list[str]:
        """The instants as addresses write them."""
        return [each.isoformat() for each in self.instants]

    @property
    def before(self) -> datetime | None:
        return self.instants[self.shown - 1] if self.shown > 0 else None

    @property
    def after(self) -> datetime | None:
        return self.instants[self.shown + 1] if self.shown + 1 < len(self.instants) else None


def read_moment(written: str) -> datetime | None:
    """A moment of an address or of a `datetime-local` field (Beijing time without an offset); a whole second means its end. "" is now.

    Raises Invalid for anything else.
    """
    if not written.strip():
        return None
    try:
        moment = datetime.fromisoformat(written.strip())
    except ValueError:
        raise Invalid(reason=_("时间应写成 2022-08-01T10:30:00")) from None
    moment = moment if moment.tzinfo is not None else moment.replace(tzinfo=CHINA)
    return moment if moment.microsecond else moment.replace(microsecond=999_999)


def instance_row(session: Session, actor: Actor, key: int) -> Row[Any]:
    """The row of PROCESS_INSTANCES of one instance. Forbidden for who may not watch, NotFound."""
    require_watch(actor)
    rows = search(session, PROCESS_INSTANCES, [Condition("process_instance_key", "eq", key)], page=PageRequest(limit=1)).rows
    if not rows:
        raise NotFound(what=_("流程实例"), key=key)
    row: Row[Any] = rows[0]
    return row


def scope_key(instance_key: int, written: str) -> int:
    """The key of a variable scope as a form writes it: of this instance ("" too) or of one of its element instances. Raises Invalid."""
    written = written or str(instance_key)
    if not written.isascii() or not written.isdecimal() or (int(written) != instance_key and split_key(int(written))[0] != instance_key):
        raise Invalid(reason=_("变量的范围不属于这个流程实例"))
    return int(written)


@dataclass(frozen=True, slots=True)
class Picture:
    """An instance at the moment that is shown: its element instances, open incidents and variables, and the version it ran on."""

    row: Row[Any]
    moment: Moment
    definition: Row[Any]
    model: ProcessModel
    elements: Sequence[ElementInstance]
    failed: frozenset[int]
    variables: Mapping[int, Mapping[str, Any]]
    exists: bool = True
    ended: bool = False
    open_tasks: Sequence[history.PastTask] = ()
    open_incidents: Sequence[history.PastIncident] = ()

    @property
    def state(self) -> str:
        """A key of STATES for the whole instance."""
        if self.moment.at is not None:
            return "COMPLETED" if self.ended else "FAILED" if self.failed else "ACTIVE"
        shown = str(self.row.shown_state)
        return "FAILED" if shown == "ACTIVE" and self.failed else shown


def picture(session: Session, actor: Actor, key: int, at: datetime | None) -> Picture:
    """The instance now (`at` None) or at a past moment of business time. Raises Forbidden, NotFound."""
    row = instance_row(session, actor, key)
    moment = Moment(at, inspection.moments(session, key))
    if at is None:
        failed = frozenset(each.token_id for each in reads.incidents_of_instance(session, key))
        elements = reads.element_history(session, key)
        definition = definitions.by_key(session, "process", row.definition_key)
        return Picture(row, moment, definition, process_model(session, row.definition_key), elements, failed, _variables(session, key))
    past = history.state_at(session, key, at)
    return Picture(
        row,
        moment,
        definitions.by_key(session, "process", past.definition_key),
        process_model(session, past.definition_key),
        reads.element_history(session, key, at) if past.exists else [],
        frozenset(each.token_id for each in past.incidents),
        past.variables or {},
        past.exists,
        past.ended,
        past.tasks,
        past.incidents,
    )


def _variables(session: Session, key: int) -> dict[int, dict[str, Any]]:
    found: dict[int, dict[str, Any]] = defaultdict(dict)
    for scope, name, value in reads.variable_rows(session, key):
        if not name.startswith("#"):
            found[scope][name] = orjson.loads(value)
    return found


def build(session: Session, seen: Picture, *, everything: bool = False) -> dict[str, Any]:
    """Head, diagram and tree for the template."""
    shown = _most_useful(seen.elements, MOST_NODES if everything else MAX_NODES)
    called = children_of(session, seen.row.key)
    return {
        "row": seen.row,
        "seen": seen,
        "model": seen.model,
        "definition": seen.definition,
        "state": seen.state,
        "state_words": STATES[seen.state][0],
        "state_colour": STATES[seen.state][1],
        "moment": seen.moment,
        "diagram_state": diagram_state(seen),
        "tree": tree(seen, shown, called if seen.moment.at is None else []),
        "hidden": len(seen.elements) - len(shown),
        "starter": people(session, [seen.row.started_by]).get(seen.row.started_by, seen.row.started_by),
        "duration": elapsed(seen.row.started_at, seen.row.ended_at),
        "states": STATES,
    }


def children_of(session: Session, key: int) -> Sequence[Row[Any]]:
    """The instances that this one called, oldest first."""
    condition = [Condition("parent_process_instance_key", "eq", key)]
    return search(session, PROCESS_INSTANCES, condition, [Order("process_instance_key")], PageRequest(limit=MAX_NODES)).rows


# ---------------------------------------------------------------------- diagram
def diagram_state(seen: Picture) -> dict[str, Any]:
    """For the diagram: `done` (with the flows taken), `active`, `failed`; `tokens` and `passed` count per element. The body of a
    multi-instance is not counted beside its members."""
    around = bodies(seen.elements)
    counted = [each for each in seen.elements if each.token_id not in around]
    tokens = Counter(each.element_id for each in counted if each.state == "ACTIVE")
    passed = Counter(each.element_id for each in counted if each.state in ("COMPLETED", "MERGED"))
    where = {each.token_id: each.element_id for each in seen.elements}
    failed = Counter(where[token] for token in seen.failed if token in where)
    flows = [each.flow_id for each in seen.elements if each.flow_id]
    return {
        "done": [*(element for element in passed if element not in tokens), *dict.fromkeys(flows)],
        "active": list(tokens),
        "failed": list(failed),
        "tokens": dict(tokens),
        "passed": dict(passed),
    }


def bodies(elements: Iterable[ElementInstance]) -> set[int]:
    """Tokens of multi-instance activities that have members: a member is an instance of the same element inside."""
    where = {each.token_id: each.element_id for each in elements}
    return {each.scope_id for each in elements if where.get(each.scope_id) == each.element_id}


# ---------------------------------------------------------------------- tree
def _most_useful(elements: Sequence[ElementInstance], most: int) -> list[ElementInstance]:
    """At most so many: what is active first, then the newest; with everything around what is shown, in the order of entering."""
    if len(elements) <= most:
        return list(elements)
    active = [each for each in elements if each.state == "ACTIVE"][:most]
    chosen = {each.token_id for each in active}
    chosen |= {each.token_id for each in list(reversed(elements))[: most - len(active)]}
    by_token = {each.token_id: each for each in elements}
    for each in [by_token[token] for token in chosen]:
        while each.scope_id in by_token:
            each = by_token[each.scope_id]  # noqa: PLW2901  # upwards to the process
            chosen.add(each.token_id)
    return [each for each in elements if each.token_id in chosen]


def tree(seen: Picture, elements: Iterable[ElementInstance], called: Iterable[Row[Any]]) -> list[Node]:
    """The element instances nested as their scopes are."""
    calls: dict[int, list[Any]] = defaultdict(list)
    for child in called:
        calls[child.parent_token].append(child)
    labels = member_labels(seen)
    nodes: dict[int, Node] = {}
    roots: list[Node] = []
    for each in elements:
        node = _node(seen, each, calls.get(each.token_id, []), labels.get(each.token_id, ""))
        nodes[each.token_id] = node
        (nodes[each.scope_id].children if each.scope_id in nodes else roots).append(node)
    return roots


def member_labels(seen: Picture) -> dict[int, str]:
    """Token id -> what tells a member of a multi-instance from the others."""
    around, members, labels = bodies(seen.elements), Counter[int](), {}
    for each in seen.elements:
        if each.scope_id in around:
            members[each.scope_id] += 1
            labels[each.token_id] = _member_label(members[each.scope_id], seen.variables.get(each.token_id, {}))
    return labels


def _node(seen: Picture, each: ElementInstance, calls: list[Any], label: str) -> Node:
    info = seen.model.elements.get(each.element_id)
    return Node(
        token_id=each.token_id,
        key=element_key(seen.row.key, each.token_id),
        element_id=each.element_id,
        name=element_name(info) if info else each.element_id,
        kind=(kind_words(info.kind) if info.name else info.id) if info else "",
        state="FAILED" if each.state == "ACTIVE" and each.token_id in seen.failed else each.state,
        entered_at=each.entered_at,
        ended_at=each.ended_at,
        duration=elapsed(each.entered_at, each.ended_at, seen.moment.at),
        label=label,
        called=calls,
    )


def element_name(info: ElementInfo) -> str:
    """An element's name; what it is, when it has none."""
    return info.name or kind_words(info.kind)


def kind_words(kind: str) -> str:
    """A BPMN tag in words."""
    return str(KINDS.get(kind, kind))


def _member_label(number: int, variables: Mapping[str, Any]) -> str:
    """ "#2 ZJJ": its number, and its own value when that is a short text."""
    own = next((value for name, value in variables.items() if name != "loopCounter" and isinstance(value, str) and len(value) <= 30), "")
    return f"#{number} {own}".strip()


def elapsed(start: datetime, end: datetime | None, at: datetime | None = None) -> str:
    """How long something took, or takes until now (or until the moment shown), in its two largest units of business time."""
    seconds = max(0.0, ((end or at or clock.now()) - start).total_seconds())
    if seconds < 60:
        return str(_("%(n)s 秒", n=f"{seconds:.1f}" if seconds < 10 else f"{seconds:.0f}"))
    minutes, hours, days = int(seconds // 60), int(seconds // 3600), int(seconds // 86_400)
    if days:
        return str(_("%(d)s 天 %(h)s 小时", d=days, h=hours % 24))
    if hours:
        return str(_("%(h)s 小时 %(m)s 分", h=hours, m=minutes % 60))
    return str(_("%(m)s 分 %(s)s 秒", m=minutes, s=int(seconds) % 60))
