"""Anybody who may deploy sends scenario files to the server: none may stop it, and whatever is written in one is answered in words."""

from __future__ import annotations

import json
from typing import Any

import pytest

from engine.bpmn import parse
from engine.process_tests import Library, ScenarioInvalid, read_scenarios, run_scenarios
from engine.workcalendar import WorkCalendar
from tests.bpmn.support import END, START, chain, doc, el, flow, gate, script, timer, zeebe

CALL = el("callActivity", "call", zeebe('<zeebe:calledElement processId="other"/>'))
CALLS_FOR_EVER = START + CALL + gate("again", "exclusive", default="f_again_e") + END + chain("s", "call", "again")
CALLS_FOR_EVER += flow("again", "call", "true") + flow("again", "e", id="f_again_e")
WAITS = START + el("intermediateCatchEvent", "wait", timer("P3D")) + END + chain("s", "wait", "e")
HEAVY = START + script("h", "count(for i in 1..50000 return i)", "n") + gate("again", "exclusive", default="f_again_e")
HEAVY += END + chain("s", "h", "again") + flow("again", "h", "true") + flow("again", "e", id="f_again_e")
LIBRARY = Library(calendar=WorkCalendar())


def failures(
    body: str, steps: list[dict[str, Any]], then: dict[str, Any] | None = None, cpu_seconds: float = 60, **given: Any
) -> list[str]:
    (model,) = parse(doc(body), "p.bpmn")
    file = {"process": "p", "scenarios": [{"name": "一", "steps": steps, "then": then or {}, "given": given}]}
    (outcome,) = run_scenarios(model, read_scenarios(json.dumps(file).encode())[1], LIBRARY, cpu_seconds=cpu_seconds).outcomes
    return outcome.failures


@pytest.mark.parametrize("body", [CALLS_FOR_EVER, HEAVY], ids=["calls", "expressions"])
def test_a_loop_ends_with_the_time_of_the_file(body: str) -> None:
    """The kernel's own limit counts the steps of one command; an answered call is a command of its own."""
    (told,) = failures(body, [], cpu_seconds=0.2)
    assert "用时太长" in told


@pytest.mark.parametrize(
    ("clock", "told"),
    [
        ("² workdays", "既不是时长"),
        ("99999999999 workdays", "既不是时长"),
        ("P99999999999D", "1950"),
        ("P7999Y", "1950"),
        ("999999-01-01T00:00:00Z", "1950"),
        ("9999-12-31T23:59:59+08:00", "1950"),
        ('P1D")+("', "既不是时长"),
    ],
)
def test_a_clock_that_cannot_stand_there(clock: str, told: str) -> None:
    (sentence,) = failures(WAITS, [{"clock": clock}])
    assert told in sentence


@pytest.mark.parametrize("clock", ["2022-06-01T09:00:00", "2022-06-01", "2022-05-27T10:00:00+08:00", "P3D", "3 workdays"])
def test_a_moment_without_a_zone_is_in_beijing(clock: str) -> None:
    assert failures(WAITS, [{"clock": clock}]) == []


def test_an_expectation_that_fails_is_told_with_the_scenario() -> None:
    (told,) = failures(WAITS, [{"clock": "P3D"}], {"variables": {"((": 1}})
    assert "表达式不完整" in told
    (told,) = failures(WAITS, [{"clock": "P3D"}], {"variables": {"for i in 1..1000000 return i": 1}})
    assert "限制" in told


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ('{"variables": {"a": 1e999}}', "数字"),
        ('{"variables": {"a": NaN}}', "数字"),
        ('{"variables": {"a": ' + "9" * 30 + "}}", "数字"),
        ('{"variables": {"a": ' + "[" * 100_000 + "]" * 100_000 + "}}", "JSON"),
        ('{"now": "9999-12-31T00:00:00Z"}', "1950"),
    ],
)
def test_what_no_case_could_have_is_refused(given: str, told: str) -> None:
    with pytest.raises(ScenarioInvalid) as refused:
        read_scenarios(f'{{"process": "p", "scenarios": [{{"name": "a", "given": {given}}}]}}'.encode())
    assert told in refused.value.message()


def test_what_is_given_to_all_is_not_multiplied_beyond_memory() -> None:
    file = {"process": "p", "given": {"jobs": {"a": [{}] * 10_000}}, "scenarios": [{"name": str(n)} for n in range(500)]}
    with pytest.raises(ScenarioInvalid, match="太大"):
        read_scenarios(json.dumps(file).encode())
