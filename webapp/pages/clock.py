"""The clock of a case: every day explained, printable."""

from __future__ import annotations

from flask import Blueprint, render_template

from webapp import clock_screen
from webapp.context import actor, engine

blueprint = Blueprint("case_clock", __name__, url_prefix="/cases")


@blueprint.get("/<row:case_id>/clock")
def show(case_id: int) -> str:
    """Who may see the project may see why its cases take the time they take; applicants too."""
    with engine().reading() as session:
        screen = clock_screen.build(session, actor(), case_id)
    return render_template("case_clock.html", **screen)
