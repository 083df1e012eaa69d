"""What the kernel needs from its host (engine.commands) and what it tells about its tokens. Plain types, no behaviour."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol

from engine.changes import Binding, JobOpened

if TYPE_CHECKING:
    from engine.feel import Environment as FeelEnvironment


@dataclass(frozen=True, slots=True)
class Completed:
    """A handler did the job inside the transaction; `variables` are its result (JSON values).

    `corrections` (task listeners): attributes of the user task, named as in engine.changes.UserTaskOpened, that are to have other values.
    """

    variables: dict[str, Any] = field(default_factory=dict)
    corrections: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Denied:
    """A task listener does not allow the assignment, update or completion."""

    reason: str


@dataclass(frozen=True, slots=True)
class Pending:
    """A worker will do the job; the host calls `complete_job`, `throw_error` or `raise_incident` later."""


@dataclass(frozen=True, slots=True)
class Thrown:
    """The handler threw a BPMN error that the diagram may catch."""

    code: str
    message: str = ""
    variables: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Failed:
    """The handler failed; becomes an incident (engine.changes.NO_RETRIES)."""

    message: str
    details: dict[str, Any] = field(default_factory=dict)


Outcome = Completed | Denied | Pending | Thrown | Failed


class DecisionOutcome(Protocol):
    """What engine.dmn gives for an evaluated decision: `value` is a FEEL value, `trace` JSON-able."""

    @property
    def value(self) -> object: ...

    @property
    def trace(self) -> list[dict[str, Any]]: ...


class Environment(Protocol):
    """The world around one instance; implemented by engine.commands."""

    @property
    def feel(self) -> FeelEnvironment: ...

    def now(self) -> datetime:
        """Business time, aware."""
        ...

    def decide(
        self, decision_id: str, binding: Binding, version_tag: str | None, context: Mapping[str, object]
    ) -> tuple[DecisionOutcome, int | None]:
        """Evaluate a decision: (result, key of the decision definition). Raises a LianbanError, which becomes an incident."""
        ...

    def perform(self, job: JobOpened) -> Outcome:
        """Do a job now, or say that somebody will."""
        ...

    def caught_by_caller(self, code: str) -> bool:
        """Of a called instance: does the call activity, or something around it in the instances above, catch this error code?"""
        ...


@dataclass(frozen=True, slots=True)
class TokenInfo:
    """One live token: `state` is ACTIVATING, WAITING, READY or STARTED, `scope_id` the enclosing subprocess or multi-instance body."""

    token_id: int
    element_id: str
    state: str
    scope_id: int
    kind: str = ""
    incident: bool = False


@dataclass(frozen=True, slots=True)
class Known:
    """Names that exist outside the diagram, for lint. None: do not check."""

    process_ids: frozenset[str] | set[str] | None = None
    decision_ids: frozenset[str] | set[str] | None = None
    form_ids: frozenset[str] | set[str] | None = None
    job_types: frozenset[str] | set[str] | None = None
    groups: frozenset[str] | set[str] | None = None
