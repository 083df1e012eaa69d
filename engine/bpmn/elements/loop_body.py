"""What loops share: the body, a token that owns the tokens of the repeated activity."""

from __future__ import annotations

from typing import Any

from engine.bpmn.kernel.element import Element
from engine.bpmn.kernel.token import Token
from engine.bpmn.vocabulary import Loop


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


def counter_of(child: Token) -> int:
    """The loopCounter of a run or instance."""
    return int(child.locals.json("loopCounter")) if child.locals is not None else 0
