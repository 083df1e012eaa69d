"""依据文件: the register of policy documents, which processes implement each; analysts and administrators keep it."""

from __future__ import annotations

from datetime import date

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from engine.errors import Forbidden, Invalid
from handlers.directory import service as directory
from handlers.policies import service as policies
from webapp.context import actor, engine

blueprint = Blueprint("policies", __name__, url_prefix="/policies")


@blueprint.before_request
def staff_only() -> None:
    """The register shows how offices work inside, as the definitions do."""
    if not directory.is_staff(actor()):
        raise Forbidden(reason="依据文件供部门人员查阅")


@blueprint.get("")
def index() -> str:
    """The register, searched by `q`."""
    q = request.args.get("q", "").strip()[:100]
    with engine().reading() as session:
        lines = [(one, policies.users_of(session, one)) for one in policies.policies(session, q)]
    return render_template("policies.html", lines=lines, q=q, may_keep=actor().can("deploy") or actor().can("administer"))


@blueprint.post("")
def enter() -> Response:
    """Enter a document."""
    form = request.form
    try:
        issued = date.fromisoformat(form.get("issued_on", ""))
    except ValueError as error:
        raise Invalid(reason=_("日期应为 年-月-日")) from error
    texts = {name: form.get(name, "") for name in ("title", "words", "number", "issuer", "summary")}
    with engine().unit_of_work() as session:
        done = policies.enter(session, actor(), issued_on=issued, **texts)
    flash(_("已登记“%(title)s”。", title=done.title), "success")
    return redirect(url_for("policies.index"))


@blueprint.post("/<row:policy_id>/remove")
def remove(policy_id: int) -> Response:
    """Take a document out; refused while a process refers to it."""
    with engine().unit_of_work() as session:
        policies.remove(session, actor(), policy_id)
    flash(_("已删除。"), "success")
    return redirect(url_for("policies.index"))
