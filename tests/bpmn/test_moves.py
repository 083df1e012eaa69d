"""Moves in the kernel: withdrawal, signatures and modification where diagrams are awkward. The commands' tests are in tests/operations."""

from __future__ import annotations

import pytest

from engine.bpmn import Activation, Modification, Move, Signer, Termination
from engine.errors import Conflict
from tests.bpmn.support import COMPENSATE, END, START, Run, boundary, chain, doc, el, flow, gate, multi, sub, user

HANDLER = el("userTask", "h", isForCompensation="true") + '<association id="as" sourceRef="cb" targetRef="h"/>'
UNDO = START + user("a") + boundary("cb", "a", COMPENSATE) + HANDLER + el("intermediateThrowEvent", "t", COMPENSATE) + user("z") + END
UNDO += chain("s", "a", "t", "z", "e")


def move(run: Run, token: int, target: str) -> None:
    run.do("modify", Modification(moves=(Move(Activation(target), source_token=token),)))


def test_what_was_moved_still_comes_after_what_it_came_from() -> None:
    run = Run(doc(START + user("a", "b", "c") + END + chain("s", "a", "b", "c", "e")))
    first = run.token("a")
    run.complete("a")
    move(run, run.token("b"), "c")
    assert [p.element_id for p in run.instance.return_points(run.token("c"), run.rows.history)] == ["b", "a"]
    run.do("withdraw", first, list(run.rows.history))
    assert run.tasks == ["a"]


def test_a_compensation_handler_is_neither_moved_nor_terminated_nor_taken_back() -> None:
    run = Run(doc(UNDO))
    run.complete("a")
    handler = run.token("h")
    for change in (Modification(moves=(Move(Activation("z"), source_token=handler),)), Modification(terminations=(Termination("h"),))):
        with pytest.raises(Conflict):
            run.instance.modify(change)
    run.complete("h")
    with pytest.raises(Conflict):
        run.instance.withdraw(handler, run.rows.history)
    with pytest.raises(Conflict):
        run.instance.return_to(run.token("z"), "h", run.rows.history)
    run.do("jump", run.token("z"), Activation("a"), everything=True)
    run.complete("a")
    run.do("jump", run.token("h"), Activation("z"), everything=True)
    assert run.tasks == ["z"]


def test_a_signature_is_not_moved_and_its_task_not_stranded() -> None:
    run = Run(doc(START + user("a", "b") + END + chain("s", "a", "b", "e")))
    token = run.token("a")
    (sign,) = run.do("add_signs", token, "before", [Signer(user="carl")])
    with pytest.raises(Conflict):
        run.instance.modify(Modification(moves=(Move(Activation("b"), source_token=sign),)))
    run.do("modify", Modification(terminations=(Termination(token=sign),)))
    run.complete("a")
    assert run.tasks == ["b"]


def test_an_error_thrown_by_a_signer_is_caught_at_the_task() -> None:
    body = START + user("a") + boundary("b", "a", '<errorEventDefinition errorRef="E1"/>') + user("h") + END
    run = Run(doc(body + chain("s", "a", "e") + chain("b", "h", "e")))
    (sign,) = run.do("add_signs", run.token("a"), "before", [Signer(user="carl")])
    run.do("throw_error", sign, "E1")
    assert run.tasks == ["h"]


def test_signing_after_with_output_mappings_and_a_failing_one() -> None:
    mapping = '<extensionElements><zeebe:ioMapping><zeebe:output source="=1 + x" target="y"/></zeebe:ioMapping></extensionElements>'
    run = Run(doc(START + el("userTask", "a", mapping) + user("b") + END + chain("s", "a", "b", "e")))
    token = run.token("a")
    run.do("add_signs", token, "after", [Signer(group="G.handler")])
    run.complete("a", token, x=4)
    (sign,) = run.rows.open["tasks"]
    run.complete("a", sign, x=99)
    assert run.tasks == ["b"] and run.variables == {"y": 5}


def test_returning_twice_over_the_same_join_doubles_nothing() -> None:
    body = START + gate("f") + user("a", "b") + gate("j") + user("z") + END + chain("s", "f", "a", "j", "z", "e") + chain("f", "b", "j")
    run = Run(doc(body))
    for element in ("b", "a"):
        run.complete(element)
    for element in ("a", "b", "a", "b"):
        run.do("return_to", run.token("z"), element, list(run.rows.history), "branch")
        assert run.tasks == [element]
        run.complete(element)
    run.complete("z")
    assert run.state == "COMPLETED" and not run.rows.tokens


def test_back_over_an_inclusive_join() -> None:
    body = START + gate("f", "inclusive", default="fd") + user("a", "b") + gate("j", "inclusive") + user("z") + END
    body += chain("s", "f") + flow("f", "a", "true") + flow("f", "b", id="fd") + chain("a", "j", "z", "e") + chain("b", "j")
    run = Run(doc(body))
    run.complete("a")
    run.do("return_to", run.token("z"), "a", list(run.rows.history))
    run.complete("a")
    assert run.tasks == ["z"]


def test_not_back_over_a_complex_gateway_nor_to_what_an_event_gateway_chose() -> None:
    join = el("complexGateway", "j", "<activationCondition>=activationCount &gt;= 1</activationCondition>")
    body = START + gate("f") + user("a", "b") + join + user("z") + END + chain("s", "f", "a", "j", "z", "e") + chain("f", "b", "j")
    run = Run(doc(body))
    run.complete("a")
    with pytest.raises(Conflict, match="复杂网关"):
        run.instance.return_to(run.token("z"), "a", run.rows.history)
    receive = el("receiveTask", "r", messageRef="M1")
    wait = el("intermediateCatchEvent", "w", '<signalEventDefinition signalRef="S1"/>')
    body = START + gate("g", "eventBased") + receive + wait + user("z") + END + chain("s", "g", "r", "z", "e") + chain("g", "w", "z")
    run = Run(doc(body), {"key": "k"})
    run.message("r")
    with pytest.raises(Conflict, match="事件网关"):
        run.instance.return_to(run.token("z"), "r", run.rows.history)


def test_into_an_interrupted_subprocess_only_as_a_whole() -> None:
    inner = el("startEvent", "s2") + user("i") + el("endEvent", "e2") + chain("s2", "i", "e2")
    body = START + sub("sp", inner) + boundary("b", "sp", '<signalEventDefinition signalRef="S1"/>') + user("h") + END
    run = Run(doc(body + chain("s", "sp", "e") + chain("b", "h", "e")))
    run.signal()
    with pytest.raises(Conflict, match="整体"):
        run.instance.return_to(run.token("h"), "i", run.rows.history)
    run.do("return_to", run.token("h"), "sp", list(run.rows.history))
    assert run.tasks == ["i"]


def test_a_member_is_taken_back_only_with_the_collection_it_had() -> None:
    run = Run(doc(START + el("userTask", "m", multi()) + END + chain("s", "m", "e")), {"units": [1, 2]})
    member = run.token("m")
    run.complete("m", units=[1, 2, 3])
    with pytest.raises(Conflict, match="集合"):
        run.instance.withdraw(member, run.rows.history)
    run.store()
    run.do("set_variables", {"units": [1, 2]})
    run.do("withdraw", member, list(run.rows.history))
    assert run.tasks == ["m", "m"]


def test_a_long_loop_offers_each_step_once() -> None:
    body = START + gate("x", "exclusive") + user("a", "b") + gate("y", "exclusive", default="fe") + END
    run = Run(doc(body + chain("s", "x", "a", "b", "y") + flow("y", "x", "true") + flow("y", "e", id="fe")), resident=True)
    for element in ["a", "b"] * 300:
        run.complete(element)
    run.complete("a")
    assert [p.element_id for p in run.instance.return_points(run.token("b"), run.rows.history)] == ["a", "b"]
