"""Addresses that Camunda Modeler opens after a deployment or a start, sent on to our pages; and where it asks for Camunda 7's pages."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, redirect, request, url_for
from werkzeug.wrappers import Response

from webapp.api.rendering import json_answer
from webapp.context import public

blueprint = Blueprint("camunda_links", __name__)


@blueprint.get("/operate/processes")
def operate_processes() -> Response:
    """After Deploy: the definition's page."""
    process = request.args.get("process", "")
    return redirect(url_for("definitions.process", identifier=process, version=request.args.get("version")) if process else _definitions())


@blueprint.get("/operate/processes/<key:instance>")
def operate_process_instance(instance: int) -> Response:
    """After Start: the instance's page."""
    return redirect(url_for("instances.show", key=instance))


@blueprint.get("/operate/decisions")
def operate_decisions() -> Response:
    """After the deployment of a decision: its page."""
    name = request.args.get("name", "")
    return redirect(url_for("definitions.decision", identifier=name, version=request.args.get("version")) if name else _definitions())


@blueprint.get("/operate")
def operate() -> Response:
    """Operate's start page: what is deployed."""
    return redirect(_definitions())


@blueprint.get("/tasklist")
def tasklist() -> Response:
    """The work list."""
    return redirect(url_for("worklist.index"))


def _definitions() -> str:
    return url_for("definitions.index")


@blueprint.get("/.well-known/camunda-automation-platform/webapps")
@public
def webapps() -> Any:
    """Where Camunda 7's pages would be: Modeler makes links of them."""
    root = request.host_url.rstrip("/")
    return json_answer({"adminUrl": root, "cockpitUrl": f"{root}/operate", "tasklistUrl": f"{root}/tasklist"})
