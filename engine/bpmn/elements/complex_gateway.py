"""Complex gateway (plain BPMN files only).

Join: tokens wait until the activation condition holds (it sees `activationCount`, the number of incoming flows with a token); then all of
them are merged and the gateway completes. Tokens that could still reach it belong to this activation: they are swallowed as they come, and
the gateway resets when none can come any more (BPMN 2.0.2, 13.4.5). Split: as an inclusive gateway, without a forced default.
"""

from __future__ import annotations

from engine.bpmn.elements.gateways import one_per_flow, reachable_flows
from engine.bpmn.kernel import expressions
from engine.bpmn.kernel.element import Element
from engine.bpmn.kernel.token import Token
from engine.bpmn.spiff import COMPLETED
from engine.bpmn.vocabulary import Text


class ComplexGateway(Element):
    """bpmn:complexGateway."""

    activation: Text | None = None
    _reach: dict[str, frozenset[int]] | None = None

    def enter(self, token: Token) -> bool:
        if len(self.incoming) < 2 or self.activation is None:
            return True
        scope = token.workflow
        if scope.note(self._key()) and self._can_still_come(token, count_me=True):
            self._swallow(token)
            return False
        scope.keep_note(self._key(), None)
        waiting = scope.arrivals.get(self.name, {})
        count = len({*one_per_flow(waiting), token.flow})
        if expressions.condition(token, self.activation, {"activationCount": count}):
            scope.merge(list(waiting.values()), token)
            scope.keep_note(self._key(), self._can_still_come(token, count_me=False))
            return True
        scope.process.arrive(token)
        return False

    def _key(self) -> str:
        return f"complex.{self.name}"

    def _swallow(self, token: Token) -> None:
        """A late token of an activation that has fired."""
        scope = token.workflow
        token.record_end("completed")
        token._set_state(COMPLETED)
        scope.keep_note(self._key(), self._can_still_come(token, count_me=False))
        scope.compact(token)

    def _can_still_come(self, token: Token, *, count_me: bool) -> int:
        """How many live tokens of the scope can still reach the gateway."""
        reach = reachable_flows(self)
        others = sum(1 for t in token.workflow.live.values() if t.task_spec is not self and reach.get(t.task_spec.name))
        return others + (1 if count_me else 0)
