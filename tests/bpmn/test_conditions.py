"""What a conditional event looks at: only what it reads, sees and its filter lets through (Camunda 8.9: conditionals)."""

from __future__ import annotations

import pytest

from engine.bpmn import lint
from tests.bpmn.support import END, START, Run, boundary, chain, doc, el, event_sub, io, multi, quoted, script, sub, user, zeebe


def condition(expression: str, **filter_: str) -> str:
    written = "".join(f' {name}="{text}"' for name, text in filter_.items())
    inside = zeebe(f"<zeebe:conditionalFilter{written}/>") if filter_ else ""
    feel = quoted(expression).replace(">", "&gt;")
    return f"<conditionalEventDefinition>{inside}<condition>={feel}</condition></conditionalEventDefinition>"


def beside(definition: str, host: str = "") -> str:
    """A task with a non-interrupting conditional event that leads to another."""
    body = START + (host or user("a")) + boundary("c", "a", definition, interrupting=False) + user("h") + END
    return body + chain("s", "a", "e") + chain("c", "h", "e")


def opened(run: Run) -> int:
    """How often the event has fired."""
    return run.tasks.count("h")


@pytest.mark.parametrize(("events", "fired"), [("create", [1, 1, 1]), ("update", [0, 1, 2]), ("create,update", [1, 2, 3]), ("", [1, 2, 3])])
def test_variable_events_tell_which_kind_of_change_counts(events: str, fired: list[int]) -> None:
    run = Run(doc(beside(condition("n > 1", variableEvents=events))))
    for number, count in zip((2, 3, 4), fired, strict=True):
        run.do("set_variables", {"n": number})
        assert opened(run) == count


def test_variable_names_narrow_what_the_expression_reads() -> None:
    run = Run(doc(beside(condition("n > 1 or m > 1", variableNames="m, other"))), {"n": 0, "m": 0})
    run.do("set_variables", {"n": 5})
    run.do("set_variables", {"other": 5})
    assert opened(run) == 0
    run.do("set_variables", {"m": 0.5})
    assert opened(run) == 1, "n holds, and m has changed"


def test_one_step_that_writes_several_variables_fires_once() -> None:
    run = Run(doc(beside(condition("n > 1 or m > 1"))), {"n": 0, "m": 0})
    run.do("set_variables", {"n": 5, "m": 5})
    assert opened(run) == 1


def test_a_value_that_stays_the_same_is_no_change() -> None:
    run = Run(doc(beside(condition("n > 1"))), {"n": 0})
    run.do("set_variables", {"n": 5})
    run.do("set_variables", {"n": 5})
    assert opened(run) == 1


def test_what_was_written_before_the_event_began_to_wait_counts_once() -> None:
    host = el("userTask", "a", zeebe(io({"n": "5"})))
    assert opened(Run(doc(beside(condition("n > 1"), host)))) == 1, "an input mapping of its own activity"
    body = START + script("w", "5", "n") + user("a", "h") + boundary("c", "a", condition("n > 1"), interrupting=False) + END
    assert opened(Run(doc(body + chain("s", "w", "a", "e") + chain("c", "h", "e")))) == 1, "a script in the step that led to it"


def test_what_its_activity_writes_when_it_completes_does_not_count() -> None:
    run = Run(doc(beside(condition("n > 1"))), {"n": 0})
    run.complete("a", n=5)
    assert run.state == "COMPLETED" and not run.events("h")


def test_a_change_in_a_scope_that_the_event_does_not_see_does_not_count() -> None:
    left = sub("left", START + user("a", "h") + boundary("c", "a", condition("n > 1"), False) + chain("s", "a") + chain("c", "h"))
    right = sub("right", el("startEvent", "s2") + el("userTask", "b", zeebe(io({"n": "0"}))) + chain("s2", "b"))
    body = el("startEvent", "s0") + el("parallelGateway", "f") + left + right + chain("s0", "f", "left") + chain("f", "right")
    run = Run(doc(body), {"n": 5})
    assert opened(run) == 1, "holds at once"
    run.do("set_variables", {"n": 6}, run.token("b"))
    assert opened(run) == 1, "the other branch's own"
    run.do("set_variables", {"n": 7})
    assert opened(run) == 2


def test_a_change_that_a_local_variable_hides_does_not_count() -> None:
    run = Run(doc(beside(condition("n > 1"), el("userTask", "a", zeebe(io({"n": "9"}))))), {"n": 1})
    assert opened(run) == 1
    run.do("set_variables", {"n": 5})
    assert opened(run) == 1, "the event sees the local one"


def test_each_member_of_a_multi_instance_has_its_own_event() -> None:
    event = boundary("c", "a", condition("unit > 1 and n > 0"), interrupting=False)
    inside = multi("[1, 2]") + START + user("a", "h") + event + chain("s", "a") + chain("c", "h")
    body = el("startEvent", "s0") + sub("m", inside) + chain("s0", "m")
    run = Run(doc(body), {"n": 0})
    run.do("set_variables", {"n": 1})
    assert opened(run) == 1
    first = run.instance.live_tokens()
    member = next(t.token_id for t in first if t.element_id == "m" and t.scope_id)
    run.do("set_variables", {"unit": 8}, member)
    assert opened(run) == 2, "only the member whose own variable has changed"


def test_outer_conditions_come_first() -> None:
    inner = START + user("a", "inside") + boundary("c", "a", condition("n > 1")) + END + chain("s", "a", "e") + chain("c", "inside", "e")
    body = el("startEvent", "s0") + sub("p", inner) + boundary("o", "p", condition("n > 1")) + user("outside")
    body += chain("s0", "p") + chain("o", "outside")
    run = Run(doc(body), {"n": 0})
    run.do("set_variables", {"n": 5})
    assert run.tasks == ["outside"] and not run.events("inside")


def test_an_event_subprocess_that_writes_what_it_reads_ends_in_a_named_incident() -> None:
    around = event_sub("h", condition("n > 1"), script("w", "n + 1", "n") + chain("h_s", "w", "h_e"), interrupting=False)
    run = Run(doc(START + user("a") + END + chain("s", "a", "e") + around), {"n": 0}, step_limit=200)
    run.do("set_variables", {"n": 5})
    assert {kind for _, kind in run.incidents} == {"STEP_LIMIT"}


def test_unknown_kinds_of_change_are_refused() -> None:
    source = doc(beside(condition("n > 1", variableEvents="create,delete")))
    found = [finding for finding in lint(source, "c.bpmn") if finding.rule == "condition"]
    assert [(finding.severity, finding.element_id) for finding in found] == [("error", "c")] and "delete" in found[0].message
