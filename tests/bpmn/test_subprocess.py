"""Embedded and event subprocesses: scopes, interruption at every nesting level, errors and escalations from inside."""

from __future__ import annotations

import pytest

from tests.bpmn.support import (
    COMPENSATE,
    END,
    ERROR,
    ESCALATION,
    MESSAGE,
    SIGNAL,
    START,
    Run,
    boundary,
    chain,
    doc,
    el,
    event_sub,
    gate,
    io,
    script,
    service,
    sub,
    timer,
    user,
    zeebe,
)


def nested(body: str, depth: int) -> bytes:
    """The body inside `depth` subprocesses."""
    for n in range(depth):
        body = el("startEvent", f"ws{n}") + sub(f"w{n}", body) + el("endEvent", f"we{n}") + chain(f"ws{n}", f"w{n}", f"we{n}")
    return doc(body)


def handler(id: str, definition: str, interrupting: bool = True) -> str:
    """An event subprocess with one user task u<id>."""
    return event_sub(id, definition, user(f"u{id}") + chain(f"{id}_s", f"u{id}", f"{id}_e"), interrupting)


def test_input_mapping_makes_a_local_scope() -> None:
    inner = (
        el("startEvent", "s2")
        + script("w1", "loc * 10", "loc")
        + script("w2", "base + loc", "base")
        + script("w3", "1", "fresh")
        + user("u")
        + el("endEvent", "e2")
        + chain("s2", "w1", "w2", "w3", "u", "e2")
    )
    body = START + el("subProcess", "sp", zeebe(io({"loc": "base + 1"})) + inner) + user("z") + END + chain("s", "sp", "z", "e")
    run = Run(doc(body), {"base": 1})
    assert run.instance.variables(run.token("u"))["loc"] == 20
    assert run.variables == {"base": 21, "fresh": 1}
    run.complete("u")
    assert run.tasks == ["z"]
    assert "loc" not in run.instance.variables(run.token("z"))
    assert {scope for scope, _ in run.rows.variables} == {0}


@pytest.mark.parametrize("depth", [0, 1, 2])
def test_typed_starts_do_not_run_at_once_and_do_not_keep_the_scope_open(depth: int) -> None:
    listeners = handler("er", ERROR) + handler("ex", ESCALATION) + handler("co", COMPENSATE) + handler("ti", timer("P1D"))
    run = Run(nested(START + user("a") + END + chain("s", "a", "e") + listeners, depth))
    assert run.tasks == ["a"]
    run.complete("a")
    assert run.state == "COMPLETED"
    assert run.events("er") == []
    assert run.instance.next_due_at is None


@pytest.mark.parametrize("depth", [0, 1, 2])
def test_interrupting_signal_cancels_the_siblings_at_once(depth: int) -> None:
    body = START + gate("f") + user("a", "b") + END + chain("s", "f", "a", "e") + chain("f", "b", "e") + handler("es", SIGNAL)
    run = Run(nested(body, depth))
    assert run.signal() == 1
    assert run.tasks == ["ues"]
    assert run.events("a") == ["entered", "terminated"]
    run.complete("ues")
    assert run.state == "COMPLETED"


@pytest.mark.parametrize("depth", [0, 1, 2])
def test_non_interrupting_signal_runs_beside_and_again(depth: int) -> None:
    run = Run(nested(START + user("a") + END + chain("s", "a", "e") + handler("es", SIGNAL, False), depth))
    run.signal()
    run.signal()
    assert run.tasks == ["a", "ues", "ues"]
    run.complete("a")
    run.complete("ues")
    assert run.state == "ACTIVE"
    run.complete("ues")
    assert run.state == "COMPLETED"


@pytest.mark.parametrize("depth", [0, 1, 2])
def test_error_end_event_is_caught_by_the_event_subprocess_of_its_scope(depth: int) -> None:
    body = START + gate("f") + user("a", "b") + el("endEvent", "bad", ERROR) + END + chain("s", "f", "a", "bad")
    run = Run(nested(body + chain("f", "b", "e") + handler("er", ERROR), depth))
    run.complete("a")
    assert run.tasks == ["uer"]
    run.complete("uer")
    assert run.state == "COMPLETED"


def test_interrupting_timer_listener() -> None:
    run = Run(nested(START + user("a") + END + chain("s", "a", "e") + handler("ti", timer("P1D")), 1))
    assert run.wait(hours=23) == 0
    assert run.wait(hours=2) == 1
    assert run.tasks == ["uti"]


def test_message_payload_is_local_to_the_event_subprocess() -> None:
    run = Run(nested(START + user("a") + END + chain("s", "a", "e") + handler("me", MESSAGE, False), 0), {"key": "K", "v": 1})
    run.message("me_s", note="hi")
    assert run.variables == {"key": "K", "v": 1}
    assert run.instance.variables(run.token("ume"))["note"] == "hi"
    run.message("me_s", note="again")
    assert run.tasks == ["a", "ume", "ume"]


def test_the_subscription_shows_the_start_event_with_its_properties() -> None:
    properties = zeebe('<zeebe:properties><zeebe:property name="outsideEvent" value="true"/></zeebe:properties>')
    start = el("startEvent", "es_s", properties + MESSAGE, name="申请人撤回")
    listener = sub("es", start + user("h") + chain("es_s", "h"), triggeredByEvent="true")
    run = Run(doc(START + user("a") + END + chain("s", "a", "e") + listener), {"key": "K"})
    opened = run.rows.open["messages"][run.token("es_s", "messages")]
    assert (opened.element_name, opened.properties, opened.interrupting) == ("申请人撤回", {"outsideEvent": "true"}, True)


def test_error_thrown_inside_an_event_subprocess_leaves_it() -> None:
    thrower = event_sub("es", SIGNAL, el("endEvent", "bad", ERROR) + chain("es_s", "bad"))
    inner = START + user("a") + END + chain("s", "a", "e") + thrower + handler("er", ERROR)
    body = el("startEvent", "s1") + sub("sp", inner) + boundary("b", "sp", ERROR) + user("h") + el("endEvent", "e1")
    run = Run(doc(body + chain("s1", "sp", "e1") + chain("b", "h", "e1")))
    run.signal()
    assert run.tasks == ["h"]


def test_cancelled_with_everything_inside() -> None:
    inner = el("startEvent", "s2") + service("job", "outside") + el("endEvent", "e2") + chain("s2", "job", "e2")
    inner += handler("es", SIGNAL)
    body = START + sub("sp", sub("inner", "".join(inner)).join([el("startEvent", "s1"), chain("s1", "inner")]))
    body += boundary("b", "sp", '<signalEventDefinition signalRef="S2"/>') + END + chain("s", "sp", "e") + chain("b", "e")
    from engine.bpmn import Pending
    from tests.bpmn.support import Host

    run = Run(doc(body), host=Host(jobs={"outside": lambda _: Pending()}))
    assert list(run.rows.open["jobs"]) and list(run.rows.open["signals"])
    run.signal("S2")
    assert run.state == "COMPLETED"
    assert not run.rows.open["jobs"] and not run.rows.open["signals"] and not run.rows.tokens


def beside_another(definition: str, thrown: str, interrupting: bool) -> bytes:
    """A signal event subprocess that throws at its end, beside another one that catches."""
    thrower = el("startEvent", "sg_s", SIGNAL, isInterrupting="false") + el("endEvent", "sg_e", thrown) + chain("sg_s", "sg_e")
    catcher = event_sub("c", definition, user("h") + chain("c_s", "h", "c_e"), interrupting)
    body = START + user("t") + END + chain("s", "t", "e") + sub("sg", thrower, triggeredByEvent="true") + catcher
    return doc(body)


def test_an_error_thrown_in_an_event_subprocess_is_caught_by_another_of_its_scope() -> None:
    run = Run(beside_another(ERROR, ERROR, True))
    run.signal()
    assert run.tasks == ["h"] and not run.incidents and run.events("t") == ["entered", "terminated"]


def test_an_escalation_thrown_in_an_event_subprocess_is_caught_by_another_of_its_scope_but_not_by_itself() -> None:
    run = Run(beside_another(ESCALATION, ESCALATION, False))
    run.signal()
    assert run.tasks == ["h", "t"]
    inner = el("startEvent", "es_s", ESCALATION, isInterrupting="false") + el("endEvent", "es_e", ESCALATION) + chain("es_s", "es_e")
    body = START + el("intermediateThrowEvent", "x", ESCALATION) + user("t") + END + chain("s", "x", "t", "e")
    run = Run(doc(body + sub("es", inner, triggeredByEvent="true")))
    assert run.tasks == ["t"] and run.events("es") == ["entered", "completed"]


def test_an_event_subprocess_inside_an_event_subprocess_listens_while_that_runs() -> None:
    inner = event_sub("in", SIGNAL, user("deep") + chain("in_s", "deep", "in_e"))
    outer = el("startEvent", "out_s", MESSAGE) + user("o") + el("endEvent", "out_e") + chain("out_s", "o", "out_e") + inner
    body = START + user("t") + END + chain("s", "t", "e") + sub("out", outer, triggeredByEvent="true")
    run = Run(doc(body), {"key": "k"})
    assert run.signal() == 0, "nothing listens yet"
    run.message("out_s")
    assert run.tasks == ["o"] and run.signal() == 1
    assert run.tasks == ["deep"] and run.events("o") == ["entered", "terminated"]
    run.complete("deep")
    assert run.state == "COMPLETED" and not run.rows.tokens
