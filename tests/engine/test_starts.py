"""Timer and conditional start events of a process."""

from __future__ import annotations

from datetime import timedelta

import pytest

from engine import Engine, commands
from engine.errors import Forbidden, NotFound
from engine.policy import SYSTEM
from engine.store import reads
from tests.bpmn.support import END, chain, doc, el, user
from tests.engine.test_commands import DIAGRAMS, clerk, deploy, open_tasks


def days_later(engine: Engine, days: float) -> int:
    with engine.unit_of_work() as session:
        commands.move_clock(session, SYSTEM, by=timedelta(days=days))
    return engine.run_due()


def names(engine: Engine) -> list[str]:
    return [task.element_id for task in open_tasks(engine)]


def test_a_timer_start_starts_as_often_as_its_cycle_says_and_catches_up(engine: Engine) -> None:
    deploy(engine, "other_starts.bpmn")
    assert days_later(engine, 0.5) == 0 and names(engine) == []
    assert days_later(engine, 0.6) == 1 and names(engine) == ["report"]
    assert days_later(engine, 9) == 1 and names(engine) == ["report", "report"]
    assert days_later(engine, 9) == 0 and engine.next_due() is None


def test_a_new_version_takes_the_timer_over_and_the_same_content_leaves_it_alone(engine: Engine) -> None:
    deploy(engine, "other_starts.bpmn")
    days_later(engine, 0.9)
    deploy(engine, "other_starts.bpmn")
    assert days_later(engine, 0.2) == 1, "not armed anew"
    newer = (DIAGRAMS / "other_starts.bpmn").read_bytes().replace(b"R2/P1D", b"R1/P3D")
    with engine.unit_of_work() as session:
        commands.deploy(session, SYSTEM, [("other_starts.bpmn", newer)])
    assert days_later(engine, 2) == 0 and days_later(engine, 2) == 1 and engine.next_due() is None


def test_a_condition_over_offered_variables_starts_a_process(engine: Engine) -> None:
    deploy(engine, "other_starts.bpmn")
    with engine.unit_of_work() as session:
        assert commands.evaluate_conditionals(session, SYSTEM, {"level": 5}) == []
        assert commands.evaluate_conditionals(session, SYSTEM, {}) == []
        (key,) = commands.evaluate_conditionals(session, SYSTEM, {"level": 12}, process_id="starts")
    assert names(engine) == ["alarm"] and open_tasks(engine)[0].instance_key == key
    with pytest.raises(Forbidden), engine.unit_of_work() as session:
        commands.evaluate_conditionals(session, clerk("A.handler"), {"level": 12})
    with pytest.raises(NotFound), engine.unit_of_work() as session:
        commands.evaluate_conditionals(session, SYSTEM, {}, process_id="nobody")


BELL = '<signalEventDefinition signalRef="S1"/>'


def rung(process_id: str, task: str) -> bytes:
    """A process that the signal S1 starts, and that waits for it once more."""
    caught = el("intermediateCatchEvent", "again", BELL)
    return doc(el("startEvent", "s", BELL) + user(task) + caught + END + chain("s", task, "again", "e"), process_id)


def ring(engine: Engine) -> None:
    with engine.unit_of_work() as session:
        commands.broadcast_signal(session, SYSTEM, "S1", {"rang": True})


def test_a_signal_starts_one_instance_of_the_latest_version_of_each_process_and_reaches_those_that_wait(engine: Engine) -> None:
    with engine.unit_of_work() as session:
        commands.deploy(session, SYSTEM, [("one.bpmn", rung("one", "old")), ("two.bpmn", rung("two", "second"))])
        commands.deploy(session, SYSTEM, [("one.bpmn", rung("one", "new"))])
    ring(engine)
    assert sorted(names(engine)) == ["new", "second"]
    waiting = next(task for task in open_tasks(engine) if task.element_id == "second")
    with engine.unit_of_work() as session:
        commands.complete_task(session, SYSTEM, waiting.key, {})
    ring(engine)
    assert sorted(names(engine)) == ["new", "new", "second"]
    with engine.reading() as session:
        assert reads.instance(session, waiting.instance_key).state == "COMPLETED"
