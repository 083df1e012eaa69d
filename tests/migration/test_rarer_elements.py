"""Migrating rarer elements: event-based and complex gateways, ad-hoc subprocesses, loops, calls, event subprocesses that run."""

from __future__ import annotations

from engine.bpmn import parse
from engine.bpmn.migration import Instructions, make_plan, migrate
from tests.bpmn.support import (
    END,
    MESSAGE,
    SIGNAL,
    START,
    Run,
    chain,
    doc,
    el,
    event_sub,
    flow,
    gate,
    multi,
    sub,
    timer,
    user,
    zeebe,
)
from tests.migration.moving import move, refused, sequence


def test_an_alternative_of_an_event_based_gateway_may_be_cancelled() -> None:
    def choice(*events: str) -> bytes:
        body = START + el("eventBasedGateway", "g") + END + chain("s", "g")
        kinds = {"m": MESSAGE, "t": timer("PT1H"), "q": SIGNAL}
        return doc(body + "".join(el("intermediateCatchEvent", e, kinds[e]) + chain("g", e, "e") for e in events))

    run = move(Run(choice("m", "t"), {"key": "K"}), choice("m"), mapping={"t": None})
    assert run.instance.next_due_at is None
    run.message("m")
    assert run.state == "COMPLETED"
    run = move(Run(choice("t", "q")), choice("t", "q"))
    run.signal()
    assert run.state == "COMPLETED" and run.instance.next_due_at is None


def test_what_is_still_to_do_in_a_sequential_ad_hoc_subprocess_is_renamed() -> None:
    def version(*ids: str) -> bytes:
        return doc(START + sub("box", user(*ids), "adHocSubProcess", ordering="Sequential") + END + chain("s", "box", "e"))

    run = Run(version("a", "b"))
    assert refused(run, version("a", "c")) == {("unmapped", "b")}
    run = move(Run(version("a", "b")), version("a", "c"), mapping={"b": "c"})
    run.complete("a")
    assert run.tasks == ["c"]
    run.complete("c")
    assert run.state == "COMPLETED"


def test_late_tokens_of_a_complex_gateway_are_swallowed_under_its_new_name() -> None:
    def version(gateway: str) -> bytes:
        condition = "<activationCondition>=activationCount >= 2</activationCondition>"
        body = START + gate("fork") + el("complexGateway", gateway, condition) + user("a", "b", "c", "last") + END + chain("s", "fork")
        return doc(body + "".join(chain("fork", x, gateway) for x in "abc") + chain(gateway, "last", "e"))

    run = Run(version("x"))
    run.complete("a")
    run.complete("b")
    move(run, version("y"), mapping={"x": "y"})
    run.complete("c")
    assert run.tasks == ["last"]
    run.complete("last")
    assert run.state == "COMPLETED"


def test_a_subprocess_in_every_member_of_a_multi_instance() -> None:
    def version(inner: str, extra: str = "") -> bytes:
        inside = el("startEvent", "is") + user(inner, "more") + el("endEvent", "ie") + chain("is", inner, "more", "ie") + extra
        return doc(START + sub("box", multi() + inside) + END + chain("s", "box", "e"))

    run = Run(version("a"), {"units": ["A", "B", "C"]})
    run.complete("a")
    move(run, version("a2", event_sub("es", SIGNAL, chain("es_s", "es_e"), interrupting=False)), mapping={"a": "a2"})
    assert run.tasks == ["a2", "a2", "more"]
    assert len(run.rows.open["signals"]) == 3, "the added event subprocess listens in every member"
    run.signal()
    for element in ("a2", "a2", "more", "more", "more"):
        run.complete(element)
    assert run.state == "COMPLETED"


def test_a_multi_instance_may_change_its_collection_for_those_who_come_later() -> None:
    def version(sequential: str, until: str = "") -> bytes:
        return doc(START + el("userTask", "m", multi(until=until, sequential=sequential)) + END + chain("s", "m", "e"))

    run = Run(version("true"), {"units": ["A", "B", "C"]})
    run.complete("m")
    move(run, version("true", "numberOfCompletedInstances >= 2"))
    run.complete("m")
    assert run.state == "COMPLETED", "the completion condition of the new model counts"


def test_a_cancelled_call_takes_its_called_instance_with_it() -> None:
    call = el("callActivity", "c", zeebe('<zeebe:calledElement processId="child"/>'))
    source = doc(START + call + user("a") + END + flow("s", "c") + flow("s", "a") + chain("c", "e") + chain("a", "e"))
    run = Run(source)
    model = parse(sequence("a"), "x")[0]
    migrated = migrate(run.instance, model, make_plan(run.model, model, Instructions({"c": None})))
    assert migrated.side_effects
    assert len(migrated.instance.take_changes().cancelled_calls) == 1


def test_an_inclusive_join_looks_at_the_new_diagram() -> None:
    def version(*extra: str) -> bytes:
        body = START + gate("fork", "inclusive") + gate("join", "inclusive") + user("a", "b", *extra, "last") + END + chain("s", "fork")
        body += "".join(flow("fork", x, "true", id=f"to_{x}") for x in "ab") + flow("a", "join", id="from_a")
        return doc(body + chain("b", *extra, "join") + chain("join", "last", "e"))

    run = Run(version())
    run.complete("a")
    move(run, version("c"))
    run.complete("b")
    assert run.tasks == ["c"], "the join waits for the step that was put in"
    run.complete("c")
    assert run.tasks == ["last"]


def test_a_running_event_subprocess_goes_on_and_does_not_listen_again() -> None:
    def version(*steps: str) -> bytes:
        return sequence("a", extra=event_sub("es", timer("PT1H"), user(*steps) + chain("es_s", *steps, "es_e")))

    run = Run(version("z"))
    run.wait(hours=1)
    assert run.tasks == ["z"]
    move(run, version("z", "y"))
    assert run.tasks == ["z"] and run.instance.next_due_at is None
    run.complete("z")
    run.complete("y")
    assert run.state == "COMPLETED"


def test_migrating_there_and_back_any_number_of_times() -> None:
    one, two = sequence("a", "b"), sequence("a", "new", "b")
    run = Run(one)
    for target in (two, one, two):
        move(run, target)
    run.complete("a")
    assert run.tasks == ["new"]
