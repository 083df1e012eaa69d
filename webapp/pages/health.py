"""For monitors and load balancers: is the process alive, and can it reach its database."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from webapp.context import engine, public

blueprint = Blueprint("health", __name__)


@blueprint.get("/health")
@public
def alive() -> Response:
    """200 as long as the process answers."""
    return jsonify(status="UP")


@blueprint.get("/ready")
@public
def ready() -> Response:
    """200 when the database answers, 503 when it does not."""
    try:
        with engine().reading() as session:
            session.execute(text("SELECT 1"))
    except SQLAlchemyError:
        answer = jsonify(status="DOWN", database="DOWN")
        answer.status_code = 503
        return answer
    return jsonify(status="UP", database="UP")
