"""Parallel and sequential multi-instance, standard loop: counters, collections, completion condition, loops, nesting."""

from __future__ import annotations

import pytest

from engine.bpmn.kernel.placing import Modification, Termination
from tests.bpmn.support import END, START, Run, chain, doc, el, flow, gate, io, multi, script, sub, user, zeebe


def joint(body: str) -> bytes:
    return doc(START + body + user("z") + END + chain("s", "m", "z", "e"))


def test_n_of_m_with_the_loop_variables_of_camunda() -> None:
    until = "numberOfCompletedInstances &gt;= 3 and numberOfInstances = 5 and numberOfActiveInstances = 2"
    loop = multi(out="opinions", out_element="[unit, opinion, loopCounter]", until=until)
    run = Run(joint(el("userTask", "m", zeebe(io({"opinion": "null"})) + loop)), {"units": list("ABCDE"), "opinion": "outer"})
    assert run.tasks == ["m"] * 5
    opened = {task.loop_counter: task.token_id for task in run.rows.open["tasks"].values()}
    for counter in (4, 2, 5):
        seen = run.instance.variables(opened[counter])
        assert seen["unit"] == "ABCDE"[counter - 1] and seen["numberOfTerminatedInstances"] == 0
        run.complete("m", opened[counter], opinion=f"ok-{counter}")
    assert run.tasks == ["z"]
    assert run.variables == {
        "units": list("ABCDE"),
        "opinion": "outer",
        "opinions": [None, ["B", "ok-2", 2], None, ["D", "ok-4", 4], ["E", "ok-5", 5]],
    }
    assert run.events("m").count("terminated") == 2 and run.events("m").count("completed") == 4
    assert {scope for scope, _ in run.rows.variables} == {0}


def test_terminated_instances_are_counted() -> None:
    body = el("userTask", "m", multi(until="loopCounter = 1") + "")
    run = Run(joint(body), {"units": [1, 2, 3]})
    body_token = run.at("m")
    run.complete("m", next(t.token_id for t in run.rows.open["tasks"].values() if t.loop_counter == 1))
    assert run.tasks == ["z"]
    assert body_token in {e.token_id for e in run.rows.history if e.kind == "completed"}


def test_a_member_that_a_person_ends_counts_as_terminated_and_the_condition_sees_it() -> None:
    until = "numberOfTerminatedInstances = 1 and numberOfCompletedInstances = 1 and numberOfActiveInstances = 1"
    run = Run(joint(el("userTask", "m", multi(until=until))), {"units": [1, 2, 3]})
    run.do("modify", Modification(terminations=(Termination(token=run.token("m")),)))
    seen = run.instance.variables(run.token("m"))
    assert (seen["numberOfTerminatedInstances"], seen["numberOfActiveInstances"], seen["numberOfInstances"]) == (1, 2, 3)
    run.complete("m")
    assert run.tasks == ["z"]


def test_the_members_scope_is_their_body() -> None:
    run = Run(joint(el("userTask", "m", multi())), {"units": [1, 2]})
    tokens = [t for t in run.instance.live_tokens() if t.element_id == "m"]
    assert [t.scope_id for t in tokens] == [0, tokens[0].token_id, tokens[0].token_id]


def test_sequential_runs_in_order_over_the_collection_as_it_was() -> None:
    loop = multi(out="outs", out_element="unit", sequential="true")
    run = Run(joint(el("userTask", "m", loop)), {"units": ["A", "B", "C"]})
    for name in "ABC":
        assert run.tasks == ["m"]
        assert run.instance.variables(run.token("m"))["unit"] == name
        run.complete("m", units=[])
    assert run.tasks == ["z"] and run.variables["outs"] == ["A", "B", "C"]


@pytest.mark.parametrize("sequential", ["true", "false"])
def test_an_empty_collection_completes_at_once(sequential: str) -> None:
    run = Run(joint(el("userTask", "m", multi(out="outs", out_element="unit", sequential=sequential))), {"units": []})
    assert run.tasks == ["z"] and run.variables["outs"] == []


def test_not_a_list_is_an_incident_and_can_be_retried() -> None:
    run = Run(joint(el("userTask", "m", multi())), {"units": None})
    assert run.incidents == [("m", "EXTRACT_VALUE_ERROR")]
    run.do("set_variables", {"units": ["A"]})
    run.do("retry", run.token("m", "incidents"))
    assert run.tasks == ["m"] and run.incidents == []


def test_output_element_failing_is_an_incident_of_the_member_and_nothing_is_lost() -> None:
    run = Run(joint(el("userTask", "m", multi(out="outs", out_element="unit", until="stop"))), {"units": ["A", "B"]})
    run.complete("m")
    assert run.incidents == [("m", "CONDITION_ERROR")] and run.tasks == ["m"]
    run.do("set_variables", {"stop": False})
    run.do("retry", run.token("m", "incidents"))
    run.complete("m")
    assert run.tasks == ["z"] and run.variables["outs"] == ["A", "B"]


def test_a_simple_output_element_is_local_to_each_member() -> None:
    run = Run(joint(el("userTask", "m", multi(out="outs", out_element="review.result"))), {"units": [1, 2]})
    run.complete("m", review={"result": "ok"})
    run.complete("m")
    assert run.variables["outs"] == ["ok", None] and "review" not in run.variables


def test_multi_instance_subprocess_keeps_scopes_apart() -> None:
    inner = el("startEvent", "s2") + user("i") + script("w", "note + unit", "note") + user("k") + el("endEvent", "e2")
    inner += chain("s2", "i", "w", "k", "e2")
    loop = multi(out="notes", out_element="note")
    run = Run(joint(el("subProcess", "m", zeebe(io({"note": '"n"'})) + loop + inner)), {"units": ["A", "B"]})
    run.complete("i", note="a")
    run.complete("i", note="b")
    assert sorted(run.instance.variables(t)["note"] for t in run.rows.open["tasks"]) == ["aA", "bB"]
    run.complete("k")
    run.complete("k")
    assert run.variables["notes"] == ["aA", "bB"] and "note" not in run.variables


def test_nested_multi_instance() -> None:
    inner = (
        el("startEvent", "s2") + el("userTask", "i", multi("unit", "x", "got", "x * 10")) + el("endEvent", "e2") + chain("s2", "i", "e2")
    )
    outer = el("subProcess", "m", zeebe(io({"got": "null"})) + multi(out="all", out_element="got") + inner)
    run = Run(joint(outer), {"units": [[1, 2], [3]]})
    assert run.tasks == ["i"] * 3
    for _ in range(3):
        run.complete("i")
    assert run.variables["all"] == [[10, 20], [30]] and "got" not in run.variables


@pytest.mark.parametrize(("attributes", "rounds"), [("", 3), (' loopMaximum="2"', 2), (' testBefore="true"', 3)])
def test_standard_loop(attributes: str, rounds: int) -> None:
    loop = f"<standardLoopCharacteristics{attributes}><loopCondition>loopCounter &lt; 3</loopCondition></standardLoopCharacteristics>"
    run = Run(joint(el("userTask", "m", loop)))
    for _ in range(rounds):
        assert run.tasks == ["m"]
        run.complete("m")
    assert run.tasks == ["z"]


def test_standard_loop_tested_before_may_not_run_at_all() -> None:
    loop = '<standardLoopCharacteristics testBefore="true"><loopCondition>go</loopCondition></standardLoopCharacteristics>'
    assert Run(joint(el("userTask", "m", loop)), {"go": False}).tasks == ["z"]


def test_multi_instance_inside_a_rework_loop() -> None:
    body = START + gate("x", "exclusive") + el("userTask", "m", multi(out="outs", out_element="op")) + user("d")
    body += gate("y", "exclusive", default="fe") + END + chain("s", "x", "m", "d", "y") + flow("y", "x", "again") + flow("y", "e", id="fe")
    run = Run(doc(body), {"units": [1, 2, 3]})
    for number in range(3):
        for i in range(3):
            run.complete("m", op=[number, i])
        assert run.variables["outs"] == [[number, 0], [number, 1], [number, 2]]
        run.complete("d", again=number < 2)
    assert run.state == "COMPLETED"


def test_a_cancelled_body_takes_its_members_along() -> None:
    inner = START + el("userTask", "m", multi()) + END + chain("s", "m", "e")
    body = el("startEvent", "s1") + sub("sp", inner)
    body += el("boundaryEvent", "b", '<signalEventDefinition signalRef="S1"/>', attachedToRef="sp") + user("h") + el("endEvent", "e1")
    run = Run(doc(body + chain("s1", "sp", "e1") + chain("b", "h", "e1")), {"units": [1, 2, 3]})
    run.complete("m")
    run.signal()
    assert run.tasks == ["h"] and {scope for scope, _ in run.rows.variables} == {0}
