"""Arbitrary schemas and submissions: a clean result or FormInvalid, findings or none; never another exception."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import FormInvalid
from engine.forms import form_expressions, lint_form, validate_submission
from engine.forms.schema import TYPES

pytestmark = pytest.mark.scaled

KEYS = st.sampled_from(["a", "b", "g", "r", "g.a", "", "a.b"])
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-9, 9),
    st.floats(),
    st.text(max_size=4),
    st.sampled_from(["=a", "=a > 1", "=)", "={", "1e5", "{{a}}"]),
)
JSON = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["a", "b", "g", "r", "value", "label"]), inner, max_size=3),
)
VALIDATE = st.dictionaries(
    st.sampled_from(["required", "min", "max", "minLength", "maxLength", "pattern", "patternErrorMessage", "validationType"]),
    JSON,
    max_size=3,
)
PROPERTIES = st.dictionaries(st.sampled_from(["check", "rule", "message", "rule2", "minRows", "maxRows"]), JSON, max_size=2)
OPTIONS = st.fixed_dictionaries(
    {"type": st.sampled_from([*sorted(TYPES), "odd"])},
    optional={
        "id": st.sampled_from(["x", "y", "z"]),
        "key": KEYS,
        "path": KEYS,
        "label": JSON,
        "validate": VALIDATE,
        "properties": PROPERTIES,
        "conditional": st.dictionaries(st.just("hide"), JSON),
        "values": JSON,
        "valuesKey": JSON,
        "valuesExpression": JSON,
        "expression": JSON,
        "readonly": JSON,
        "disabled": JSON,
        "decimalDigits": JSON,
        "increment": JSON,
        "defaultValue": JSON,
        "defaultRepetitions": JSON,
        "subtype": JSON,
        "disallowPassedDates": JSON,
        "serializeToString": JSON,
    },
)
COMPONENTS: st.SearchStrategy[list[Any]] = st.lists(
    st.recursive(
        OPTIONS,
        lambda inner: st.builds(lambda options, children: {**options, "components": children}, OPTIONS, st.lists(inner, max_size=3)),
        max_leaves=4,
    ),
    max_size=3,
)


@given(
    components=COMPONENTS, submission=st.dictionaries(st.sampled_from("abgr"), JSON), context=st.dictionaries(st.sampled_from("abgr"), JSON)
)
def test_any_schema_and_any_submission(components: list[Any], submission: dict[str, Any], context: dict[str, Any]) -> None:
    schema = {"type": "default", "id": "f", "components": components}
    lint_form(schema, "f.form")
    form_expressions(schema)
    try:
        clean = validate_submission(schema, submission, context)
    except FormInvalid as problem:
        assert problem.errors
        assert all(message for messages in problem.errors.values() for message in messages)
    else:
        json.dumps(clean)
