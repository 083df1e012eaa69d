"""Complex gateway (plain BPMN files only).

Join: tokens wait until the activation condition holds (it sees `activationCount`, the number of incoming flows with a token); then all
of them are merged and the gateway completes. Tokens that could still reach it at that moment, and their descendants, belong to this
activation: they are swallowed as they come, and a branch that dies is simply forgotten. Tokens of a later round count anew (BPMN 2.0.2,
13.4.5).
Split: as an inclusive gateway, without a forced default.
"""

from __future__ import annotations

from engine.bpmn.elements.joining import one_per_flow, reachable_flows
from engine.bpmn.kernel import expressions
from engine.bpmn.kernel.element import Element
from engine.bpmn.kernel.token import Token
from engine.bpmn.spiff import COMPLETED
from engine.bpmn.vocabulary import Text


class ComplexGateway(Element):
    """bpmn:complexGateway."""

    activation: Text | None = None
    _reach: dict[str, frozenset[int]] | None = None

    @property
    def note_name(self) -> str:
        """Where the scope keeps the ids of late tokens."""
        return f"late.{self.name}"

    def enter(self, token: Token) -> bool:
        if len(self.incoming) < 2 or self.activation is None or token.flow is None:
            return True
        scope = token.workflow
        late = scope.note(self.note_name) or []
        if token.id in late:
            self._swallow(token)
            return False
        waiting = scope.arrivals.get(self.name, {})
        count = len({*one_per_flow(waiting), token.flow})
        if not expressions.condition(token, self.activation, {"activationCount": count}):
            scope.process.arrive(token)
            return False
        reach = reachable_flows(self)
        scope.merge(list(waiting.values()), token)
        coming = [t.id for t in scope.live.values() if t.task_spec is not self and reach.get(t.task_spec.name)]
        scope.keep_note(self.note_name, sorted({*late, *coming}))
        return True

    def _swallow(self, token: Token) -> None:
        """A late token of an activation that has fired."""
        scope = token.workflow
        token.record_end("completed")
        token._set_state(COMPLETED)
        scope.unfollow(token.id)
        scope.compact(token)
        scope.check_done()
