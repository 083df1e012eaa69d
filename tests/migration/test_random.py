"""Random diagrams and random runs: migrating to the same diagram changes nothing, to a renamed one only names, and to one with more steps
never loses a token."""

from __future__ import annotations

import random
import re
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.bpmn import Instance, ProcessModel, parse
from engine.bpmn.migration import Instructions, make_plan, migrate
from tests.bpmn.diagrams import RichWriter, process
from tests.bpmn.support import Run, doc

pytestmark = pytest.mark.scaled
SEEDS = st.integers(min_value=0, max_value=2**32)
QUIET = settings(deadline=None, suppress_health_check=list(HealthCheck), print_blob=True)
STEPS = 400


def diagram(seed: int) -> tuple[random.Random, bytes]:
    rnd = random.Random(seed)
    writer = RichWriter(rnd)
    return rnd, doc(process(writer, 2 + seed % 3, writer.listener("top") if seed % 3 == 0 else ""))


def values(rnd: random.Random) -> dict[str, Any]:
    return {"log": [], **{f"v{i}": rnd.random() < 0.5 for i in range(5)}}


def next_step(rnd: random.Random, run: Run) -> tuple[str, Any]:
    """Complete some task, throw the signal, or let time pass."""
    tasks = sorted(run.rows.open["tasks"])
    if tasks and rnd.random() > 0.1:
        return "complete", rnd.choice(tasks)
    return ("signal", None) if run.rows.open["signals"] and rnd.random() < 0.5 else ("wait", None)


def take(run: Run, step: tuple[str, Any]) -> None:
    kind, token = step
    if kind == "complete":
        run.do("complete_user_task", token, {})
    elif kind == "signal":
        run.signal()
    else:
        run.wait(days=400)


def moved(run: Run, model: ProcessModel, **instructions: Any) -> None:
    """Migrate a run and store it."""
    plan = make_plan(run.model, model, Instructions(**instructions))
    assert plan.valid, plan.findings
    migrated = migrate(run.instance, model, plan)
    run.instance, run.model = migrated.instance, model
    run.store()


def content(run: Run) -> Any:
    """What the rows hold; the order of rows and of keys in them does not count."""
    stored = run.rows.stored()
    return orjson.loads(stored.header), [orjson.loads(row) for row in stored.tokens], sorted(stored.variables)


@given(SEEDS)
@QUIET
def test_migrating_to_the_same_diagram_at_any_moment_changes_nothing(seed: int) -> None:
    rnd, xml = diagram(seed)
    given_values = values(rnd)
    models = [parse(xml, "random.bpmn")[0] for _ in range(2)]
    still, migrating = Run(models[0], given_values), Run(models[0], given_values)
    for number in range(STEPS):
        if still.state != "ACTIVE":
            break
        moved(migrating, models[(number + 1) % 2])
        changes = migrating.rows.changes
        assert not (changes.history or changes.removed_tokens or changes.variables or changes.user_tasks or changes.closed_user_tasks)
        assert content(migrating) == content(still)
        step = next_step(rnd, still)
        take(still, step)
        take(migrating, step)
    assert migrating.state == still.state


IDS = re.compile(r'\b(id|sourceRef|targetRef|attachedToRef|default)="(?!p"|E1"|E2"|X1"|S1"|S2"|M1")([^"]+)"')


@given(SEEDS)
@QUIET
def test_migrating_to_a_diagram_with_other_names_changes_the_names_only(seed: int) -> None:
    rnd, xml = diagram(seed)
    renamed = IDS.sub(r'\1="n_\2"', xml.decode()).encode()
    source, target = parse(xml, "old.bpmn")[0], parse(renamed, "new.bpmn")[0]
    forth = {id: f"n_{id}" for id in source.elements}
    back = {new: old for old, new in forth.items()}
    given_values = values(rnd)
    still, migrating = Run(source, given_values), Run(source, given_values)
    for number in range(STEPS):
        if still.state != "ACTIVE":
            break
        moved(migrating, target if number % 2 == 0 else source, mapping=forth if number % 2 == 0 else back)
        step = next_step(rnd, still)
        take(still, step)
        take(migrating, step)
    assert migrating.state == still.state
    if still.state == "COMPLETED":
        assert migrating.variables == still.variables


FLOW = re.compile(r'<sequenceFlow id="([^"]+)" sourceRef="([^"]+)" targetRef="([^"]+)">')


def with_more_steps(rnd: random.Random, xml: bytes) -> bytes:
    """A user task put into some flows: the flow leads to it, a new one leads on (what a modeler does when a step is dropped on a flow)."""

    def insert(match: re.Match[str]) -> str:
        flow, source, target = match.groups()
        if rnd.random() > 0.3:
            return match.group(0)
        step = f'<userTask id="ins_{flow}"/><sequenceFlow id="on_{flow}" sourceRef="ins_{flow}" targetRef="{target}"/>'
        return f'{step}<sequenceFlow id="{flow}" sourceRef="{source}" targetRef="ins_{flow}">'

    return FLOW.sub(insert, xml.decode()).encode()


@given(SEEDS)
@QUIET
def test_migrating_to_a_diagram_with_more_steps_never_loses_a_token(seed: int) -> None:
    rnd, xml = diagram(seed)
    richer = parse(with_more_steps(rnd, xml), "new.bpmn")[0]
    run = Run(xml, values(rnd))
    for _ in range(rnd.randrange(12)):
        if run.state == "ACTIVE":
            take(run, next_step(rnd, run))
    if run.state == "ACTIVE":
        before = places_of(run.instance)
        moved(run, richer)
        assert places_of(run.instance) == before
    for _ in range(STEPS):
        if run.state == "ACTIVE":
            take(run, next_step(rnd, run))
    assert run.state == "COMPLETED"
    assert not run.rows.tokens and not any(run.rows.open.values())


def places_of(instance: Instance) -> list[tuple[int, str, str]]:
    return [(token.token_id, token.element_id, token.state) for token in instance.live_tokens()]
