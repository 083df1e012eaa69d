"""The BPMN text of a deployed process, for the viewer in the page."""

from __future__ import annotations

from flask import Blueprint, Response

from engine.errors import NotFound
from engine.store.definitions import by_key, resource_content
from handlers.directory import service as directory
from handlers.projects import service as projects
from webapp.context import actor, engine

blueprint = Blueprint("diagrams", __name__, url_prefix="/diagrams")


@blueprint.get("/<int:definition_key>.bpmn")
def show(definition_key: int) -> Response:
    """A definition never changes once deployed: browsers may keep it. Applicants get those that their own projects run on."""
    with engine().reading() as session:
        if not (directory.is_staff(actor()) or projects.runs_definition(session, actor(), definition_key)):
            raise NotFound(what="流程图", key=definition_key)
        row = by_key(session, "process", definition_key)
        xml = resource_content(session, row.resource_key)
    return Response(xml, mimetype="application/xml", headers={"Cache-Control": "private, max-age=86400"})
