"""Which stage a process belongs to: the diagram's property `stage`, read from the newest deployed versions."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy.orm import Session

from engine.definitions import process_model
from engine.store import definitions


def stage_processes(session: Session) -> Mapping[str, frozenset[str]]:
    """Stage code -> ids of the deployed processes that carry it."""
    found: dict[str, set[str]] = {}
    for row in definitions.latest_versions(session, "process"):
        stage = process_model(session, row.key).properties.get("stage")
        if stage:
            found.setdefault(stage, set()).add(row.process_id)
    return {stage: frozenset(processes) for stage, processes in found.items()}


def stage_of_process(session: Session, definition_key: int) -> str:
    """The stage of one process definition, "" when it belongs to none."""
    return process_model(session, definition_key).properties.get("stage", "")
