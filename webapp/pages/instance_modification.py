"""Modification mode of an instance: a list of changes is put together on the diagram, tried, and applied in one transaction."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, jsonify, render_template, request, url_for
from flask_babel import gettext as _

from engine.errors import Invalid, Suspended
from engine.policy import require
from webapp import instance_screen, modification_screen
from webapp.context import actor, engine
from webapp.once import take_turn

blueprint = Blueprint("instance_modification", __name__, url_prefix="/instances/<int:key>/modify")


class _Tried(Exception):
    """Ends a unit of work without a commit: what was tried has not happened."""


@blueprint.before_request
def operators_only() -> None:
    """The page is of no use to who may not modify."""
    require(actor(), "operate", "deploy")


@blueprint.get("")
def edit(key: int) -> str:
    """The diagram with the element list beside it."""
    with engine().reading() as session:
        seen = instance_screen.picture(session, actor(), key, None)
        if seen.row.suspended_at is not None and seen.row.state == "ACTIVE":
            raise Suspended()
        choices = modification_screen.build(seen)
        state = instance_screen.diagram_state(seen)
    return render_template("instance_modify.html", row=seen.row, model=seen.model, definition=seen.definition, choices=choices, state=state)


@blueprint.post("/try")
def attempt(key: int) -> Any:
    """Do everything and take it back -> {state, elements: [{name, before, after}], incidents}: what would become of the instance."""
    body = _body()
    result: dict[str, Any] = {}
    try:
        with engine().unit_of_work() as session:
            before = modification_screen.standing(session, key)
            modification_screen.apply(session, actor(), key, body, "")
            model = instance_screen.picture(session, actor(), key, None).model
            result = modification_screen.outcome(model, before, modification_screen.standing(session, key))
            raise _Tried
    except _Tried:
        return jsonify(result)


@blueprint.post("")
def apply(key: int) -> Any:
    """Apply the list of changes, once for each page that was shown -> {url}: the instance's page."""
    body = _body()
    reason = str(body.get("reason", "")).strip()
    if not reason:
        raise Invalid(reason=_("请填写理由"))
    with engine().unit_of_work() as session:
        modification_screen.apply(session, actor(), key, body, reason, take_turn(session, body))
    flash(_("改动已执行。"), "success")
    return jsonify({"url": url_for("instances.show", key=key)})


def _body() -> dict[str, Any]:
    body = request.get_json(silent=True)
    if not isinstance(body, dict):
        raise Invalid(reason=_("请求应是 JSON 对象"))
    return body
