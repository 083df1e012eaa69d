"""A migration plan: which element of the old process model stands for which of the new one, and what that will do.

The rules are those of Camunda 8.9's process instance migration, checked here as far as they concern the two models:
- every element where a token stands needs a target of the same type (see `diff`), in the target of its enclosing scope;
- a source is mapped once; a catch event (boundary event, event subprocess) or join is the target of one source only;
- a boundary event stays with its activity; whether it interrupts may change;
- a catch event without a mapping is closed, one of the new model that nothing is mapped to is opened.
Beyond Camunda: a source may be mapped to None, then its tokens are cancelled (a catch event is closed); gateways, ad-hoc subprocesses,
transactions and standard loops migrate too; `branches` gives a token to a parallel branch that was added behind a fork already passed.
What is not mapped explicitly is proposed: same id, same type, same place.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from engine.bpmn.migration.diff import ElementChange, Place, Status, aspects, places, type_difference
from engine.bpmn.migration.flows import match_flows
from engine.bpmn.model import ProcessModel
from engine.findings import Finding

WAIT_STATES = frozenset(
    {
        *("userTask", "serviceTask", "sendTask", "receiveTask", "scriptTask", "businessRuleTask", "callActivity"),
        *("subProcess", "transaction", "adHocSubProcess", "intermediateCatchEvent"),
        *("parallelGateway", "inclusiveGateway", "complexGateway"),
    }
)
"""Kinds of elements at which tokens stand between two commands (any other only with an incident or a listener's pending job)."""


@dataclass(frozen=True, slots=True)
class Instructions:
    """What an analyst asks for. `mapping`: source element id -> target element id, or None to cancel; the rest is proposed. As in Camunda
    it may also map sequence flows by which tokens came to a join (flow id -> flow id), and the start event of an event subprocess in its
    place. `propose`: False leaves everything without an instruction unmapped, as Camunda's own request does.

    `branches`: first elements of parallel branches that the new model added; instances between that fork and its join get a token there.
    `refresh_tasks`: open user tasks and pending jobs take name, form, people, dates, job type and headers from the new diagram; a task
    that somebody claimed stays theirs. `refresh_waits`: timers, message names and correlation keys are evaluated anew (a duration counts
    from the migration); without it they stay as they are.
    """

    mapping: Mapping[str, str | None] = field(default_factory=dict)
    branches: tuple[str, ...] = ()
    propose: bool = True
    refresh_tasks: bool = False
    refresh_waits: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """The completed mapping with the difference of the two models. `findings`: errors make the plan useless, warnings concern instances
    that stand at the element. `new_branches`: elements that `Instructions.branches` may name; `flows`: sequence flow -> its counterpart,
    for flows into mapped elements."""

    mapping: dict[str, str | None]
    elements: tuple[ElementChange, ...]
    findings: tuple[Finding, ...]
    instructions: Instructions
    new_branches: tuple[str, ...] = ()
    flows: dict[str, str] = field(default_factory=dict)

    @property
    def valid(self) -> bool:
        return not any(finding.severity == "error" for finding in self.findings)


def make_plan(source: ProcessModel, target: ProcessModel, instructions: Instructions | None = None) -> Plan:
    """Propose what is not instructed, and say what is wrong or remarkable about it."""
    return _Planner(source, target, instructions or Instructions()).plan()


Severity = Literal["error", "warning", "hint"]


def finding(rule: str, severity: Severity, zh: str, en: str, place: Place | None = None, id: str = "") -> Finding:
    """A finding about an element."""
    name = place.info.name if place is not None else ""
    return Finding(rule, severity, zh, en, element_id=id or (place.info.id if place is not None else ""), element_name=name)


def _flow_ids(model: ProcessModel) -> frozenset[str]:
    return frozenset(flow_id for flows in model.flows.values() for flow_id, _ in flows)


class _Planner:
    def __init__(self, source: ProcessModel, target: ProcessModel, instructions: Instructions) -> None:
        self.source, self.target = source, target
        self.old, self.new = places(source), places(target)
        self.instructions = replace(instructions, mapping=self._with_event_subprocesses(instructions.mapping))
        self.old_flows, self.new_flows = _flow_ids(source), _flow_ids(target)
        self.mapping: dict[str, str | None] = {}
        self.findings: list[Finding] = []

    def plan(self) -> Plan:
        self._check_names()
        for place in self.old.values():
            self._map(place)
        self._check_doubles()
        elements = tuple(self._elements())
        for change in elements:
            self._remark(change)
        new = {change.target for change in elements if change.status == "added"}
        branches = tuple(self._added_branches(new))
        explicit = {old: new for old, new in self.instructions.mapping.items() if old in self.old_flows and new is not None}
        flows = match_flows(self.source, self.target, self.mapping, explicit)
        return Plan(self.mapping, elements, tuple(self.findings), self.instructions, branches, flows)

    def _with_event_subprocesses(self, mapping: Mapping[str, str | None]) -> dict[str, str | None]:
        """In Camunda the start event of an event subprocess carries its subscription: mapping that maps the event subprocess."""
        found: dict[str, str | None] = {}
        for source, target in mapping.items():
            outside, inside = self._event_subprocess(self.old, source), self._event_subprocess(self.new, target or "")
            if outside and (inside or target is None):
                found[outside] = inside or None
        return {**found, **mapping}

    def _event_subprocess(self, side: dict[str, Place], start: str) -> str:
        """The event subprocess that an element is the start event of; "" for every other element."""
        place = side.get(start)
        around = side.get(place.info.parent) if place is not None and place.info.kind == "startEvent" else None
        return around.info.id if around is not None and around.catches else ""

    # ------------------------------------------------------------------ mapping
    def _check_names(self) -> None:
        for source, target in self.instructions.mapping.items():
            if source in self.old_flows:
                if target not in self.new_flows:
                    zh = f"新流程中没有顺序流 {target}。"
                    self._error("unknown-target", zh, f"The target process has no sequence flow {target}.", id=source)
                continue
            if source not in self.old:
                self._error("unknown-source", f"原流程中没有元素 {source}。", f"The source process has no element {source}.", id=source)
            if target is not None and target not in self.new:
                self._error("unknown-target", f"新流程中没有元素 {target}。", f"The target process has no element {target}.", id=source)
        for branch in self.instructions.branches:
            if branch not in self.new:
                self._error("unknown-target", f"新流程中没有元素 {branch}。", f"The target process has no element {branch}.", id=branch)

    def _map(self, place: Place) -> None:
        id = place.info.id
        if id not in self.instructions.mapping:
            twin = self.new.get(id) if self.instructions.propose else None
            if twin is not None and type_difference(place, twin) is None and self._misplaced(place, twin) is None:
                self.mapping[id] = id
            return
        wanted = self.instructions.mapping[id]
        if wanted is None:
            self.mapping[id] = None
        elif wanted in self.new:
            self._check_pair(place, self.new[wanted])
            self.mapping[id] = wanted

    def _check_pair(self, place: Place, target: Place) -> None:
        reason, rule = type_difference(place, target), "type"
        if reason is None:
            reason, rule = self._misplaced(place, target), "scope"
        if reason is not None:
            where = f"{place.info.id} → {target.info.id}"
            self._error(rule, f"{where}：{reason[0]}。", f"{where}: {reason[1]}.", place)

    def _misplaced(self, place: Place, target: Place) -> tuple[str, str] | None:
        """A token must stay inside the target of its scope, a boundary event at the target of its activity."""
        if self._target_of(place.info.parent) != target.info.parent:
            return "不在对应的子流程中", "it is not in the target of its enclosing scope"
        if self._host_of(place) != target.info.attached_to:
            return "附着在另一个活动上", "it is attached to another activity"
        return None

    def _target_of(self, id: str) -> str | None:
        return self.mapping.get(id) if id else ""

    def _host_of(self, place: Place) -> str | None:
        """The target of a boundary event's activity; activities may come later in the file, so look at what they will be mapped to."""
        host = place.info.attached_to
        if not host:
            return ""
        return self.instructions.mapping.get(host, host)

    def _check_doubles(self) -> None:
        taken: dict[str, str] = {}
        for source, target in self.mapping.items():
            place = self.old[source]
            if target is None or not (place.catches or place.joins or place.info.kind in ("intermediateCatchEvent", "receiveTask")):
                continue
            if target in taken:
                zh = f"{taken[target]} 与 {source} 不能同时对应 {target}。"
                self._error("double-target", zh, f"{taken[target]} and {source} cannot both become {target}.", place)
            taken[target] = source

    # ------------------------------------------------------------------ the difference
    def _elements(self) -> Iterator[ElementChange]:
        for id, place in self.old.items():
            target = self.mapping.get(id)
            info = place.info
            if target is not None and target in self.new:
                found = aspects(place, self.new[target], self.mapping)
                yield ElementChange(id, target, info.kind, info.name, "changed" if found else "same", found)
            else:
                yield ElementChange(id, "", info.kind, info.name, self._why_unmapped(place))
        reached = {target for target in self.mapping.values() if target is not None}
        for id, place in self.new.items():
            if id not in reached and (id not in self.old or id in self.instructions.mapping):
                yield ElementChange("", id, place.info.kind, place.info.name, "added")

    def _why_unmapped(self, place: Place) -> Status:
        twin = self.new.get(place.info.id)
        if twin is None or place.info.id in self.instructions.mapping:
            return "removed"
        return "retyped" if type_difference(place, twin) is not None else "moved"

    def _remark(self, change: ElementChange) -> None:
        if not change.source:
            return
        place = self.old[change.source]
        if not change.target:
            self._remark_unmapped(place, change)
            return
        target = self.new[change.target]
        if place.joins and len(target.outer.incoming) != len(place.outer.incoming):
            self._remark_join(place, target)
        if {"form", "assignment", "job"} & set(change.aspects) and not self.instructions.refresh_tasks:
            zh = "表单、人员或作业有变化：已经打开的任务保持原样，除非选择“按新图更新任务”。"
            self._note("kept-task", zh, "Form, people or job changed: open tasks keep theirs unless they are refreshed.", place)
        if "trigger" in change.aspects and not self.instructions.refresh_waits:
            zh = "等待的事件有变化：已在等待的保持原来的期限和消息，除非选择“重新计算等待”。"
            en = "The awaited event changed: what waits keeps its due date and message unless it is evaluated anew."
            self._note("kept-wait", zh, en, place)

    def _remark_unmapped(self, place: Place, change: ElementChange) -> None:
        id = place.info.id
        if place.catches:
            self._note("closed-catch", f"{id} 不再等待：订阅将关闭。", f"{id} does not wait any more: its subscription is closed.", place)
        elif place.info.kind in WAIT_STATES and id not in self.instructions.mapping:
            why = {"removed": "已删除", "retyped": "类型已改变", "moved": "移到了别的子流程"}[change.status]
            zh = f"{id} 在新版本中{why}：停在这里的实例需要指定对应元素或明确取消。"
            en = f"{id} was {change.status}: instances that stand here need a mapping or an explicit cancellation."
            self.findings.append(finding("unmapped", "warning", zh, en, place))

    def _remark_join(self, place: Place, target: Place) -> None:
        before, after = len(place.outer.incoming), len(target.outer.incoming)
        zh = f"汇聚网关的流入由 {before} 条变为 {after} 条：已分支未汇聚的实例逐个检查。"
        en = f"The join had {before} incoming flows and has {after}: instances between fork and join are checked one by one."
        self.findings.append(finding("join-flows", "warning", zh, en, place))

    def _added_branches(self, new: set[str]) -> Iterator[str]:
        """Added elements that directly follow a fork both models have."""
        for fork in sorted(target for target in self.mapping.values() if target is not None and target in self.new):
            flows = self.new[fork].outer.flows
            if len(flows) > 1 and self.new[fork].info.kind in ("parallelGateway", "inclusiveGateway"):
                yield from (flow.target.bpmn_id for flow in flows if flow.target.bpmn_id in new)

    def _error(self, rule: str, zh: str, en: str, place: Place | None = None, id: str = "") -> None:
        self.findings.append(finding(rule, "error", zh, en, place, id))

    def _note(self, rule: str, zh: str, en: str, place: Place) -> None:
        self.findings.append(finding(rule, "hint", zh, en, place))
