"""The clock of a case: every day explained in each way to count, printable; what the window and the case's own body enter about it."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from engine.errors import Invalid
from handlers.clock.service import View
from handlers.sanctions import service as sanctions
from handlers.visits import service as visits
from webapp import clock_screen
from webapp.context import actor, engine

blueprint = Blueprint("case_clock", __name__, url_prefix="/cases")
VIEWS: tuple[View, ...] = ("promise", "statutory", "reform")


@blueprint.get("/<row:case_id>/clock")
def show(case_id: int) -> str:
    """Who may see the project may see why its cases take the time they take; applicants too. `view` chooses the way to count."""
    view = next((one for one in VIEWS if one == request.args.get("view")), VIEWS[0])
    with engine().reading() as session:
        screen = clock_screen.build(session, actor(), case_id, view)
    return render_template("case_clock.html", **screen)


@blueprint.post("/<row:case_id>/visits")
def add_visit(case_id: int) -> Response:
    """Enter that the applicant came to the window (跑动次数)."""
    with engine().unit_of_work() as session:
        new = visits.add_visit(session, actor(), case_id, request.form.get("reason", ""), request.form.get("note", ""))
    flash(_("已登记。") if new else _("今天已经登记过同一原因。"), "success")
    return redirect(url_for("case_clock.show", case_id=case_id))


@blueprint.post("/<row:case_id>/false-material")
def report_false(case_id: int) -> Response:
    """Find that the applicant gave false material (行政许可法 78); the box says that the consequences were read."""
    if request.form.get("confirmed") != "1":
        raise Invalid(reason=_("请先确认认定的后果"))
    with engine().unit_of_work() as session:
        found = sanctions.report_false_material(session, actor(), case_id, request.form.get("reason", ""))
    flash(_("已认定并出具%(title)s %(number)s。", title=found.document_title, number=found.document_number), "success")
    return redirect(url_for("case_clock.show", case_id=case_id))
