"""Process tests on the definition page: run the scenarios of a version, see which failed and what of the diagram they went through."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, render_template, request
from flask_babel import gettext as _

from engine.definitions import process_model
from engine.errors import Invalid, NotFound
from engine.policy import require
from engine.process_tests.scenario import MAX_BYTES
from engine.store import definitions as store
from handlers.scenarios import service as scenarios
from webapp.composition import work_calendar
from webapp.context import actor, engine

blueprint = Blueprint("process_tests", __name__, url_prefix="/definitions/processes/<identifier>/tests")


@blueprint.before_request
def analysts_only() -> None:
    require(actor(), "deploy")


@blueprint.get("")
def show(identifier: str) -> str:
    """What can be run: the scenarios that come with the program, or a file of the analyst's."""
    return render_template("process_tests.html", **_screen(identifier, None, ""))


@blueprint.post("")
def run(identifier: str) -> str | tuple[str, int]:
    """Run them and show the outcome; a file that is not valid is refused in place."""
    request.max_content_length = MAX_BYTES + 100_000
    uploaded = request.files.get("file")
    try:
        content = uploaded.read() if uploaded is not None and uploaded.filename else _shipped(identifier)
        with engine().reading() as session:
            tested = scenarios.run_deployed(session, _row(session, identifier).key, content, work_calendar())
    except Invalid as refused:
        return render_template("process_tests.html", **_screen(identifier, None, refused.message())), 422
    return render_template("process_tests.html", **_screen(identifier, tested, ""))


def _shipped(identifier: str) -> bytes:
    path = scenarios.shipped(identifier)
    if path is None:
        raise Invalid(reason=_("请选择测试文件"))
    return path.read_bytes()


def _row(session: Any, identifier: str) -> Any:
    wanted = request.values.get("version", type=int)
    rows = [row for row in store.versions(session, "process", identifier) if wanted is None or row.version == wanted]
    if not rows:
        raise NotFound(what=_("流程"), key=identifier)
    return rows[0]


def _screen(identifier: str, tested: scenarios.Tested | None, refusal: str) -> dict[str, Any]:
    with engine().reading() as session:
        row = _row(session, identifier)
        names = {element.id: element.name or element.id for element in process_model(session, row.key).elements.values()}
    coverage = None if tested is None else tested.report.coverage
    state = (
        {}
        if coverage is None
        else {
            "done": list(coverage.visits),
            "missed": coverage.missed,
            "tokens": {part: times for part, times in coverage.visits.items() if part in names},
        }
    )
    return {
        "row": row,
        "shipped": scenarios.shipped(identifier),
        "outcomes": [] if tested is None else tested.report.outcomes,
        "coverage": coverage,
        "missed": [] if coverage is None else [(part, names.get(part, "")) for part in coverage.missed],
        "state": state,
        "refusal": refusal,
    }
