"""Move one running instance to another process definition (Camunda 8: process instance migration). Rules: engine.bpmn.migration.plan."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy.orm import Session

from engine import clock
from engine.bpmn.migration import Instructions, MigrationRefused, migrate
from engine.commands.environment import CommandEnvironment
from engine.commands.message_starts import carry_start_key
from engine.commands.plan_migration import missing_forms, plan_between
from engine.commands.root_run import RootRun
from engine.definitions import process_definition, process_model
from engine.errors import Conflict, Invalid
from engine.policy import Actor, require
from engine.runtime import runtime_of
from engine.store import audit, history, relocation
from engine.store import models as m
from engine.store.upserting import insert_row

SIDE_EFFECTS = "迁移时流程已经向前走了一步，无法撤销"


def read_migration(body: Mapping[str, Any]) -> tuple[int, Instructions]:
    """(key of the target definition, instructions) of Camunda 8's request body (REST v2, process-instances/{key}/migration).

    Only what it maps is mapped. Raises Invalid with the place of the mistake.
    """
    target, given = body.get("targetProcessDefinitionKey"), body.get("mappingInstructions")
    if not isinstance(target, (str, int)) or isinstance(target, bool) or not str(target).isdecimal():
        raise Invalid(reason=f"targetProcessDefinitionKey 不是流程定义的编号（not a key）：{target}")
    if not isinstance(given, list):
        raise Invalid(reason="mappingInstructions 应是列表（a list）")
    mapping: dict[str, str | None] = {}
    for each in given:
        pair = (each.get("sourceElementId"), each.get("targetElementId")) if isinstance(each, dict) else (None, None)
        if not all(isinstance(name, str) and name for name in pair):
            raise Invalid(reason="mappingInstructions 的每一项应有 sourceElementId 和 targetElementId（both are needed）")
        if pair[0] in mapping:
            raise Invalid(reason=f"{pair[0]} 映射了两次（is mapped twice）")
        mapping[str(pair[0])] = str(pair[1])
    return int(target), Instructions(mapping, propose=False)


def migrate_instance(
    session: Session,
    actor: Actor,
    instance_key: int,
    target_key: int,
    instructions: Instructions | None = None,
    *,
    source_key: int | None = None,
    batch_key: int | None = None,
) -> int:
    """Migrate the instance -> key of the migration, which `undo_migration` takes. A called instance is migrated by itself.

    `source_key`: refuse when the instance is no longer on this definition. A suspended instance stays suspended. Raises Forbidden,
    NotFound, Conflict (ended, on another version, or its correlation key is taken in the target process), MigrationRefused with every
    finding; nothing is changed then.
    """
    require(actor, "operate", "deploy")
    run = RootRun.locked(session, actor, instance_key, suspended_too=True)
    row = run.row(instance_key)
    if row.state != "ACTIVE":
        raise Conflict(reason="流程已经结束，不能迁移")
    if row.definition_key == target_key or (source_key is not None and row.definition_key != source_key):
        raise Conflict(reason="流程已不在要迁移的版本上")
    source, target = row.definition_key, process_definition(session, target_key)
    plan = plan_between(session, source, target_key, instructions)
    kept, last_event = relocation.backup(session, instance_key), history.last_element_event(session, instance_key)
    live = run.instance(instance_key)
    live.env = CommandEnvironment(session, row, target.deployment_key, actor.username)
    migrated = migrate(live, process_model(session, target_key), plan)
    missing = missing_forms(session, target.deployment_key, migrated.tasks)
    if missing:
        raise MigrationRefused(missing)
    carry_start_key(session, row, target.process_id)
    relocation.rewrite(session, row, target.key, target.process_id, migrated.renamed)
    run.replace(instance_key, migrated.instance)
    run.finish()
    forms = {task.token_id: run.form(row, task) for task in migrated.tasks if task.form_id}
    relocation.refresh_tasks(session, instance_key, migrated.tasks, forms)
    relocation.refresh_waits(session, instance_key, migrated.waits)
    runtime = runtime_of(session)
    for job_key, job_type in relocation.refresh_jobs(session, instance_key, migrated.jobs):
        if runtime.handlers.get(job_type) is not None:
            runtime.jobs.enqueue(session, "run_job", job_key)
    key = insert_row(
        session,
        m.instance_migration,
        {
            "instance_key": instance_key,
            "source_key": source,
            "target_key": target.key,
            "mapping": {**plan.flows, **plan.mapping},
            "version": row.version,
            "last_event": last_event,
            "backup": kept,
            "not_undoable": SIDE_EFFECTS if migrated.side_effects else None,
            "batch_key": batch_key,
            "at": clock.now(),
            "by": actor.username,
        },
    )
    audit.record(
        session,
        actor,
        "instance.migrated",
        root_key=row.root_key,
        instance_key=instance_key,
        business_id=row.business_id,
        data={
            "migrationKey": str(key),
            "fromKey": str(source),
            "toKey": str(target.key),
            "processId": target.process_id,
            "version": target.version,
            "mapping": {old: new for old, new in plan.mapping.items() if old != new},
        },
    )
    return key
