"""Jobs as operators see them: search and look."""

from __future__ import annotations

from typing import Any, Literal

from typing_extensions import TypedDict

from engine.store.models import element_key
from engine.store.search_sources import JOBS
from webapp.api.filters import (
    KeyFilter,
    NumberFilter,
    SearchBody,
    TextFilter,
    TimeFilter,
    WordOperators,
)
from webapp.api.listing import Listing, PageOf, each
from webapp.api.rendering import instant, key
from webapp.api.types import TENANT, Body, Json, KeyText, Timestamp
from webapp.api.v2 import v2
from webapp.api.v2.jobs import Kind, ListenerEvent, State, listener_event


class JobFilter(Body):
    """What to find."""

    deadline: TimeFilter | None = None
    denied_reason: TextFilter | None = None
    element_id: TextFilter | None = None
    element_instance_key: KeyFilter | None = None
    error_code: TextFilter | None = None
    error_message: TextFilter | None = None
    has_failed_with_retries_left: bool | None = None
    is_denied: bool | None = None
    job_key: KeyFilter | None = None
    kind: Kind | WordOperators[Kind] | None = None
    listener_event_type: ListenerEvent | WordOperators[ListenerEvent] | None = None
    process_definition_id: TextFilter | None = None
    process_definition_key: KeyFilter | None = None
    process_instance_key: KeyFilter | None = None
    priority: NumberFilter | None = None
    retries: NumberFilter | None = None
    state: State | WordOperators[State] | None = None
    tenant_id: TextFilter | None = None
    type: TextFilter | None = None
    worker: TextFilter | None = None
    creation_time: TimeFilter | None = None
    end_time: TimeFilter | None = None
    last_update_time: TimeFilter | None = None


JobSort = Literal[
    "deadline",
    "deniedReason",
    "elementId",
    "elementInstanceKey",
    "endTime",
    "errorCode",
    "errorMessage",
    "hasFailedWithRetriesLeft",
    "isDenied",
    "jobKey",
    "kind",
    "listenerEventType",
    "processDefinitionId",
    "processDefinitionKey",
    "processInstanceKey",
    "priority",
    "retries",
    "state",
    "tenantId",
    "type",
    "worker",
    "creationTime",
]
JobSearch = SearchBody[JobFilter, JobSort]


class Job(TypedDict):
    """A job as operators see it."""

    customHeaders: dict[str, Json]
    deadline: Timestamp | None
    deniedReason: str | None
    elementId: str | None
    elementInstanceKey: KeyText
    endTime: Timestamp | None
    errorCode: str | None
    errorMessage: str | None
    hasFailedWithRetriesLeft: bool
    isDenied: bool | None
    jobKey: KeyText
    kind: Kind
    listenerEventType: ListenerEvent
    processDefinitionId: str | None
    processDefinitionKey: KeyText | None
    processInstanceKey: KeyText
    rootProcessInstanceKey: KeyText | None
    businessId: str | None
    retries: int
    state: State
    tenantId: str
    type: str
    worker: str
    creationTime: Timestamp | None
    lastUpdateTime: Timestamp | None
    priority: int


def _job(row: Any) -> Job:
    return {
        "customHeaders": row.headers,
        "deadline": instant(row.deadline),
        "deniedReason": row.denied_reason,
        "elementId": row.element_id,
        "elementInstanceKey": str(element_key(row.instance_key, row.token_id)),
        "endTime": instant(row.ended_at),
        "errorCode": row.error_code,
        "errorMessage": row.error_message,
        "hasFailedWithRetriesLeft": row.failed_before,
        "isDenied": row.is_denied,
        "jobKey": str(row.key),
        "kind": row.kind,
        "listenerEventType": listener_event(row.listener_event),
        "processDefinitionId": row.process,
        "processDefinitionKey": key(row.definition),
        "processInstanceKey": str(row.instance_key),
        "rootProcessInstanceKey": key(row.root),
        "businessId": row.business,
        "retries": row.retries,
        "state": row.shown_state,
        "tenantId": TENANT,
        "type": row.type,
        "worker": row.worker or "",
        "creationTime": instant(row.created_at),
        "lastUpdateTime": instant(row.ended_at or row.created_at),
        "priority": row.priority,
    }


JOB = Listing(JOBS, what="作业", key="job_key", items=each(_job))


@v2.operation("POST", "/jobs/search", tag="job", body=JobSearch, body_optional=True, answers={200: PageOf[Job]})
def search_jobs(body: JobSearch) -> Any:
    """查找作业 / search jobs."""
    return JOB.page(body)


@v2.operation("GET", "/jobs/<key:job_key>", tag="job", answers={200: Job})
def get_job(job_key: int) -> Any:
    """一个作业 / one job."""
    return JOB.one(job_key)
