"""Jobs for outside workers: take some, report each as done, failed or ended in a BPMN error; look for them."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any, Literal

import orjson
from pydantic import Field, StringConstraints
from sqlalchemy import select
from sqlalchemy.orm import Session
from typing_extensions import TypedDict

from engine import commands
from engine.commands.work_jobs import free
from engine.definitions import process_definition
from engine.policy import require
from engine.store import models as m
from engine.store import reads
from engine.store.models import element_key
from webapp.api.rendering import instant, key
from webapp.api.types import (
    TENANT,
    Body,
    Json,
    KeyText,
    LongText,
    Moment,
    Name,
    OperationReference,
    ShortText,
    Tenant,
    Timestamp,
    Variables,
    Whole,
)
from webapp.api.v2 import v2
from webapp.api.waiting import waiting
from webapp.context import actor, engine

TOLD = "io.camunda.zeebe:"
"""What the headers of a task listener's job begin with that tell of the task."""
DEFAULT_WAIT_SECONDS = 10.0
MAX_LEASE_MS = 7 * 24 * 3600 * 1000

Kind = Literal["BPMN_ELEMENT", "EXECUTION_LISTENER", "TASK_LISTENER", "AD_HOC_SUB_PROCESS"]
ListenerEvent = Literal[
    "UNSPECIFIED", "START", "END", "CREATING", "ASSIGNING", "UPDATING", "COMPLETING", "CANCELING", "BEFORE_ALL", "CANCEL"
]
State = Literal[
    "CREATED",
    "COMPLETED",
    "FAILED",
    "CANCELED",
    "ERROR_THROWN",
    "TIMED_OUT",
    "RETRIES_UPDATED",
    "MIGRATED",
    "PRIORITY_UPDATED",
    "TIMEOUT_UPDATED",
]
Retries = Annotated[int, Field(ge=0, le=1000)]


class ActivateJobs(Body):
    """Which jobs, how many, for how many milliseconds. `requestTimeout`: how long to wait for one; 0: 10 seconds, negative: not at all."""

    type: Name
    worker: ShortText | None = None
    timeout: Annotated[int, Field(ge=1, le=MAX_LEASE_MS)]
    max_jobs_to_activate: Annotated[int, Field(ge=1, le=1000)]
    fetch_variable: list[Name] | None = Field(None, max_length=200)
    request_timeout: Annotated[int, Field(ge=-(2**31), le=600_000)] | None = None
    tenant_ids: list[Tenant] | None = Field(None, max_length=20)
    tenant_filter: Literal["PROVIDED", "ASSIGNED"] | None = None
    with_lease: Literal[False] | None = None


class ListenedTask(TypedDict):
    """The user task of a listener's job, as it will be when the listener agrees; empty where the task does not exist yet."""

    action: str
    assignee: str | None
    candidateGroups: list[str]
    candidateUsers: list[str]
    changedAttributes: list[str]
    dueDate: Timestamp | None
    followUpDate: Timestamp | None
    formKey: KeyText | None
    priority: int | None
    userTaskKey: KeyText | None


class ActivatedJob(TypedDict):
    """A job in the hands of a worker. `deadline`: milliseconds since 1970."""

    type: str
    processDefinitionId: str
    processDefinitionVersion: int
    elementId: str
    customHeaders: dict[str, Json]
    worker: str
    retries: int
    deadline: int
    variables: dict[str, Json]
    tenantId: str
    physicalTenantId: str
    jobKey: KeyText
    processInstanceKey: KeyText
    processDefinitionKey: KeyText
    elementInstanceKey: KeyText
    kind: Kind
    listenerEventType: ListenerEvent
    userTask: ListenedTask | None
    tags: list[str]
    rootProcessInstanceKey: KeyText | None
    businessId: str | None
    priority: int
    jobLeaseToken: str | None


class ActivatedJobs(TypedDict):
    """What the worker got."""

    jobs: list[ActivatedJob]


@v2.operation("POST", "/jobs/activation", tag="job", body=ActivateJobs, answers={200: ActivatedJobs})
def activate_jobs(body: ActivateJobs) -> Any:
    """领取作业 / take jobs, waiting until there is one. 需要“流程运维”权限。"""
    require(actor(), "operate")
    wait = DEFAULT_WAIT_SECONDS if not body.request_timeout else body.request_timeout / 1000
    who = actor()
    jobs = waiting().until(lambda: _activate(who, body), wait)
    return {"jobs": jobs or []}


def _activate(who: Any, body: ActivateJobs) -> list[ActivatedJob] | None:
    """Some jobs, or None. A look at the table comes first: writing transactions wait in line on SQLite, readers do not."""
    with engine().reading() as session:
        if session.scalar(select(m.job.c.key).where(m.job.c.type == body.type, free()).limit(1)) is None:
            return None
    with engine().unit_of_work() as session:
        worker = (body.worker or "")[:100]
        timeout = timedelta(milliseconds=body.timeout)
        rows = commands.activate_jobs(session, who, body.type, worker=worker, timeout=timeout, limit=body.max_jobs_to_activate)
        found = [activated(session, row, body.fetch_variable) for row in rows]
    return found or None


def activated(session: Session, job: Any, fetch: list[str] | None) -> ActivatedJob:
    """A row of the job table as its worker sees it; `fetch`: the variables it wants, all when there are none."""
    instance = reads.instance(session, job.instance_key)
    definition = process_definition(session, instance.definition_key)
    variables = {name: value for name, value in job.variables.items() if not fetch or name in fetch}
    return {
        "type": job.type,
        "processDefinitionId": instance.process_id,
        "processDefinitionVersion": definition.version,
        "elementId": job.element_id,
        "customHeaders": job.headers,
        "worker": job.worker or "",
        "retries": job.retries,
        "deadline": int(job.deadline.timestamp() * 1000) if job.deadline is not None else 0,
        "variables": variables,
        "tenantId": TENANT,
        "physicalTenantId": TENANT,
        "jobKey": str(job.key),
        "processInstanceKey": str(job.instance_key),
        "processDefinitionKey": str(instance.definition_key),
        "elementInstanceKey": str(element_key(job.instance_key, job.token_id)),
        "kind": job.kind,
        "listenerEventType": listener_event(job.listener_event),
        "userTask": _listened_task(session, job) if job.kind == "TASK_LISTENER" else None,
        "tags": [],
        "rootProcessInstanceKey": key(job.root_key),
        "businessId": instance.business_id,
        "priority": job.priority,
        "jobLeaseToken": None,
    }


def _listened_task(session: Session, job: Any) -> ListenedTask:
    """What the job's headers tell of the change, over what the task's row says."""
    told = {name.removeprefix(TOLD): value for name, value in job.headers.items() if name.startswith(TOLD)}
    task_key = element_key(job.instance_key, job.token_id)
    task = session.execute(select(m.user_task).where(m.user_task.c.key == task_key)).first()
    assignee = told.get("assignee", task.assignee if task is not None else None)
    return {
        "action": told.get("action", ""),
        "assignee": assignee or None,
        "candidateGroups": task.candidate_groups if task is not None else [],
        "candidateUsers": task.candidate_users if task is not None else [],
        "changedAttributes": orjson.loads(told.get("changedAttributes", "[]")),
        "dueDate": instant(task.due_date) if task is not None else None,
        "followUpDate": instant(task.follow_up_date) if task is not None else None,
        "formKey": key(task.form_key) if task is not None else None,
        "priority": task.priority if task is not None else None,
        "userTaskKey": str(task_key),
    }


def listener_event(name: str | None) -> Any:
    """The kernel's word in Camunda's spelling."""
    return (name or "UNSPECIFIED").upper()


LeaseToken = Annotated[str, StringConstraints(max_length=300)]


class Corrections(Body):
    """What a task listener changes of its task; null and what is not given stay as they are."""

    assignee: ShortText | None = None
    due_date: Moment | None = None
    follow_up_date: Moment | None = None
    candidate_users: list[Name] | None = Field(None, max_length=200)
    candidate_groups: list[Name] | None = Field(None, max_length=200)
    priority: Annotated[int, Field(ge=0, le=100)] | None = None


class JobResult(Body):
    """What the worker of a task listener says beside variables: it may deny the task's transition or correct the task."""

    type: Literal["userTask"] | None = None
    denied: bool | None = None
    denied_reason: LongText | None = None
    corrections: Corrections | None = None


class CompleteJob(Body):
    """The job's result."""

    variables: Variables | None = None
    result: JobResult | None = None
    job_lease_token: LeaseToken | None = None
    business_id: ShortText | None = None


@v2.operation("POST", "/jobs/<key:job_key>/completion", tag="job", body=CompleteJob, body_optional=True, answers={204: None})
def complete_job(job_key: int, body: CompleteJob) -> None:
    """作业完成 / the work is done."""
    result = body.result or JobResult()
    corrections = None if result.corrections is None else result.corrections.model_dump(mode="json", exclude_none=True)
    with engine().unit_of_work() as session:
        commands.complete_job(
            session,
            actor(),
            job_key,
            body.variables or {},
            denied=bool(result.denied),
            denied_reason=result.denied_reason,
            corrections=corrections,
        )


class FailJob(Body):
    """Why, how many tries are left, and after how many milliseconds the next one may begin."""

    retries: Retries | None = None
    error_message: LongText | None = None
    retry_back_off: Annotated[int, Field(ge=0, le=366 * 24 * 3600 * 1000)] | None = None
    variables: Variables | None = None
    job_lease_token: LeaseToken | None = None


@v2.operation("POST", "/jobs/<key:job_key>/failure", tag="job", body=FailJob, body_optional=True, answers={204: None})
def fail_job(job_key: int, body: FailJob) -> None:
    """作业失败 / the work failed: it is tried again while retries are left, then it is an incident."""
    back_off = timedelta(milliseconds=body.retry_back_off or 0)
    with engine().unit_of_work() as session:
        message = body.error_message or ""
        commands.fail_job(session, actor(), job_key, retries=body.retries or 0, message=message, back_off=back_off)


class ThrowJobError(Body):
    """A BPMN error that the diagram may catch."""

    error_code: Name
    error_message: LongText | None = None
    variables: Variables | None = None
    job_lease_token: LeaseToken | None = None


@v2.operation("POST", "/jobs/<key:job_key>/error", tag="job", body=ThrowJobError, answers={204: None})
def throw_job_error(job_key: int, body: ThrowJobError) -> None:
    """作业抛出业务错误 / the work ended in a BPMN error."""
    with engine().unit_of_work() as session:
        commands.throw_job_error(session, actor(), job_key, body.error_code, body.error_message or "", body.variables or {})


class JobChangeset(Body):
    """What to change: retries left, the lease in milliseconds from now, or the priority (higher ones are given out first)."""

    retries: Annotated[int, Field(ge=1, le=1000)] | None = None
    timeout: Annotated[int, Field(ge=1, le=MAX_LEASE_MS)] | None = None
    priority: Whole | None = None


class UpdateJob(Body):
    """A job's new retries or lease."""

    changeset: JobChangeset
    operation_reference: OperationReference | None = None
    job_lease_token: LeaseToken | None = None


@v2.operation("PATCH", "/jobs/<key:job_key>", tag="job", body=UpdateJob, answers={204: None})
def update_job(job_key: int, body: UpdateJob) -> None:
    """修改作业的重试次数、租约或优先级 / change the retries, the lease or the priority of a job."""
    change = body.changeset
    timeout = None if change.timeout is None else timedelta(milliseconds=change.timeout)
    with engine().unit_of_work() as session:
        commands.extend_job(session, actor(), job_key, timeout=timeout, retries=change.retries, priority=change.priority)
