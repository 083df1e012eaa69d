"""Call activity: what the child gets, what comes back, bindings, errors, retries, cancellation. The child is an instance of its own."""

from __future__ import annotations

import pytest

from engine.changes import UncaughtThrow
from engine.errors import Conflict, NotFound
from tests.bpmn.support import END, ERROR, ESCALATION, SIGNAL, START, Run, boundary, chain, doc, el, io, multi, user, zeebe


def calling(settings: str = 'processId="q"', mappings: str = "", around: str = "", loop: str = "") -> bytes:
    call = el("callActivity", "c", zeebe(f"<zeebe:calledElement {settings}/>{mappings}") + loop)
    return doc(START + call + user("z") + END + chain("s", "c", "z", "e") + around)


def test_defaults_propagate_everything_both_ways() -> None:
    run = Run(calling(), {"a": 1, "b": {"x": 2}})
    call = run.rows.open["calls"][run.token("c", "calls")]
    assert (call.process_id, call.binding, call.variables) == ("q", "latest", {"a": 1, "b": {"x": 2}})
    run.do("call_completed", call.token_id, {"a": 5, "new": 6})
    assert run.tasks == ["z"] and run.variables == {"a": 5, "b": {"x": 2}, "new": 6}


def test_flags_off_only_mappings_pass() -> None:
    settings = (
        'processId="=which" propagateAllChildVariables="false" propagateAllParentVariables="false" bindingType="versionTag" versionTag="v3"'
    )
    run = Run(calling(settings, io({"item": "code"}, {"result": "r + 1"})), {"which": "q7", "code": "ZR06", "secret": 1})
    call = run.rows.open["calls"][run.token("c", "calls")]
    assert (call.process_id, call.binding, call.version_tag, call.variables) == ("q7", "versionTag", "v3", {"item": "ZR06"})
    run.do("call_completed", call.token_id, {"r": 1, "noise": 2})
    assert run.variables == {"which": "q7", "code": "ZR06", "secret": 1, "result": 2}


def test_child_flag_off_without_mappings_lets_nothing_out() -> None:
    run = Run(calling('processId="q" propagateAllChildVariables="false"'))
    run.do("call_completed", run.token("c", "calls"), {"r": 1})
    assert run.tasks == ["z"] and run.variables == {}


def test_business_id() -> None:
    run = Run(calling('processId="q" businessId="=pid"'), {"pid": "P-1"})
    assert run.rows.open["calls"][run.token("c", "calls")].business_id == "P-1"


def test_an_error_that_ended_the_child_is_caught_here() -> None:
    around = boundary("b", "c", ERROR) + user("h") + chain("b", "h", "e")
    run = Run(calling(around=around))
    run.do("call_failed", run.token("c", "calls"), UncaughtThrow("error", "E1", "bad", {"why": 1}))
    assert run.tasks == ["h"] and run.variables == {"why": 1}


def test_an_error_that_nobody_catches_is_an_incident_and_retry_calls_again() -> None:
    run = Run(calling())
    token = run.token("c", "calls")
    run.do("call_failed", token, UncaughtThrow("error", "E1", "bad", {}))
    assert run.incidents == [("c", "UNHANDLED_ERROR_EVENT")]
    run.do("retry", token)
    assert run.rows.changes.cancelled_calls == [] and run.token("c", "calls") == token
    run.do("call_completed", token, {})
    assert run.tasks == ["z"]


def test_an_escalation_of_the_child_does_not_end_the_call() -> None:
    run = Run(calling(around=boundary("b", "c", ESCALATION, False) + user("h") + chain("b", "h", "e")))
    token = run.token("c", "calls")
    run.do("call_failed", token, UncaughtThrow("escalation", "X1", "", {}))
    assert run.tasks == ["h"]
    run.do("call_completed", token, {})
    assert run.tasks == ["h", "z"]


def test_a_called_instance_passes_its_escalation_on_and_lives() -> None:
    body = START + el("intermediateThrowEvent", "t", ESCALATION) + user("a") + END + chain("s", "t", "a", "e")
    run = Run(doc(body), called=True)
    assert run.rows.changes.uncaught == [UncaughtThrow("escalation", "X1", "", {})]
    assert run.state == "ACTIVE" and run.tasks == ["a"]


def test_a_process_that_is_not_there_is_an_incident_that_can_be_retried() -> None:
    run = Run(calling())
    token = run.token("c", "calls")
    run.do("raise_incident", token, "CALLED_ELEMENT_ERROR", "没有流程 q")
    del run.rows.open["calls"][token]
    run.do("retry", token)
    assert run.token("c", "calls") == token and run.rows.changes.cancelled_calls == []


def test_cancelling_the_call_cancels_the_child() -> None:
    run = Run(calling(around=boundary("b", "c", SIGNAL) + user("h") + chain("b", "h", "e")))
    token = run.token("c", "calls")
    run.signal()
    assert run.rows.changes.cancelled_calls == [token] and run.tasks == ["h"]
    with pytest.raises((Conflict, NotFound)):
        run.instance.call_completed(token, {})


def test_completing_twice_is_a_conflict() -> None:
    run = Run(calling())
    token = run.token("c", "calls")
    run.do("call_completed", token, {})
    with pytest.raises((Conflict, NotFound)):
        run.instance.call_completed(token, {})


def test_one_child_per_member_of_a_multi_instance() -> None:
    settings = 'processId="q" propagateAllChildVariables="false" propagateAllParentVariables="false"'
    loop = multi(out="results", out_element="result")
    run = Run(calling(settings, io({"unit": "unit"}, {"result": "r"}), loop=loop), {"units": ["A", "B", "C"]})
    calls = sorted(run.rows.open["calls"])
    assert [run.rows.open["calls"][t].variables["unit"] for t in calls] == ["A", "B", "C"]
    for token, unit in zip(reversed(calls), "CBA", strict=True):
        run.do("call_completed", token, {"r": unit + "!"})
    assert run.tasks == ["z"] and run.variables["results"] == ["A!", "B!", "C!"] and "result" not in run.variables
