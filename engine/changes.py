"""What one step of a process instance changed: the only thing that engine.bpmn and engine.store share. Plain data, no behaviour.

engine.bpmn fills a `Changes` while it runs; engine.commands hands it to engine.store, which writes the rows, and follows what
concerns other instances (calls, messages, signals). A token id is unique in its process instance; together with the instance's key it
is the element instance key.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

InstanceState = Literal["ACTIVE", "COMPLETED", "TERMINATED"]
Binding = Literal["latest", "deployment", "versionTag"]


@dataclass(slots=True)
class StoredState:
    """The small rows a process instance is rebuilt from. `tokens`: rows in id order; `variables`: (scope id, name, JSON)."""

    header: bytes
    tokens: list[bytes]
    variables: list[tuple[int, str, bytes]]


@dataclass(slots=True)
class ElementEvent:
    """One line of the append-only element history: a token came (`entered`), or ended as `completed`, `terminated` or `merged`.
    A migration to another model renames its element (`migrated`).

    `scope_id` is the token id of the enclosing subprocess (0: the process itself), `predecessor` the token it came from,
    `flow_id` the sequence flow it came by, `into` the join token that consumed it; of a token that came by a return, `into` is the token
    that it replaces: that one and all that came after it are undone.
    """

    token_id: int
    kind: Literal["entered", "completed", "terminated", "merged", "migrated"]
    element_id: str
    scope_id: int = 0
    predecessor: int | None = None
    flow_id: str | None = None
    into: int | None = None


@dataclass(slots=True)
class UserTaskOpened:
    """A user task became READY. Dates are aware; `properties` are the element's zeebe properties."""

    token_id: int
    element_id: str
    name: str
    assignee: str | None = None
    candidate_groups: tuple[str, ...] = ()
    candidate_users: tuple[str, ...] = ()
    due_date: datetime | None = None
    follow_up_date: datetime | None = None
    priority: int = 50
    form_id: str | None = None
    form_binding: Binding = "latest"
    form_version_tag: str | None = None
    external_form: str | None = None
    properties: dict[str, str] = field(default_factory=dict)
    loop_counter: int | None = None


@dataclass(slots=True)
class UserTaskClosed:
    """A user task ended; `completed` is False when it was cancelled."""

    token_id: int
    completed: bool


@dataclass(slots=True)
class UserTaskChanged:
    """Attributes of an open user task that are to be written: names as in UserTaskOpened, and `state`: COMPLETING while a listener has not
    yet agreed to its completion, CREATED again when one denied it."""

    token_id: int
    attributes: dict[str, Any]


JobKind = Literal["BPMN_ELEMENT", "EXECUTION_LISTENER", "TASK_LISTENER"]
NO_RETRIES: Mapping[str, str] = {
    "BPMN_ELEMENT": "JOB_NO_RETRIES",
    "EXECUTION_LISTENER": "EXECUTION_LISTENER_NO_RETRIES",
    "TASK_LISTENER": "TASK_LISTENER_NO_RETRIES",
}
"""The kind of incident that a job's failure is, by the kind of the job (Camunda 8's error types)."""


@dataclass(slots=True)
class JobOpened:
    """Work that a handler or an outside worker does. `kind` says whether an element or a listener waits for it.

    `variables` are what the job sees (the element's visible variables, JSON values), `headers` the static task headers; jobs with a higher
    `priority` are given to workers first.
    """

    token_id: int
    element_id: str
    type: str
    kind: JobKind = "BPMN_ELEMENT"
    listener_event: str | None = None
    retries: int = 3
    priority: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    variables: dict[str, Any] = field(default_factory=dict)
    properties: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class SubscriptionOpened:
    """A token waits for a message. `interrupting` tells whether the catch cancels its host (boundary, event subprocess)."""

    token_id: int
    element_id: str
    element_name: str
    message_name: str
    correlation_key: str
    interrupting: bool = True
    properties: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class IncidentRaised:
    """Something failed at an element and waits for a person. `kind` as in Camunda 8: EXTRACT_VALUE_ERROR, IO_MAPPING_ERROR,
    CONDITION_ERROR, CALLED_ELEMENT_ERROR, CALLED_DECISION_ERROR, DECISION_EVALUATION_ERROR, FORM_NOT_FOUND, those of NO_RETRIES,
    UNHANDLED_ERROR_EVENT, and our own STEP_LIMIT.
    `details` holds the expression, the values it read and the position, where there are any."""

    token_id: int
    element_id: str
    kind: str
    message: str
    details: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Undoing:
    """What is left of a completed called instance so that its caller can undo it: the definition it ran on, and its compensation records
    (JSON; engine.bpmn.elements.compensation)."""

    definition_key: int
    records: list[Any]


@dataclass(slots=True)
class CallStarted:
    """A call activity wants a child instance of `process_id` with these variables (after input mappings and propagation flags).

    `undoing`: not a new run of the process, but the compensation of an earlier one: an instance of the named definition that runs only
    the handlers of the records; `variables` are those the earlier one had at its end.
    """

    token_id: int
    element_id: str
    process_id: str
    binding: Binding
    version_tag: str | None
    variables: dict[str, Any]
    business_id: str | None = None
    undoing: Undoing | None = None


@dataclass(slots=True)
class SignalBroadcast:
    """A signal was thrown; inside the instance it has been delivered already, other instances get it after the commit."""

    name: str
    variables: dict[str, Any]


@dataclass(slots=True)
class DecisionEvaluated:
    """A business rule task evaluated a decision; `trace` as engine.dmn gives it."""

    token_id: int
    element_id: str
    decision_id: str
    decision_key: int | None
    output: Any
    trace: list[dict[str, Any]]


@dataclass(slots=True)
class UncaughtThrow:
    """What a called instance threw and did not catch: a BPMN error, which ended it, or an escalation, after which it went on."""

    kind: Literal["error", "escalation"]
    code: str
    message: str
    variables: dict[str, Any]


@dataclass(slots=True)
class Changes:
    """Everything one step of one instance changed, in the order it happened inside each list."""

    header: bytes = b""
    state: InstanceState = "ACTIVE"
    next_due_at: datetime | None = None
    tokens: dict[int, bytes] = field(default_factory=dict)
    first_new_token: int = 1
    """Tokens from this id on have never been stored."""
    removed_tokens: list[int] = field(default_factory=list)
    variables: dict[tuple[int, str], bytes] = field(default_factory=dict)
    removed_scopes: list[int] = field(default_factory=list)
    history: list[ElementEvent] = field(default_factory=list)
    user_tasks: list[UserTaskOpened] = field(default_factory=list)
    changed_user_tasks: list[UserTaskChanged] = field(default_factory=list)
    closed_user_tasks: list[UserTaskClosed] = field(default_factory=list)
    jobs: list[JobOpened] = field(default_factory=list)
    closed_jobs: list[int] = field(default_factory=list)
    subscriptions: list[SubscriptionOpened] = field(default_factory=list)
    closed_subscriptions: list[int] = field(default_factory=list)
    signal_waits: list[tuple[int, str]] = field(default_factory=list)
    closed_signal_waits: list[int] = field(default_factory=list)
    incidents: list[IncidentRaised] = field(default_factory=list)
    resolved_incidents: list[int] = field(default_factory=list)
    calls: list[CallStarted] = field(default_factory=list)
    cancelled_calls: list[int] = field(default_factory=list)
    signals: list[SignalBroadcast] = field(default_factory=list)
    decisions: list[DecisionEvaluated] = field(default_factory=list)
    uncaught: list[UncaughtThrow] = field(default_factory=list)
    """in the order they were thrown; an error is the last"""
    compensation: list[Any] = field(default_factory=list)
    """what its caller can undo of an instance that has completed"""
    result: dict[str, Any] | None = None
    """The instance's own variables at its end (only when state is COMPLETED): what a caller may take over."""
