"""Boundary events: interrupting and not, every trigger, fired from inside, at once, wrong order."""

from __future__ import annotations

import pytest

from engine.bpmn import Pending, Thrown
from engine.errors import Conflict, NotFound
from tests.bpmn.support import (
    ANY_ERROR,
    END,
    ERROR,
    ESCALATION,
    MESSAGE,
    SIGNAL,
    START,
    Host,
    Run,
    boundary,
    chain,
    doc,
    el,
    gate,
    io,
    script,
    service,
    sub,
    timer,
    user,
    zeebe,
)


def around(definition: str, interrupting: bool = True, host: str = "") -> bytes:
    """s -> a -> z, with a boundary event on a that leads to h."""
    body = START + (host or user("a")) + boundary("b", "a", definition, interrupting) + user("h", "z") + END
    return doc(body + chain("s", "a", "z", "e") + chain("b", "h", "e"))


def test_interrupting_timer_takes_the_place_of_the_task() -> None:
    run = Run(around(timer("PT2H")))
    assert run.events("b") == []
    assert run.wait(hours=2) == 1
    assert run.tasks == ["h"]
    assert run.events("a") == ["entered", "terminated"]
    assert run.events("b") == ["entered", "completed"]


def test_non_interrupting_timer_runs_beside() -> None:
    run = Run(around(timer("PT2H"), False))
    run.wait(hours=3)
    assert run.tasks == ["a", "h"]
    run.wait(days=9)
    assert run.tasks == ["a", "h"]
    run.complete("a")
    assert run.tasks == ["h", "z"]


def test_the_timer_goes_with_its_task() -> None:
    run = Run(around(timer("PT2H")))
    run.complete("a")
    assert run.instance.next_due_at is None
    assert run.wait(hours=3) == 0
    assert run.tasks == ["z"]


def test_message_correlates_once_when_interrupting() -> None:
    run = Run(around(MESSAGE), {"key": 7})
    opened = run.rows.open["messages"][run.token("b", "messages")]
    assert (opened.message_name, opened.correlation_key, opened.interrupting) == ("M1", "7", True)
    token = run.token("b", "messages")
    run.message("b", note=1)
    assert run.tasks == ["h"] and run.variables["note"] == 1 and not run.rows.open["messages"]
    with pytest.raises((Conflict, NotFound)):
        run.do("correlate", token, {})


def test_message_may_come_again_when_not_interrupting() -> None:
    run = Run(around(MESSAGE, False), {"key": "k"})
    run.message("b")
    run.message("b")
    assert run.tasks == ["a", "h", "h"]


def test_the_key_is_evaluated_with_the_local_variables_of_the_activity() -> None:
    task = el("userTask", "a", zeebe(io({"key": "base + 1"})))
    run = Run(around(MESSAGE, host=task), {"base": 41})
    assert run.rows.open["messages"][run.token("b", "messages")].correlation_key == "42"


@pytest.mark.parametrize("interrupting", [True, False])
def test_signal(interrupting: bool) -> None:
    run = Run(around(SIGNAL, interrupting))
    run.signal()
    assert run.tasks == (["h"] if interrupting else ["a", "h"])


def test_an_exact_code_wins_over_catch_all() -> None:
    body = START + service("a", "x") + boundary("all", "a", ANY_ERROR) + boundary("one", "a", ERROR) + user("h1", "h2") + END
    body += chain("s", "a", "e") + chain("all", "h1", "e") + chain("one", "h2", "e")
    assert Run(doc(body), host=Host(jobs={"x": lambda _: Thrown("E1")})).tasks == ["h2"]
    assert Run(doc(body), host=Host(jobs={"x": lambda _: Thrown("E7")})).tasks == ["h1"]


def test_an_error_of_a_pending_job_is_caught_and_its_variables_propagate() -> None:
    run = Run(around(ERROR, host=service("a", "x")), host=Host(jobs={"x": lambda _: Pending()}))
    token = run.token("a", "jobs")
    run.do("throw_error", token, "E1", "bad", {"why": "paper"})
    assert run.tasks == ["h"] and run.variables["why"] == "paper"
    with pytest.raises((Conflict, NotFound)):
        run.do("complete_job", token, {})


def test_escalation_from_inside_not_interrupting_lets_the_thrower_go_on() -> None:
    inner = el("startEvent", "s2") + el("intermediateThrowEvent", "th", ESCALATION) + user("i") + el("endEvent", "e2")
    run = Run(around(ESCALATION, False, sub("a", inner + chain("s2", "th", "i", "e2"))))
    assert run.tasks == ["h", "i"]


def test_a_condition_that_holds_at_once_interrupts_before_the_task_opens() -> None:
    definition = "<conditionalEventDefinition><condition>=lim &gt; 5</condition></conditionalEventDefinition>"
    run = Run(around(definition), {"lim": 9})
    assert run.tasks == ["h"] and run.events("a") == ["entered", "terminated"]


def test_a_condition_sees_what_another_branch_writes_and_fires_at_every_change_while_it_holds() -> None:
    definition = "<conditionalEventDefinition><condition>=lim &gt; 5</condition></conditionalEventDefinition>"
    body = START + gate("f") + user("a", "b", "c") + boundary("x", "a", definition, False) + user("h") + END
    body += chain("s", "f", "a", "e") + chain("f", "b", "c", "e") + chain("x", "h", "e")
    run = Run(doc(body), {"lim": 1})
    run.complete("b", lim=9)
    assert run.tasks == ["a", "c", "h"]
    run.do("set_variables", {"lim": 10})
    assert run.tasks == ["a", "c", "h", "h"]
    run.do("set_variables", {"lim": 0})
    run.do("set_variables", {"other": 1})
    assert run.tasks == ["a", "c", "h", "h"]


def test_nested_hosts_inside_a_loop_body() -> None:
    inner = el("startEvent", "s2") + user("i") + boundary("ib", "i", timer("PT1H")) + user("late") + el("endEvent", "e2")
    inner += chain("s2", "i", "e2") + chain("ib", "late", "e2")
    loop = (
        "<multiInstanceLoopCharacteristics><extensionElements>"
        '<zeebe:loopCharacteristics inputCollection="=units" inputElement="unit"/></extensionElements></multiInstanceLoopCharacteristics>'
    )
    run = Run(around(SIGNAL, True, sub("a", loop + inner)), {"units": ["A", "B"]})
    assert run.tasks == ["i", "i"]
    run.complete("i")
    run.wait(hours=1)
    assert run.tasks == ["late"]
    assert run.instance.variables(run.token("late"))["unit"] == "B"
    run.signal()
    assert run.tasks == ["h"] and not run.rows.open["signals"]


def test_row_l_nothing_runs_after_the_interruption() -> None:
    inner = el("startEvent", "s2") + script("i1", "append(log, 1)", "log") + el("intermediateThrowEvent", "th", ESCALATION)
    inner += script("i2", "append(log, 2)", "log") + el("endEvent", "e2") + chain("s2", "i1", "th", "i2", "e2")
    run = Run(around(ESCALATION, True, sub("a", inner)), {"log": []})
    assert run.variables["log"] == [1] and run.tasks == ["h"]
