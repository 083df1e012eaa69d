"""Outside events that a project awaits: what the buttons 登记出让合同, 报告开工, 整改完成, 申请撤回 report."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row
from sqlalchemy.orm import Session

from engine.commands import correlate_subscription, event_form, may_report
from engine.definitions import form_schema, process_definition, process_model
from engine.errors import Conflict, NotFound
from engine.policy import Actor
from engine.store import reads
from engine.views import visible_variables
from handlers.projects import service as projects

WITHDRAWAL_FORM = "withdrawal"


class NotAwaited(NotFound):
    """这件事已经登记，或者流程不再等待它；请刷新页面查看进展。

    This has been reported already, or the flow no longer waits for it; reload the page to see how it stands.
    """


@dataclass(frozen=True, slots=True)
class AwaitedEvent:
    """An event that the diagrams wait for now. `may_report`: whether this person may; `schema` is None without a form.

    `exit`: it ends or interrupts the flow (withdrawal, stop) instead of moving it on.
    """

    key: int
    name: str
    element_id: str
    process_name: str
    may_report: bool
    schema: dict[str, Any] | None
    data: dict[str, Any]
    legal_basis: str
    exit: bool


def awaited_events(session: Session, actor: Actor, project_id: int | str) -> list[AwaitedEvent]:
    """Every outside event that the project's flows wait for, those that move it on first. NotFound without access to the project."""
    project = projects.get_project(session, actor, project_id)
    found = []
    for row in reads.subscriptions_of_business(session, str(project.id)):
        if row.properties.get("outsideEvent") != "true" or _is_being_answered(session, row):
            continue
        instance = reads.instance(session, row.instance_key)
        allowed = may_report(actor, row, instance.owner)
        form = event_form(session, row) if allowed else None
        found.append(
            AwaitedEvent(
                key=row.key,
                name=row.element_name or row.message_name,
                element_id=row.element_id,
                process_name=process_definition(session, instance.definition_key).name,
                may_report=allowed,
                schema=form_schema(session, form.key) if form is not None else None,
                data=visible_variables(session, row.key) if form is not None else {},
                legal_basis=row.properties.get("legalBasis", ""),
                exit=row.properties.get("formId") == WITHDRAWAL_FORM,
            )
        )
    return sorted(found, key=lambda event: (event.exit, event.key))


def report_event(session: Session, actor: Actor, project_id: int | str, subscription_key: int, values: Mapping[str, Any]) -> None:
    """Report one awaited event of the project.

    Raises NotAwaited when it is awaited no more, Conflict for a withdrawal that was asked for already, Forbidden, FormInvalid.
    """
    project = projects.get_project(session, actor, project_id)
    awaited = reads.subscriptions_of_business(session, str(project.id))
    subscription = next((row for row in awaited if row.key == subscription_key), None)
    if subscription is None:
        raise NotAwaited()
    reads.lock_root(session, subscription.instance_key)  # of two clicks the second one sees what the first one did
    if _is_being_answered(session, subscription):
        raise Conflict(reason=f"“{subscription.element_name}”已提交，正在处理")
    correlate_subscription(session, actor, subscription_key, values)


def _is_being_answered(session: Session, subscription: Row[Any]) -> bool:
    """Whether a withdrawal was asked for and nobody has answered yet: the diagram goes on listening, but one request is enough."""
    if subscription.properties.get("formId") != WITHDRAWAL_FORM:
        return False
    instance = reads.instance(session, subscription.instance_key)
    elements = process_model(session, instance.definition_key).elements
    event = elements.get(subscription.element_id)
    if event is None or not event.parent:
        return False
    tasks = reads.open_tasks_of_instance(session, subscription.instance_key)
    return any(task.element_id in elements and elements[task.element_id].parent == event.parent for task in tasks)
