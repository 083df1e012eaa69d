"""What can be searched: one `Source` for each kind of row that clients list, and who may see which rows (SQL twins of engine.policy)."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Text, and_, case, cast, exists, false, func, literal, or_, select, true

from engine.changes import NO_RETRIES
from engine.policy import Actor, may_watch
from engine.store import models as m
from engine.store import reads
from engine.store.models import TOKEN_BITS
from engine.store.search import Condition, Source, Special, compare
from engine.store.search_variables import JsonText, with_short_value, with_variable
from engine.store.text_hash import HASH_BITS, hashed_key_column

TENANT = "<default>"
"""The one tenant there is, by Camunda's name for it."""

_tenant = literal(TENANT)
_instance, _definition = m.process_instance, m.process_definition


def element_instance_key(instance_key: ColumnElement[int], token_id: ColumnElement[int]) -> ColumnElement[int]:
    """SQL twin of `models.element_key`."""
    return instance_key * (1 << TOKEN_BITS) + token_id


# ---------------------------------------------------------------------- who sees what
def visible_instances(actor: Actor) -> ColumnElement[bool]:
    """Everything for those who may watch; an applicant's own instances for everybody else."""
    return true() if may_watch(actor) else _instance.c.owner.in_(actor.owns | {actor.username})


def visible_tasks(actor: Actor) -> ColumnElement[bool]:
    """SQL twin of `policy.refusal(actor, "view", task) is None`, plus what the actor has completed."""
    if may_watch(actor):
        return true()
    task = m.user_task.c
    owners = and_(task.owner.is_not(None), task.assignee == task.owner)
    by_owner = true() if actor.can("represent_owner") else task.owner.in_(actor.owns | {actor.username})
    mine = or_(task.assignee == actor.username, task.completed_by == actor.username, reads.is_candidate(actor))
    return or_(and_(owners, by_owner), and_(~func.coalesce(owners, False), mine))


# ---------------------------------------------------------------------- conditions of their own
def _candidate(kind: str) -> Special:
    def holds(condition: Condition) -> ColumnElement[bool]:
        candidate = m.user_task_candidate.c
        here = and_(candidate.task_key == m.user_task.c.key, candidate.kind == kind)
        if condition.operator == "exists":
            return exists().where(here) if condition.value else ~exists().where(here)
        if condition.operator in {"neq", "notIn"}:  # none of the candidates is it
            opposite = Condition(condition.field, "eq" if condition.operator == "neq" else "in", condition.value)
            return ~exists().where(here, compare(candidate.name, opposite))
        return exists().where(here, compare(candidate.name, condition))

    return holds


def no_text() -> ColumnElement[str]:
    """A field that no row has."""
    return literal(None, Text())


def _no_tags(condition: Condition) -> ColumnElement[bool]:
    """Instances carry no tags here, so whoever asks for some finds nothing."""
    return literal(not condition.value)


def _open_incident(condition: Condition) -> ColumnElement[bool]:
    """The instance has an open incident whose message fulfils the condition."""
    incident = m.incident.c
    here = and_(incident.instance_key == _instance.c.key, incident.state == "ACTIVE")
    if condition.operator == "exists":
        return exists().where(here) if condition.value else ~exists().where(here)
    return exists().where(here, compare(incident.message, condition))


def _job_to_retry(condition: Condition) -> ColumnElement[bool]:
    """The instance has a job that failed and will be tried again."""
    failed = exists().where(m.job.c.instance_key == _instance.c.key, failed_before())
    return failed if condition.value else ~failed


def _in_batch(condition: Condition) -> ColumnElement[bool]:
    """The instance was part of a batch operation; its key is compared as text."""
    item = m.batch_item.c
    here = item.instance_key == _instance.c.key
    if condition.operator == "exists":
        return exists().where(here) if condition.value else ~exists().where(here)
    return exists().where(here, compare(cast(item.batch_key, Text), condition))


def _passed_element(condition: Condition) -> ColumnElement[bool]:
    """One passage through an element fulfils every condition of the value: on `element_id`, `state` and `has_incident`."""
    fields = ELEMENT_INSTANCES.fields
    tests = (compare(fields[test.field], test) for test in condition.value)
    return exists().where(_entered.c.instance_key == _instance.c.key, _entered.c.kind == "entered", *tests)


def failed_before() -> ColumnElement[bool]:
    """The job has failed and is to be tried again."""
    return and_(or_(m.job.c.state == "CREATED", m.job.c.state == "ACTIVATED"), m.job.c.error_message.is_not(None))


# ---------------------------------------------------------------------- process instances
_parent_element = case((_instance.c.parent_key.is_not(None), element_instance_key(_instance.c.parent_key, _instance.c.parent_token)))
_instance_state = case((and_(_instance.c.state == "ACTIVE", _instance.c.suspended_at.is_not(None)), "SUSPENDED"), else_=_instance.c.state)
_has_incident = _instance.c.incidents > 0
_definition_columns = (
    _definition.c.name.label("definition_name"),
    _definition.c.version.label("definition_version"),
    _definition.c.version_tag.label("definition_version_tag"),
)
definition_fields: dict[str, ColumnElement[Any]] = {
    "process_definition_id": _definition.c.process_id,
    "process_definition_name": _definition.c.name,
    "process_definition_version": _definition.c.version,
    "process_definition_version_tag": _definition.c.version_tag,
    "process_definition_key": _definition.c.key,
    "tenant_id": _tenant,
}

PROCESS_INSTANCES = Source(
    statement=select(
        _instance,
        *_definition_columns,
        _instance_state.label("shown_state"),
        _parent_element.label("parent_element_key"),
    ).join(_definition, _definition.c.key == _instance.c.definition_key),
    fields={
        **definition_fields,
        "process_instance_key": _instance.c.key,
        "parent_process_instance_key": _instance.c.parent_key,
        "parent_element_instance_key": _parent_element,
        "start_date": _instance.c.started_at,
        "end_date": _instance.c.ended_at,
        "suspended_date": _instance.c.suspended_at,
        "state": _instance_state,
        "has_incident": _has_incident,
        "business_id": _instance.c.business_id,
    },
    keys=(_instance.c.key,),
    special={
        "variables": with_variable(_instance.c.key, 0),
        "tags": _no_tags,
        "error_message": _open_incident,
        "has_retries_left": _job_to_retry,
        "batch_operation_key": _in_batch,
        "element": _passed_element,
    },
    parametrised={"variables": with_short_value(_instance.c.key)},
)


def of_instance(table: Any, *more: Any) -> Any:
    """Rows of a table with what their process instance and its definition say."""
    return (
        select(
            table,
            _instance.c.root_key.label("root"),
            _instance.c.business_id.label("business"),
            _instance.c.definition_key.label("definition"),
            _instance.c.process_id.label("process"),
            *_definition_columns,
            *more,
        )
        .join(_instance, _instance.c.key == table.c.instance_key)
        .join(_definition, _definition.c.key == _instance.c.definition_key)
    )


def element_fields(table: Any) -> dict[str, ColumnElement[Any]]:
    return {
        **definition_fields,
        "process_instance_key": table.c.instance_key,
        "element_instance_key": element_instance_key(table.c.instance_key, table.c.token_id),
    }


# ---------------------------------------------------------------------- user tasks
_task = m.user_task

USER_TASKS = Source(
    statement=select(_task, *_definition_columns).join(_definition, _definition.c.key == _task.c.definition_key),
    fields={
        **definition_fields,
        "process_instance_key": _task.c.instance_key,
        "user_task_key": _task.c.key,
        "element_instance_key": _task.c.key,
        "element_id": _task.c.element_id,
        "name": _task.c.name,
        "state": _task.c.state,
        "assignee": _task.c.assignee,
        "business_id": _task.c.business_id,
        "priority": _task.c.priority,
        "creation_date": _task.c.created_at,
        "completion_date": _task.c.completed_at,
        "follow_up_date": _task.c.follow_up_date,
        "due_date": _task.c.due_date,
    },
    keys=(_task.c.key,),
    special={
        "candidate_group": _candidate("group"),
        "candidate_user": _candidate("user"),
        "process_instance_variables": with_variable(_task.c.instance_key, 0),
        "local_variables": with_variable(_task.c.instance_key, _task.c.key - _task.c.instance_key * (1 << TOKEN_BITS)),
        "tags": _no_tags,
    },
    parametrised={"process_instance_variables": with_short_value(_task.c.instance_key)},
)

# ---------------------------------------------------------------------- jobs
_job = m.job
_job_state = case((_job.c.state == "ACTIVATED", "CREATED"), else_=_job.c.state)
"""An activated job is a created one with a deadline, as Camunda 8 shows it."""

_failed_before = failed_before()
_denied = case((_job.c.state == "COMPLETED", func.coalesce(_job.c.denied, false())))
"""Whether the listener denied; of jobs that no worker has completed nothing is known."""

JOBS = Source(
    statement=of_instance(_job, _job_state.label("shown_state"), _failed_before.label("failed_before"), _denied.label("is_denied")),
    fields={
        **element_fields(_job),
        "job_key": _job.c.key,
        "element_id": _job.c.element_id,
        "type": _job.c.type,
        "kind": _job.c.kind,
        "listener_event_type": func.upper(func.coalesce(_job.c.listener_event, "UNSPECIFIED"), type_=Text()),
        "state": _job_state,
        "retries": _job.c.retries,
        "worker": func.coalesce(_job.c.worker, ""),
        "deadline": _job.c.deadline,
        "error_message": _job.c.error_message,
        "error_code": _job.c.error_code,
        "is_denied": _denied,
        "denied_reason": _job.c.denied_reason,
        "priority": _job.c.priority,
        "creation_time": _job.c.created_at,
        "end_time": _job.c.ended_at,
        "last_update_time": func.coalesce(_job.c.ended_at, _job.c.created_at),
        "has_failed_with_retries_left": _failed_before,
    },
    keys=(_job.c.key,),
)

# ---------------------------------------------------------------------- incidents
_incident = m.incident
_failed_job = (
    select(func.max(_job.c.key))
    .where(
        _job.c.instance_key == _incident.c.instance_key,
        _job.c.token_id == _incident.c.token_id,
        or_(*(_incident.c.kind == kind for kind in NO_RETRIES.values())),
    )
    .scalar_subquery()
)

INCIDENTS = Source(
    statement=of_instance(_incident, _failed_job.label("job_key")),
    fields={
        **element_fields(_incident),
        "incident_key": _incident.c.key,
        "element_id": _incident.c.element_id,
        "error_type": _incident.c.kind,
        "error_message": _incident.c.message,
        "state": _incident.c.state,
        "creation_time": _incident.c.created_at,
        "job_key": _failed_job,
    },
    keys=(_incident.c.key,),
)

# ---------------------------------------------------------------------- variables
_variable = m.variable
_scope_key = case(
    (_variable.c.scope_id == 0, _variable.c.instance_key), else_=element_instance_key(_variable.c.instance_key, _variable.c.scope_id)
)
_variable_key = hashed_key_column(_variable.c.instance_key, cast(_variable.c.scope_id, Text) + literal(":") + _variable.c.name)
_value_text = JsonText(_variable.c.value)
SHOWN_VALUE = 8191
"""Longer values are shown cut off unless the client asks for all of them."""


def _with_variable_key(condition: Condition) -> ColumnElement[bool]:
    """Through the instance's key, which is in the variable's: no table is read through for one variable."""
    test = compare(_variable_key, condition)
    if condition.operator not in {"eq", "in"}:
        return test
    keys = [condition.value] if condition.operator == "eq" else condition.value
    return and_(_variable.c.instance_key.in_([key >> HASH_BITS for key in keys]), test)


VARIABLES = Source(
    statement=of_instance(_variable, _scope_key.label("scope_key"), _variable_key.label("variable_key")).where(
        _variable.c.name.not_like("#%")
    ),
    fields={
        **definition_fields,
        "process_instance_key": _variable.c.instance_key,
        "name": _variable.c.name,
        "value": _value_text,
        "variable_key": _variable_key,
        "scope_key": _scope_key,
        "is_truncated": func.length(_value_text) > SHOWN_VALUE,
    },
    keys=(_variable.c.instance_key, _variable.c.scope_id, _variable.c.name),
    special={"variable_key": _with_variable_key},
)

# ---------------------------------------------------------------------- element instances
_entered = m.element_event
_ended = m.element_event.alias("ended")
_end = (
    select(_ended.c.kind)
    .where(_ended.c.instance_key == _entered.c.instance_key, _ended.c.token_id == _entered.c.token_id, _ended.c.kind != "entered")
    .order_by(_ended.c.id.desc())
    .limit(1)
)
_end_kind = _end.scalar_subquery()
_end_at = _end.with_only_columns(_ended.c.at).scalar_subquery()
_element_state = case(
    (_end_kind.is_(None), "ACTIVE"),
    (_end_kind == "terminated", "TERMINATED"),
    else_="COMPLETED",  # a token that a join took up has done its work
)
_element_incident = (
    select(func.max(_incident.c.key))
    .where(_incident.c.instance_key == _entered.c.instance_key, _incident.c.token_id == _entered.c.token_id, _incident.c.state == "ACTIVE")
    .scalar_subquery()
)
_scope_element = case(
    (_entered.c.scope_id == 0, _entered.c.instance_key), else_=element_instance_key(_entered.c.instance_key, _entered.c.scope_id)
)


def _of_element(condition: Condition) -> ColumnElement[bool]:
    """What only the diagram knows (name, kind): the value is a list of (definition key, element ids) that fulfil the condition."""
    return or_(literal(False), *(and_(_definition.c.key == key, _entered.c.element_id.in_(ids)) for key, ids in condition.value))


ELEMENT_INSTANCES = Source(
    statement=of_instance(
        _entered, _element_state.label("shown_state"), _end_at.label("ended_at"), _element_incident.label("incident_key")
    ).where(_entered.c.kind == "entered"),
    fields={
        **element_fields(_entered),
        "element_id": _entered.c.element_id,
        "state": _element_state,
        "start_date": _entered.c.at,
        "end_date": _end_at,
        "incident_key": _element_incident,
        "has_incident": _element_incident.is_not(None),
        "element_instance_scope_key": _scope_element,
    },
    keys=(_entered.c.id,),
    special={"of_element": _of_element},
)
