"""Throwing: intermediate throw events and end events.

Activate: input mappings. Run, by trigger:
none - nothing; message - a job when it has a task definition, else the built-in job `publish_message`; signal - every catch event of the
instance fires at once, other instances after the commit, with the event's local variables; error (end only) and escalation - the
innermost catch event; an uncaught error is the incident UNHANDLED_ERROR_EVENT or, in a called instance, its end; terminate (end only) -
every other token of the scope is cancelled; compensation - the handlers run, then the event completes; cancel (end of a transaction) -
the transaction's tokens are cancelled, its handlers run, its cancel boundary event goes on; link - the catch event of the same name
follows.
A thrower that is cancelled by what it threw does nothing more.
Cancel: a pending job is closed; running compensation handlers are cancelled with it.
"""

from __future__ import annotations

from engine.bpmn import spiff
from engine.bpmn.elements.compensation import start_compensation
from engine.bpmn.elements.job_task import do_job
from engine.bpmn.kernel import expressions
from engine.bpmn.kernel.element import Element
from engine.bpmn.kernel.failure import BpmnThrow
from engine.bpmn.kernel.token import Token
from engine.bpmn.kernel.variables import local_json
from engine.bpmn.spiff import COMPLETED, WAITING
from engine.bpmn.vocabulary import JobDefinition, Text, Trigger

PUBLISH = JobDefinition(Text("publish_message", False))


class ThrowingElement(Element):
    """An event that does something when a token comes."""

    def perform(self, token: Token) -> bool | None:
        trigger = self.trigger
        if trigger is None or trigger.kind == "link":
            return True if self.ext.job is None else do_job(token, self.ext.job)
        if trigger.kind == "message":
            return do_job(token, self.ext.job or self._publish(trigger))
        if trigger.kind in ("compensate", "cancel"):
            return self._undo(token, trigger)
        self._throw(token, trigger)
        return True if token.live and not token.has_incident else None

    def _publish(self, trigger: Trigger) -> JobDefinition:
        """Plain BPMN: the message's name as a header of the built-in job."""
        name = trigger.name.text if trigger.name is not None else ""
        return JobDefinition(PUBLISH.type, headers={"messageName": name})

    def _throw(self, token: Token, trigger: Trigger) -> None:
        process = token.workflow.process
        if trigger.kind == "signal" and trigger.name is not None:
            process.throw_signal(expressions.required_text(token, trigger.name), local_json(token))
        elif trigger.kind == "error":
            code = "" if trigger.code is None else expressions.required_text(token, trigger.code)
            raise BpmnThrow(code, "", local_json(token))
        elif trigger.kind == "escalation":
            code = "" if trigger.code is None else expressions.required_text(token, trigger.code)
            process.throw_escalation(token, code, local_json(token))
        elif trigger.kind == "terminate":
            token.workflow.cancel_all(keep=token)

    def _undo(self, token: Token, trigger: Trigger) -> bool | None:
        if trigger.kind == "cancel":
            token.workflow.cancel_all(keep=token)
        if start_compensation(token, trigger.activity):
            return None
        return self._transaction_cancelled(token) if trigger.kind == "cancel" else True

    def _transaction_cancelled(self, token: Token) -> bool | None:
        """The handlers are done: the transaction's cancel boundary event goes on."""
        owner = token.workflow.owner
        if owner is not None:
            for child_id in sorted(owner._children):
                child = owner.workflow.tasks[child_id]
                if child._state == WAITING and child.task_spec.catches("cancel", None, child):
                    child.task_spec.occurred(child, {}, repeat=False)
                    return None
        return True

    def child_done(self, token: Token, child: Token) -> None:
        tasks = token.workflow.tasks
        if any(tasks[child_id]._state < COMPLETED for child_id in token._children):
            return
        if self.trigger is None or self.trigger.kind != "cancel" or self._transaction_cancelled(token):
            token.complete()

    def run_again(self, token: Token) -> None:
        token.close_job()
        super().run_again(token)


class IntermediateThrowEvent(ThrowingElement, spiff.IntermediateThrowEvent):
    """bpmn:intermediateThrowEvent."""


class EndEvent(ThrowingElement, spiff.EndEvent):
    """bpmn:endEvent."""
