"""FEEL, the expression language of diagrams, decisions and forms (DMN 1.5 chapter 10), compiled to Python closures.

    expression = compile_expression('amount > 1000 and days <= 30')
    expression.evaluate({"amount": 1200, "days": 20})   # True

`evaluate` returns FEEL values (see values.py); `to_json` and `to_python` turn them into plain ones.
"""

from engine.feel.api import Evaluation, Expression, UnaryTests, compile_expression, compile_unary_tests
from engine.feel.runtime import Environment, FeelNull, Warning_, demand_arguments
from engine.feel.temporal import DaysDuration, FeelDate, FeelDateTime, FeelTime, MonthsDuration
from engine.feel.text import text_of
from engine.feel.typecheck import TypeProblem, find_type_problems
from engine.feel.values import Context, FeelFunction, Range, to_feel, to_json, to_python

__all__ = [
    "Context",
    "DaysDuration",
    "Environment",
    "Evaluation",
    "Expression",
    "FeelDate",
    "FeelDateTime",
    "FeelFunction",
    "FeelNull",
    "FeelTime",
    "MonthsDuration",
    "Range",
    "TypeProblem",
    "UnaryTests",
    "Warning_",
    "compile_expression",
    "compile_unary_tests",
    "demand_arguments",
    "find_type_problems",
    "text_of",
    "to_feel",
    "to_json",
    "to_python",
]
