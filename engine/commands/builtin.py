"""The job types that the engine itself brings: what Camunda 8 leaves to a worker although every process needs it."""

from __future__ import annotations

from typing import Any

from engine.commands.messages import insert_message
from engine.errors import Invalid
from engine.jobs.registry import HandlerRegistry, JobContext
from engine.policy import SYSTEM, Actor

registry = HandlerRegistry()


@registry.handler(
    "publish_message",
    transactional=True,
    inputs=("messageName", "correlationKey", "messageVariables"),
)
def publish(job: JobContext) -> dict[str, Any]:
    """发送消息：发布一条消息，提交后送达等待者。

    `messageName` and `correlationKey` are required; `messageVariables` is the message's content. The message carries on the sender's
    business id and owner, so an instance that it starts belongs to the same project and applicant.
    """
    name, key = job.variables.get("messageName"), job.variables.get("correlationKey")
    content = job.variables.get("messageVariables")
    if not isinstance(name, str) or not name:
        raise Invalid(reason="发送消息缺少 messageName")
    if key is None or isinstance(key, (dict, list)):
        raise Invalid(reason="发送消息缺少 correlationKey")
    insert_message(
        job.session,
        Actor(job.actor, powers=SYSTEM.powers),
        "message",
        name,
        str(key),
        content if isinstance(content, dict) else {},
        business_id=job.business_id,
        owner=job.owner,
        source_key=job.instance_key,
    )
    return {}
