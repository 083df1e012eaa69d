"""ProcessModel: one executable process of a file, as the rest of the engine sees it. Immutable; built from XML, cached by definition."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from engine.bpmn.kernel.element import ScopeSpec


@dataclass(frozen=True, slots=True)
class ElementInfo:
    """One flow element: `kind` is the BPMN tag (userTask, exclusiveGateway, ...), `parent` the enclosing subprocess id or ""."""

    id: str
    name: str
    kind: str
    lane: str | None = None
    parent: str = ""
    properties: dict[str, str] = field(default_factory=dict)
    form_id: str | None = None
    documentation: str = ""
    trigger: str = ""
    """kind of the event definition (message, timer, ...), "" for none"""
    attached_to: str = ""
    """activity of a boundary event"""
    called: str = ""
    """called process id of a call activity, when it is static"""
    job_type: str = ""
    """as written, "" without one"""
    assignee: str = ""
    """of a user task, as written ("=" before FEEL)"""
    task_events: frozenset[str] = frozenset()
    """events of a user task that have listeners: creating, assigning, updating, completing, canceling"""
    candidate_groups: str = ""
    """of a user task, as written: a comma list, or FEEL after "=" """


@dataclass(frozen=True, slots=True)
class MessageStart:
    """A message start event of the process; the key is a FEEL expression over the message's variables, or None."""

    element_id: str
    message_name: str
    correlation_key: str | None = None


@dataclass(frozen=True, slots=True)
class SignalStart:
    """A signal start event of the process."""

    element_id: str
    signal_name: str


@dataclass(frozen=True, slots=True)
class TimerStart:
    """A timer start event of the process: kind (date, duration, cycle) and its text, with "=" when it is FEEL."""

    element_id: str
    kind: str
    expression: str


@dataclass(frozen=True, slots=True)
class ConditionalStart:
    """A conditional start event of the process; the condition is FEEL over the variables that somebody offers."""

    element_id: str
    expression: str


@dataclass(frozen=True, slots=True)
class ProcessModel:
    """An executable process. `flows`: element id -> [(flow id, target id)], the default flow first; boundary
    events are listed under their own id."""

    process_id: str
    name: str
    version_tag: str
    resource: str
    spec: ScopeSpec
    properties: dict[str, str] = field(default_factory=dict)
    elements: dict[str, ElementInfo] = field(default_factory=dict)
    message_starts: list[MessageStart] = field(default_factory=list)
    signal_starts: list[SignalStart] = field(default_factory=list)
    timer_starts: list[TimerStart] = field(default_factory=list)
    conditional_starts: list[ConditionalStart] = field(default_factory=list)
    has_none_start: bool = False
    called: frozenset[str] = frozenset()
    flows: dict[str, list[tuple[str, str]]] = field(default_factory=dict)
    start_elements: frozenset[str] = frozenset()
    documentation: str = ""
