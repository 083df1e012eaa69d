"""Ad-hoc subprocess.

Activate: a scope opens; every element named by the active-elements collection gets a token, without a collection every element that has
no incoming flow. With sequential ordering one at a time. More may be activated while it is open (`Instance.activate_ad_hoc`).
Complete: a path inside that ends (an element that leads nowhere completed) asks for the completion condition. When it holds, the rest is
cancelled, unless cancelRemainingInstances is false: then the subprocess completes when the rest is done. Without a condition it completes
when nothing is left inside. A condition that does not hold, and a collection that names nothing, leave it open with nothing inside until
more is activated (Camunda 8.9); but after an interrupting event subprocess it completes. The output element is evaluated in every element
that completes and leads nowhere, and collected in that order; every expression inside, and the completion condition, can read the output
collection as it fills.
Cancel: everything inside is cancelled first.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from engine.bpmn import spiff
from engine.bpmn.elements.subprocess import ScopeElement
from engine.bpmn.kernel import expressions
from engine.bpmn.kernel.failure import Step, StepFailed
from engine.bpmn.kernel.scope import PLACES
from engine.bpmn.kernel.token import Token
from engine.bpmn.kernel.variables import COLLECTED, outer_scopes, set_variable
from engine.bpmn.vocabulary import AdHocSettings

if TYPE_CHECKING:
    from engine.bpmn.kernel.scope import Scope, SubprocessScope

ENOUGH = "enough"
"""The note that the subprocess completes as soon as nothing is left inside."""
INTERRUPTED = "interrupted"
"""The note that an event subprocess has taken over."""


class AdHocSubProcess(ScopeElement, spiff.AdHocSubprocess):
    """bpmn:adHocSubProcess."""

    settings = AdHocSettings()

    def prepare(self, token: Token) -> Any:
        inside = self.inside()
        if self.settings.active_elements is None:
            return inside.starts
        wanted = expressions.items(token, self.settings.active_elements)
        unknown = [name for name in wanted if name not in inside.task_specs]
        if unknown:
            message = f"临时子流程“{self.bpmn_id}”中没有元素：{'、'.join(map(str, unknown))}"
            raise StepFailed(expressions.VALUE_ERROR, message, {"expression": self.settings.active_elements.text})
        return wanted

    @property
    def collection(self) -> str | None:
        return self.settings.output_collection

    def activate(self, token: Token, prepared: Any) -> bool:
        if self.settings.output_collection:
            token.local().put(COLLECTED, [])
        places = token.internal_data.pop(PLACES, None)
        if places:
            self.open(token, places)
            return False
        starts = list(prepared)
        if self.settings.sequential and len(starts) > 1:
            token.remember(todo=starts[1:])
            starts = starts[:1]
        self.open(token, starts)
        return False

    def inner_completing(self, token: Token, inner: Token) -> None:
        output = self.settings.output_element
        if self.settings.output_collection and output is not None:
            local = token.local()
            local.put(COLLECTED, [*local.json(COLLECTED, []), expressions.json(inner, expressions.as_feel(output))])

    def inner_finished(self, token: Token, scope: SubprocessScope) -> None:
        if self.settings.output_collection:
            set_variable(outer_scopes(token), self.settings.output_collection, token.local().collected())
        super().inner_finished(token, scope)

    def may_end(self, token: Token) -> bool:
        return ENOUGH in token.internal_data

    def interrupted(self, token: Token) -> None:
        token.remember(**{INTERRUPTED: 1, ENOUGH: 1})
        token.forget("todo")

    def path_ended(self, token: Token, scope: Scope) -> None:
        if INTERRUPTED in token.internal_data:
            return
        condition = self.settings.completion_condition
        try:
            done = condition is not None and expressions.condition(token, condition)
        except StepFailed as failure:
            token.stop(failure, Step.RUN)
            return
        token.remember(**{ENOUGH: 1}) if done or condition is None else token.forget(ENOUGH)
        if done:
            token.forget("todo")
            if self.settings.cancel_remaining and scope.live:
                scope.cancel_all()
                return
        todo = token.internal_data.get("todo")
        if todo and len(scope.live) == len(scope.listeners):
            token.remember(todo=todo[1:])
            self.add(scope, todo[0])

    def add(self, scope: Scope, name: str) -> None:
        """Activate one element inside."""
        following = Token(scope, scope.elements()[name], scope.task_tree)
        following.task_spec._update(following)

    def add_all(self, token: Token, scope: Scope, elements: Mapping[str, Mapping[str, Any]], *, cancel_remaining: bool) -> None:
        """Activate elements inside, each with variables of its own. New tokens come before the old ones go: the scope stays open."""
        running = [scope.tasks[key] for key in scope.task_tree._children if key not in scope.listeners]
        started = [scope.put({"name": name, "locals": dict(values)}) for name, values in elements.items()]
        if cancel_remaining:
            token.forget("todo")
            for old in running:
                scope.cancel_tree(old, keep_parent=True)
        for new in started:
            new.task_spec._update(new)

    def run_again(self, token: Token) -> None:
        scope = token.workflow.process.subprocesses.get(token.id)
        if scope is not None:
            self.path_ended(token, scope)
            scope.check_done()
