"""An instance that a landed version left in the middle of every kind of element goes on there, and its end knows what was done before."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import orjson
import pytest
from sqlalchemy import Row, select

from engine import Engine, clock, commands
from engine.errors import Suspended
from engine.policy import SYSTEM
from engine.store import history, reads
from engine.store import models as m
from tests.upgrade.conftest import Upgraded
from tests.upgrade.make_dump import DRAFT

WAITING = {
    *("review", "rounds", "round", "outside", "failed", "choose", "told", "waited", "bell", "either_never", "either_late"),
    *("called", "draft", "desk", "fill", "fire", "force", "visit"),
}
"""Where the instance stood when the dump was made."""


def do(engine: Engine, act: Callable[..., Any], *given: Any, **named: Any) -> Any:
    with engine.unit_of_work() as session:
        return act(session, SYSTEM, *given, **named)


def open_task(engine: Engine, root: int, element: str) -> Row[Any]:
    """The oldest open task of an element anywhere under a root."""
    with engine.reading() as session:
        tasks = [task for task in reads.tasks_of_root(session, root) if task.state == "CREATED" and task.element_id == element]
    return min(tasks, key=lambda task: int(task.key))


def complete(engine: Engine, root: int, element: str, **data: Any) -> None:
    do(engine, commands.complete_task, open_task(engine, root, element).key, data)


def work(engine: Engine, root: int, job_type: str) -> None:
    """An outside worker takes the job of a type that waits under a root, and completes it."""
    jobs = do(engine, commands.activate_jobs, job_type, worker="w", timeout=timedelta(minutes=5), limit=10)
    do(engine, commands.complete_job, next(job.key for job in jobs if job.root_key == root), {})
    for job in jobs:
        if job.root_key != root:
            do(engine, commands.release_job, job.key)


def mend(engine: Engine, root: int) -> None:
    """What failed is put right and tried again."""
    do(engine, commands.set_variables, root, {"choice": "a"})
    with engine.reading() as session:
        found = [incident for incident in reads.incidents(session) if incident.root_key == root]
    assert {incident.element_id for incident in found} == {"failed", "choose"}
    assert next(incident.message for incident in found if incident.element_id == "failed").endswith("打印机没有纸")
    for incident in found:
        do(engine, commands.resolve_incident, incident.key)
    work(engine, root, "kept_failed")


def go_on(upgraded: Upgraded, root: int, key: str) -> None:
    """Take the instance to its end, through everything that it waits for."""
    engine = upgraded.engine
    assert open_task(engine, root, "draft").properties["returnReason"] == "依据没有写明"
    with engine.reading() as session:
        kept = reads.draft(session, open_task(engine, root, "fill").key, "system")
    assert kept is not None and kept.data == DRAFT
    complete(engine, root, "review", opinion="不涉及")
    complete(engine, root, "review", opinion="有条件同意")
    for element in ("round", "round", "draft", "check", "fire", "visit", "second"):
        complete(engine, root, element, **({"finding": "符合"} if element == "second" else {}))
    mend(engine, root)
    work(engine, root, "kept_outside")
    do(engine, commands.publish_message, "kept_told", key, {})
    do(engine, commands.publish_message, "kept_note", key, {"text": "升级后"})
    do(engine, commands.broadcast_signal, "kept_bell", {})
    upgraded.driver.move_to(clock.now() + timedelta(days=31))
    complete(engine, root, "fill")
    complete(engine, root, "unbook")


def last_values(engine: Engine, root: int) -> dict[str, Any]:
    """The last value of each variable that the process had."""
    with engine.reading() as session:
        rows = session.execute(
            select(m.variable_event.c.name, m.variable_event.c.value)
            .where(m.variable_event.c.instance_key == root, m.variable_event.c.scope_id == 0, m.variable_event.c.value.is_not(None))
            .order_by(m.variable_event.c.version)
        )
        return {name: orjson.loads(value) for name, value in rows}


def test_every_element_goes_on_where_it_stood(upgraded: Upgraded) -> None:
    engine, root = upgraded.engine, int(upgraded.restored.facts["running"])
    with engine.reading() as session:
        waiting = {event.element_id for event in history.live_elements(session, root).values()}
    assert waiting >= WAITING and "check" not in waiting
    go_on(upgraded, root, "running")
    with engine.reading() as session:
        assert reads.instance(session, root).state == "COMPLETED"
        doers = {task.element_id: task.completed_by for task in reads.tasks_of_root(session, root)}
    values = last_values(engine, root)
    opinions = [{"unit": unit, "opinion": opinion} for unit, opinion in zip(values["units"], ("同意", "不涉及", "有条件同意"), strict=True)]
    assert values["opinions"] == opinions
    assert values["turns"] == [10, 20, 30] and values["finding"] == "符合" and values["reminders"] == 3
    assert values["notes"] == ["升级前", "升级后"]
    assert doers["booked"] == doers["unbook"] == "system"


def test_a_suspended_instance_is_still_suspended_and_can_be_resumed(upgraded: Upgraded) -> None:
    engine, root = upgraded.engine, int(upgraded.restored.facts["suspended"])
    with pytest.raises(Suspended):
        complete(engine, root, "review", opinion="同意")
    do(engine, commands.resume_instance, root)
    complete(engine, root, "review", opinion="不涉及")
    complete(engine, root, "review", opinion="有条件同意")
    assert [each["opinion"] for each in last_values(engine, root)["opinions"]] == ["同意", "不涉及", "有条件同意"]
