"""日历: working days of a year, office hours, and the import of the yearly notice of days off: preview, apply, undo."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from engine import clock
from engine.clock import CHINA
from engine.errors import Forbidden
from engine.policy import require
from engine.workcalendar import FIRST_YEAR, LAST_YEAR
from handlers.calendar import service as calendars
from handlers.clock import service as clocks
from handlers.directory import service as directory
from webapp import calendar_screen
from webapp.context import actor, engine

blueprint = Blueprint("calendar", __name__, url_prefix="/calendar")


@blueprint.before_request
def staff_only() -> None:
    """The calendar concerns those who work by it; applicants see its effect on the clock of their cases."""
    if not directory.is_staff(actor()):
        raise Forbidden(reason="工作日历供部门人员查阅")


@blueprint.get("")
def show() -> str:
    """One year; without `year` the present one."""
    with engine().reading() as session:
        return _page(calendar_screen.build(session, _year(clock.now().astimezone(CHINA).year)))


@blueprint.post("/preview")
def preview() -> str:
    """What the notice in the form would change; nothing is stored."""
    require(actor(), "administer")
    text, source = _text(), request.form.get("source", "")
    with engine().reading() as session:
        year = _year(clock.now().astimezone(CHINA).year)
        found = calendars.preview(session, text, year, source)
        return _page(calendar_screen.build(session, year, found) | {"text": text, "source": source})


@blueprint.post("/apply")
def apply() -> Response:
    """Import the notice that was previewed, then recompute every open clock."""
    with engine().unit_of_work() as session:
        notice = calendars.apply_notice(session, actor(), request.form.get("text", ""), _year(0), request.form.get("source", ""))
    moved = clocks.recompute_open_clocks(engine())
    tasks = calendars.follow_notices(engine())
    if moved or tasks:
        words = _("已导入 %(year)s 年的放假安排，%(n)s 个办件、%(tasks)s 项任务的期限随之调整。", year=notice.year, n=moved, tasks=tasks)
    else:  # nothing to move, or moved by the same request a moment ago
        words = _("已导入 %(year)s 年的放假安排，办件和任务的期限都与它相符。", year=notice.year)
    flash(words, "success")
    return redirect(url_for("calendar.show", year=notice.year))


@blueprint.post("/<row:notice_id>/undo")
def undo(notice_id: int) -> Response:
    """Take a notice back; the clocks follow."""
    with engine().unit_of_work() as session:
        calendars.undo_notice(session, actor(), notice_id)
    moved = clocks.recompute_open_clocks(engine())
    tasks = calendars.follow_notices(engine())
    if moved or tasks:
        flash(_("已撤销，%(n)s 个办件、%(tasks)s 项任务的期限恢复。", n=moved, tasks=tasks), "success")
    else:
        flash(_("已撤销，办件和任务的期限都与现行日历相符。"), "success")
    return redirect(url_for("calendar.show", year=request.form.get("year", type=int)))


def _page(screen: dict[str, object]) -> str:
    return render_template("calendar.html", may_import=actor().can("administer"), **({"text": "", "source": ""} | screen))


def _year(default: int) -> int:
    """The year asked for, kept within the calendar's years; 0 (refused by the service) without one."""
    year = request.values.get("year", default, type=int)
    return min(max(year, FIRST_YEAR + 1), LAST_YEAR - 1) if year else 0


def _text() -> str:
    """The lines typed, or those of the CSV file chosen (UTF-8, with or without a byte order mark)."""
    upload = request.files.get("file")
    if upload is not None and upload.filename:
        content: bytes = upload.read(calendars.MOST_TEXT * 4)
        return content.decode("utf-8-sig", errors="replace")
    return request.form.get("text", "")
