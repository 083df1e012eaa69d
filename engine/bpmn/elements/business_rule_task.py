"""Business rule task with a called decision (zeebe:calledDecision).

Run: the decision id is evaluated and the decision is made in place with the visible variables; its output is propagated as the result
variable, or stays local if there are output mappings, and the trace is recorded. An unknown decision is the incident CALLED_DECISION_ERROR,
one that fails DECISION_EVALUATION_ERROR. Nothing to cancel.
"""

from __future__ import annotations

from engine.bpmn.kernel import expressions
from engine.bpmn.kernel.element import Element
from engine.bpmn.kernel.failure import StepFailed
from engine.bpmn.kernel.token import Token
from engine.bpmn.kernel.variables import Visible, deliver
from engine.changes import DecisionEvaluated
from engine.errors import DecisionNotFound, LianbanError
from engine.feel import to_json


class BusinessRuleTask(Element):
    """bpmn:businessRuleTask without a job type."""

    def perform(self, token: Token) -> bool | None:
        called = self.ext.called_decision
        if called is None:
            return True
        process = token.workflow.process
        decision_id = expressions.required_text(token, called.decision_id)
        try:
            result, key = process.env.decide(decision_id, called.binding, called.version_tag, Visible(token))
            output = to_json(result.value)
        except LianbanError as error:
            details = {"decision": decision_id, **{name: str(value) for name, value in error.details.items()}}
            kind = "CALLED_DECISION_ERROR" if isinstance(error, DecisionNotFound) else "DECISION_EVALUATION_ERROR"
            raise StepFailed(kind, str(error), details) from error
        process.changes.decisions.append(DecisionEvaluated(token.id, self.bpmn_id, decision_id, key, output, list(result.trace)))
        deliver(token, {called.result_variable: output})
        return True
