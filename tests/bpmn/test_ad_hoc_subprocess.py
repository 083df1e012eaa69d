"""Ad-hoc subprocess: order, completion condition, the active-elements collection, activation at run time."""

from __future__ import annotations

import pytest

from engine.errors import Conflict, NotFound
from tests.bpmn.support import END, START, Run, boundary, chain, doc, el, multi, user, zeebe


def ad_hoc(settings: str = "", condition: str = "", **attributes: str) -> bytes:
    done = f"<completionCondition>={condition}</completionCondition>" if condition else ""
    inner = (zeebe(f"<zeebe:adHoc {settings}/>") if settings else "") + user("a", "b", "c") + done
    body = START + el("adHocSubProcess", "ah", inner, **attributes) + boundary("x", "ah", '<signalEventDefinition signalRef="S1"/>')
    return doc(body + user("z", "h") + END + chain("s", "ah", "z", "e") + chain("x", "h", "e"))


def test_everything_without_incoming_flow_in_parallel() -> None:
    run = Run(ad_hoc())
    assert run.tasks == ["a", "b", "c"]
    for name in "cab":
        run.complete(name)
    assert run.tasks == ["z"]


def test_sequential() -> None:
    run = Run(ad_hoc(ordering="Sequential"))
    for name in "abc":
        assert run.tasks == [name]
        run.complete(name)
    assert run.tasks == ["z"]


def test_the_condition_cancels_the_rest_or_waits_for_it() -> None:
    run = Run(ad_hoc(condition="ok = 2"), {"ok": 0})
    run.complete("a", ok=1)
    assert run.tasks == ["b", "c"]
    run.complete("b", ok=2)
    assert run.tasks == ["z"]
    run = Run(ad_hoc(condition="ok = 2", cancelRemainingInstances="false"), {"ok": 0})
    run.complete("a", ok=2)
    assert run.tasks == ["b", "c"]


def test_the_condition_counts_when_a_path_has_ended_not_in_the_middle_of_it() -> None:
    inner = user("a", "b", "c") + chain("a", "b") + "<completionCondition>=ok</completionCondition>"
    body = START + el("adHocSubProcess", "ah", inner) + user("z") + END + chain("s", "ah", "z", "e")
    run = Run(doc(body), {"ok": False})
    run.complete("a", ok=True)
    assert run.tasks == ["b", "c"]
    run.complete("b")
    assert run.tasks == ["z"] and run.events("c") == ["entered", "terminated"]


def test_a_member_of_a_multi_instance_ends_no_path() -> None:
    task = el("userTask", "m", multi("[1, 2]"))
    body = (
        START
        + el("adHocSubProcess", "ah", task + user("c") + "<completionCondition>=ok</completionCondition>")
        + END
        + chain("s", "ah", "e")
    )
    run = Run(doc(body), {"ok": True})
    run.complete("m")
    assert run.tasks == ["c", "m"]
    run.complete("m")
    assert run.state == "COMPLETED"


def test_a_condition_that_no_longer_holds_keeps_it_open() -> None:
    run = Run(ad_hoc(condition="ok", cancelRemainingInstances="false"), {"ok": False})
    run.complete("a", ok=True)
    run.complete("b", ok=False)
    run.complete("c")
    assert run.tasks == [] and run.at("ah")
    run.do("activate_ad_hoc", run.at("ah"), {"b": {}})
    run.complete("b", ok=True)
    assert run.tasks == ["z"]


def test_open_with_nothing_inside_it_can_be_interrupted() -> None:
    run = Run(ad_hoc('activeElementsCollection="=[]"'))
    assert run.tasks == [] and run.at("ah")
    run.signal()
    assert run.tasks == ["h"] and run.events("ah") == ["entered", "terminated"]


def test_sequential_stops_when_the_condition_holds() -> None:
    run = Run(ad_hoc(condition="ok", ordering="Sequential"), {"ok": False})
    run.complete("a", ok=True)
    assert run.tasks == ["z"]


def test_active_elements_and_more_later() -> None:
    run = Run(ad_hoc('activeElementsCollection="=wanted"', condition="ok"), {"wanted": ["b"], "ok": False})
    assert run.tasks == ["b"]
    token = run.at("ah")
    run.do("activate_ad_hoc", token, {"c": {}, "a": {}})
    assert run.tasks == ["a", "b", "c"]
    with pytest.raises(NotFound):
        run.instance.activate_ad_hoc(token, {"nope": {}})
    with pytest.raises(Conflict):
        run.instance.activate_ad_hoc(run.token("a"), {"a": {}})
    run.complete("c", ok=True)
    assert run.tasks == ["z"]


def test_an_unknown_active_element_is_an_incident() -> None:
    run = Run(ad_hoc('activeElementsCollection="=wanted"'), {"wanted": ["nope"]})
    assert run.incidents == [("ah", "EXTRACT_VALUE_ERROR")]
    run.do("set_variables", {"wanted": ["a"]})
    run.do("retry", run.token("ah", "incidents"))
    assert run.tasks == ["a"]


def test_a_condition_that_fails_is_an_incident_of_the_subprocess_that_can_be_retried() -> None:
    run = Run(ad_hoc(condition="ok"))
    run.complete("a")
    assert run.incidents == [("ah", "CONDITION_ERROR")] and run.tasks == ["b", "c"]
    run.do("set_variables", {"ok": True})
    run.do("retry", run.token("ah", "incidents"))
    assert run.tasks == ["z"] and run.incidents == []


def test_outputs_are_collected_in_the_order_of_completion() -> None:
    run = Run(ad_hoc('outputCollection="all" outputElement="=done"'))
    for name in "bca":
        run.complete(name, done=name)
    assert run.tasks == ["z"] and run.variables["all"] == ["b", "c", "a"]


def test_cancelled_with_everything_inside() -> None:
    run = Run(ad_hoc())
    run.signal()
    assert run.tasks == ["h"]
