"""Migrating a run of the kernel's tests to another diagram."""

from __future__ import annotations

from typing import Any

import pytest

from engine.bpmn import parse
from engine.bpmn.migration import Instructions, MigrationRefused, make_plan, migrate
from tests.bpmn.support import END, START, Run, chain, doc, flow, user


def move(run: Run, target: bytes, **instructions: Any) -> Run:
    """Migrate a run to another diagram."""
    model = parse(target, "new.bpmn")[0]
    plan = make_plan(run.model, model, Instructions(**instructions))
    migrated = migrate(run.instance, model, plan)
    run.instance, run.model = migrated.instance, model
    for item in [*run.rows.open["tasks"].values(), *run.rows.open["jobs"].values(), *run.rows.open["incidents"].values()]:
        item.element_id = migrated.renamed.get(item.element_id, item.element_id)
    for wait in migrated.waits:
        run.rows.open["messages"][wait.token_id] = wait
    run.store()
    return run


def refused(run: Run, target: bytes, **instructions: Any) -> set[tuple[str, str]]:
    """(rule, element id) of every reason."""
    with pytest.raises(MigrationRefused) as caught:
        move(run, target, **instructions)
    assert all(f.message and f.message_en for f in caught.value.findings)
    return {(f.rule, f.element_id) for f in caught.value.findings}


def sequence(*ids: str, extra: str = "") -> bytes:
    return doc(START + user(*ids) + END + chain("s", *ids, "e") + extra)


def with_boundary(*events: str) -> bytes:
    """A task "a" with boundary events t, m or c that lead to a task "late"."""
    return doc(
        START
        + user("a", "late")
        + END
        + chain("s", "a", "e")
        + chain("late", "e")
        + "".join(events)
        + "".join(flow(id, "late") for id in ("t", "m", "c") if any(f'"{id}"' in event for event in events))
    )
