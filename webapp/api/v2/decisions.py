"""Evaluate a decision, or a FEEL expression, outside any diagram."""

from __future__ import annotations

from typing import Any, Self

from pydantic import model_validator
from sqlalchemy import Row
from sqlalchemy.orm import Session
from typing_extensions import TypedDict

from engine.commands.environment import feel_environment
from engine.definitions import decision_model
from engine.dmn import DecisionResult
from engine.errors import Forbidden, NotFound
from engine.feel import compile_expression, to_json
from engine.policy import require_watch
from engine.store import definitions
from engine.views import visible_variables
from handlers.directory import service as directory
from webapp.api.rendering import json_text
from webapp.api.types import TENANT, Body, Json, Key, KeyText, LongText, Name, Tenant, Variables
from webapp.api.v2 import v2
from webapp.context import actor, engine


class EvaluateDecision(Body):
    """By `decisionDefinitionId` (the latest version) or by `decisionDefinitionKey`."""

    decision_definition_id: Name | None = None
    decision_definition_key: Key | None = None
    variables: Variables | None = None
    tenant_id: Tenant | None = None

    @model_validator(mode="after")
    def one_definition(self) -> Self:
        """By id or by key, not both."""
        if (self.decision_definition_id is None) == (self.decision_definition_key is None):
            raise ValueError("give decisionDefinitionId or decisionDefinitionKey")
        return self


class EvaluatedInput(TypedDict):
    """What an input was; the value is JSON."""

    inputId: str
    inputName: str
    inputValue: str


class EvaluatedOutput(TypedDict):
    """What a rule gave; the value is JSON."""

    outputId: str
    outputName: str
    outputValue: str
    ruleId: str | None
    ruleIndex: int | None


class MatchedRule(TypedDict):
    """A rule that held."""

    ruleId: str
    ruleIndex: int
    evaluatedOutputs: list[EvaluatedOutput]


class EvaluatedDecision(TypedDict):
    """One decision of the graph, with why it came out so."""

    decisionDefinitionId: str
    decisionDefinitionName: str
    decisionDefinitionVersion: int
    decisionDefinitionType: str
    output: str
    tenantId: str
    matchedRules: list[MatchedRule]
    evaluatedInputs: list[EvaluatedInput]
    decisionDefinitionKey: KeyText
    decisionEvaluationInstanceKey: str


class DecisionEvaluation(TypedDict):
    """A decision's result; `output` is JSON. `evaluatedDecisions`: required ones first."""

    decisionDefinitionId: str
    decisionDefinitionKey: KeyText
    decisionDefinitionName: str
    decisionDefinitionVersion: int
    decisionEvaluationKey: KeyText
    decisionInstanceKey: KeyText
    decisionRequirementsId: str
    decisionRequirementsKey: KeyText
    evaluatedDecisions: list[EvaluatedDecision]
    failedDecisionDefinitionId: str | None
    failureMessage: str | None
    output: str
    tenantId: str


@v2.operation(
    "POST", "/decision-definitions/evaluation", tag="decisionDefinition", body=EvaluateDecision, answers={200: DecisionEvaluation}
)
def evaluate_decision(body: EvaluateDecision) -> Any:
    """计算决策 / evaluate a decision. Nothing is stored: the evaluation's keys are zero."""
    if not directory.is_staff(actor()):
        raise Forbidden(reason="决策供部门人员使用")
    with engine().reading() as session:
        row = _definition(session, body)
        result = decision_model(session, row).evaluate(row.decision_id, body.variables or {}, feel_environment(session))
        return _evaluation(session, row, result)


def _definition(session: Session, body: EvaluateDecision) -> Row[Any]:
    if body.decision_definition_key is not None:
        return definitions.by_key(session, "decision", body.decision_definition_key)
    row = definitions.latest(session, "decision", body.decision_definition_id or "")
    if row is None:
        raise NotFound(what="决策", key=body.decision_definition_id)
    return row


def _evaluation(session: Session, row: Row[Any], result: DecisionResult) -> DecisionEvaluation:
    return {
        "decisionDefinitionId": row.decision_id,
        "decisionDefinitionKey": str(row.key),
        "decisionDefinitionName": row.name,
        "decisionDefinitionVersion": row.version,
        "decisionEvaluationKey": "0",
        "decisionInstanceKey": "0",
        "decisionRequirementsId": row.drg_id,
        "decisionRequirementsKey": str(row.resource_key),
        "evaluatedDecisions": [_decision(session, row, entry, number) for number, entry in enumerate(result.trace, 1)],
        "failedDecisionDefinitionId": None,
        "failureMessage": None,
        "output": json_text(to_json(result.value)),
        "tenantId": TENANT,
    }


def _decision(session: Session, row: Row[Any], entry: dict[str, Any], number: int) -> EvaluatedDecision:
    own = definitions.bound(session, "decision", entry["decisionId"], "deployment", row.deployment_key) or row
    return {
        "decisionDefinitionId": entry["decisionId"],
        "decisionDefinitionName": entry["decisionName"],
        "decisionDefinitionVersion": own.version,
        "decisionDefinitionType": entry["type"],
        "output": json_text(entry["output"]),
        "tenantId": TENANT,
        "matchedRules": [_rule(rule) for rule in entry["matchedRules"]],
        "evaluatedInputs": [
            {"inputId": one["id"], "inputName": one["name"], "inputValue": json_text(one["value"])} for one in entry["inputs"]
        ],
        "decisionDefinitionKey": str(own.key),
        "decisionEvaluationInstanceKey": f"0-{number}",
    }


def _rule(rule: dict[str, Any]) -> MatchedRule:
    outputs: list[EvaluatedOutput] = [
        {
            "outputId": one["name"],
            "outputName": one["name"],
            "outputValue": json_text(one["value"]),
            "ruleId": rule["ruleId"],
            "ruleIndex": rule["ruleIndex"],
        }
        for one in rule["outputs"]
    ]
    return {"ruleId": rule["ruleId"], "ruleIndex": rule["ruleIndex"], "evaluatedOutputs": outputs}


class EvaluateExpression(Body):
    """A FEEL expression, with or without its "="; `scopeKey`: also with the variables that this element instance sees."""

    expression: LongText
    tenant_id: Tenant | None = None
    scope_key: Key | None = None
    variables: Variables | None = None


class ExpressionWarning(TypedDict):
    """Why a part of the result is null."""

    message: str


class ExpressionEvaluation(TypedDict):
    """The value, and what was doubtful."""

    expression: str
    result: Json
    warnings: list[ExpressionWarning]
    referencedSecrets: list[Json]


@v2.operation("POST", "/expression/evaluation", tag="expression", body=EvaluateExpression, answers={200: ExpressionEvaluation})
def evaluate_expression(body: EvaluateExpression) -> Any:
    """计算 FEEL 表达式 / evaluate a FEEL expression."""
    if not directory.is_staff(actor()):
        raise Forbidden(reason="表达式供部门人员使用")
    variables = dict(body.variables or {})
    with engine().reading() as session:
        if body.scope_key is not None:
            require_watch(actor())
            variables = visible_variables(session, body.scope_key) | variables
        expression = compile_expression(body.expression.removeprefix("="), variables)
        evaluation = expression.run(variables, feel_environment(session))
    return {
        "expression": body.expression,
        "result": to_json(evaluation.value),
        "warnings": [{"message": warning.message} for warning in evaluation.warnings],
        "referencedSecrets": [],
    }
