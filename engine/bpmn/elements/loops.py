"""Multi-instance (parallel and sequential) and standard loop.

Activate: boundary events wait at the body; the input collection (or cardinality) is evaluated: not a list is EXTRACT_VALUE_ERROR. The body
is STARTED with the local variables numberOfInstances, numberOfActiveInstances, numberOfCompletedInstances, numberOfTerminatedInstances and
the output collection; every instance is a token below it with the locals loopCounter (from 1) and the input element. The activity's own io
mappings belong to each instance. An empty collection completes at once.
Complete: each completing instance puts its output element (evaluated in the instance) at its place, then the completion condition is
evaluated with the counters as they will be. When it holds, the other instances are cancelled; the body completes when it holds or all
are done, and the collected list is propagated to the outer scope as the output collection.
Cancel: with every instance.
A standard loop runs its activity while the loop condition holds, at most loopMaximum times; testBefore looks before the first time.
Variables whose name begins with # are the engine's own and never shown.
"""

from __future__ import annotations

import re
from typing import Any

from engine.bpmn import spiff
from engine.bpmn.kernel import expressions
from engine.bpmn.kernel.element import Element
from engine.bpmn.kernel.failure import StepFailed
from engine.bpmn.kernel.token import Token
from engine.bpmn.kernel.variables import Variables, outer_scopes, set_variable
from engine.bpmn.spiff import FUTURE, STARTED
from engine.bpmn.vocabulary import Loop
from engine.errors import Conflict

INSTANCES = "numberOfInstances"
ACTIVE = "numberOfActiveInstances"
DONE = "numberOfCompletedInstances"
TERMINATED = "numberOfTerminatedInstances"
_NAME = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*")


class LoopBody(Element):
    """The body of a loop; `task_spec` is the name of the repeated activity."""

    is_loop = True
    loop: Loop

    def member(self, token: Token, number: int, values: dict[str, Any]) -> Token:
        """A new instance, not yet activated."""
        made = Token(token.workflow, self._wf_spec.task_specs[self.task_spec], token)
        local = made.local()
        local.put("loopCounter", number)
        for name, value in values.items():
            local.put(name, value)
        return made

    def members(self, token: Token) -> list[Token]:
        """The live instances."""
        tasks = token.workflow.tasks
        children = (tasks[child_id] for child_id in sorted(token._children))
        return [child for child in children if child.task_spec.name == self.task_spec and child.live]


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
        done = _counter(child)
        child.remember(again=1) if self._again(child, done) else child.forget("again")

    def child_done(self, token: Token, child: Token) -> None:
        if "again" in child.internal_data:
            following = self.member(token, _counter(child) + 1, {})
            following.task_spec._update(following)
        else:
            token._ready()


class MultiInstance(LoopBody):
    """What parallel and sequential multi-instance have in common."""

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
        local.put(f"#out.{counter}", None)
        made = self._instance(token, counter, item)
        token.remember(reopened={**token.internal_data.get("reopened", {}), str(made.id): counter})
        made.task_spec._update(made)
        return made

    def child_completing(self, token: Token, child: Token) -> None:
        loop, local = self.loop, token.local()
        if loop.output_collection and loop.output_element is not None:
            value = expressions.json(child, expressions.as_feel(loop.output_element))
            local.put(f"#out.{_counter(child)}", value)
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
            collected = [local.json(f"#out.{number}") for number in range(1, local.json(INSTANCES) + 1)]
            set_variable(outer_scopes(token), self.loop.output_collection, collected)


class ParallelMultiInstance(MultiInstance, spiff.ParallelMultiInstanceTask):
    """All instances at once."""


class SequentialMultiInstance(MultiInstance, spiff.SequentialMultiInstanceTask):
    """One instance after the other, in the order of the collection."""


def _counter(child: Token) -> int:
    return int(child.locals.json("loopCounter")) if child.locals is not None else 0
