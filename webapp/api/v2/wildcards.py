"""A text filter over texts that are not in the database: the same meaning as engine.store.search gives it there."""

from __future__ import annotations

from collections.abc import Sequence

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
    return fits(pattern_parts(value), text)


def fits(parts: Sequence[str], text: str) -> bool:
    """Whether the whole text fits the parts of a pattern, in time of at most their product.

    Never a regular expression: one with many stars tries every way to share the text among them, for years, and lets no other thread run.
    """
    at, here, star, resume = 0, 0, -1, 0
    while here < len(text):
        if at < len(parts) and parts[at] is ANY:
            star, resume, at = at, here, at + 1
        elif at < len(parts) and (parts[at] is ONE or parts[at] == text[here]):
            at, here = at + 1, here + 1
        elif star >= 0:  # the last star takes one character more; earlier ones need not be asked again
            resume += 1
            at, here = star + 1, resume
        else:
            return False
    return all(part is ANY for part in parts[at:])
