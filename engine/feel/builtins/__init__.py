"""The built-in functions (DMN 1.5 §10.3.4), Camunda's documented additions and ours. Importing this package registers all of them."""

from engine.feel.builtins import camunda, contexts, conversion, lists, numeric, ranges, statistics, strings, temporal, workdays
from engine.feel.builtins.registry import BUILTINS, Builtin

__all__ = [
    "BUILTINS",
    "Builtin",
    "camunda",
    "contexts",
    "conversion",
    "lists",
    "numeric",
    "ranges",
    "statistics",
    "strings",
    "temporal",
    "workdays",
]
