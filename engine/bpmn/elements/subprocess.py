"""Embedded subprocess (bpmn:subProcess; BPMN 2.0.2 §13.3.4), and what every element with a scope inside shares.

Activate: input mappings and boundary events as on any activity; then a scope opens inside (the variables are the token's own locals), its
event subprocesses start to listen and its start elements get tokens. The token is STARTED.
Complete: when the last token inside is gone. The scope's compensation records pass to the enclosing scope, then output mappings and
outgoing flows as usual.
Cancel: everything inside is cancelled first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from engine.bpmn import spiff
from engine.bpmn.kernel.element import Element, ScopeSpec
from engine.bpmn.kernel.scope import COMPENSATION, PLACES, Place, SubprocessScope
from engine.bpmn.kernel.token import Token
from engine.bpmn.spiff import STARTED

if TYPE_CHECKING:
    from collections.abc import Iterable


class ScopeElement(Element):
    """An element with a scope inside."""

    opens_scope = True

    def inside(self) -> ScopeSpec:
        """The spec of the scope inside."""
        inside: ScopeSpec = self._wf_spec.inner[self.spec]
        return inside

    def activate(self, token: Token, prepared: Any) -> bool:
        self.open(token, token.internal_data.pop(PLACES, None) or self.inside().starts)
        return False

    def open(self, token: Token, starts: Iterable[str | Place]) -> SubprocessScope:
        """Open the scope and begin; it may be over when this returns."""
        token._set_state(STARTED)
        scope = SubprocessScope(self.inside(), token)
        token.workflow.process.subprocesses[token.id] = scope
        scope.begin(starts)
        return scope

    def inner_finished(self, token: Token, scope: SubprocessScope) -> None:
        undo, records = scope.undo_handler(), scope.note(COMPENSATION)
        scope.keep_note(COMPENSATION, None)
        scope.drop()
        if (undo is not None or records) and not self.undoes:
            token.workflow.add_compensation(token, undo, records)
        if token._state == STARTED:
            token._ready()

    def cancelled(self, token: Token) -> None:
        scope = token.workflow.process.subprocesses.get(token.id)
        if scope is not None:
            scope.drop()


class SubProcess(ScopeElement, spiff.SubWorkflowTask):
    """bpmn:subProcess."""
