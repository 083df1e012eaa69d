"""The variables that a user task sees, for the staff who may see the task: its form is filled with them."""

from __future__ import annotations

from typing import Any, Literal

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.errors import Forbidden
from engine.store import models as m
from engine.store.models import element_key, split_key
from engine.store.search import Condition
from engine.store.text_hash import hashed_key
from handlers.directory import service as directory
from webapp.api.filters import SearchBody, TextFilter
from webapp.api.listing import PageOf
from webapp.api.types import Body
from webapp.api.v2 import v2
from webapp.api.v2.user_tasks import USER_TASK
from webapp.api.v2.variables import VARIABLE, SearchOptions, Variable, shown
from webapp.context import actor, engine


class TaskVariableFilter(Body):
    """What to find."""

    name: TextFilter | None = None


TaskVariableSort = Literal["value", "name", "tenantId", "variableKey", "scopeKey", "processInstanceKey"]
TaskVariableSearch = SearchBody[TaskVariableFilter, TaskVariableSort]


@v2.operation(
    "POST",
    "/user-tasks/<key:user_task_key>/variables/search",
    tag="userTask",
    body=TaskVariableSearch,
    query=SearchOptions,
    body_optional=True,
    answers={200: PageOf[Variable]},
)
def search_user_task_variables(user_task_key: int, body: TaskVariableSearch, query: SearchOptions) -> Any:
    """任务可见的各层变量 / the variables of the task and of every scope around it."""
    with engine().reading() as session:
        scopes = _scopes(session, user_task_key)
        more = [Condition("process_instance_key", "eq", scopes[-1]), Condition("scope_key", "in", scopes)]
        return VARIABLE.page_in(session, body, more=more, items=shown(query.truncate_values))


@v2.operation(
    "POST",
    "/user-tasks/<key:user_task_key>/effective-variables/search",
    tag="userTask",
    body=TaskVariableSearch,
    query=SearchOptions,
    body_optional=True,
    answers={200: PageOf[Variable]},
)
def search_user_task_effective_variables(user_task_key: int, body: TaskVariableSearch, query: SearchOptions) -> Any:
    """任务实际读到的变量 / what the task reads: of several variables of a name the innermost."""
    with engine().reading() as session:
        more = [Condition("variable_key", "in", _innermost(session, _scopes(session, user_task_key)))]
        return VARIABLE.page_in(session, body, more=more, items=shown(query.truncate_values))


def _scopes(session: Session, task_key: int) -> list[int]:
    """The keys of the scopes that the task sees: its own first, the process instance last. Raises NotFound, Forbidden (applicants)."""
    if not directory.is_staff(actor()):
        raise Forbidden(reason="变量供部门人员查阅")
    USER_TASK.row(session, task_key)
    instance_key, token = split_key(task_key)
    event, scopes = m.element_event.c, []
    while token:
        scopes.append(element_key(instance_key, token))
        here = select(event.scope_id).where(event.instance_key == instance_key, event.token_id == token, event.kind == "entered")
        token = session.scalar(here.order_by(event.id.desc()).limit(1)) or 0
    return [*scopes, instance_key]


def _innermost(session: Session, scopes: list[int]) -> list[int]:
    """The keys of the variables that nothing further inside hides."""
    instance_key = scopes[-1]
    variable, numbers = m.variable.c, [split_key(scope)[1] for scope in scopes[:-1]] + [0]
    rows = session.execute(
        select(variable.scope_id, variable.name).where(variable.instance_key == instance_key, variable.scope_id.in_(numbers))
    )
    inner: dict[str, int] = {}
    for scope, name in sorted(rows, key=lambda row: -numbers.index(row.scope_id)):
        inner[name] = scope
    return [hashed_key(instance_key, f"{scope}:{name}") for name, scope in inner.items()]
