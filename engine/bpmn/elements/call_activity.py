"""Call activity.

Run: the host is asked for a child instance of the called process (CallStarted) with its variables: all visible ones, or only the locals
made by input mappings if propagateAllParentVariables is false. The token stays STARTED.
Complete: when the child has completed (`call_completed`). Its variables are propagated if propagateAllChildVariables is true and there are
no output mappings; else only output mappings see them.
Compensated: without a handler of its own, the host is asked for an instance that runs the handlers of what the child completed.
An error that ended the child, or an escalation it passed on, goes to the catching event here (`call_failed`). A child that cannot be
started: the incident CALLED_ELEMENT_ERROR, and `retry` asks again.
Cancel: the child is cancelled.
"""

from __future__ import annotations

from typing import Any

from engine.bpmn import spiff
from engine.bpmn.kernel import expressions
from engine.bpmn.kernel.element import Element
from engine.bpmn.kernel.failure import StepFailed
from engine.bpmn.kernel.token import Token
from engine.bpmn.kernel.variables import deliver, local_json, visible_json
from engine.changes import CallStarted, Undoing

UNDOING = "undoing"
"""The note of a token that is here to undo: [definition key, records, variables]."""


class CallActivity(Element, spiff.CallActivity):
    """bpmn:callActivity."""

    def enter(self, token: Token) -> bool:
        return True if UNDOING in token.internal_data else super().enter(token)

    def perform(self, token: Token) -> bool | None:
        called = self.ext.called_process
        if called is None:
            raise StepFailed("CALLED_ELEMENT_ERROR", f"调用活动“{self.bpmn_id}”没有指定被调用的流程。")
        if UNDOING in token.internal_data:
            self._undo(token)
            return None
        call = CallStarted(
            token_id=token.id,
            element_id=self.bpmn_id,
            process_id=expressions.required_text(token, called.process_id),
            binding=called.binding,
            version_tag=called.version_tag,
            variables=visible_json(token) if called.propagate_parent else local_json(token),
            business_id=expressions.text(token, called.business_id),
        )
        token.remember(call=1)
        token.workflow.process.changes.calls.append(call)
        return None

    def _undo(self, token: Token) -> None:
        """Ask for an instance that compensates the one that was called."""
        key, records, variables = token.internal_data[UNDOING]
        token.remember(call=1)
        call = CallStarted(token.id, self.bpmn_id, "", "latest", None, variables, undoing=Undoing(key, records))
        token.workflow.process.changes.calls.append(call)

    def called_done(self, token: Token, variables: dict[str, Any], undoing: Undoing | None) -> None:
        """The child completed with these variables and left this to undo."""
        token.forget("call")
        if UNDOING in token.internal_data:
            token.complete()
            return
        if undoing is not None and not self.undoes:
            token.remember(undo=[undoing.definition_key, undoing.records, variables])
        called = self.ext.called_process
        if called is not None and called.propagate_child:
            deliver(token, variables)
        elif self.ext.outputs:
            for name, value in variables.items():
                token.local().put(name, value)
        token.complete()

    def finish(self, token: Token) -> None:
        if UNDOING in token.internal_data:
            token.taking = []
            return
        super().finish(token)

    def _on_complete_hook(self, my_task: Token) -> None:
        undo = my_task.internal_data.get("undo")
        if undo is not None and not self._wf_spec.task_specs[self.bpmn_id].compensation_handler:
            my_task.workflow.add_record([self.bpmn_id, self.name, None, {}, undo])
        super()._on_complete_hook(my_task)

    def run_again(self, token: Token) -> None:
        self._give_up_child(token)
        super().run_again(token)

    def cancelled(self, token: Token) -> None:
        self._give_up_child(token)

    def _give_up_child(self, token: Token) -> None:
        if token.internal_data.pop("call", None):
            token.workflow.process.close_call(token.id)
            token.mark()
