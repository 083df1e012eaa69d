"""Handlers: the Python functions that diagrams call by job type.

A transactional handler only touches our database; it runs inside the command's transaction under a savepoint. A handler with I/O
(mail, PDF, other systems) is run by the job engine after the commit and may run more than once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session


class BpmnError(Exception):
    """A handler throws a BPMN error code that the diagram may catch (BPMN 2.0 §10.5.6)."""

    def __init__(self, code: str, message: str = "", variables: dict[str, Any] | None = None) -> None:
        self.code, self.message, self.variables = code, message, variables or {}
        super().__init__(f"{code}: {message}")


class TaskDenied(Exception):
    """A task listener's handler does not allow the assignment, update or completion; `reason` is shown to whoever asked for it."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


@dataclass(frozen=True, slots=True)
class JobContext:
    """What a handler gets. `variables` and `headers` are copies: changing them changes nothing.

    A task listener's handler may put attributes of the user task into `corrections` (assignee, candidate_groups, candidate_users, due_date,
    follow_up_date, priority) or raise TaskDenied.
    """

    session: Session
    type: str
    variables: dict[str, Any]
    headers: dict[str, str]
    properties: dict[str, str]
    instance_key: int
    root_key: int
    token_id: int
    element_id: str
    process_id: str
    business_id: str | None
    owner: str | None
    actor: str
    now: datetime
    corrections: dict[str, Any] = field(default_factory=dict)


HandlerFunction = Callable[[JobContext], "dict[str, Any] | None"]


@dataclass(frozen=True, slots=True)
class Handler:
    """A registered job type. The first line of `description` names it in the Modeler's element templates."""

    type: str
    function: HandlerFunction
    transactional: bool
    description: str
    inputs: tuple[str, ...] = ()
    headers: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()


@dataclass(slots=True)
class HandlerRegistry:
    """Job type -> handler, and the FEEL functions that handlers add. Filled at import, read by everything else."""

    handlers: dict[str, Handler] = field(default_factory=dict)
    functions: dict[str, Callable[..., Any]] = field(default_factory=dict)

    def handler(
        self,
        job_type: str,
        *,
        transactional: bool,
        inputs: tuple[str, ...] = (),
        headers: tuple[str, ...] = (),
        outputs: tuple[str, ...] = (),
    ) -> Callable[[HandlerFunction], HandlerFunction]:
        """Decorator: register the function for `job_type`; registering a type twice is a programming error (ValueError)."""

        def register(function: HandlerFunction) -> HandlerFunction:
            if job_type in self.handlers:
                raise ValueError(f"job type {job_type!r} is registered twice")
            self.handlers[job_type] = Handler(job_type, function, transactional, (function.__doc__ or "").strip(), inputs, headers, outputs)
            return function

        return register

    def include(self, other: HandlerRegistry) -> None:
        """Take over everything `other` has; a type that both have is a programming error (ValueError)."""
        double = self.handlers.keys() & other.handlers.keys()
        if double:
            raise ValueError(f"job types registered twice: {sorted(double)}")
        self.handlers.update(other.handlers)
        self.functions.update(other.functions)

    def get(self, job_type: str) -> Handler | None:
        """The handler of a job type, or None: then an outside worker does it."""
        return self.handlers.get(job_type)

    def types(self) -> frozenset[str]:
        """All job types this process can do itself."""
        return frozenset(self.handlers)

    def __iter__(self) -> Iterator[Handler]:
        return iter(self.handlers.values())
