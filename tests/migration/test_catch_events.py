"""Catch events of a migrating instance (Camunda: dealing with catch events): kept, closed, opened, evaluated anew."""

from __future__ import annotations

from datetime import timedelta

from tests.bpmn.support import (
    END,
    MESSAGE,
    SIGNAL,
    START,
    Run,
    boundary,
    chain,
    doc,
    el,
    event_sub,
    flow,
    sub,
    timer,
    user,
)
from tests.migration.moving import move, refused, sequence, with_boundary


def test_a_mapped_timer_keeps_its_due_date() -> None:
    run = Run(with_boundary(boundary("t", "a", timer("PT7H"))))
    run.wait(hours=5)
    move(run, with_boundary(boundary("t", "a", timer("PT14H"))))
    assert run.instance.next_due_at == run.host.at + timedelta(hours=2)


def test_a_timer_without_a_mapping_is_closed_and_opened_anew() -> None:
    run = Run(with_boundary(boundary("t", "a", timer("PT7H"))))
    run.wait(hours=5)
    move(run, with_boundary(boundary("t", "a", timer("PT14H"))), mapping={"t": None})
    assert run.instance.next_due_at == run.host.at + timedelta(hours=14)


def test_waits_are_evaluated_anew_when_asked() -> None:
    run = Run(with_boundary(boundary("t", "a", timer("PT7H")), boundary("m", "a", MESSAGE)), {"key": "K"})
    run.wait(hours=5)
    move(run, with_boundary(boundary("t", "a", timer("PT14H")), boundary("m", "a", MESSAGE)), refresh_waits=True)
    assert run.instance.next_due_at == run.host.at + timedelta(hours=14)
    assert len(run.rows.open["messages"]) == 1
    run.message("m")
    assert run.tasks == ["late"]


def test_an_added_boundary_event_waits_and_a_removed_one_does_not() -> None:
    run = move(Run(with_boundary(boundary("t", "a", timer("PT1H")))), with_boundary(boundary("c", "a", SIGNAL)))
    assert run.instance.next_due_at is None
    assert run.signal() == 1
    assert run.tasks == ["late"]


def test_a_boundary_event_that_has_fired_is_not_armed_again() -> None:
    source = with_boundary(boundary("t", "a", timer("PT1H"), interrupting=False))
    run = Run(source)
    run.wait(hours=1)
    move(run, source)
    assert run.tasks == ["a", "late"] and run.instance.next_due_at is None


def test_a_message_subscription_is_kept_and_its_event_may_become_non_interrupting() -> None:
    run = Run(with_boundary(boundary("m", "a", MESSAGE)), {"key": "K"})
    move(run, with_boundary(boundary("m", "a", MESSAGE, interrupting=False)))
    assert not next(iter(run.rows.open["messages"].values())).interrupting
    run.message("m")
    assert run.tasks == ["a", "late"]


def test_a_boundary_event_stays_with_its_activity() -> None:
    def two(host: str) -> bytes:
        return doc(START + user("a", "b") + END + chain("s", "a", "b", "e") + boundary("t", host, timer("PT1H")) + flow("t", "e"))

    assert refused(Run(two("a")), two("b"), mapping={"t": "t"}) == {("scope", "t")}
    run = move(Run(two("a")), two("b"))
    assert run.instance.next_due_at is None


def test_an_added_event_subprocess_listens_and_a_removed_one_does_not() -> None:
    def with_event(id: str, definition: str) -> bytes:
        return sequence("a", extra=event_sub(id, definition, user("in_" + id) + chain(f"{id}_s", "in_" + id, f"{id}_e")))

    run = move(Run(with_event("old", timer("PT1H"))), with_event("new", SIGNAL))
    assert run.instance.next_due_at is None
    run.signal()
    assert run.tasks == ["in_new"]


def test_only_what_is_mapped_is_kept_when_nothing_is_proposed() -> None:
    """Camunda's own request: a catch event without an instruction is closed and opened anew, an active element without one is refused."""
    source = with_boundary(boundary("t", "a", timer("PT7H")))
    run = Run(source)
    run.wait(hours=5)
    assert refused(run, source, propose=False) == {("unmapped", "a")}
    run = Run(source)
    run.wait(hours=5)
    move(run, source, mapping={"a": "a"}, propose=False)
    assert run.instance.next_due_at == run.host.at + timedelta(hours=7)
    run.wait(hours=5)
    move(run, source, mapping={"a": "a", "t": "t"}, propose=False)
    assert run.instance.next_due_at == run.host.at + timedelta(hours=2)


def test_the_start_event_stands_for_its_event_subprocess() -> None:
    def version(id: str, hours: int) -> bytes:
        return sequence("a", extra=event_sub(id, timer(f"PT{hours}H"), chain(f"{id}_s", f"{id}_e")))

    run = Run(version("es", 7))
    run.wait(hours=5)
    move(run, version("other", 14), mapping={"a": "a", "es_s": "other_s"}, propose=False)
    assert run.instance.next_due_at == run.host.at + timedelta(hours=2)


def test_a_migration_that_would_raise_an_incident_at_once_is_refused() -> None:
    assert refused(Run(sequence("a")), sequence("a", extra=boundary("m", "a", MESSAGE) + chain("m", "e"))) == {("incident", "m")}


def test_an_event_subprocess_inside_an_open_subprocess_is_added_there() -> None:
    def boxed(extra: str = "") -> bytes:
        inner = el("startEvent", "is") + user("a") + el("endEvent", "ie") + chain("is", "a", "ie") + extra
        return doc(START + sub("box", inner) + END + chain("s", "box", "e"))

    run = move(Run(boxed()), boxed(event_sub("new", SIGNAL, user("z") + chain("new_s", "z", "new_e"))))
    run.signal()
    assert run.tasks == ["z"]
    run.complete("z")
    assert run.state == "COMPLETED"
