"""The top bar: which places there are and which of them the visitor may see."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from flask import Flask, current_app, g, request, url_for
from flask_babel import lazy_gettext
from flask_babel.speaklater import LazyString

from engine.policy import Power
from handlers.catalogue.service import catalogue


@dataclass(frozen=True, slots=True)
class Place:
    """One entry of the top bar. `kinds`: the kinds of users who see it (empty: everybody); `power`: what one must be allowed to do."""

    endpoint: str
    label: LazyString
    kinds: frozenset[str] = frozenset()
    power: Power | None = None


OWNERS = {
    "task": "worklist",
    "register": "projects",
    "licences": "projects",
    "milestones": "projects",
    "case_clock": "projects",
    "checklist": "projects",
    "oneform": "projects",
    "documents": "projects",
    "board": "projects",
    "modeler": "definitions",
    "policies": "definitions",
    "process_tests": "definitions",
    "compare": "definitions",
    "process_runs": "definitions",
    "migration": "definitions",
    "batches": "definitions",
    "document_templates": "definitions",
    "instances": "definitions",
    "instance_modification": "definitions",
}
"""Screens without an entry of their own in the top bar, and the place they belong to."""
STAFF = frozenset({"staff", "admin", "analyst"})

PLACES = (
    Place("worklist.index", lazy_gettext("工作台")),
    Place("projects.index", lazy_gettext("项目")),
    Place("guide.show", lazy_gettext("办事指引"), frozenset({"investor"})),
    Place("performance.index", lazy_gettext("效能"), STAFF),
    Place("definitions.index", lazy_gettext("流程"), STAFF),
    Place("calendar.show", lazy_gettext("日历"), STAFF),
    Place("playground.index", lazy_gettext("试算"), power="deploy"),
    Place("operations.index", lazy_gettext("操作记录"), power="deploy"),
)


def places() -> Iterator[tuple[str, LazyString, bool]]:
    """(address, label, whether the visitor is there) of every place that exists and that the visitor may see."""
    here = (request.endpoint or "").partition(".")[0]
    for place in PLACES:
        visible = not place.kinds or (g.user is not None and g.user.kind in place.kinds)
        visible = visible and (place.power is None or (g.actor is not None and g.actor.can(place.power)))
        if visible and place.endpoint in current_app.view_functions:
            owner = place.endpoint.partition(".")[0]
            yield url_for(place.endpoint), place.label, owner == OWNERS.get(here, here)


def endpoint_exists(name: str) -> bool:
    """For templates that link to a screen which another module brings."""
    return name in current_app.view_functions


def identity() -> dict[str, object]:
    """The visitor's primary unit and roles, in words, for the top bar and the account page."""
    if g.get("user") is None:
        return {"my_unit": "", "my_roles": []}
    known = catalogue()
    roles = [f"{known.units[unit].short_name} {known.roles[role].name}" for unit, role in g.user.memberships]
    unit = known.units[g.user.unit].short_name if g.user.unit else g.user.organisation
    return {"my_unit": unit if unit != g.user.display_name else "", "my_roles": roles}


def install(app: Flask) -> None:
    app.context_processor(lambda: {"places": places, "endpoint_exists": endpoint_exists} | identity())
