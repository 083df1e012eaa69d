"""The instances of a version taken together: heat, counts, durations, and lists of them."""

from __future__ import annotations

from datetime import timedelta

from engine import Engine, clock, commands
from engine.policy import SYSTEM
from engine.store import runs
from tests.bpmn.support import END, START, chain, doc, el, flow, gate, multi, user
from tests.migration.support import both_databases, complete, deploy, migrate, sequence, start, undo

LOOP = START + el("userTask", "a", multi("[1, 2, 3]", "n")) + END + chain("s", "a", "e")


def pass_time(engine: Engine, hours: int) -> None:
    with engine.unit_of_work() as session:
        commands.move_clock(session, SYSTEM, by=timedelta(hours=hours))


def uses(engine: Engine, definition_key: int) -> dict[str, runs.ElementUse]:
    with engine.reading() as session:
        return runs.element_uses(session, definition_key)


def keys(engine: Engine, wanted: runs.RunFilter) -> list[int]:
    with engine.reading() as session:
        found = runs.keys(session, wanted, 100)
        assert runs.count(session, wanted) == len(found) == len(runs.page(session, wanted, "newest", 100, 0))
    return found


@both_databases
def test_what_stands_where_how_often_it_was_entered_and_how_long_it_took(engine: Engine) -> None:
    version = deploy(engine, sequence("a", "b"))
    begun = clock.now()
    first, second, third = (start(engine) for _ in range(3))
    pass_time(engine, 1)
    complete(engine, first, "a")
    pass_time(engine, 2)
    complete(engine, second, "a")
    found = uses(engine, version)
    assert {id: (use.now, use.entered) for id, use in found.items()} == {"s": (0, 3), "a": (1, 3), "b": (2, 2)}
    assert [round(seconds / 3600) for seconds in found["a"].seconds] == [1, 3]
    assert round((found["a"].mean or 0) / 3600) == round((found["a"].median or 0) / 3600) == 2
    assert round((found["a"].longest or 0) / 3600) == 3 and found["b"].longest is None
    assert found["a"].since is not None and abs(found["a"].since - begun) < timedelta(minutes=1)
    with engine.reading() as session:
        assert runs.standing_at(session, [first, third]) == {first: {"b": 1}, third: {"a": 1}}


@both_databases
def test_a_loop_is_counted_by_its_members(engine: Engine) -> None:
    version = deploy(engine, doc(LOOP))
    start(engine)
    assert (uses(engine, version)["a"].now, uses(engine, version)["a"].entered) == (3, 3)


@both_databases
def test_what_was_migrated_stands_at_its_new_element_and_undone_at_its_old_one(engine: Engine) -> None:
    source = deploy(engine, sequence("a"))
    key = start(engine)
    target = deploy(engine, sequence("a", "b"))
    migrate(engine, key, target)
    assert (uses(engine, source), uses(engine, target)["a"].now) == ({}, 1)
    undo(engine, key)
    assert (uses(engine, source)["a"].now, uses(engine, target)) == (1, {})


@both_databases
def test_instances_are_found_by_state_incident_element_and_text(engine: Engine) -> None:
    body = START + gate("x", "exclusive") + user("a", "b") + END + chain("s", "x") + flow("x", "a", "good") + chain("a", "b", "e")
    version = deploy(engine, doc(body))
    broken = start(engine)
    sound = start(engine, {"good": True}, business_id="P7")
    held = start(engine, {"good": True})
    gone = start(engine, {"good": True})
    complete(engine, sound, "a")
    with engine.unit_of_work() as session:
        commands.suspend_instance(session, SYSTEM, held, "等材料")
        commands.cancel_instance(session, SYSTEM, gone, "重复")
    by = {
        "all": keys(engine, runs.RunFilter(version)),
        "active": keys(engine, runs.RunFilter(version, state="ACTIVE")),
        "suspended": keys(engine, runs.RunFilter(version, state="SUSPENDED")),
        "terminated": keys(engine, runs.RunFilter(version, state="TERMINATED")),
        "incident": keys(engine, runs.RunFilter(version, incident=True)),
        "at a": keys(engine, runs.RunFilter(version, element="a")),
        "key": keys(engine, runs.RunFilter(version, text=str(held))),
        "business id": keys(engine, runs.RunFilter(version, text="P7")),
        "found by name": keys(engine, runs.RunFilter(version, text="学校", business_ids=("P7",))),
        "chosen": keys(engine, runs.RunFilter(version, keys=(held, gone))),
        "not ended": keys(engine, runs.RunFilter(version, live=True)),
        "another version": keys(engine, runs.RunFilter(version + 1)),
        "no number": keys(engine, runs.RunFilter(version, text="²")),
    }
    assert by == {
        "all": [broken, sound, held, gone],
        "active": [broken, sound],
        "suspended": [held],
        "terminated": [gone],
        "incident": [broken],
        "at a": [held],
        "key": [held],
        "business id": [sound],
        "found by name": [sound],
        "chosen": [held, gone],
        "not ended": [broken, sound, held],
        "another version": [],
        "no number": [],
    }
    assert uses(engine, version)["x"].incidents == 1
    with engine.reading() as session:
        assert [row.key for row in runs.page(session, runs.RunFilter(version), "incidents", 2, 0)] == [broken, gone]
        assert [row.key for row in runs.page(session, runs.RunFilter(version), "business", 2, 1)] == [broken, held]
