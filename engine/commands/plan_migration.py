"""Plan a migration of running instances to another process definition, and try it without changing anything."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.bpmn import Instance, Pending
from engine.bpmn.migration import Instructions, MigrationRefused, Plan, counterparts, make_plan, migrate, suggestions
from engine.changes import JobOpened, StoredState
from engine.commands.environment import CommandEnvironment
from engine.definitions import process_definition, process_model
from engine.errors import Invalid, LianbanError
from engine.findings import Finding
from engine.policy import Actor, require
from engine.store import definitions, reads
from engine.store import models as m

TRIALS = 1_000
"""Instances one trial looks at, unless they are named."""


@dataclass(frozen=True, slots=True)
class DefinitionRef:
    """A process definition as people name it."""

    key: int
    process_id: str
    version: int
    version_tag: str
    name: str


@dataclass(frozen=True, slots=True)
class MigrationPlan:
    """A plan with what it is about. `instances`: how many live instances the source has; `open_tasks`: element id -> open user tasks;
    `counterparts`: source element id -> the target's elements of the same type."""

    source: DefinitionRef
    target: DefinitionRef
    plan: Plan
    instances: int
    open_tasks: dict[str, int]
    counterparts: dict[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Trial:
    """What would happen to one instance. `findings` say why not, empty when it can be migrated."""

    instance_key: int
    business_id: str | None
    findings: tuple[Finding, ...]

    @property
    def ok(self) -> bool:
        return not self.findings


def plan_migration(
    session: Session, actor: Actor, source_key: int, target_key: int, instructions: Instructions | None = None
) -> MigrationPlan:
    """The completed mapping and the difference of two definitions. Raises Forbidden, NotFound, Invalid (source and target are the same)."""
    require(actor, "operate", "deploy")
    plan = plan_between(session, source_key, target_key, instructions)
    return MigrationPlan(
        source=definition_ref(session, source_key),
        target=definition_ref(session, target_key),
        plan=plan,
        instances=len(live_instances(session, source_key)),
        open_tasks=definitions.active_elements(session, source_key),
        counterparts=counterparts(process_model(session, source_key), process_model(session, target_key)),
    )


def plan_between(session: Session, source_key: int, target_key: int, instructions: Instructions | None) -> Plan:
    """The plan alone, for who has asked already whether the actor may."""
    if source_key == target_key:
        raise Invalid(reason="原版本与目标版本相同")
    return make_plan(process_model(session, source_key), process_model(session, target_key), instructions)


def suggest_mapping(session: Session, actor: Actor, source_key: int, target_key: int) -> dict[str, str]:
    """What may correspond although the ids differ: see engine.bpmn.migration.suggest. Raises Forbidden, NotFound."""
    require(actor, "operate", "deploy")
    return suggestions(process_model(session, source_key), process_model(session, target_key))


def try_migration(
    session: Session,
    actor: Actor,
    source_key: int,
    target_key: int,
    instructions: Instructions | None = None,
    instance_keys: Iterable[int] | None = None,
) -> list[Trial]:
    """Migrate every instance (or the named ones) in memory only: what would be refused, and why. No handler runs, nothing is written.

    Without names the oldest 1,000 live instances of the source are tried.
    """
    require(actor, "operate", "deploy")
    plan = plan_between(session, source_key, target_key, instructions)
    keys = live_instances(session, source_key)[:TRIALS] if instance_keys is None else list(instance_keys)
    return [_try(session, key, source_key, target_key, plan) for key in keys]


def live_instances(session: Session, definition_key: int) -> list[int]:
    """Keys of the live instances of a definition, oldest first."""
    c = m.process_instance.c
    return list(session.scalars(select(c.key).where(c.definition_key == definition_key, c.state == "ACTIVE").order_by(c.key)))


class _Rehearsal(CommandEnvironment):
    """The world around an instance that is only tried: expressions and decisions are evaluated, no handler runs."""

    def perform(self, job: JobOpened) -> Pending:
        return Pending()


def _try(session: Session, key: int, source_key: int, target_key: int, plan: Plan) -> Trial:
    row = reads.instance_row(session, key)
    if row.definition_key != source_key:
        zh, en = "实例不在原版本上", "the instance does not run on the source version"
        return Trial(key, row.business_id, (Finding("other-version", "error", zh, en),))
    target = process_definition(session, target_key)
    environment = _Rehearsal(session, row, target.deployment_key, "")
    stored = StoredState(row.header, reads.token_rows(session, key), reads.variable_rows(session, key))
    try:
        live = Instance.load(process_model(session, source_key), stored, environment)
        migrated = migrate(live, process_model(session, target_key), plan)
    except MigrationRefused as refused:
        return Trial(key, row.business_id, tuple(refused.findings))
    except LianbanError as error:  # what an expression of the new model runs into
        return Trial(key, row.business_id, (Finding(error.code, "error", error.message(), error.message("en")),))
    return Trial(key, row.business_id, tuple(missing_forms(session, target.deployment_key, migrated.tasks)))


def missing_forms(session: Session, deployment_key: int, tasks: list[Any]) -> list[Finding]:
    """Refreshed tasks whose new form is not deployed."""
    found = []
    for task in tasks:
        if (
            task.form_id
            and definitions.bound(session, "form", task.form_id, task.form_binding, deployment_key, task.form_version_tag) is None
        ):
            zh, en = f"没有部署表单“{task.form_id}”", f"form {task.form_id} is not deployed"
            found.append(Finding("form-not-found", "error", zh, en, element_id=task.element_id, element_name=task.name))
    return found


def definition_ref(session: Session, key: int) -> DefinitionRef:
    """A definition's name and version. NotFound when there is none."""
    row = process_definition(session, key)
    return DefinitionRef(row.key, row.process_id, row.version, row.version_tag or "", row.name)
