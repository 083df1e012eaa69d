"""The operations log: who intervened when in which instance and why, from the audit trail; filtered by the address, as CSV too."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from typing import Any

from flask import Blueprint, Response, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from engine.clock import CHINA
from engine.errors import Invalid
from engine.policy import require_watch
from engine.store.inspection import AUDIT_EVENTS
from engine.store.search import Condition, Order, PageRequest, search
from handlers.directory import service as directory
from webapp import audit_words, instance_tabs
from webapp.context import actor, engine
from webapp.csv_file import csv_answer
from webapp.rendering import iso

blueprint = Blueprint("operations", __name__, url_prefix="/operations")

PAGE = 50
MAX_LINES = 10_000
"""Lines of one CSV file."""
MAX_KEY = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Filters:
    """What is asked for. `action`: one of audit_words; "all" adds ordinary work; "" all operations but what is folded."""

    action: str = ""
    who: str = ""
    instance: str = ""
    business: str = ""
    since: str = ""
    until: str = ""

    def conditions(self, session: Session) -> list[Condition]:
        """As conditions on AUDIT_EVENTS. Raises Invalid for a date or a number that is none."""
        found = []
        if self.action in audit_words.OPERATIONS or self.action in audit_words.WORK:
            found.append(Condition("action", "eq", self.action))
        elif self.action != "all":
            found.append(Condition("action", "in", [action for action in audit_words.OPERATIONS if action != audit_words.FOLDED]))
        if self.who:
            found.append(Condition("actor", "in", _usernames(session, self.who)))
        if self.instance:
            if not self.instance.isascii() or not self.instance.isdecimal() or int(self.instance) > MAX_KEY:
                raise Invalid(reason=_("实例编号应为数字"))
            found.append(Condition("process_instance_key", "eq", int(self.instance)))
        if self.business:
            found.append(Condition("business_id", "eq", self.business))
        if self.since:
            found.append(Condition("at", "gte", _midnight(self.since)))
        if self.until:
            found.append(Condition("at", "lt", _midnight(self.until) + timedelta(days=1)))
        return found


@blueprint.before_request
def watchers_only() -> None:
    """The log tells of everybody's cases."""
    require_watch(actor())


@blueprint.get("")
def index() -> str:
    """The newest first; `after` and `before` are cursors."""
    filters = _filters()
    page = PageRequest(limit=PAGE, after=request.args.get("after") or None, before=request.args.get("before") or None)
    with engine().reading() as session:
        found = search(session, AUDIT_EVENTS, filters.conditions(session), [Order("id", descending=True)], page)
        events = instance_tabs.audit_lines(session, found.rows)
        more = _neighbours(session, filters, found)
        folded = _folded(session, filters) if not request.args.get("after") and not request.args.get("before") else None
    return render_template(
        "operations.html",
        events=events,
        folded=folded,
        filters=filters,
        total=found.total,
        counted_all=not found.has_more_total,
        operations=audit_words.OPERATIONS,
        work=audit_words.WORK,
        csv_url=url_for("operations.as_csv", **_written(filters)),
        **more,
    )


@blueprint.get("/export.csv")
def as_csv() -> Response:
    """The same as a file that spreadsheets open, at most MAX_LINES lines."""
    filters = _filters()
    with engine().reading() as session:
        order = [Order("id", descending=True)]
        rows = search(session, AUDIT_EVENTS, filters.conditions(session), order, PageRequest(limit=MAX_LINES)).rows
        events = instance_tabs.audit_lines(session, rows)
    titles = [_("实际时间"), _("业务时间"), _("用户名"), _("姓名"), _("操作"), _("实例"), _("业务编号"), _("元素"), _("内容"), _("理由")]
    return csv_answer("operations.csv", [titles, *(_cells(event) for event in events)])


def _cells(event: dict[str, Any]) -> list[Any]:
    columns = ("username", "who", "name", "instance_key", "business_id", "element_id", "details", "reason")
    return [iso(event["at"]), iso(event["business_at"]), *(event[column] for column in columns)]


def _filters() -> Filters:
    return Filters(**{name: request.args.get(name, "").strip()[:200] for name in Filters.__dataclass_fields__})


def _written(filters: Filters) -> dict[str, Any]:
    return {name: getattr(filters, name) for name in Filters.__dataclass_fields__ if getattr(filters, name)}


def _neighbours(session: Session, filters: Filters, found: Any) -> dict[str, str | None]:
    """The addresses of the page with newer and of the one with older events; None where there are none."""
    order = [Order("id", descending=True)]

    def there(**cursor: Any) -> str | None:
        rows = search(session, AUDIT_EVENTS, filters.conditions(session), order, PageRequest(limit=1, **cursor)).rows
        return url_for("operations.index", **_written(filters), **cursor) if rows else None

    if not found.rows:
        return {"newer": None, "older": None}
    return {"newer": there(before=found.start_cursor), "older": there(after=found.end_cursor)}


def _folded(session: Session, filters: Filters) -> dict[str, Any] | None:
    """How often the folded action happened, with the address of its list; None when it did not, or is not folded."""
    if filters.action:
        return None
    asked = replace(filters, action=audit_words.FOLDED)
    found = search(session, AUDIT_EVENTS, asked.conditions(session), [Order("id", descending=True)], PageRequest(limit=1))
    if not found.total:
        return None
    return {"count": found.total, "more": found.has_more_total, "url": url_for("operations.index", **_written(asked))}


def _usernames(session: Session, words: str) -> list[str]:
    """A user name as it is, and everybody whose name contains the words."""
    return [words, *(user.username for user in directory.users(session) if words in user.display_name)]


def _midnight(written: str) -> datetime:
    try:
        return datetime.combine(datetime.fromisoformat(written).date(), time(), CHINA)
    except ValueError:
        raise Invalid(reason=_("日期应写成 2022-08-01")) from None
