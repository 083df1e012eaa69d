"""Fuzz: no text makes the compiler or a compiled expression crash, hang or raise anything but our own errors.

5,000 inputs in a normal run, 200,000 with HYPOTHESIS_PROFILE=soak: 80 % from the grammar and its mutations, 20 % raw text and bytes.
"""

from __future__ import annotations

import json
import os
from contextlib import suppress

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.clock import cpu_seconds
from engine.errors import ExpressionError
from engine.feel import compile_expression, compile_unary_tests, to_feel, to_json
from tests.feel.generate import CONTEXT, Generator

pytestmark = pytest.mark.scaled

INPUTS = 200_000 if os.environ.get("HYPOTHESIS_PROFILE") == "soak" else 5_000
BATCH = 50
SECONDS = 2.0  # CPU time that one input may take; the limit of an evaluation is 0.1, garbage collection may fall into it
FUZZ = {"deadline": None, "suppress_health_check": list(HealthCheck), "database": None}
ALPHABET = st.sampled_from([*"abxs019 .,:;\"'@?+-*/<>=()[]{}\\\n\t中文é😀", "and ", "in ", "if ", "for ", "not(", "..", "date("])


def survive(text: str) -> None:
    """Compile and evaluate as expression and as unary tests; only our errors are allowed."""
    start = cpu_seconds()
    with suppress(ExpressionError):
        json.dumps(to_json(compile_expression(text).run(CONTEXT).value))
    with suppress(ExpressionError):
        compile_unary_tests(text).matches(to_feel(5), CONTEXT)
    assert cpu_seconds() - start < SECONDS, text


@settings(max_examples=INPUTS * 4 // 5 // BATCH, **FUZZ)  # type: ignore[arg-type]  # a mixed dict of settings
@given(st.integers(min_value=0, max_value=2**32))
def test_grammar_and_mutations(seed: int) -> None:
    generator = Generator(seed)
    for _ in range(BATCH // 2):
        text = generator.make("any", generator.random.randint(1, 4))
        survive(text)
        survive(generator.mutate(text))


@settings(max_examples=INPUTS // 10, **FUZZ)  # type: ignore[arg-type]
@given(st.binary(max_size=60))
def test_raw_bytes(data: bytes) -> None:
    survive(data.decode("utf-8", "surrogateescape"))


@settings(max_examples=INPUTS // 10, **FUZZ)  # type: ignore[arg-type]
@given(st.lists(ALPHABET, max_size=25).map("".join))
def test_raw_feel_like_text(text: str) -> None:
    survive(text)
