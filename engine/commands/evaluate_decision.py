"""Evaluate a deployed decision outside any diagram: services ask tables, analysts try them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from engine.commands.environment import feel_environment
from engine.definitions import decision_model
from engine.dmn import DecisionResult
from engine.errors import NotFound
from engine.store import definitions


def evaluate_decision(session: Session, decision_id: str, context: Mapping[str, Any], *, as_of: datetime | None = None) -> DecisionResult:
    """The latest version's result and trace, of those deployed by `as_of` if that is given; NotFound when there is no such decision."""
    row = definitions.latest_by(session, "decision", decision_id, as_of) if as_of else definitions.latest(session, "decision", decision_id)
    if row is None:
        raise NotFound(what="决策", key=decision_id)
    return decision_model(session, row).evaluate(decision_id, context, feel_environment(session))
