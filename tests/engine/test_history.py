"""The state at any past instant, read from the append-only histories: it equals what was there then, whatever happened."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine import Engine, clock, commands, open_engine
from engine.bpmn import Instance
from engine.bpmn.migration import Instructions
from engine.changes import StoredState
from engine.commands.environment import CommandEnvironment
from engine.definitions import process_definition, process_model
from engine.errors import Conflict, NotFound
from engine.policy import SYSTEM
from engine.settings import Settings
from engine.store import history, reads
from tests.bpmn.support import END, SIGNAL, START, boundary, chain, doc, el, event_sub, flow, gate, io, multi, sub, timer, user, zeebe
from tests.migration.support import complete, deploy, migrate, open_tasks, start, undo


def diagram(last: str = "last") -> bytes:
    """Parallel branches: a multi-instance review, a subprocess with locals and a non-interrupting event subprocess, timers, a loop back."""
    inner = el("startEvent", "is") + user("inside") + el("endEvent", "ie") + chain("is", "inside", "ie")
    inner += event_sub("es", SIGNAL, user("handled") + chain("es_s", "handled", "es_e"), interrupting=False)
    body = START + gate("fork") + gate("join") + gate("again", "exclusive") + gate("back", "exclusive") + END + user("late", last)
    body += el("userTask", "review", multi(out="opinions", out_element="opinion"))
    body += sub("box", zeebe(io({"local": "n + 1"}, {"result": "local"})) + inner)
    body += boundary("t", "box", timer("PT5M"), interrupting=False) + chain("t", "late", "e")
    body += chain("s", "again", "fork") + flow("fork", "review") + flow("fork", "box") + flow("review", "join") + flow("box", "join")
    body += chain("join", last, "back") + flow("back", "again", "n &lt; 2 and redo") + flow("back", "e", id="out")
    return doc(body.replace('<exclusiveGateway id="back"', '<exclusiveGateway id="back" default="out"'))


def advance(engine: Engine, minutes: int = 1) -> None:
    """Business time goes on, so that every command has an instant of its own."""
    with engine.unit_of_work() as session:
        commands.move_clock(session, SYSTEM, by=timedelta(minutes=minutes))


Snapshot = tuple[Any, ...]


def snapshot(engine: Engine, key: int) -> tuple[datetime, Snapshot]:
    """The instance as its current rows say: definition, live element instances, variables, open tasks, incidents."""
    with engine.reading() as session:
        row = reads.instance_row(session, key)
        definition = process_definition(session, row.definition_key)
        stored = StoredState(row.header, reads.token_rows(session, key), reads.variable_rows(session, key))
        environment = CommandEnvironment(session, row, definition.deployment_key, "")
        live = Instance.load(process_model(session, row.definition_key), stored, environment)
        waiting = {"boundaryEvent"}
        events = process_model(session, row.definition_key).elements
        tokens = [
            (token.token_id, token.element_id, token.scope_id)
            for token in live.live_tokens()
            if not (token.state == "WAITING" and (token.kind in waiting or events[token.element_id].trigger))
        ]
        variables: dict[int, dict[str, Any]] = {}
        for scope, name, raw in stored.variables:
            if not name.startswith("#"):
                variables.setdefault(scope, {})[name] = orjson.loads(raw)
        tasks = sorted((task.key, task.element_id) for task in reads.open_tasks_of_instance(session, key))
        incidents = sorted(incident.key for incident in reads.incidents_of_instance(session, key))
        return clock.now(), (row.definition_key, row.state != "ACTIVE", sorted(tokens), variables, tasks, incidents)


def past(engine: Engine, key: int, at: datetime) -> Snapshot:
    with engine.reading() as session:
        state = history.state_at(session, key, at)
    assert state.exists
    elements = sorted((e.token_id, e.element_id, e.scope_id) for e in state.elements)
    tasks = sorted((task.key, task.element_id) for task in state.tasks)
    return state.definition_key, state.ended, elements, state.variables, tasks, sorted(i.key for i in state.incidents)


def act(engine: Engine, key: int, rnd: random.Random, versions: list[int]) -> None:
    """One random command; one that is refused changes nothing."""
    tasks = open_tasks(engine, key)
    kind = rnd.choice(
        ["complete", "complete", "complete", "signal", "timers", "migrate", "undo", "cancel" if rnd.random() < 0.1 else "complete"]
    )
    try:
        if kind == "complete" and tasks:
            complete(engine, key, rnd.choice(sorted(tasks)), SYSTEM, opinion=rnd.choice("ABC"), n=rnd.randrange(4), redo=rnd.random() < 0.5)
        elif kind == "signal":
            with engine.unit_of_work() as session:
                commands.broadcast_signal(session, SYSTEM, "S1", {"told": rnd.randrange(9)})
        elif kind == "timers":
            advance(engine, 6)
            engine.run_due()
        elif kind == "migrate":
            with engine.reading() as session:
                current = reads.instance(session, key).definition_key
            names = ("last", "end_step") if current == versions[0] else ("end_step", "last")
            mapping: dict[str, str | None] = {
                names[0]: names[1],
                **rnd.choice([{}, {}, {"late": None}, {"handled": None}, {"review": None}]),
            }
            migrate(engine, key, versions[1] if current == versions[0] else versions[0], Instructions(mapping, refresh_tasks=True))
        elif kind == "undo":
            undo(engine, key)
        elif kind == "cancel":
            with engine.unit_of_work() as session:
                commands.cancel_instance(session, SYSTEM, key, "test")
    except (Conflict, NotFound):
        pass


def check(engine: Engine, seed: int) -> None:
    rnd = random.Random(seed)
    versions = [deploy(engine, diagram()), deploy(engine, diagram("end_step"))]
    with engine.unit_of_work() as session:
        key = commands.start_instance(session, SYSTEM, "p", {"units": ["A", "B"], "n": 0, "redo": False}, version=1)
    seen = [snapshot(engine, key)]
    for _ in range(14):
        advance(engine)
        act(engine, key, rnd, versions)
        seen.append(snapshot(engine, key))
    for at, then in seen:
        assert past(engine, key, at) == then


@pytest.mark.parametrize("seed", [1, 2])
def test_every_past_instant_is_shown_as_it_was(engine: Engine, seed: int) -> None:
    check(engine, seed)


@pytest.mark.scaled
@given(seed=st.integers(min_value=0, max_value=2**32))
@settings(deadline=None, suppress_health_check=list(HealthCheck), print_blob=True, max_examples=max(4, settings().max_examples // 12))
def test_replaying_the_history_up_to_now_gives_the_current_state(seed: int, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("history")
    engine = open_engine(Settings(database_url=f"sqlite:///{folder / 'x.db'}", jobs="inline", files_dir=folder))
    engine.create_schema()
    try:
        check(engine, seed)
    finally:
        engine.close()
        clock.set_offset(timedelta(0))


def test_before_its_start_there_is_nothing(engine: Engine) -> None:
    deploy(engine, diagram())
    before = clock.now() - timedelta(seconds=1)
    key = start(engine, {"units": [], "n": 0})
    with engine.reading() as session:
        state = history.state_at(session, key, before)
        assert not state.exists and state.elements == () and state.variables == {}
        with pytest.raises(NotFound):
            history.state_at(session, key + 1, before)


def test_every_value_a_variable_had(engine: Engine) -> None:
    deploy(engine, diagram())
    key = start(engine, {"units": ["A", "B"], "n": 0})
    complete(engine, key, "inside", SYSTEM, n=5)
    complete(engine, key, "review", SYSTEM, n=5)
    with engine.reading() as session:
        changes = history.variable_history(session, key, "n")
        box = next(e.token_id for e in reads.element_history(session, key) if e.element_id == "box")
        local = history.variable_history(session, key, "local", box)
    assert [change.value for change in changes] == [0, 5], "the same value again is no change"
    assert [(change.value, change.removed) for change in local] == [(1, False), (None, True)]
    assert {change.by for change in changes} == {SYSTEM.username}
