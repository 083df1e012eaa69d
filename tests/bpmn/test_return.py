"""Returning to an earlier element: inside a parallel block, over joins, out of subprocesses, into loops; nothing lost, nothing doubled."""

from __future__ import annotations

import itertools
import random

import pytest
from hypothesis import given

from engine.bpmn import Activation, Modification, Move, Signer
from engine.errors import Conflict, NotFound
from tests.bpmn.diagrams import Writer, process
from tests.bpmn.rows.stock import Stock
from tests.bpmn.support import END, SIGNAL, START, Run, boundary, chain, doc, el, event_sub, flow, gate, multi, sub, timer, user
from tests.bpmn.test_random import QUIET, SEEDS, values

pytestmark = pytest.mark.scaled


def back(run: Run, token_id: int, element_id: str) -> int:
    fresh: int = run.do("return_to", token_id, element_id, list(run.rows.history))
    return fresh


BLOCK = START + user("p") + gate("f") + user("a1", "a2", "a3", "b", "c") + gate("j") + user("z") + END
BLOCK += chain("s", "p", "f", "a1", "a2", "a3", "j", "z", "e") + chain("f", "b", "j") + chain("f", "c", "j")


@pytest.mark.parametrize(("c_done", "a_waits"), list(itertools.product((False, True), repeat=2)))
def test_return_my_branch_leaves_the_siblings_alone(c_done: bool, a_waits: bool) -> None:
    run = Run(doc(BLOCK))
    run.complete("p")
    sibling = run.token("b")
    run.complete("a1")
    run.complete("a2")
    if c_done:
        run.complete("c")
    token = run.token("a3")
    if a_waits:
        run.complete("a3")
        token = max(t.token_id for t in run.instance.live_tokens() if t.element_id == "j")
    back(run, token, "a1")
    assert run.tasks == (["a1", "b"] if c_done else ["a1", "b", "c"]) and run.token("b") == sibling
    for name in ["b", "a1", *([] if c_done else ["c"]), "a2"]:
        run.complete(name)
        assert "z" not in run.tasks
    run.complete("a3")
    assert run.tasks == ["z"]
    run.complete("z")
    assert run.state == "COMPLETED"


def test_recall_all_branches_and_the_history_stays() -> None:
    run = Run(doc(BLOCK))
    run.complete("p")
    run.complete("a1")
    back(run, run.token("b"), "p")
    assert run.tasks == ["p"] and not [k for k in run.events("j") if k == "entered"]
    assert run.events("b") == ["entered", "terminated"] and run.events("a1") == ["entered", "completed"]
    run.complete("p")
    assert run.tasks == ["a1", "b", "c"]


def test_back_over_a_join_gives_the_other_branches_their_tokens_back() -> None:
    run = Run(doc(BLOCK))
    for name in ("p", "b", "c", "a1", "a2", "a3"):
        run.complete(name)
    back(run, run.token("z"), "a2")
    assert run.tasks == ["a2"]
    run.complete("a2")
    run.complete("a3")
    assert run.tasks == ["z"], "the join has the tokens of b and c"
    run.complete("z")
    assert run.state == "COMPLETED"


def test_row_m_after_returning_nothing_later_stays_ready_and_the_past_is_kept() -> None:
    body = START + user("a", "b", "c") + END + chain("s", "a", "b", "c", "e")
    run = Run(doc(body))
    run.complete("a")
    run.complete("b")
    back(run, run.token("c"), "a")
    assert run.tasks == ["a"] and run.events("b") == ["entered", "completed"] and run.events("c") == ["entered", "terminated"]
    for name in "abc":
        run.complete(name)
    assert run.state == "COMPLETED"
    with pytest.raises(NotFound):
        run.instance.return_to(1, "a", run.rows.history)


def test_row_m_control() -> None:
    body = START + user("a", "b", "c") + END + chain("s", "a", "b", "c", "e")
    stock = Stock(doc(body))
    first = stock.ready()[0]
    stock.do("a")
    stock.do("b")
    stock.workflow.reset_from_task_id(first.id)
    assert not [t for t in stock.workflow.get_tasks() if t.task_spec.bpmn_id == "b" and t.state == 64], "history is erased"


def test_out_of_a_subprocess_cancels_it() -> None:
    inner = el("startEvent", "s2") + user("i") + el("endEvent", "e2") + chain("s2", "i", "e2")
    run = Run(doc(START + user("a") + sub("sp", inner) + END + chain("s", "a", "sp", "e")))
    run.complete("a")
    back(run, run.token("i"), "a")
    assert run.tasks == ["a"] and run.events("sp") == ["entered", "terminated"]
    run.complete("a")
    run.complete("i")
    assert run.state == "COMPLETED"


def test_to_a_subprocess_that_has_completed_runs_it_anew() -> None:
    inner = el("startEvent", "s2") + user("i") + el("endEvent", "e2") + chain("s2", "i", "e2")
    run = Run(doc(START + sub("sp", inner) + user("z") + END + chain("s", "sp", "z", "e")))
    run.complete("i")
    back(run, run.token("z"), "sp")
    assert run.tasks == ["i"]


@pytest.mark.parametrize("how", ["signed afterwards", "restarted"])
def test_into_a_completed_subprocess_gives_its_join_the_tokens_back_though_the_task_was_signed_or_restarted(how: str) -> None:
    inner = el("startEvent", "i") + gate("f") + user("a", "b") + gate("j") + el("endEvent", "o")
    inner += chain("i", "f", "a", "j", "o") + chain("f", "b", "j")
    run = Run(doc(START + sub("p", inner) + user("z") + END + chain("s", "p", "z", "e")))
    if how == "restarted":
        run.do("modify", Modification(moves=(Move(Activation("a"), source_token=run.token("a")),)))
    else:
        run.do("add_signs", run.token("a"), "after", [Signer(user="u")])
    run.complete("a")
    run.complete("b")
    if how == "signed afterwards":
        run.complete("a")
    back(run, run.token("z"), "a")
    assert run.tasks == ["a"]
    run.complete("a")
    assert run.tasks == ["z"], "the join has the token of b"


def test_back_to_a_multi_instance_opens_all_of_it() -> None:
    run = Run(doc(START + el("userTask", "m", multi()) + user("z") + END + chain("s", "m", "z", "e")), {"units": [1, 2]})
    run.complete("m")
    run.complete("m")
    back(run, run.token("z"), "m")
    assert run.tasks == ["m", "m"]
    run.complete("m")
    back(run, run.token("m"), "m")
    assert run.tasks == ["m", "m"]


def test_from_a_fired_boundary_event_back_to_its_activity() -> None:
    body = START + user("a") + boundary("b", "a", timer("PT1H")) + user("h") + END + chain("s", "a", "e") + chain("b", "h", "e")
    run = Run(doc(body))
    run.wait(hours=1)
    back(run, run.token("h"), "a")
    assert run.tasks == ["a"] and run.instance.next_due_at is not None


def test_what_is_not_behind_is_refused_and_nothing_changes() -> None:
    run = Run(doc(BLOCK))
    run.complete("p")
    before = dict(run.rows.tokens)
    for element in ("c", "z", "nope", "a1"):
        with pytest.raises(Conflict):
            run.instance.return_to(run.token("b"), element, run.rows.history)
    run.store()
    assert run.rows.tokens == before


def test_return_inside_a_loop_goes_to_this_round() -> None:
    body = START + gate("x", "exclusive") + user("a", "b") + gate("y", "exclusive", default="fe") + END
    run = Run(doc(body + chain("s", "x", "a", "b", "y") + flow("y", "x", "true") + flow("y", "e", id="fe")))
    for _ in range(3):
        run.complete("a")
        run.complete("b")
    run.complete("a")
    back(run, run.token("b"), "a")
    assert run.tasks == ["a"] and run.events("a").count("entered") == 5


@given(SEEDS)
@QUIET
def test_random_returns_never_lose_or_double_a_token(seed: int) -> None:
    rnd = random.Random(seed)
    run = Run(doc(process(Writer(rnd), 2 + seed % 3)), values(rnd))
    done: list[str] = []
    returns, steps = 6, 0
    while run.state == "ACTIVE":
        steps += 1
        assert steps < 1_000 and run.tasks, "stuck"
        if returns and done and rnd.random() < 0.3:
            returns -= 1
            try:
                back(run, rnd.choice(sorted(run.rows.open["tasks"])), rnd.choice(done))
            except Conflict:
                continue
        else:
            token = rnd.choice(sorted(run.rows.open["tasks"]))
            done.append(run.rows.open["tasks"][token].element_id)
            run.complete(done[-1], token)
        members = {t.element_id for t in run.instance.live_tokens() if t.element_id.startswith("m")}
        single = [t for t in run.tasks if t not in members]
        assert len(single) == len(set(single)), single
    assert not run.rows.tokens and not any(run.rows.open.values())


def test_an_event_subprocess_that_was_left_by_a_jump_is_no_place_to_return_to() -> None:
    inner = user("i") + chain("w_s", "i", "w_e")
    run = Run(doc(START + user("a", "z") + END + chain("s", "a", "z", "e") + event_sub("w", SIGNAL, inner, interrupting=False)))
    run.do("signal", "S1", {})
    running = next(t.token_id for t in run.instance.live_tokens() if t.element_id == "w" and t.state == "STARTED")
    run.do("jump", running, Activation("z"))
    assert "w" not in [point.element_id for point in run.instance.return_points(run.token("z"), list(run.rows.history))]
    with pytest.raises(Conflict, match="只能由其触发器启动"):
        back(run, run.token("z"), "w")
    for name in ("z", "a", "z"):
        run.complete(name)
    assert run.state == "COMPLETED"
