"""Multi-instance (bpmn:multiInstanceLoopCharacteristics; BPMN 2.0.2 §13.3.7), parallel and sequential.

Activate: boundary events wait at the body; the input collection (or cardinality) is evaluated: not a list is EXTRACT_VALUE_ERROR. The body
is STARTED with the local variables numberOfInstances, numberOfActiveInstances, numberOfCompletedInstances, numberOfTerminatedInstances and
the output collection, which every expression inside can read as it fills; every instance is a token below it with the locals loopCounter
(from 1) and the input element. The activity's own io mappings and listeners belong to each instance. An empty collection completes at once.
Complete: each completing instance puts its output element (evaluated in the instance) at its place, then the completion condition is
evaluated with the counters as they will be. When it holds, the other instances are cancelled; the body completes when it holds or all
are done, and the collected list is propagated to the outer scope as the output collection, null where an instance did not complete.
Sequential: one instance after the other, over the collection as it was at the beginning.
Cancel: with every instance.
Variables whose name begins with # are the engine's own and never shown.
"""

from __future__ import annotations

import re
from typing import Any

from engine.bpmn import spiff
from engine.bpmn.elements.loop_body import LoopBody, counter_of
from engine.bpmn.kernel import expressions
from engine.bpmn.kernel.failure import StepFailed
from engine.bpmn.kernel.token import Token
from engine.bpmn.kernel.variables import INSTANCES, OUTPUT, Variables, outer_scopes, set_variable
from engine.bpmn.spiff import FUTURE, STARTED
from engine.errors import Conflict

ACTIVE = "numberOfActiveInstances"
DONE = "numberOfCompletedInstances"
TERMINATED = "numberOfTerminatedInstances"
_NAME = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*")


class MultiInstance(LoopBody):
    """What parallel and sequential multi-instance have in common."""

    @property
    def collection(self) -> str | None:
        return self.loop.output_collection

    def prepare(self, token: Token) -> Any:
        loop, limit = self.loop, token.workflow.process.step_limit
        if loop.input_collection is not None:
            found = expressions.items(token, loop.input_collection)
        elif loop.cardinality is not None:
            count = expressions.integer(token, expressions.as_feel(loop.cardinality))
            if count < 0 or count > limit:
                raise StepFailed(expressions.VALUE_ERROR, f"多实例次数 {count} 不在 0 到 {limit} 之间。", {"result": count})
            found = [None] * count
        else:
            raise StepFailed(expressions.VALUE_ERROR, f"多实例“{self.bpmn_id}”没有输入集合。")
        if len(found) > limit:
            raise StepFailed(expressions.VALUE_ERROR, f"多实例的集合有 {len(found)} 项，超过上限 {limit}。", {"limit": limit})
        return found

    def activate(self, token: Token, prepared: Any) -> bool:
        count, sequential = len(prepared), self.loop.sequential
        local = token.local()
        local.put(INSTANCES, count)
        local.put(DONE, 0)
        local.put(TERMINATED, 0)
        local.put(ACTIVE, min(count, 1) if sequential else count)
        if count == 0:
            self._collect(token, local)
            return True
        token._set_state(STARTED)
        if sequential and self.loop.input_collection is not None:
            local.put("#items", prepared)
        chosen = prepared[:1] if sequential else prepared
        made = [self._instance(token, number, item) for number, item in enumerate(chosen, 1)]
        for child in made:
            if child._state == FUTURE:
                child.task_spec._update(child)
        return False

    def _instance(self, token: Token, number: int, item: Any) -> Token:
        loop = self.loop
        values: dict[str, Any] = {}
        output = loop.output_element
        if loop.output_collection and output is not None and _NAME.fullmatch(output.text):
            values[output.text.split(".")[0]] = None
        if loop.input_element and loop.input_collection is not None:
            values[loop.input_element] = item
        return self.member(token, number, values)

    def reopen(self, token: Token, counter: int) -> Token:
        """Open one completed instance of a parallel multi-instance anew, its place in the output empty again (撤回).

        Raises Conflict when the collection is not what it was: nobody knows the instance's item then.
        """
        loop, local = self.loop, token.local()
        item = None
        if loop.input_collection is not None:
            try:
                items = expressions.items(token, loop.input_collection)
            except StepFailed as failure:
                raise Conflict(reason=failure.message) from failure
            if len(items) != local.json(INSTANCES):
                raise Conflict(reason=f"多实例“{self.bpmn_id}”的集合已经改变（its collection has changed）")
            item = items[counter - 1]
        local.put(DONE, local.json(DONE) - 1)
        local.put(ACTIVE, local.json(ACTIVE) + 1)
        local.put(f"{OUTPUT}{counter}", None)
        made = self._instance(token, counter, item)
        token.remember(reopened={**token.internal_data.get("reopened", {}), str(made.id): counter})
        made.task_spec._update(made)
        return made

    def child_completing(self, token: Token, child: Token) -> None:
        loop, local = self.loop, token.local()
        if loop.output_collection and loop.output_element is not None:
            value = expressions.json(child, expressions.as_feel(loop.output_element))
            local.put(f"{OUTPUT}{counter_of(child)}", value)
        if loop.completion_condition is not None:
            counters = {DONE: local.json(DONE) + 1, ACTIVE: local.json(ACTIVE) - 1}
            stop = expressions.condition(child, loop.completion_condition, counters)
            child.remember(stop=1) if stop else child.forget("stop")

    def child_done(self, token: Token, child: Token) -> None:
        if child.task_spec.name != self.task_spec:
            return
        local = token.local()
        count, done = local.json(INSTANCES), local.json(DONE) + 1
        local.put(DONE, done)
        local.put(ACTIVE, local.json(ACTIVE) - 1)
        if "stop" in child.internal_data or done + local.json(TERMINATED) == count:
            rest = self.members(token)
            for other in rest:
                token.workflow.cancel_tree(other, keep_parent=True)
            if rest:
                local.put(TERMINATED, local.json(TERMINATED) + len(rest))
                local.put(ACTIVE, 0)
            self._collect(token, local)
            token._ready()
        elif self.loop.sequential:
            local.put(ACTIVE, 1)
            items = local.json("#items")
            following = self._instance(token, done + 1, None if items is None else items[done])
            following.task_spec._update(following)

    def _collect(self, token: Token, local: Variables) -> None:
        """Propagate the collected outputs; the place of an instance that did not complete holds null."""
        if self.loop.output_collection:
            set_variable(outer_scopes(token), self.loop.output_collection, local.collected())


class ParallelMultiInstance(MultiInstance, spiff.ParallelMultiInstanceTask):
    """All instances at once."""


class SequentialMultiInstance(MultiInstance, spiff.SequentialMultiInstanceTask):
    """One instance after the other, in the order of the collection."""
