"""Throwing: what intermediate throw events and end events share.

Activate: input mappings. Run, by trigger: none or link - nothing, or the job when there is a job type; message_event, signal_event,
error_event, escalation_event, terminate_event, compensation and cancel_event tell the rest. A thrower that is cancelled by what it threw
does nothing more.
Cancel: a pending job is closed; running compensation handlers are cancelled with it.
"""

from __future__ import annotations

from engine.bpmn.elements.cancel_event import transaction_cancelled
from engine.bpmn.elements.compensation import start_compensation
from engine.bpmn.elements.error_event import throw_error
from engine.bpmn.elements.escalation_event import throw_escalation
from engine.bpmn.elements.job_task import do_job
from engine.bpmn.elements.message_event import publication
from engine.bpmn.elements.signal_event import throw_signal
from engine.bpmn.elements.terminate_event import terminate
from engine.bpmn.kernel.element import Element
from engine.bpmn.kernel.token import Token
from engine.bpmn.spiff import COMPLETED
from engine.bpmn.vocabulary import Trigger


class ThrowingElement(Element):
    """An event that does something when a token comes."""

    def perform(self, token: Token) -> bool | None:
        trigger = self.trigger
        if trigger is None or trigger.kind == "link":
            return True if self.ext.job is None else do_job(token, self.ext.job)
        if trigger.kind == "message":
            return do_job(token, self.ext.job or publication(trigger))
        if trigger.kind in ("compensate", "cancel"):
            return self._undo(token, trigger)
        self._throw(token, trigger)
        return True if token.live and not token.has_incident else None

    def _throw(self, token: Token, trigger: Trigger) -> None:
        if trigger.kind == "signal" and trigger.name is not None:
            throw_signal(token, trigger.name)
        elif trigger.kind == "error":
            throw_error(token, trigger)
        elif trigger.kind == "escalation":
            throw_escalation(token, trigger)
        elif trigger.kind == "terminate":
            terminate(token)

    def _undo(self, token: Token, trigger: Trigger) -> bool | None:
        if trigger.kind == "cancel":
            terminate(token)
        if start_compensation(token, trigger.activity):
            return None
        return self._undone(token)

    def _undone(self, token: Token) -> bool | None:
        """The handlers are done: True = the event completes, None = a cancelled transaction has been left."""
        cancels = self.trigger is not None and self.trigger.kind == "cancel"
        return None if cancels and transaction_cancelled(token) else True

    def child_done(self, token: Token, child: Token) -> None:
        tasks = token.workflow.tasks
        if any(tasks[child_id]._state < COMPLETED for child_id in token._children):
            return
        if self._undone(token):
            token.complete()

    def run_again(self, token: Token) -> None:
        token.close_job()
        super().run_again(token)
