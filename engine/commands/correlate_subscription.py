"""Report an outside event to the one place that waits for it: the buttons 登记出让合同, 开工报告, 整改完成, 撤回申请, ..."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Row
from sqlalchemy.orm import Session

from engine.commands.environment import feel_environment
from engine.commands.root_run import RootRun
from engine.definitions import form_schema
from engine.errors import Forbidden, NotFound
from engine.forms import validate_submission
from engine.policy import Actor
from engine.store import audit, definitions, reads
from engine.store.models import split_key


def may_report(actor: Actor, subscription: Row[Any], owner: str | None) -> bool:
    """Whether the diagram lets this person report the event: property `groups`, where "applicant" means the case's owner."""
    if subscription.properties.get("outsideEvent") != "true":
        return actor.can("operate")
    groups = {g.strip() for g in subscription.properties.get("groups", "").split(",")}
    is_owner = owner is not None and (owner in actor.owns | {actor.username} or actor.can("represent_owner"))
    return bool(groups & actor.groups) or ("applicant" in groups and is_owner)


def event_form(session: Session, subscription: Row[Any]) -> Row[Any] | None:
    """The form version that an awaited event asks for, from the deployment of the waiting instance."""
    form_id = subscription.properties.get("formId")
    if not form_id:
        return None
    instance = reads.instance(session, subscription.instance_key)
    definition = definitions.by_key(session, "process", instance.definition_key)
    form = definitions.bound(session, "form", form_id, "deployment", definition.deployment_key)
    return form or definitions.latest(session, "form", form_id)


def correlate_subscription(session: Session, actor: Actor, subscription_key: int, submission: Mapping[str, Any]) -> None:
    """Deliver the event with its form's data to the waiting token.

    Raises NotFound when it is awaited no more, Forbidden, FormInvalid. Nothing is changed then.
    """
    instance_key, token_id = split_key(subscription_key)
    run = RootRun.locked(session, actor, instance_key)
    subscription = reads.subscription(session, subscription_key)
    owner = run.row(instance_key).owner
    if not may_report(actor, subscription, owner):
        raise Forbidden(reason=f"您不能登记“{subscription.element_name}”")
    live = run.instance(instance_key)
    clean = dict(submission)
    form = event_form(session, subscription)
    if form is not None:
        clean = validate_submission(form_schema(session, form.key), clean, live.variables(token_id), feel_environment(session))
    elif subscription.properties.get("formId"):
        raise NotFound(what="表单", key=subscription.properties["formId"])
    live.correlate(token_id, clean)
    audit.record(
        session,
        actor,
        "event.reported",
        root_key=subscription.root_key,
        instance_key=instance_key,
        element_id=subscription.element_id,
        business_id=subscription.business_id,
        data={"name": subscription.element_name, "message": subscription.message_name, "values": clean},
    )
    run.finish()
