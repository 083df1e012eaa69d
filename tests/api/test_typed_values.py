"""Camunda 7's typed variables: JSON inside a text is read as strictly as the body it came in."""

from __future__ import annotations

import pytest

from webapp.api.engine_rest.values import TypedValue, ValueInvalid, plain


@pytest.mark.parametrize(
    "text", ["[" * 100_000 + "]" * 100_000, "NaN", "[Infinity]", "1e999", "9" * 30, "9" * 5000, '"\\u0000"', '"\\ud800"', "{"]
)
def test_json_that_nothing_can_store_is_refused(text: str) -> None:
    with pytest.raises(ValueInvalid):
        plain({"a": TypedValue(value=text, type="Json")})


def test_an_object_of_another_serialization_stays_a_text() -> None:
    assert plain({"a": TypedValue(value="rO0ABX", type="Object")}) == {"a": "rO0ABX"}
    assert plain({"a": TypedValue(value='{"b": 1}', type="Object")}) == {"a": {"b": 1}}
