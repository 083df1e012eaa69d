"""Exclusive, parallel, inclusive, event-based and complex gateways."""

from __future__ import annotations

import itertools

import pytest

from tests.bpmn.support import END, START, Run, boundary, chain, doc, el, flow, gate, multi, script, timer, user

FORK_JOIN = START + gate("f") + user("a", "b", "c") + gate("j") + user("z") + END
FORK_JOIN_FLOWS = chain("s", "f", "a", "j", "z", "e") + chain("f", "b", "j") + chain("f", "c", "j")


@pytest.mark.parametrize("order", list(itertools.permutations("abc")))
def test_a_parallel_join_waits_for_every_branch(order: tuple[str, ...]) -> None:
    run = Run(doc(FORK_JOIN + FORK_JOIN_FLOWS))
    for name in order:
        assert "z" not in run.tasks
        run.complete(name)
    assert run.tasks == ["z"]
    assert run.events("j") == ["entered", "entered", "entered", "merged", "merged", "completed"]


def test_two_tokens_on_one_flow_do_not_make_a_join_fire() -> None:
    body = START + gate("f") + user("a", "b", "d", "c") + gate("m", "exclusive") + gate("j") + END
    body += chain("s", "f", "a", "m", "j", "c", "e") + chain("f", "b", "m") + chain("f", "d", "j")
    run = Run(doc(body))
    run.complete("a")
    run.complete("b")
    assert run.tasks == ["d"]
    run.complete("d")
    assert run.tasks == ["c"]
    run.complete("c")
    assert run.state == "ACTIVE"


def test_exclusive_takes_the_first_that_holds_then_the_default() -> None:
    body = START + gate("x", "exclusive", default="fd") + user("a", "b", "c") + END
    body += chain("s", "x") + flow("x", "a", "v &gt; 10") + flow("x", "b", "v &gt; 5") + flow("x", "c", id="fd")
    body += chain("a", "e") + chain("b", "e") + chain("c", "e")
    for value, expected in ((20, "a"), (7, "b"), (1, "c")):
        assert Run(doc(body), {"v": value}).tasks == [expected]


def test_exclusive_without_a_way_out_is_an_incident_that_can_be_resolved() -> None:
    body = START + gate("x", "exclusive") + user("a", "b") + END + chain("s", "x")
    body += flow("x", "a", "v = 1") + flow("x", "b", "v = 2") + chain("a", "e") + chain("b", "e")
    run = Run(doc(body), {"v": 3})
    assert run.incidents == [("x", "CONDITION_ERROR")] and run.state == "ACTIVE"
    details = run.rows.open["incidents"][run.token("x", "incidents")].details
    assert details == {"conditions": ["v = 1", "v = 2"], "values": {"v": 3}}
    run.do("set_variables", {"v": 2})
    run.do("retry", run.token("x", "incidents"))
    assert run.tasks == ["b"] and run.incidents == []


def test_a_condition_that_is_no_boolean_is_an_incident_with_the_values() -> None:
    body = START + gate("x", "exclusive") + user("a", "b") + END + chain("s", "x")
    body += flow("x", "a", "amount &gt; 1") + flow("x", "b", "true") + chain("a", "e") + chain("b", "e")
    run = Run(doc(body), {"amount": None})
    incident = next(iter(run.rows.open["incidents"].values()))
    assert incident.kind == "CONDITION_ERROR"
    assert incident.details["expression"] == "amount > 1" and incident.details["values"] == {"amount": None}
    assert incident.details["position"] == len("amount ")


def inclusive(condition_a: str, condition_b: str) -> str:
    body = START + gate("o", "inclusive", default="od") + user("a", "b", "c") + gate("j", "inclusive") + user("z") + END
    body += chain("s", "o") + flow("o", "a", condition_a) + flow("o", "b", condition_b) + flow("o", "c", id="od")
    return body + chain("a", "j", "z", "e") + chain("b", "j") + chain("c", "j")


@pytest.mark.parametrize(("x", "branches"), [(0, ["c"]), (1, ["a"]), (2, ["a", "b"])])
def test_inclusive_joins_exactly_what_it_split(x: int, branches: list[str]) -> None:
    run = Run(doc(inclusive("x &gt; 0", "x &gt; 1")), {"x": x})
    assert run.tasks == branches
    for name in reversed(branches):
        assert "z" not in run.tasks
        run.complete(name)
    assert run.tasks == ["z"]


def test_row_u_an_inclusive_join_waits_for_an_open_multi_instance() -> None:
    body = START + gate("o", "inclusive") + el("userTask", "m", multi()) + user("b") + gate("j", "inclusive") + user("z") + END
    body += chain("s", "o") + flow("o", "m", "true") + flow("o", "b", "true") + chain("m", "j", "z", "e") + chain("b", "j")
    run = Run(doc(body), {"units": ["A", "B"]})
    run.complete("m")
    run.complete("b")
    assert run.tasks == ["m"]
    run.complete("m")
    assert run.tasks == ["z"]


def test_an_inclusive_join_fires_when_the_other_branch_dies() -> None:
    body = START + gate("o", "inclusive") + user("a", "b") + boundary("t", "b", timer("PT1H")) + el("endEvent", "dead")
    body += gate("j", "inclusive") + user("z") + END + chain("s", "o") + flow("o", "a", "true") + flow("o", "b", "true")
    run = Run(doc(body + chain("a", "j", "z", "e") + chain("b", "j") + chain("t", "dead")))
    run.complete("a")
    assert run.tasks == ["b"]
    run.wait(hours=1)
    assert run.tasks == ["z"]


def test_event_gateway_each_timer_its_own_deadline_and_losers_go() -> None:
    body = START + gate("g", "eventBased") + el("intermediateCatchEvent", "t1", timer("PT10M"))
    body += el("intermediateCatchEvent", "t2", timer("PT5M")) + user("u1", "u2") + END
    run = Run(doc(body + chain("s", "g", "t1", "u1", "e") + chain("g", "t2", "u2", "e")))
    assert run.wait(minutes=4) == 0
    assert run.wait(minutes=2) == 1
    assert run.tasks == ["u2"] and run.instance.next_due_at is None
    assert run.events("t1") == ["entered", "terminated"]


def test_implicit_split_conditional_and_default_flows_on_a_task() -> None:
    body = START + el("userTask", "t", default="fd") + user("a", "b", "c") + chain("s", "t") + flow("t", "a", "v = 1")
    run_body = doc(body + flow("t", "b") + flow("t", "c", id="fd"))
    for value, expected in ((1, ["a", "b"]), (2, ["b", "c"])):
        run = Run(run_body, {"v": value})
        run.complete("t")
        assert run.tasks == expected


def test_complex_gateway_fires_at_two_of_three_and_swallows_the_third() -> None:
    body = (
        START
        + gate("f")
        + user("a", "b", "c")
        + el("complexGateway", "j", "<activationCondition>=activationCount &gt;= 2</activationCondition>")
    )
    body += user("z") + gate("m", "exclusive") + gate("x", "exclusive", default="fe") + END
    body += chain("s", "m", "f", "a", "j", "z", "x") + chain("f", "b", "j") + chain("f", "c", "j")
    body += flow("x", "m", "again") + flow("x", "e", id="fe")
    run = Run(doc(body), {"again": True})
    for _ in range(3):
        run.complete("a")
        assert "z" not in run.tasks
        run.complete("c")
        assert run.tasks == ["b", "z"]
        run.complete("b")
        assert run.tasks == ["z"]
        run.complete("z", again=True)
        assert run.tasks == ["a", "b", "c"]


def test_rows_b_and_d_ten_thousand_rounds_of_fork_and_join() -> None:
    body = START + gate("x", "exclusive") + gate("f") + script("a", "n + 1", "n") + script("b", "m + 1", "m") + gate("j")
    body += gate("x2", "exclusive", default="fok") + END + chain("s", "x", "f", "a", "j", "x2") + chain("f", "b", "j")
    body += flow("x2", "x", "n &lt; 1500") + flow("x2", "e", id="fok")
    run = Run(doc(body), {"n": 0, "m": 0})
    assert run.state == "COMPLETED" and run.variables == {"n": 1500, "m": 1500}
