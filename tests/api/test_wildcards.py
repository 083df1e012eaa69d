"""Text filters over names that only the diagram knows: the meaning of `$like`, at a cost that nobody can drive up."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.store.search import ANY, ONE, pattern_parts
from webapp.api.filters import TextOperators
from webapp.api.v2.wildcards import fits, text_holds


@pytest.mark.parametrize(
    ("pattern", "text", "holds"),
    [
        ("联合*", "联合审查", True),
        ("联合??", "联合审查", True),
        ("联合?", "联合审查", False),
        ("*审查", "联合审查", True),
        ("联合\\*", "联合审查", False),
        ("联合\\*", "联合*", True),
        ("*", "", True),
        ("?", "", False),
        ("", "", True),
        ("*a*b*", "xxaxxaxxb", True),
        ("*a*b", "xxaxxbxx", False),
        ("一*", "一\n二", True),
    ],
)
def test_like(pattern: str, text: str, holds: bool) -> None:
    assert text_holds(TextOperators.model_validate({"$like": pattern}), text) is holds


@given(st.text("ab*?\\", max_size=8), st.text("ab*", max_size=10))
def test_it_means_what_the_regular_expression_means(pattern: str, text: str) -> None:
    parts = pattern_parts(pattern)
    expression = "".join(".*" if part is ANY else "." if part is ONE else re.escape(part) for part in parts)
    assert fits(parts, text) == (re.fullmatch(expression, text, re.DOTALL) is not None)


def test_three_hundred_stars_cost_nothing() -> None:
    """A regular expression with as many would not come back in this century, holding every thread of the server."""
    assert not text_holds(TextOperators.model_validate({"$like": "*a" * 149 + "*!"}), "a" * 300)
    assert not text_holds(TextOperators.model_validate({"$like": "*" * 299 + "!"}), "联合审查" * 75)
