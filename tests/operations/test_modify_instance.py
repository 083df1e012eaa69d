"""Modification (Camunda 8) and 跳转: activate, move, terminate; all or nothing."""

from __future__ import annotations

from typing import Any

import pytest

from engine import Engine, commands
from engine.bpmn import Activation, Modification, Move, Termination
from engine.errors import Conflict, Forbidden, Invalid, NotFound
from engine.policy import Actor
from engine.store import reads
from engine.store.models import element_key, split_key
from tests.bpmn.support import END, MESSAGE, SIGNAL, START, boundary, chain, el, event_sub, gate, io, multi, sub, timer, zeebe
from tests.operations.support import (
    ANNA,
    BLOCK,
    LINE,
    OPERATOR,
    audited,
    both_databases,
    complete,
    deploy,
    do,
    open_ids,
    open_task,
    process,
    start,
    state,
    task,
    variables,
    version,
)

INNER = el("startEvent", "s2") + task("i1") + task("i2") + el("endEvent", "e2") + chain("s2", "i1", "i2", "e2")
NESTED = START + task("a") + sub("outer", el("startEvent", "s1") + sub("sp", INNER) + el("endEvent", "e1") + chain("s1", "sp", "e1"))
NESTED += END + chain("s", "a", "outer", "e")


def modify(engine: Engine, key: int, *activate: Activation, move: tuple[Move, ...] = (), end: tuple[Termination, ...] = ()) -> None:
    do(engine, commands.modify_instance, OPERATOR, key, Modification(tuple(activate), move, end))


def test_activate_beside_what_is_open(engine: Engine) -> None:
    deploy(engine, process(LINE))
    key = start(engine)
    modify(engine, key, Activation("c"))
    assert open_ids(engine) == ["a", "c"]
    complete(engine, "c")
    for element in "abc":
        complete(engine, element)
    assert state(engine, key) == "COMPLETED"


def test_activate_inside_closed_subprocesses_opens_them_without_their_start(engine: Engine) -> None:
    body = NESTED + event_sub("es", SIGNAL, task("es_t") + chain("es_s", "es_t", "es_e"))
    deploy(engine, process(body))
    key = start(engine)
    modify(engine, key, Activation("i2"), end=(Termination("a"),))
    assert open_ids(engine) == ["i2"]
    modify(engine, key, Activation("i1"))
    assert open_ids(engine) == ["i1", "i2"]
    assert _live(engine, key).count("sp") == 1, "the open subprocess is used"
    for element in ("i1", "i2", "i2"):
        complete(engine, element)
    assert state(engine, key) == "COMPLETED"


def test_two_activations_share_the_subprocess_they_open(engine: Engine) -> None:
    deploy(engine, process(NESTED))
    key = start(engine)
    modify(engine, key, Activation("i1"), Activation("i2"), end=(Termination("a"),))
    assert open_ids(engine) == ["i1", "i2"] and _live(engine, key).count("outer") == 1


@both_databases
def test_boundary_events_and_input_mappings_of_opened_subprocesses_work(engine: Engine) -> None:
    inside = sub("sp", zeebe(io({"seen": "x + 1"})) + INNER)
    body = START + task("a") + inside + boundary("b", "sp", timer("PT1H")) + task("late") + END
    body += chain("s", "a", "sp", "e") + chain("b", "late", "e")
    deploy(engine, process(body))
    key = start(engine, variables={"x": 1})
    modify(engine, key, Activation("i2", variables={"sp": {"local": 5}, "": {"top": 6}, "i2": {"own": 7}}), end=(Termination("a"),))
    with engine.reading() as session:
        rows = {(name, value) for scope, name, value in reads.variable_rows(session, key) if scope}
        assert reads.instance(session, key).next_due_at is not None
    assert rows == {("seen", b"2"), ("local", b"5"), ("own", b"7")} and variables(engine, key) == {"x": 1, "top": 6}


def test_several_instances_of_a_scope_need_the_ancestor(engine: Engine) -> None:
    deploy(engine, process(START + sub("sp", multi() + INNER) + END + chain("s", "sp", "e")))
    key = start(engine, variables={"units": ["A", "B"]})
    with pytest.raises(Conflict, match="多个实例"):
        modify(engine, key, Activation("i2"))
    with engine.reading() as session:
        scopes = [e.scope_id for e in reads.element_history(session, key) if e.element_id == "i1"]
    modify(engine, key, Activation("i2", ancestor=scopes[1]))
    assert open_ids(engine) == ["i1", "i1", "i2"]
    with pytest.raises(Conflict):
        modify(engine, key, Activation("i2", ancestor=999))


def test_what_cannot_be_activated_is_refused_and_nothing_changes(engine: Engine) -> None:
    wait = gate("g", "eventBased") + el("intermediateCatchEvent", "w1", timer("PT1H")) + el("intermediateCatchEvent", "w2", SIGNAL)
    body = START + task("a") + boundary("b", "a", timer("PT9H")) + wait + sub("mi", multi() + INNER) + END
    body += event_sub("es", MESSAGE, task("es_t") + chain("es_s", "es_t", "es_e"))
    body += chain("s", "a", "g", "w1", "mi", "e") + chain("g", "w2", "e") + chain("b", "e")
    deploy(engine, process(body))
    key = start(engine, variables={"units": [1], "key": "k"})
    before = version(engine, key)
    for element, error in (
        ("s", Invalid),
        ("b", Invalid),
        ("es", Invalid),
        ("es_t", Invalid),
        ("w1", Invalid),
        ("i1", Invalid),
        ("nope", NotFound),
    ):
        with pytest.raises(error):
            modify(engine, key, Activation("mi"), Activation(element))
    with pytest.raises(Invalid):
        modify(engine, key, Activation("mi", variables={"a": {"x": 1}}))
    with pytest.raises(NotFound):
        modify(engine, key, Activation("mi"), end=(Termination("mi"),))
    with pytest.raises(Invalid):
        modify(engine, key)
    assert (open_ids(engine), version(engine, key)) == (["a"], before)


@both_databases
def test_terminating_the_last_ends_the_scope_and_then_the_instance(engine: Engine) -> None:
    deploy(engine, process(NESTED))
    key = start(engine)
    complete(engine, "a")
    modify(engine, key, end=(Termination(token=split_key(open_task(engine, "i1").key)[1]),))
    assert state(engine, key) == "TERMINATED" and open_ids(engine) == []


def test_a_called_process_cannot_be_emptied(engine: Engine) -> None:
    call = el("callActivity", "ca", zeebe('<zeebe:calledElement processId="child"/>'))
    parent = process(START + call + END + chain("s", "ca", "e"), "parent")
    deploy(engine, parent, process(START + task("x") + END + chain("s", "x", "e"), "child"))
    key = start(engine, "parent")
    child = open_task(engine, "x").instance_key
    with pytest.raises(Conflict):
        modify(engine, child, end=(Termination("x"),))
    modify(engine, key, Activation("ca"), end=(Termination("ca"),))
    assert state(engine, child) == "TERMINATED" and len(open_ids(engine)) == 1


def test_a_member_taken_out_of_a_joint_review_is_not_waited_for(engine: Engine) -> None:
    review = task("m", extra=io({"opinion": "null"}), inner=multi(out="opinions", out_element="{unit: unit, opinion: opinion}"))
    deploy(engine, process(START + review + task("z") + END + chain("s", "m", "z", "e")))
    key = start(engine, variables={"units": ["A", "B", "C"]})
    complete(engine, "m", opinion="甲")
    modify(engine, key, end=(Termination(token=split_key(open_task(engine, "m").key)[1]),))
    complete(engine, "m", opinion="丙")
    assert open_ids(engine) == ["z"]
    assert variables(engine, key)["opinions"] == [{"unit": "A", "opinion": "甲"}, None, {"unit": "C", "opinion": "丙"}]


def test_move_every_instance_of_an_element_within_its_surroundings(engine: Engine) -> None:
    deploy(engine, process(START + sub("sp", multi() + INNER) + task("z") + END + chain("s", "sp", "z", "e")))
    key = start(engine, variables={"units": ["A", "B"]})
    modify(engine, key, move=(Move(Activation("i2"), source_element="i1"),))
    assert open_ids(engine) == ["i2", "i2"]
    complete(engine, "i2")
    complete(engine, "i2")
    assert open_ids(engine) == ["z"]
    with pytest.raises(NotFound):
        modify(engine, key, move=(Move(Activation("z"), source_element="i1"),))


def test_out_of_a_multi_instance_ends_it(engine: Engine) -> None:
    deploy(engine, process(START + task("m", inner=multi()) + task("z") + END + chain("s", "m", "z", "e")))
    key = start(engine, variables={"units": ["A", "B"]})
    modify(engine, key, move=(Move(Activation("z"), source_element="m"),))
    assert open_ids(engine) == ["z"]
    complete(engine, "z")
    assert state(engine, key) == "COMPLETED"


def test_a_token_put_on_a_join_passes_it(engine: Engine) -> None:
    deploy(engine, process(BLOCK))
    key = start(engine)
    modify(engine, key, Activation("j"), end=(Termination("a"),))
    assert open_ids(engine) == ["z"]


@both_databases
def test_jump_moves_one_or_all(engine: Engine) -> None:
    deploy(engine, process(BLOCK))
    key = start(engine)
    complete(engine, "a")
    do(engine, commands.jump_to_element, OPERATOR, open_task(engine, "b1").key, "b2", reason="b1 已线下办理")
    assert open_ids(engine) == ["b2", "c1"]
    do(engine, commands.jump_to_element, OPERATOR, open_task(engine, "b2").key, "z", reason="全部收回", mode="all")
    assert open_ids(engine) == ["z"]
    complete(engine, "z")
    assert state(engine, key) == "COMPLETED"
    assert [e.data["mode"] for e in audited(engine, "instance.jumped")] == ["branch", "all"]


def test_jump_with_all_into_the_open_subprocess_keeps_it(engine: Engine) -> None:
    body = START + gate("f") + sub("sp", INNER) + task("o") + gate("j") + END + chain("s", "f", "sp", "j", "e") + chain("f", "o", "j")
    deploy(engine, process(body))
    key = start(engine)
    do(engine, commands.jump_to_element, OPERATOR, open_task(engine, "o").key, "i2", reason="x", mode="all")
    assert open_ids(engine) == ["i2"] and _live(engine, key).count("sp") == 1


def test_analysts_and_administrators_only_with_a_reason(engine: Engine) -> None:
    deploy(engine, process(LINE))
    key = start(engine)
    source = open_task(engine, "a").key
    with pytest.raises(Forbidden):
        do(engine, commands.jump_to_element, ANNA, source, "c", reason="x")
    with pytest.raises(Forbidden):
        do(engine, commands.modify_instance, ANNA, key, Modification((Activation("c"),)))
    with pytest.raises(Invalid):
        do(engine, commands.jump_to_element, OPERATOR, source, "c", reason="")
    do(engine, commands.jump_to_element, Actor("ana", powers=frozenset({"deploy"})), source, "c", reason="x")
    assert open_ids(engine) == ["c"]


def test_camundas_request_is_read() -> None:
    key = 5
    body: dict[str, Any] = {
        "activateInstructions": [
            {
                "elementId": "i2",
                "ancestorElementInstanceKey": str(element_key(key, 9)),
                "variableInstructions": [{"variables": {"x": 1}, "scopeId": "sp"}, {"variables": {"y": 2}}],
            },
            {"elementId": "b", "ancestorElementInstanceKey": "-1"},
            {"elementId": "c", "ancestorElementInstanceKey": "5"},
        ],
        "moveInstructions": [
            {"sourceElementId": "a", "targetElementId": "c"},
            {
                "sourceElementInstruction": {"sourceType": "byKey", "sourceElementInstanceKey": str(element_key(key, 3))},
                "targetElementId": "d",
                "ancestorScopeInstruction": {"ancestorScopeType": "direct", "ancestorElementInstanceKey": str(element_key(key, 4))},
            },
        ],
        "terminateInstructions": [{"elementInstanceKey": str(element_key(key, 7))}, {"elementId": "z"}],
    }
    assert commands.read_modification(key, body) == Modification(
        (Activation("i2", 9, {"sp": {"x": 1}, "": {"y": 2}}), Activation("b"), Activation("c", 0)),
        (Move(Activation("c"), source_element="a"), Move(Activation("d", 4), source_token=3)),
        (Termination(token=7), Termination(element_id="z")),
    )
    refused: tuple[dict[str, Any], ...] = (
        {"activateInstructions": {}},
        {"activateInstructions": [{}]},
        {"activateInstructions": [{"elementId": "b", "ancestorElementInstanceKey": "x"}]},
        {"activateInstructions": [{"elementId": "b", "ancestorElementInstanceKey": str(element_key(6, 1))}]},
        {"activateInstructions": [{"elementId": "b", "variableInstructions": [{"variables": []}]}]},
        {"moveInstructions": [{"targetElementId": "c"}]},
        {"terminateInstructions": [{}]},
    )
    for wrong in refused:
        with pytest.raises(Invalid):
            commands.read_modification(key, wrong)


def _live(engine: Engine, key: int) -> list[str]:
    with engine.reading() as session:
        return [e.element_id for e in reads.element_history(session, key) if e.state == "ACTIVE"]
