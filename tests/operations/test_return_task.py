"""退回: the diagram says who may; the others' branches keep their tokens; out of and into subprocesses and called processes."""

from __future__ import annotations

import pytest

from engine import Engine, commands
from engine.bpmn import lint, parse
from engine.commands.return_task import return_policy
from engine.errors import Conflict, Forbidden, Invalid, NotFound
from engine.policy import Actor
from tests.bpmn.support import END, START, chain, doc, el, flow, gate, io, multi, sub, zeebe
from tests.operations.support import (
    ANNA,
    BERT,
    BLOCK,
    LINE,
    audited,
    both_databases,
    complete,
    deploy,
    do,
    open_ids,
    open_task,
    person,
    process,
    row,
    start,
    state,
    task,
    version,
)


def back(engine: Engine, source: str, target: str, mode: str = "branch", reason: str = "材料不齐", actor: Actor = ANNA) -> int:
    key: int = do(engine, commands.return_task, actor, open_task(engine, source).key, target, reason=reason, mode=mode)
    return key


@both_databases
def test_back_to_an_earlier_step_with_the_reason_shown_there(engine: Engine) -> None:
    deploy(engine, process(LINE, returnPolicy="branch"))
    key = start(engine, business_id="p1")
    complete(engine, "a", opinion="同意")
    old = complete(engine, "b")
    source = open_task(engine, "c").key
    fresh = back(engine, "c", "a")
    assert open_ids(engine) == ["a"] and open_task(engine, "a").key == fresh
    assert row(engine, fresh).properties["returnReason"] == "材料不齐" and row(engine, fresh).properties["returnedBy"] == "anna"
    assert row(engine, source).state == "CANCELED" and row(engine, old).state == "COMPLETED"
    (event,) = audited(engine, "task.returned")
    assert event.data == {"name": "环节c", "to": "a", "toName": "环节a", "mode": "branch", "reason": "材料不齐"}
    for element in "abc":
        complete(engine, element)
    assert state(engine, key) == "COMPLETED"


@pytest.mark.parametrize(("written", "mode", "allowed"), [("", "branch", False), ("none", "branch", False), ("all", "branch", False)])
def test_the_diagram_must_allow_it(engine: Engine, written: str, mode: str, allowed: bool) -> None:
    deploy(engine, process(LINE, **({"returnPolicy": written} if written else {})))
    key = start(engine)
    complete(engine, "a")
    before = version(engine, key)
    with pytest.raises(Forbidden):
        back(engine, "b", "a", mode)
    assert (open_ids(engine), version(engine, key)) == (["b"], before)
    modes = [target.modes for target in do(engine, commands.return_targets, ANNA, open_task(engine, "b").key)]
    assert modes == ([("all",)] if written == "all" else [])


def test_the_nearest_policy_counts(engine: Engine) -> None:
    inner = el("startEvent", "s2") + task("i") + task("k", returnPolicy="all") + el("endEvent", "e2") + chain("s2", "i", "k", "e2")
    sp = sub("sp", zeebe('<zeebe:properties><zeebe:property name="returnPolicy" value="none"/></zeebe:properties>') + inner)
    deploy(engine, process(START + task("a") + sp + END + chain("s", "a", "sp", "e"), returnPolicy="branch"))
    start(engine)
    complete(engine, "a")
    with pytest.raises(Forbidden, match="没有允许"):
        back(engine, "i", "a")
    complete(engine, "i")
    back(engine, "k", "a", "all")
    assert open_ids(engine) == ["a"]


def test_a_subprocess_that_allows_returns_is_a_fence(engine: Engine) -> None:
    """A case that was accepted is not returned to before its acceptance (行政许可法 32)."""
    inner = el("startEvent", "s2") + task("i") + task("k", returnPolicy="branch,all") + el("endEvent", "e2") + chain("s2", "i", "k", "e2")
    sp = sub("sp", zeebe('<zeebe:properties><zeebe:property name="returnPolicy" value="branch"/></zeebe:properties>') + inner)
    deploy(engine, process(START + task("a") + sp + END + chain("s", "a", "sp", "e"), returnPolicy="branch"))
    start(engine)
    complete(engine, "a")
    complete(engine, "i")
    targets = do(engine, commands.return_targets, ANNA, open_task(engine, "k").key)
    assert [target.element_id for target in targets] == ["i"]
    with pytest.raises(Conflict, match="以外"):
        back(engine, "k", "a", "all")
    back(engine, "k", "i")
    assert open_ids(engine) == ["i"]


def test_branch_leaves_the_siblings_their_tokens_and_opinions(engine: Engine) -> None:
    deploy(engine, process(BLOCK, returnPolicy="branch"))
    key = start(engine)
    complete(engine, "a")
    complete(engine, "c1", opinion="无意见")
    complete(engine, "b1")
    back(engine, "b2", "b1")
    assert open_ids(engine) == ["b1"]
    complete(engine, "b1")
    complete(engine, "b2")
    assert open_ids(engine) == ["z"], "the join has kept what c1 brought"
    complete(engine, "z")
    assert state(engine, key) == "COMPLETED"


@both_databases
def test_branch_may_not_recall_the_others_and_all_does(engine: Engine) -> None:
    deploy(engine, process(BLOCK, returnPolicy="branch,all"))
    start(engine)
    complete(engine, "a")
    complete(engine, "b1")
    with pytest.raises(Conflict, match="环节c1"):
        back(engine, "b2", "a")
    assert open_ids(engine) == ["b2", "c1"]
    targets = do(engine, commands.return_targets, ANNA, open_task(engine, "b2").key)
    assert [(t.element_id, t.modes, t.recalled, t.completed_by) for t in targets] == [
        ("b1", ("branch", "all"), (), "anna"),
        ("a", ("all",), ("环节c1",), "anna"),
    ]
    back(engine, "b2", "a", "all")
    assert open_ids(engine) == ["a"]
    complete(engine, "a")
    assert open_ids(engine) == ["b1", "c1"]


def test_a_sibling_that_waits_at_the_join_counts_as_another_branch(engine: Engine) -> None:
    deploy(engine, process(BLOCK, returnPolicy="branch,all"))
    start(engine)
    complete(engine, "a")
    complete(engine, "c1")
    with pytest.raises(Conflict):
        back(engine, "b1", "a")


@pytest.mark.parametrize("last", ["b2", "c1"])
def test_back_over_a_join_whoever_came_last(engine: Engine, last: str) -> None:
    deploy(engine, process(BLOCK, returnPolicy="branch"))
    key = start(engine)
    for element in ["a", "b1", *(["c1", "b2"] if last == "b2" else ["b2", "c1"])]:
        complete(engine, element)
    back(engine, "z", "b1")
    assert open_ids(engine) == ["b1"]
    complete(engine, "b1")
    complete(engine, "b2")
    back(engine, "z", "c1")
    assert open_ids(engine) == ["c1"]
    complete(engine, "c1")
    complete(engine, "z")
    assert state(engine, key) == "COMPLETED"


def test_out_of_a_subprocess_and_into_one_that_has_completed(engine: Engine) -> None:
    inner = el("startEvent", "s2") + gate("g") + task("i1") + task("i2") + task("k") + gate("h") + el("endEvent", "e2")
    inner += chain("s2", "g", "i1", "i2", "h", "e2") + chain("g", "k", "h")
    body = START + task("a") + sub("sp", inner) + task("z") + END + chain("s", "a", "sp", "z", "e")
    deploy(engine, process(body, returnPolicy="branch,all"))
    key = start(engine)
    for element in ("a", "k", "i1", "i2"):
        complete(engine, element)
    back(engine, "z", "i2")
    assert open_ids(engine) == ["i2"], "the inner join has k's token again"
    back(engine, "i2", "i1")
    complete(engine, "i1")
    complete(engine, "i2")
    back(engine, "z", "k")
    complete(engine, "k")
    back(engine, "z", "sp")
    assert open_ids(engine) == ["i1", "k"]
    back(engine, "k", "a", "all")
    assert open_ids(engine) == ["a"]
    for element in ("a", "i1", "k", "i2", "z"):
        complete(engine, element)
    assert state(engine, key) == "COMPLETED"


def test_an_ended_multi_instance_is_returned_to_as_a_whole(engine: Engine) -> None:
    inner = el("startEvent", "s2") + task("i") + el("endEvent", "e2") + chain("s2", "i", "e2")
    body = START + sub("sp", multi() + inner) + task("z") + END + chain("s", "sp", "z", "e")
    deploy(engine, process(body, returnPolicy="branch"))
    start(engine, variables={"units": ["A", "B"]})
    complete(engine, "i")
    complete(engine, "i")
    with pytest.raises(Conflict, match="整体"):
        back(engine, "z", "i")
    assert [t.element_id for t in do(engine, commands.return_targets, ANNA, open_task(engine, "z").key)] == ["sp"]
    back(engine, "z", "sp")
    assert open_ids(engine) == ["i", "i"]


def test_a_member_cannot_take_its_siblings_back_alone(engine: Engine) -> None:
    body = START + task("a") + task("m", inner=multi()) + END + chain("s", "a", "m", "e")
    deploy(engine, process(body, returnPolicy="branch,all"))
    start(engine, variables={"units": ["A", "B"]})
    complete(engine, "a")
    with pytest.raises(Conflict):
        back(engine, "m", "a")
    back(engine, "m", "a", "all")
    assert open_ids(engine) == ["a"]


@both_databases
def test_back_from_a_called_process_into_its_caller(engine: Engine) -> None:
    call = el("callActivity", "ca", zeebe('<zeebe:calledElement processId="child"/>'), name="办理")
    parent = START + task("a") + gate("f") + call + task("o") + gate("j") + task("z") + END
    parent += chain("s", "a", "f", "ca", "j", "z", "e") + chain("f", "o", "j")
    child = START + task("x") + task("y") + END + chain("s", "x", "y", "e")
    deploy(engine, process(parent, "parent"), process(child, "child", returnPolicy="branch,all"))
    key = start(engine, "parent")
    complete(engine, "a")
    complete(engine, "x")
    called = open_task(engine, "y").instance_key
    with pytest.raises(Conflict):
        back(engine, "y", "a")
    found = [(t.element_id, t.instance_key) for t in do(engine, commands.return_targets, ANNA, open_task(engine, "y").key)]
    assert found == [("x", called), ("a", key)]
    back(engine, "y", "a", "all")
    assert open_ids(engine) == ["a"] and state(engine, called) == "TERMINATED"
    for element in ("a", "x", "y", "o", "z"):
        complete(engine, element)
    assert state(engine, key) == "COMPLETED"


def test_a_called_process_that_has_ended_is_returned_to_as_a_whole(engine: Engine) -> None:
    call = el("callActivity", "ca", zeebe('<zeebe:calledElement processId="child"/>'))
    parent = process(START + call + task("z") + END + chain("s", "ca", "z", "e"), "parent", returnPolicy="branch")
    deploy(engine, parent, process(START + task("x") + END + chain("s", "x", "e"), "child"))
    start(engine, "parent")
    complete(engine, "x")
    with pytest.raises(NotFound):
        back(engine, "z", "x")
    back(engine, "z", "ca")
    assert open_ids(engine) == ["x"]


def test_only_to_steps_that_people_did(engine: Engine) -> None:
    script = el("scriptTask", "sc", zeebe('<zeebe:script expression="=1" resultVariable="r"/>'))
    deploy(engine, process(START + task("a") + script + task("b") + END + chain("s", "a", "sc", "b", "e"), returnPolicy="branch"))
    start(engine)
    complete(engine, "a")
    for target, error in (("sc", Conflict), ("s", Conflict), ("b", Conflict), ("nowhere", NotFound)):
        with pytest.raises(error):
            back(engine, "b", target)
    assert open_ids(engine) == ["b"]


def test_only_who_may_complete_it_and_says_why(engine: Engine) -> None:
    deploy(engine, process(LINE, returnPolicy="branch"))
    start(engine)
    complete(engine, "a")
    with pytest.raises(Forbidden):
        back(engine, "b", "a", actor=person("otto", "B.handler"))
    with pytest.raises(Invalid):
        back(engine, "b", "a", reason="  ")
    do(engine, commands.claim_task, BERT, open_task(engine, "b").key)
    with pytest.raises(Forbidden):
        back(engine, "b", "a")
    source = open_task(engine, "b").key
    back(engine, "b", "a", actor=BERT)
    with pytest.raises(Conflict):
        do(engine, commands.return_task, BERT, source, "a", reason="再次")


def test_return_inside_a_loop_goes_to_this_round_and_inputs_are_mapped_again(engine: Engine) -> None:
    body = START + gate("x", "exclusive") + task("a", extra=io({"seen": "round"})) + task("b") + gate("y", "exclusive", default="fe") + END
    body += chain("s", "x", "a", "b", "y") + flow("y", "x", "again") + flow("y", "e", id="fe")
    deploy(engine, process(body, returnPolicy="branch"))
    key = start(engine, variables={"round": 1, "again": True})
    complete(engine, "a")
    complete(engine, "b", round=2)
    complete(engine, "a")
    back(engine, "b", "a")
    complete(engine, "a")
    complete(engine, "b", again=False)
    assert state(engine, key) == "COMPLETED"


def test_without_a_policy_nothing_is_allowed_and_a_mistyped_one_is_a_finding() -> None:
    assert return_policy(parse(doc(LINE), "x.bpmn")[0], "a") == ()
    for written, found in (("branch", 0), ("branch, all", 0), ("none", 0), ("brnch", 1), ("branch,none", 1), ("", 1)):
        assert len([f for f in lint(process(LINE, returnPolicy=written), "x.bpmn") if f.rule == "return-policy"]) == found
    misplaced = el("startEvent", "s", zeebe('<zeebe:properties><zeebe:property name="returnPolicy" value="all"/></zeebe:properties>'))
    findings = lint(doc(LINE.replace(START, misplaced)), "x.bpmn")
    assert [(f.element_id, f.severity) for f in findings if f.rule == "return-policy"] == [("s", "warning")]
