"""What applicants may not learn through the API, beside what lists hide from them anyway: the same as on the pages."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy.orm import Session

from engine.errors import Forbidden
from handlers.directory import service as directory
from handlers.tasks import service as tasks
from webapp.api.types import Body
from webapp.context import actor

INSIDE = ("variables", "process_instance_variables", "local_variables", "error_message", "incident_error_hash_code")


def refuse_variables(filters: Body | None) -> None:
    """Raise Forbidden when an applicant filters by variables or by what went wrong.

    Whether a row is found would tell, letter by letter, what an office wrote.
    """
    if not directory.is_staff(actor()) and any(getattr(part, name, None) for part in _parts(filters) for name in INSIDE):
        raise Forbidden(reason="按变量和异常信息查找供部门人员使用")


def _parts(filters: Body | None) -> Iterator[Body]:
    """A filter and its alternatives."""
    if filters is not None:
        yield filters
        yield from getattr(filters, "any_of", None) or ()


def hide_foreign_task(session: Session, task_key: int) -> None:
    """Raise NotFound for a task outside the applicant's own projects, before anything is told of it."""
    if not directory.is_staff(actor()):
        tasks.require_known(session, actor(), task_key)
