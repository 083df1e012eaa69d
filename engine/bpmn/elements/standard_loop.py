"""Standard loop (bpmn:standardLoopCharacteristics; BPMN 2.0.2 §13.3.6; plain BPMN files only).

The activity runs while the loop condition holds, at most loopMaximum times; testBefore looks before the first time, else it runs once at
least. The body is STARTED with the boundary events; each run is a token below it with the local loopCounter (from 1), which the condition
sees (0 before the first). A condition that fails is the incident CONDITION_ERROR of the body or of the run that was about to complete.
Cancel: with the run that is open.
"""

from __future__ import annotations

from typing import Any

from engine.bpmn import spiff
from engine.bpmn.elements.loop_body import LoopBody, counter_of
from engine.bpmn.kernel import expressions
from engine.bpmn.kernel.token import Token
from engine.bpmn.spiff import STARTED


class StandardLoop(LoopBody, spiff.StandardLoopTask):
    """bpmn:standardLoopCharacteristics."""

    def prepare(self, token: Token) -> bool:
        return not self.loop.test_before or self._again(token, 0)

    def activate(self, token: Token, prepared: Any) -> bool:
        if not prepared:
            return True
        token._set_state(STARTED)
        first = self.member(token, 1, {})
        first.task_spec._update(first)
        return False

    def _again(self, token: Token, done: int) -> bool:
        loop = self.loop
        if loop.maximum is not None and done >= loop.maximum:
            return False
        return loop.condition is None or expressions.condition(token, loop.condition, {"loopCounter": done})

    def child_completing(self, token: Token, child: Token) -> None:
        done = counter_of(child)
        child.remember(again=1) if self._again(child, done) else child.forget("again")

    def child_done(self, token: Token, child: Token) -> None:
        if "again" in child.internal_data:
            following = self.member(token, counter_of(child) + 1, {})
            following.task_spec._update(following)
        else:
            token._ready()
