"""What a diagram says about an element beyond its shape: the zeebe extension vocabulary as immutable data.

Source: zeebe-bpmn-moddle, namespace http://camunda.org/schema/zeebe/1.0. An attribute whose text starts with "=" is FEEL, else a
static string.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from engine.changes import Binding

TriggerKind = Literal[
    "message",
    "signal",
    "timer",
    "conditional",
    "error",
    "escalation",
    "cancel",
    "compensate",
    "terminate",
    "link",
]
JOB_PRIORITIES = range(-(2**31), 2**31)
"""Priorities a job may have; 0 without one (Camunda 8.10)."""
TimerKind = Literal["date", "duration", "cycle"]


@dataclass(frozen=True, slots=True)
class Text:
    """An attribute that is either a static string or a FEEL expression (`text` without the leading "=")."""

    text: str
    is_feel: bool

    @classmethod
    def of(cls, source: str | None, *, feel: bool = False) -> Text | None:
        """Read an attribute; None when it is absent or blank. `feel`: the place is an expression even without "="."""
        source = (source or "").strip()
        if source.startswith("="):
            return cls(source[1:].strip(), True)
        return cls(source, feel) if source else None


@dataclass(frozen=True, slots=True)
class Mapping_:
    """One zeebe:input or zeebe:output: the value of `source` is written to `target` (a name or a dotted path)."""

    source: Text | None
    target: str


@dataclass(frozen=True, slots=True)
class JobDefinition:
    """zeebe:taskDefinition with the task headers, and the task's or else the process's zeebe:jobPriorityDefinition."""

    type: Text
    retries: Text | None = None
    headers: dict[str, str] = field(default_factory=dict)
    priority: Text | None = None


@dataclass(frozen=True, slots=True)
class Listener:
    """zeebe:executionListener or zeebe:taskListener: a blocking job at a point of the element's life."""

    event: str
    type: Text
    retries: Text | None = None
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class FormLink:
    """zeebe:formDefinition: a linked form by id, or a reference to a form outside the engine."""

    form_id: str | None = None
    binding: Binding = "latest"
    version_tag: str | None = None
    external: Text | None = None


@dataclass(frozen=True, slots=True)
class Assignment:
    """zeebe:assignmentDefinition, taskSchedule and priorityDefinition of a user task."""

    assignee: Text | None = None
    candidate_groups: Text | None = None
    candidate_users: Text | None = None
    due_date: Text | None = None
    follow_up_date: Text | None = None
    priority: Text | None = None


@dataclass(frozen=True, slots=True)
class CalledProcess:
    """zeebe:calledElement (or the plain attribute calledElement). Both propagation flags are true when they are absent."""

    process_id: Text
    propagate_child: bool = True
    propagate_parent: bool = True
    binding: Binding = "latest"
    version_tag: str | None = None
    business_id: Text | None = None


@dataclass(frozen=True, slots=True)
class CalledDecision:
    """zeebe:calledDecision: the result goes to `result_variable`."""

    decision_id: Text
    result_variable: str
    binding: Binding = "latest"
    version_tag: str | None = None


@dataclass(frozen=True, slots=True)
class Script:
    """zeebe:script: a FEEL expression whose value goes to `result_variable` (None: it is thrown away)."""

    expression: Text
    result_variable: str | None


@dataclass(frozen=True, slots=True)
class AdHocSettings:
    """zeebe:adHoc and the BPMN attributes of an ad-hoc subprocess."""

    active_elements: Text | None = None
    completion_condition: Text | None = None
    cancel_remaining: bool = True
    sequential: bool = False
    output_collection: str | None = None
    output_element: Text | None = None


@dataclass(frozen=True, slots=True)
class Trigger:
    """The event definition of an event. Which fields are set depends on `kind`."""

    kind: TriggerKind
    name: Text | None = None
    correlation_key: Text | None = None
    code: Text | None = None
    timer_kind: TimerKind | None = None
    expression: Text | None = None
    activity: str | None = None
    watched: frozenset[str] = frozenset()
    """of a condition: the variables whose changes it looks at"""
    changes: frozenset[str] = frozenset()
    """of a condition: the kinds of changes it looks at (create, update); empty: all"""


@dataclass(frozen=True, slots=True)
class Extensions:
    """Everything a diagram says about one element in the zeebe vocabulary."""

    inputs: tuple[Mapping_, ...] = ()
    outputs: tuple[Mapping_, ...] = ()
    properties: dict[str, str] = field(default_factory=dict)
    job: JobDefinition | None = None
    form: FormLink | None = None
    assignment: Assignment = Assignment()
    called_process: CalledProcess | None = None
    called_decision: CalledDecision | None = None
    script: Script | None = None
    start_listeners: tuple[Listener, ...] = ()
    end_listeners: tuple[Listener, ...] = ()
    creating_listeners: tuple[Listener, ...] = ()
    assigning_listeners: tuple[Listener, ...] = ()
    updating_listeners: tuple[Listener, ...] = ()
    completing_listeners: tuple[Listener, ...] = ()
    canceling_listeners: tuple[Listener, ...] = ()


NO_EXTENSIONS = Extensions()


@dataclass(frozen=True, slots=True)
class Loop:
    """multiInstanceLoopCharacteristics with zeebe:loopCharacteristics, or standardLoopCharacteristics (`standard`)."""

    sequential: bool = False
    input_collection: Text | None = None
    input_element: str | None = None
    output_collection: str | None = None
    output_element: Text | None = None
    cardinality: Text | None = None
    completion_condition: Text | None = None
    standard: bool = False
    maximum: int | None = None
    test_before: bool = False
    condition: Text | None = None
