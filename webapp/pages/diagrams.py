"""The BPMN text of a deployed process, for the viewer in the page."""

from __future__ import annotations

from flask import Blueprint, Response

from engine.store.definitions import by_key, resource_content
from webapp.context import engine

blueprint = Blueprint("diagrams", __name__, url_prefix="/diagrams")


@blueprint.get("/<int:definition_key>.bpmn")
def show(definition_key: int) -> Response:
    """A definition never changes once deployed: browsers may keep it."""
    with engine().reading() as session:
        row = by_key(session, "process", definition_key)
        xml = resource_content(session, row.resource_key)
    return Response(xml, mimetype="application/xml", headers={"Cache-Control": "private, max-age=86400"})
