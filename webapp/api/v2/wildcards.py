"""A text filter over texts that are not in the database: the same meaning as engine.store.search gives it there."""

from __future__ import annotations

import re

from engine.store.search import ANY, ONE, pattern_parts
from webapp.api.filters import TextFilter, TextOperators


def text_holds(wanted: TextFilter, text: str) -> bool:
    """Whether the text fulfils the filter."""
    if isinstance(wanted, str):
        return text == wanted
    return all(_holds(wanted, name, text) for name in wanted.model_fields_set if getattr(wanted, name) is not None)


def _holds(wanted: TextOperators, name: str, text: str) -> bool:
    value = getattr(wanted, name)
    match name:
        case "eq":
            return bool(text == value)
        case "neq":
            return bool(text != value)
        case "exists":
            return bool(value)
        case "one_of":
            return text in value
        case "none_of":
            return text not in value
    expression = "".join(".*" if part is ANY else "." if part is ONE else re.escape(part) for part in pattern_parts(value))
    return re.fullmatch(expression, text, re.DOTALL) is not None
