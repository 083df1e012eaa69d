"""Start, end, intermediate and link events, signals, terminate, event order and scopes; process models of start events."""

from __future__ import annotations

import pytest

from engine.bpmn import parse
from engine.errors import Conflict, DeploymentRefused, Invalid
from tests.bpmn.support import (
    END,
    ESCALATION,
    MESSAGE,
    SIGNAL,
    START,
    TERMINATE,
    Run,
    chain,
    doc,
    el,
    gate,
    io,
    multi,
    sub,
    timer,
    user,
    zeebe,
)


def test_message_start_runs_from_that_event() -> None:
    body = el("startEvent", "m", MESSAGE) + START + user("a", "b") + END + chain("m", "a", "e") + chain("s", "b", "e")
    model = parse(doc(body), "x.bpmn")[0]
    assert [(s.element_id, s.message_name, s.correlation_key) for s in model.message_starts] == [("m", "M1", "key")]
    assert model.has_none_start
    assert Run(model).tasks == ["b"]
    run = Run(model, {"x": 1}, start_element="m")
    assert run.tasks == ["a"] and run.events("m") == ["entered", "completed"] and run.events("s") == []


def test_a_process_without_none_start_needs_a_start_element() -> None:
    body = el("startEvent", "m", MESSAGE) + user("a") + END + chain("m", "a", "e")
    for start in (None, "a", "zz"):
        with pytest.raises(Invalid):
            Run(doc(body), start_element=start)


def test_signal_and_timer_starts_are_listed() -> None:
    body = el("startEvent", "g", SIGNAL) + el("startEvent", "t", timer("R/P1D", "timeCycle")) + END + chain("g", "e") + chain("t", "e")
    model = parse(doc(body), "x.bpmn")[0]
    assert [(s.element_id, s.signal_name) for s in model.signal_starts] == [("g", "S1")]
    assert [(s.element_id, s.kind, s.expression) for s in model.timer_starts] == [("t", "cycle", "R/P1D")]


def test_correlate_twice_is_a_conflict_and_outputs_are_mapped() -> None:
    catch = el("intermediateCatchEvent", "c", zeebe(io(None, {"got": "note"})) + MESSAGE)
    run = Run(doc(START + catch + user("z") + END + chain("s", "c", "z", "e")), {"key": "k"})
    token = run.token("c", "messages")
    with pytest.raises(Conflict):
        run.instance.complete_job(token, {})
    run.message("c", note=5, noise=1)
    assert run.variables == {"key": "k", "got": 5}


def test_terminate_ends_its_scope_only_as_completed() -> None:
    inner = el("startEvent", "s2") + gate("f") + user("a", "b") + el("endEvent", "t", TERMINATE) + el("endEvent", "e2")
    inner += chain("s2", "f", "a", "t") + chain("f", "b", "e2")
    body = START + gate("g") + sub("sp", inner) + user("out", "z") + END + chain("s", "g", "sp", "z", "e") + chain("g", "out", "e")
    run = Run(doc(body))
    run.complete("a")
    assert run.tasks == ["out", "z"] and run.events("b") == ["entered", "terminated"]


def test_terminate_of_the_process() -> None:
    body = START + gate("f") + user("a", "b") + el("endEvent", "t", TERMINATE) + END + chain("s", "f", "a", "t") + chain("f", "b", "e")
    run = Run(doc(body))
    run.complete("a")
    assert run.state == "COMPLETED" and run.tasks == [] and not run.rows.tokens


def test_a_signal_reaches_every_catch_of_the_instance_at_once_and_is_broadcast() -> None:
    catch = "".join(el("intermediateCatchEvent", f"c{i}", SIGNAL) + user(f"u{i}") for i in range(2))
    throw = el("intermediateThrowEvent", "t", zeebe(io({"v": "1 + 1"})) + SIGNAL) + user("a")
    body = START + gate("f") + catch + throw + END + chain("s", "f", "c0", "u0", "e") + chain("f", "c1", "u1", "e")
    run = Run(doc(body + chain("f", "a", "t", "e")))
    run.complete("a")
    assert run.tasks == ["u0", "u1"] and run.variables == {"v": 2}
    assert [(s.name, s.variables) for s in run.rows.changes.signals] == [("S1", {"v": 2})]
    assert run.signal() == 0


def test_a_signal_end_event_throws() -> None:
    body = START + gate("f") + el("intermediateCatchEvent", "c", SIGNAL) + user("u", "a") + el("endEvent", "t", SIGNAL) + END
    run = Run(doc(body + chain("s", "f", "c", "u", "e") + chain("f", "a", "t")))
    run.complete("a")
    assert run.tasks == ["u"]


def test_link_events_continue_even_backwards() -> None:
    link = '<linkEventDefinition name="L"/>'
    body = START + user("a") + el("intermediateThrowEvent", "t", link) + el("intermediateCatchEvent", "c", link) + user("z") + END
    run = Run(doc(body + chain("s", "a", "t") + chain("c", "z", "e")))
    run.complete("a")
    assert run.tasks == ["z"] and run.events("c") == ["entered", "completed"]


def test_an_uncaught_escalation_of_a_root_is_ignored() -> None:
    run = Run(doc(START + el("intermediateThrowEvent", "t", ESCALATION) + user("z") + END + chain("s", "t", "z", "e")))
    assert run.tasks == ["z"] and run.incidents == [] and run.rows.changes.uncaught == []


def test_the_host_may_escalate_from_an_open_task() -> None:
    body = START + user("a") + el("boundaryEvent", "b", ESCALATION, attachedToRef="a", cancelActivity="false") + user("h") + END
    run = Run(doc(body + chain("s", "a", "e") + chain("b", "h", "e")))
    run.do("throw_escalation", run.token("a"), "X1", {"n": 1})
    assert run.tasks == ["a", "h"] and run.variables == {"n": 1}


def test_intermediate_conditional_event_waits_for_the_scope_to_change() -> None:
    definition = "<conditionalEventDefinition><condition>=a + b &gt; 5</condition></conditionalEventDefinition>"
    body = START + gate("f") + el("intermediateCatchEvent", "c", definition) + user("u", "w") + END
    run = Run(doc(body + chain("s", "f", "c", "u", "e") + chain("f", "w", "e")), {"a": 1})
    run.complete("w", b=3)
    assert run.tasks == []
    run.do("set_variables", {"a": 3})
    assert run.tasks == ["u"]


def test_several_none_end_events_and_history_of_flows() -> None:
    body = START + gate("f") + user("a", "b") + END + el("endEvent", "e2") + chain("s", "f", "a", "e") + chain("f", "b", "e2")
    run = Run(doc(body))
    run.complete("b")
    assert run.state == "ACTIVE"
    run.complete("a")
    assert run.state == "COMPLETED"
    entered = {e.element_id: e for e in run.rows.history if e.kind == "entered"}
    assert entered["a"].predecessor == entered["f"].token_id and entered["a"].flow_id is not None


def test_properties_names_lanes_and_flows_of_the_model() -> None:
    lanes = '<laneSet><lane id="l1" name="住建局"><flowNodeRef>a</flowNodeRef></lane></laneSet>'
    task = el(
        "userTask",
        "a",
        "<documentation>看材料</documentation>"
        + zeebe('<zeebe:formDefinition formId="f1"/><zeebe:properties><zeebe:property name="unit" value="ZJJ"/></zeebe:properties>')
        + multi(),
        name="审查",
    )
    inner = sub("sp", el("startEvent", "s2") + user("i") + chain("s2", "i"))
    call = el("callActivity", "c", zeebe('<zeebe:calledElement processId="q"/>'))
    model = parse(
        doc(zeebe('<zeebe:versionTag value="v9"/>') + lanes + START + task + inner + call + END + chain("s", "a", "sp", "c", "e")), "x"
    )[0]
    info = model.elements["a"]
    assert (info.name, info.kind, info.lane, info.form_id, info.documentation) == ("审查", "userTask", "住建局", "f1", "看材料")
    assert info.properties == {"unit": "ZJJ"} and model.elements["i"].parent == "sp" and model.version_tag == "v9"
    assert model.called == {"q"} and [t for _, t in model.flows["a"]] == ["sp"] and model.elements["sp"].kind == "subProcess"


def test_a_dangling_reference_is_refused_with_the_element() -> None:
    with pytest.raises(DeploymentRefused) as refused:
        parse(doc(START + el("endEvent", "bad", '<errorEventDefinition errorRef="nope"/>', name="拒绝") + chain("s", "bad")), "x.bpmn")
    finding = refused.value.findings[0]
    assert (finding.element_id, finding.element_name) == ("bad", "拒绝") and "nope" in finding.message
