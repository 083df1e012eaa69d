"""Mutated DMN files: parsing and evaluating end with a result or with one of our errors, never with anything else."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.dmn import parse_dmn
from engine.errors import LianbanError

pytestmark = pytest.mark.scaled

SOURCES = [path.read_bytes() for path in sorted(Path(__file__).with_name("cases").glob("*.dmn"))]
SNIPPETS = st.sampled_from(
    b"""  " < - null name="a" <text>1</text> <list/> </decision> isCollection='true' &gt; [1.. ? <context/> <literalExpression/>
    href='#d' UNIQUE typeRef='date' \xff x <if/> tLevel </rule> <inputEntry/>""".split()
)


@given(source=st.sampled_from(SOURCES), edits=st.lists(st.tuples(st.floats(0, 1), st.integers(0, 30), SNIPPETS), min_size=1, max_size=4))
def test_mutated_file(source: bytes, edits: list[tuple[float, int, bytes]]) -> None:
    for place, length, snippet in edits:
        at = int(place * len(source))
        source = source[:at] + snippet + source[at + length :]
    check(source)


@given(source=st.sampled_from(SOURCES), data=st.data())
def test_moved_elements(source: bytes, data: st.DataObject) -> None:
    """Cut at tags, so that the XML stays well formed more often."""
    pieces = source.decode().split("<")
    first = data.draw(st.integers(2, len(pieces) - 1))
    second = data.draw(st.integers(2, len(pieces) - 1))
    pieces[first], pieces[second] = pieces[second], pieces[first]
    check("<".join(pieces).encode())


def check(source: bytes) -> None:
    try:
        model = parse_dmn(source, "fuzz.dmn")
    except LianbanError:
        return
    for identifier in [*model.decisions, *model.definitions.services]:
        try:
            _ = model.evaluate(identifier, {"x": 1, "amount": 5, "list": [1, 2]}).trace
        except LianbanError:
            continue
