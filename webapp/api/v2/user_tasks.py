"""User tasks: what the actor may see of them; claim, release, assign, change and complete them."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field
from typing_extensions import TypedDict

from engine import commands
from engine.errors import NotFound
from engine.policy import require
from engine.store import definitions
from engine.store.search_sources import USER_TASKS, visible_tasks
from handlers.directory import service as directory
from webapp.api.filters import (
    KeyFilter,
    NumberFilter,
    SearchBody,
    TextFilter,
    TimeFilter,
    VariableFilter,
    WordOperators,
)
from webapp.api.listing import Listing, PageOf, anybody, each
from webapp.api.rendering import instant, key, sure_instant
from webapp.api.types import TENANT, Body, Json, Key, KeyText, Moment, Name, ShortText, Timestamp, Variables
from webapp.api.v2 import v2
from webapp.api.v2.applicants import hide_foreign_task, refuse_variables
from webapp.api.v2.definitions import Form, form_json
from webapp.context import actor, engine

State = Literal["CREATING", "CREATED", "ASSIGNING", "UPDATING", "COMPLETING", "COMPLETED", "CANCELING", "CANCELED", "FAILED"]


class TaskFields(Body):
    """What can be asked of a task."""

    state: State | WordOperators[State] | None = None
    assignee: TextFilter | None = None
    business_id: TextFilter | None = None
    priority: NumberFilter | None = None
    element_id: ShortText | None = None
    name: TextFilter | None = None
    candidate_group: TextFilter | None = None
    candidate_user: TextFilter | None = None
    tenant_id: TextFilter | None = None
    process_definition_id: TextFilter | None = None
    creation_date: TimeFilter | None = None
    completion_date: TimeFilter | None = None
    follow_up_date: TimeFilter | None = None
    due_date: TimeFilter | None = None
    process_instance_variables: list[VariableFilter] | None = Field(None, max_length=20)
    local_variables: list[VariableFilter] | None = Field(None, max_length=20)
    user_task_key: Key | None = None
    process_definition_key: KeyFilter | None = None
    process_instance_key: KeyFilter | None = None
    element_instance_key: Key | None = None
    tags: list[ShortText] | None = Field(None, max_length=20)


class TaskFilter(TaskFields):
    """What to find: every field, and of `$or` at least one alternative."""

    any_of: list[TaskFields] | None = Field(None, alias="$or", max_length=20)


TaskSort = Literal["businessId", "creationDate", "completionDate", "followUpDate", "dueDate", "priority", "name"]
TaskSearch = SearchBody[TaskFilter, TaskSort]


class UserTask(TypedDict):
    """A user task."""

    name: str | None
    state: State
    assignee: str | None
    elementId: str
    candidateGroups: list[str]
    candidateUsers: list[str]
    processDefinitionId: str
    creationDate: Timestamp
    completionDate: Timestamp | None
    followUpDate: Timestamp | None
    dueDate: Timestamp | None
    tenantId: str
    externalFormReference: str | None
    processDefinitionVersion: int
    customHeaders: dict[str, Json]
    userTaskKey: KeyText
    elementInstanceKey: KeyText
    processName: str | None
    processDefinitionKey: KeyText
    processInstanceKey: KeyText
    rootProcessInstanceKey: KeyText | None
    businessId: str | None
    formKey: KeyText | None
    tags: list[str]
    priority: int


def _user_task(row: Any) -> UserTask:
    return {
        "name": row.name or None,
        "state": row.state,
        "assignee": row.assignee,
        "elementId": row.element_id,
        "candidateGroups": row.candidate_groups,
        "candidateUsers": row.candidate_users,
        "processDefinitionId": row.process_id,
        "creationDate": sure_instant(row.created_at),
        "completionDate": instant(row.completed_at),
        "followUpDate": instant(row.follow_up_date),
        "dueDate": instant(row.due_date),
        "tenantId": TENANT,
        "externalFormReference": row.external_form,
        "processDefinitionVersion": row.definition_version,
        "customHeaders": row.properties,
        "userTaskKey": str(row.key),
        "elementInstanceKey": str(row.key),
        "processName": row.definition_name or None,
        "processDefinitionKey": str(row.definition_key),
        "processInstanceKey": str(row.instance_key),
        "rootProcessInstanceKey": key(row.root_key),
        "businessId": row.business_id,
        "formKey": key(row.form_key),
        "tags": [],
        "priority": row.priority,
    }


USER_TASK = Listing(USER_TASKS, what="任务", key="user_task_key", items=each(_user_task), allowed=anybody, visible=visible_tasks)


@v2.operation("POST", "/user-tasks/search", tag="userTask", body=TaskSearch, body_optional=True, answers={200: PageOf[UserTask]})
def search_user_tasks(body: TaskSearch) -> Any:
    """查找任务 / search user tasks; everybody finds those they may see; applicants cannot ask for variables."""
    refuse_variables(body.filter)
    return USER_TASK.page(body)


@v2.operation("GET", "/user-tasks/<key:user_task_key>", tag="userTask", answers={200: UserTask})
def get_user_task(user_task_key: int) -> Any:
    """一项任务 / one user task."""
    return USER_TASK.one(user_task_key)


@v2.operation("GET", "/user-tasks/<key:user_task_key>/form", tag="userTask", answers={200: Form, 204: None})
def get_user_task_form(user_task_key: int) -> Any:
    """任务的表单 / the form of a task; 204 when it has none."""
    with engine().reading() as session:
        row = USER_TASK.row(session, user_task_key)
        return None if row.form_key is None else form_json(definitions.by_key(session, "form", row.form_key))


class AssignTask(Body):
    """To whom. `allowOverride` false: not when the task has an assignee."""

    assignee: Name
    allow_override: bool | None = None
    action: ShortText | None = None


@v2.operation("POST", "/user-tasks/<key:user_task_key>/assignment", tag="userTask", body=AssignTask, answers={204: None})
def assign_user_task(user_task_key: int, body: AssignTask) -> None:
    """签收或指派任务 / claim a task for oneself, or (with the power 流程运维) assign it to somebody."""
    override = body.allow_override is not False
    with engine().unit_of_work() as session:
        hide_foreign_task(session, user_task_key)
        person = directory.get_user(session, body.assignee)
        if person is None or person.disabled:
            require(actor(), "operate")  # who may not assign is not told who exists
            raise NotFound(what="用户", key=body.assignee)
        commands.assign_task(session, actor(), user_task_key, body.assignee, allow_override=override)


@v2.operation("DELETE", "/user-tasks/<key:user_task_key>/assignee", tag="userTask", answers={204: None})
def unassign_user_task(user_task_key: int) -> None:
    """归还任务 / give a task back to its candidates."""
    with engine().unit_of_work() as session:
        hide_foreign_task(session, user_task_key)
        commands.unclaim_task(session, actor(), user_task_key)


class TaskChangeset(Body):
    """What to change; null or an empty list clears it."""

    due_date: Moment | None = None
    follow_up_date: Moment | None = None
    candidate_users: list[Name] | None = Field(None, max_length=200)
    candidate_groups: list[Name] | None = Field(None, max_length=200)
    priority: int | None = Field(None, ge=0, le=100)


class UpdateTask(Body):
    """A task's new dates, candidates or priority."""

    changeset: TaskChangeset | None = None
    action: ShortText | None = None


@v2.operation("PATCH", "/user-tasks/<key:user_task_key>", tag="userTask", body=UpdateTask, body_optional=True, answers={204: None})
def update_user_task(user_task_key: int, body: UpdateTask) -> None:
    """修改任务的期限、候选人或优先级 / change dates, candidates or priority. 需要“流程运维”权限。"""
    changes = {} if body.changeset is None else {name: getattr(body.changeset, name) for name in body.changeset.model_fields_set}
    with engine().unit_of_work() as session:
        hide_foreign_task(session, user_task_key)
        commands.update_task(session, actor(), user_task_key, changes)


class CompleteTask(Body):
    """What was filled in; it is checked against the task's form."""

    variables: Variables | None = None
    action: ShortText | None = None


@v2.operation(
    "POST", "/user-tasks/<key:user_task_key>/completion", tag="userTask", body=CompleteTask, body_optional=True, answers={204: None}
)
def complete_user_task(user_task_key: int, body: CompleteTask) -> None:
    """办结任务 / complete a task; the form is checked as in the browser."""
    with engine().unit_of_work() as session:
        hide_foreign_task(session, user_task_key)
        commands.complete_task(session, actor(), user_task_key, body.variables or {})
