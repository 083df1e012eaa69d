"""A step that cannot be done now: becomes an incident on the token, and the same step can be tried again."""

from __future__ import annotations

from enum import IntEnum
from typing import Any

from engine.errors import Conflict


class Step(IntEnum):
    """The sub-step of an element's life cycle at which a token stopped; stored in its row under "at"."""

    INPUT = 1
    """before the input mappings"""
    START = 2
    """input mappings applied; start listeners not yet"""
    ACTIVATE = 3
    """assignment, timers, correlation keys, collections, creating listeners"""
    RUN = 4
    """active; the work itself (job, decision, script, call)"""
    COMPLETING = 5
    """the work is done; completing listeners not yet"""
    OUTPUT = 6
    """output mappings and the multi-instance result"""
    END = 7
    """output mappings applied; end listeners not yet"""
    LEAVE = 8
    """the conditions of the outgoing flows"""


class StepFailed(Exception):
    """Raised by elements and helpers, caught where the token's life cycle is driven; never leaves the kernel."""

    def __init__(self, kind: str, message: str, details: dict[str, Any] | None = None) -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message
        self.details = details or {}


class Parked(Exception):
    """A listener is pending: the token goes on when its job is done. Caught where the token's life cycle is driven."""


class TransitionDenied(Conflict):
    """监听器不允许：{reason}

    A task listener does not allow it: {reason}
    """

    code = "transition_denied"

    def __init__(self, phase: str, reason: str) -> None:
        super().__init__(reason=reason)
        self.phase = phase


class StepLimitReached(StepFailed):
    """The instance ran too many automatic steps in one command: a loop without a wait state."""


class BpmnThrow(Exception):
    """A handler threw a BPMN error code; the kernel looks for the catching event."""

    def __init__(self, code: str, message: str, variables: dict[str, Any]) -> None:
        super().__init__(code)
        self.code = code
        self.message = message
        self.variables = variables
