"""An instance that is terminated when one of its elements has ended (Camunda 8: runtime instructions, TERMINATE_PROCESS_INSTANCE)."""

from __future__ import annotations

from typing import Any

import pytest

from engine.bpmn import Activation, Instance, Modification, Move, Pending, parse
from engine.bpmn.migration import Instructions, make_plan, migrate
from engine.changes import InstanceState
from engine.errors import NotFound
from tests.bpmn.support import (
    END,
    ERROR,
    SIGNAL,
    START,
    TERMINATE,
    Host,
    Run,
    boundary,
    chain,
    doc,
    el,
    gate,
    multi,
    script,
    service,
    sub,
    user,
)
from tests.bpmn.twins import Twins

THREE = START + user("a", "b", "c") + END + chain("s", "a", "b", "c", "e")


def run(body: str, *until: str, **variables: Any) -> Run:
    return Run(doc(body), variables, until=until)


def over(found: Run, state: InstanceState = "TERMINATED") -> bool:
    """The instance is in the state and has left nothing behind."""
    assert not found.rows.tokens and not any(found.rows.open.values())
    return found.state == state


def test_it_ends_after_the_element_and_before_the_next_one() -> None:
    found = run(THREE, "b")
    found.complete("a")
    found.complete("b", answer=4)
    assert over(found) and found.events("b") == ["entered", "completed"] and not found.events("c")
    assert found.variables["answer"] == 4, "the element's result is there"


def test_the_last_element_terminates_it_too() -> None:
    found = run(START + user("a") + END + chain("s", "a", "e"), "e")
    found.complete("a")
    assert over(found) and found.events("e") == ["entered", "completed"]


def test_whatever_else_is_open_ends_with_it() -> None:
    found = run(START + gate("f") + user("a", "b") + END + chain("s", "f", "a", "e") + chain("f", "b", "e"), "b")
    found.complete("b")
    assert over(found) and found.events("a") == ["entered", "terminated"]


def test_any_of_several_elements_ends_it() -> None:
    found = run(START + gate("f") + user("a", "b") + END + chain("s", "f", "a", "e") + chain("f", "b", "e"), "a", "b")
    found.complete("a")
    assert over(found)


def test_an_element_deep_inside_ends_the_whole_instance() -> None:
    inner = el("startEvent", "s2") + user("i") + el("endEvent", "e2") + chain("s2", "i", "e2")
    middle = el("startEvent", "s1") + sub("q", inner) + el("endEvent", "e1") + chain("s1", "q", "e1")
    found = run(START + sub("p", middle) + user("after") + END + chain("s", "p", "after", "e"), "i")
    found.complete("i")
    assert over(found) and found.events("i") == ["entered", "completed"]
    assert found.events("q") == found.events("p") == ["entered", "terminated"] and not found.events("after")


@pytest.mark.parametrize("sequential", ["true", "false"])
def test_a_multi_instance_counts_as_a_whole(sequential: str) -> None:
    task = el("userTask", "m", multi("[1, 2]", sequential=sequential))
    found = run(START + task + user("after") + END + chain("s", "m", "after", "e"), "m")
    found.complete("m")
    assert found.state == "ACTIVE", "one of two"
    found.complete("m")
    assert over(found) and not found.events("after")


def test_what_stands_inside_a_multi_instance_counts_each_time() -> None:
    inside = multi("[1, 2]") + el("startEvent", "s2") + user("i") + el("endEvent", "e2") + chain("s2", "i", "e2")
    found = run(START + sub("m", inside) + END + chain("s", "m", "e"), "i")
    found.complete("i")
    assert over(found)


def test_members_that_the_completion_condition_cancels_do_not_end_it() -> None:
    inside = multi("[1, 2]", until="numberOfCompletedInstances = 1") + user("i")
    found = run(START + sub("m", inside) + user("after") + END + chain("s", "m", "after", "e"), "m")
    found.complete("i")
    assert over(found) and not found.events("after"), "the whole has completed"


@pytest.mark.parametrize(
    ("definition", "happen"), [(SIGNAL, lambda r: r.signal()), (ERROR, lambda r: r.do("throw_error", r.at("a"), "E1"))]
)
def test_an_element_that_is_interrupted_has_ended(definition: str, happen: Any) -> None:
    body = START + user("a") + boundary("x", "a", definition) + user("h") + END + chain("s", "a", "e") + chain("x", "h", "e")
    found = run(body, "a")
    happen(found)
    assert over(found) and not found.events("h")


def test_a_terminate_end_event_elsewhere_ends_the_element() -> None:
    body = START + gate("f") + user("a", "b") + el("endEvent", "t", TERMINATE) + END
    found = run(body + chain("s", "f", "a", "e") + chain("f", "b", "t"), "a")
    found.complete("b")
    assert over(found)


def test_a_job_and_an_automatic_element_end_it_at_once() -> None:
    assert over(run(START + script("w", "1", "x") + user("a") + END + chain("s", "w", "a", "e"), "w"))
    waiting = Host(jobs={"work": lambda _job: Pending()})
    found = Run(doc(START + service("j", "work") + user("a") + END + chain("s", "j", "a", "e")), {}, waiting, until=("j",))
    assert found.state == "ACTIVE"
    found.do("complete_job", found.token("j", "jobs"), {})
    assert over(found)


def test_the_called_process_goes_with_it() -> None:
    call = '<callActivity id="c" calledElement="child"/>'
    body = START + gate("f") + user("a") + call + END + chain("s", "f", "a", "e") + chain("f", "c", "e")
    found = run(body, "a")
    assert found.rows.open["calls"]
    found.complete("a")
    assert over(found)


def test_elements_that_a_person_takes_back_have_not_ended() -> None:
    found = run(THREE, "b")
    found.complete("a")
    found.do("return_to", found.at("b"), "a", found.rows.history)
    assert found.tasks == ["a"]
    found.complete("a")
    found.do("modify", Modification(moves=(Move(Activation("c"), source_element="b"),)))
    assert found.tasks == ["c"] and found.state == "ACTIVE"


def test_beginning_in_the_middle_and_ending_there() -> None:
    model = parse(doc(THREE), "t.bpmn")[0]
    instance = Instance.start_at(model, {}, Host(), ["b"], until=["b"])
    instance.complete_user_task(next(t.token_id for t in instance.live_tokens()))
    assert instance.state == "TERMINATED" and not instance.live_tokens()


def test_an_unknown_element_is_refused() -> None:
    with pytest.raises(NotFound):
        run(THREE, "nowhere")


def test_twins_agree() -> None:
    inside = multi("[1, 2, 3]") + el("startEvent", "s2") + user("i", "j") + el("endEvent", "e2") + chain("s2", "i", "j", "e2")
    twins = Twins(parse(doc(START + sub("m", inside) + END + chain("s", "m", "e")), "t.bpmn")[0], {}, until=("j",))
    for _ in range(2):
        twins.do("complete_user_task", min(twins.rows.open["tasks"]), {})
    twins.do("complete_user_task", max(twins.rows.open["tasks"]), {})
    assert twins.live.state == "TERMINATED" and not twins.rows.tokens


def test_a_migration_takes_the_instruction_along() -> None:
    found = run(THREE, "b")
    renamed = THREE.replace('"b"', '"checked"')
    plan = make_plan(found.model, parse(doc(renamed), "t.bpmn")[0], Instructions({"b": "checked"}))
    moved = migrate(found.instance, parse(doc(renamed), "t.bpmn")[0], plan).instance
    for _ in range(2):
        moved.complete_user_task(next(t.token_id for t in moved.live_tokens()))
    assert moved.state == "TERMINATED"
