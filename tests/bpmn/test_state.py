"""Stored instances: every format that was ever written can be loaded and goes on; an unknown one is refused."""

from __future__ import annotations

import json
from pathlib import Path

import orjson
import pytest

from engine.bpmn import Instance, parse
from engine.bpmn.state import FORMAT
from engine.changes import StoredState
from engine.errors import Invalid
from tests.bpmn.rows.test_rows import sequence
from tests.bpmn.support import Host

FORMATS = Path(__file__).parent / "formats"


def stored(name: str) -> StoredState:
    rows = json.loads((FORMATS / f"{name}.json").read_text())
    variables = [(scope, variable, raw.encode()) for scope, variable, raw in rows["variables"]]
    return StoredState(rows["header"].encode(), [row.encode() for row in rows["tokens"]], variables)


@pytest.mark.parametrize("number", range(1, FORMAT + 1))
def test_an_instance_stored_in_every_format_goes_on_to_its_end(number: int) -> None:
    """Format 1 named elements by their place in the parser's order: this fails when somebody changes that without mending the upgrade."""
    name = f"format_{number}"
    model = parse((FORMATS / f"{name}.bpmn").read_bytes(), name)[0]
    instance = Instance.load(model, stored(name), Host())
    tokens = {token.element_id: token for token in instance.live_tokens() if token.state == "READY"}
    assert set(tokens) == {"m", "i", "h", "late"}
    assert instance.variables(tokens["i"].token_id)["loc"] == 2 and instance.variables(tokens["m"].token_id)["unit"] == "B"
    for element in ("h", "late", "i"):
        instance.complete_user_task(tokens[element].token_id, {})
    instance.complete_user_task(tokens["m"].token_id, {"opinion": "no"})
    instance.correlate(next(t.token_id for t in instance.live_tokens() if t.element_id == "c"), {})
    last = next(t for t in instance.live_tokens() if t.element_id == "z")
    assert instance.variables()["opinions"] == ["ok", "no"]
    instance.complete_user_task(last.token_id, {})
    assert instance.state == "COMPLETED"


@pytest.mark.parametrize("number", range(1, FORMAT + 1))
def test_compensation_stored_in_every_format_still_undoes(number: int) -> None:
    """Records of completed activities, nested ones too, name the handlers that will undo them."""
    name = f"format_{number}_compensation"
    model = parse((FORMATS / f"{name}.bpmn").read_bytes(), name)[0]
    instance = Instance.load(model, stored(name), Host())
    for element in ("b", "undo_outer", "undo_a"):
        live = {token.element_id: token.token_id for token in instance.live_tokens() if token.state == "READY"}
        instance.complete_user_task(live[element], {})
    assert instance.state == "COMPLETED"


@pytest.mark.parametrize("name", ["format_1", "format_1_compensation"])
def test_the_first_command_writes_every_row_in_the_newest_format(name: str) -> None:
    model = parse((FORMATS / f"{name}.bpmn").read_bytes(), name)[0]
    old = stored(name)
    instance = Instance.load(model, old, Host())
    instance.set_variables({"x": 1})
    changes = instance.take_changes()
    assert orjson.loads(changes.header)[0] == FORMAT and len(changes.tokens) == len(old.tokens)
    fresh = StoredState(changes.header, [changes.tokens[i] for i in sorted(changes.tokens)], old.variables)
    again = Instance.load(model, fresh, Host())
    assert again.live_tokens() == Instance.load(model, old, Host()).live_tokens()
    again.set_variables({"x": 2})
    assert not again.take_changes().tokens, "rows of the newest format are not written without need"


def test_an_unknown_format_is_refused() -> None:
    model = parse((FORMATS / "format_1.bpmn").read_bytes(), "x")[0]
    state = stored("format_1")
    header = orjson.loads(state.header)
    state.header = orjson.dumps([FORMAT + 1, *header[1:]])
    with pytest.raises(Invalid):
        Instance.load(model, state, Host())


def test_a_fresh_change_set_is_empty_after_taking() -> None:
    instance = Instance.start(parse(sequence(3), "x")[0], {"a": 1}, Host())
    first, second = instance.take_changes(), instance.take_changes()
    assert first.tokens and first.history and first.variables
    assert not (second.tokens or second.history or second.variables or second.user_tasks)
    assert first.header == second.header
