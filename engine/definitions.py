"""Parsed definitions, cached: they never change once deployed, so every instance and every command shares them."""

from __future__ import annotations

from typing import Any

import orjson
from sqlalchemy import Row
from sqlalchemy.orm import Session

from engine.bpmn import ProcessModel, parse
from engine.changes import Binding
from engine.dmn import DecisionModel, parse_dmn
from engine.runtime import runtime_of
from engine.store import definitions
from engine.store.definitions import Kind, by_key, resource_content


def process_definition(session: Session, key: int) -> Row[Any]:
    """The row of a process definition; cached, because it never changes."""
    row: Row[Any] = runtime_of(session).definitions.get(key, lambda: by_key(session, "process", key))
    return row


def bound_key(
    session: Session, kind: Kind, identifier: str, binding: Binding, deployment_key: int, version_tag: str | None = None
) -> int | None:
    """The key of the definition that a reference with this binding means; what belongs to a deployment is cached, it never changes."""
    if binding != "deployment":
        return definitions.bound_key(session, kind, identifier, binding, deployment_key, version_tag)
    found: int | None = runtime_of(session).bindings.get(
        (deployment_key, kind, identifier),
        lambda: definitions.bound_key(session, kind, identifier, binding, deployment_key),
    )
    return found


def process_model(session: Session, definition_key: int) -> ProcessModel:
    """The parsed process of a definition; cached, because it never changes."""

    def build() -> ProcessModel:
        row = process_definition(session, definition_key)
        models = parse(resource_content(session, row.resource_key), row.resource_name)
        return next(model for model in models if model.process_id == row.process_id)

    model: ProcessModel = runtime_of(session).models.get(definition_key, build)
    return model


def decision_model(session: Session, row: Row[Any]) -> DecisionModel:
    """The parsed requirements graph of a decision definition's row; cached by its resource."""

    def build() -> DecisionModel:
        return parse_dmn(resource_content(session, row.resource_key), row.resource_name)

    model: DecisionModel = runtime_of(session).decisions.get(row.resource_key, build)
    return model


def form_schema(session: Session, form_key: int) -> dict[str, Any]:
    """The form-js schema of a form version; cached. Callers must not change it."""

    def build() -> dict[str, Any]:
        schema: dict[str, Any] = orjson.loads(by_key(session, "form", form_key).body)
        return schema

    schema: dict[str, Any] = runtime_of(session).forms.get(form_key, build)
    return schema
