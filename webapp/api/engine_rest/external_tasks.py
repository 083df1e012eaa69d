"""External tasks: Camunda 7's name for jobs that outside workers take by topic. The topic is the job's type."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import Field
from sqlalchemy import select
from sqlalchemy.orm import Session
from typing_extensions import TypedDict

from engine import commands
from engine.commands.work_jobs import MAX_RETRIES, free
from engine.definitions import process_definition
from engine.errors import Invalid, NotFound
from engine.policy import Actor, require
from engine.store import models as m
from engine.store import reads
from engine.store.models import element_key
from webapp.api.engine_rest import engine_rest
from webapp.api.engine_rest.values import TypedValue, instant, plain, typed
from webapp.api.types import Body, Json, LongText, Name
from webapp.api.waiting import waiting
from webapp.context import actor, engine

MAX_LEASE_MS = 7 * 24 * 3600 * 1000
DEFAULT_RETRIES = 3
Lease = Annotated[int, Field(ge=1, le=MAX_LEASE_MS)]


class NotYours(Invalid):
    """外部任务 {key} 没有被“{worker}”锁定。

    External task {key} is not locked by "{worker}".
    """

    code = "invalid_argument"
    status = 400


class Topic(Body):
    """A kind of job, and how much of it the worker wants to know."""

    topic_name: Name
    lock_duration: Lease
    variables: list[Name] | None = Field(None, max_length=200)
    local_variables: bool | None = None
    process_variables: dict[str, Json] | None = None
    business_key: str | None = None
    process_definition_id: str | None = None
    process_definition_id_in: list[str] | None = Field(None, max_length=200)
    process_definition_key: str | None = None
    process_definition_key_in: list[str] | None = Field(None, max_length=200)
    process_definition_version_tag: str | None = None
    tenant_id_in: list[str] | None = Field(None, max_length=20)
    without_tenant_id: bool | None = None
    deserialize_values: bool | None = None
    include_extension_properties: bool | None = None


class Sorting(Body):
    """In which order; jobs come oldest first whatever is asked."""

    sort_by: Literal["createTime"] | None = None
    sort_order: Literal["asc", "desc"] | None = None


class FetchAndLock(Body):
    """How many jobs of which topics; `asyncResponseTimeout`: how many milliseconds to wait for one."""

    worker_id: Name
    max_tasks: Annotated[int, Field(ge=1, le=1000)]
    use_priority: bool | None = None
    create_time: Literal["asc", "desc"] | None = None
    sorting: list[Sorting] | None = Field(None, max_length=5)
    async_response_timeout: Annotated[int, Field(ge=0, le=1_800_000)] | None = None
    topics: list[Topic] | None = Field(None, max_length=100)


class ExternalTask(TypedDict):
    """A locked job."""

    id: str
    topicName: str
    workerId: str
    lockExpirationTime: str | None
    activityId: str
    activityInstanceId: str
    executionId: str
    processInstanceId: str
    processDefinitionId: str
    processDefinitionKey: str
    processDefinitionVersionTag: str | None
    retries: int | None
    suspended: bool
    errorMessage: str | None
    errorDetails: str | None
    tenantId: str | None
    priority: int
    businessKey: str | None
    createTime: str | None
    extensionProperties: dict[str, str]
    variables: dict[str, Json]


@engine_rest.operation("POST", "/external-task/fetchAndLock", tag="externalTask", body=FetchAndLock, answers={200: list[ExternalTask]})
def fetch_and_lock(body: FetchAndLock) -> Any:
    """领取并锁定外部任务 / take and lock external tasks. 需要“流程运维”权限。"""
    who = actor()
    require(who, "operate")
    found = waiting().until(lambda: _fetch(who, body), (body.async_response_timeout or 0) / 1000)
    return found or []


def _fetch(who: Actor, body: FetchAndLock) -> list[ExternalTask] | None:
    topics = body.topics or []
    with engine().reading() as session:  # readers do not wait in line for SQLite's one writer
        names = [topic.topic_name for topic in topics]
        if session.scalar(select(m.job.c.key).where(m.job.c.type.in_(names), free()).limit(1)) is None:
            return None
    tasks: list[ExternalTask] = []
    with engine().unit_of_work() as session:
        for topic in topics:
            left = body.max_tasks - len(tasks)
            if left > 0:
                lease = timedelta(milliseconds=topic.lock_duration)
                rows = commands.activate_jobs(session, who, topic.topic_name, worker=body.worker_id[:100], timeout=lease, limit=left)
                tasks += [_task(session, row, topic) for row in rows]
    return tasks or None


def _task(session: Session, job: Any, topic: Topic) -> ExternalTask:
    instance = reads.instance(session, job.instance_key)
    definition = process_definition(session, instance.definition_key)
    execution = str(element_key(job.instance_key, job.token_id))
    return {
        "id": str(job.key),
        "topicName": job.type,
        "workerId": job.worker or "",
        "lockExpirationTime": instant(job.deadline),
        "activityId": job.element_id,
        "activityInstanceId": f"{job.element_id}:{execution}",
        "executionId": execution,
        "processInstanceId": str(job.instance_key),
        "processDefinitionId": str(instance.definition_key),
        "processDefinitionKey": instance.process_id,
        "processDefinitionVersionTag": definition.version_tag,
        "retries": job.retries if job.error_message is not None else None,
        "suspended": False,
        "errorMessage": job.error_message,
        "errorDetails": None,
        "tenantId": None,
        "priority": 0,
        "businessKey": instance.business_id,
        "createTime": instant(job.created_at),
        "extensionProperties": job.headers if topic.include_extension_properties else {},
        "variables": {name: typed(value) for name, value in job.variables.items() if topic.variables is None or name in topic.variables},
    }


class WorkerBody(Body):
    """Who reports."""

    worker_id: Name


class CompleteTask(WorkerBody):
    """The work's result."""

    variables: dict[str, TypedValue] | None = None
    local_variables: dict[str, TypedValue] | None = None


@engine_rest.operation("POST", "/external-task/<key:task>/complete", tag="externalTask", body=CompleteTask, answers={204: None})
def complete_external_task(task: int, body: CompleteTask) -> None:
    """外部任务完成 / the work is done."""
    variables = plain(body.variables)
    with engine().unit_of_work() as session:
        _check(session, task, body.worker_id)
        commands.complete_job(session, actor(), task, variables)


class FailTask(WorkerBody):
    """Why; how many tries are left (three less one when it is not said), and when the next one may begin."""

    error_message: LongText | None = None
    error_details: Annotated[str, Field(max_length=1_000_000)] | None = None
    retries: Annotated[int, Field(ge=0, le=MAX_RETRIES)] | None = None
    retry_timeout: Annotated[int, Field(ge=0, le=366 * 24 * 3600 * 1000)] | None = None
    variables: dict[str, TypedValue] | None = None
    local_variables: dict[str, TypedValue] | None = None


@engine_rest.operation("POST", "/external-task/<key:task>/failure", tag="externalTask", body=FailTask, answers={204: None})
def fail_external_task(task: int, body: FailTask) -> None:
    """外部任务失败 / the work failed."""
    back_off = timedelta(milliseconds=body.retry_timeout or 0)
    with engine().unit_of_work() as session:
        _check(session, task, body.worker_id)
        retries = DEFAULT_RETRIES - 1 if body.retries is None else body.retries
        commands.fail_job(session, actor(), task, retries=retries, message=body.error_message or "", back_off=back_off)


class ThrowError(WorkerBody):
    """A BPMN error."""

    error_code: Name
    error_message: LongText | None = None
    variables: dict[str, TypedValue] | None = None


@engine_rest.operation("POST", "/external-task/<key:task>/bpmnError", tag="externalTask", body=ThrowError, answers={204: None})
def throw_external_task_error(task: int, body: ThrowError) -> None:
    """外部任务抛出业务错误 / the work ended in a BPMN error."""
    variables = plain(body.variables)
    with engine().unit_of_work() as session:
        _check(session, task, body.worker_id)
        commands.throw_job_error(session, actor(), task, body.error_code, body.error_message or "", variables)


class ExtendLock(WorkerBody):
    """How many milliseconds from now."""

    new_duration: Lease


@engine_rest.operation("POST", "/external-task/<key:task>/extendLock", tag="externalTask", body=ExtendLock, answers={204: None})
def extend_lock(task: int, body: ExtendLock) -> None:
    """延长锁定 / keep the lock longer."""
    with engine().unit_of_work() as session:
        _check(session, task, body.worker_id)
        commands.extend_job(session, actor(), task, timeout=timedelta(milliseconds=body.new_duration))


class Unlock(Body):
    """Nothing is needed."""


@engine_rest.operation("POST", "/external-task/<key:task>/unlock", tag="externalTask", body=Unlock, body_optional=True, answers={204: None})
def unlock(task: int, body: Unlock) -> None:
    """解除锁定 / give the lock back: another worker may take the job at once."""
    with engine().unit_of_work() as session:
        commands.release_job(session, actor(), task)


def _check(session: Session, task: int, worker: str) -> None:
    """Only who holds the lock may report. Raises NotFound, NotYours."""
    require(actor(), "operate")
    job = session.execute(select(m.job.c.worker, m.job.c.state).where(m.job.c.key == task)).first()
    if job is None:
        raise NotFound(what="外部任务", key=task)
    if job.state == "ACTIVATED" and job.worker != worker[:100]:
        raise NotYours(key=task, worker=worker)
