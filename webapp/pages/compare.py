"""Two versions of a process side by side, with the semantic difference drawn on both diagrams (bpmn-js-differ in the browser)."""

from __future__ import annotations

from flask import Blueprint, render_template, request

from engine.errors import Forbidden, NotFound
from engine.store import definitions as store
from handlers.directory import service as directory
from webapp.context import actor, engine

blueprint = Blueprint("compare", __name__, url_prefix="/definitions/processes/<identifier>/compare")


@blueprint.before_request
def staff_only() -> None:
    if not directory.is_staff(actor()):
        raise Forbidden(reason="流程定义供部门人员查阅")


@blueprint.get("")
def show(identifier: str) -> str:
    """`old` and `new` are version numbers; without them the newest version and the one before it."""
    with engine().reading() as session:
        rows = {row.version: row for row in store.versions(session, "process", identifier)}
    if not rows:
        raise NotFound(what="流程", key=identifier)
    newest = max(rows)
    new = request.args.get("new", newest, type=int)
    old = request.args.get("old", max((version for version in rows if version < new), default=new), type=int)
    for version in (old, new):
        if version not in rows:
            raise NotFound(what="流程", key=f"{identifier} v{version}")
    return render_template("compare.html", old=rows[old], new=rows[new], versions=sorted(rows, reverse=True))
