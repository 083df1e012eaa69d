"""Script task with a FEEL expression (zeebe:script).

Run: the expression is evaluated in place; its value is propagated as the result variable, or stays local if there are output mappings.
An expression that breaks a limit is the incident EXTRACT_VALUE_ERROR. Nothing to cancel.
"""

from __future__ import annotations

from engine.bpmn import spiff
from engine.bpmn.kernel import expressions
from engine.bpmn.kernel.element import Element
from engine.bpmn.kernel.token import Token
from engine.bpmn.kernel.variables import deliver


class ScriptTask(Element, spiff.ScriptTask):
    """bpmn:scriptTask without a job type."""

    def perform(self, token: Token) -> bool | None:
        script = self.ext.script
        if script is not None:
            result = expressions.json(token, expressions.as_feel(script.expression))
            if script.result_variable:
                deliver(token, {script.result_variable: result})
        return True
