"""A process instance for analysts and administrators: watched, repaired, suspended, cancelled; as it is, or as it was.

Whoever may watch may look; each command asks for its own power.
"""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext
from werkzeug.wrappers import Response

from engine import commands
from engine.definitions import process_model
from engine.errors import Invalid, NotFound
from engine.policy import require_watch
from engine.store import history, reads
from handlers.projects import service as projects
from webapp import instance_screen, instance_tabs, runs_screen
from webapp.context import actor, engine
from webapp.json_text import read_json, read_object

blueprint = Blueprint("instances", __name__, url_prefix="/instances/<int:key>")

MAX_VALUE = 100_000
"""Characters of a variable's value that is typed in."""
CONFIRMATIONS = {
    "suspend": (
        lazy_gettext("暂停流程"),
        lazy_gettext("暂停后任务不能提交，定时器不触发，消息留待恢复后处理；同一主流程下的所有流程一起暂停。"),
    ),
    "resume": (lazy_gettext("恢复流程"), lazy_gettext("恢复后到期的定时器立即触发，暂停期间收到的消息和信号随即处理。")),
    "cancel": (
        lazy_gettext("终止流程"),
        lazy_gettext("终止后不能恢复：未完成的任务取消，被调用的流程一起终止；已有的意见、文书和经过保留。"),
    ),
}


@blueprint.before_request
def watchers_only() -> None:
    """What runs inside is for operators, analysts and whoever may read all; nobody else learns even whether a number exists."""
    require_watch(actor())


# ---------------------------------------------------------------------- look
@blueprint.get("")
def show(key: int) -> str:
    """Everything about one instance; `at` a past moment, `tab` what stands beside the tree, `scope` the chosen element instance."""
    return render_template("instance.html", **_screen(key))


@blueprint.get("/part/<any(head, body):part>")
def part(key: int, part: str) -> str:
    """What changes on the page, for live pages."""
    return render_template(f"_instance_{part}.html", **_screen(key))


def _screen(key: int) -> dict[str, Any]:
    at = instance_screen.read_moment(request.args.get("at", ""))
    scope = request.args.get("scope", 0, type=int)
    place = {name: request.args[name] for name in ("at", "tab", "scope", "all") if request.args.get(name)}

    def here(**changes: Any) -> str:
        """The page's address with other choices; None takes one away."""
        return url_for("instances.show", key=key, **{name: value for name, value in (place | changes).items() if value is not None})

    with engine().reading() as session:
        seen = instance_screen.picture(session, actor(), key, at)
        screen = instance_screen.build(session, seen, everything="all" in request.args)
        screen |= instance_tabs.build(session, seen, request.args.get("tab", "") or _first_tab(seen), scope)
        business = seen.row.business_id or ""
        if business and projects.visible_ids(session, actor(), [business]):
            screen["project_url"] = url_for("projects.show", project_id=int(business))
    return screen | {"place": place, "here": here}


def _first_tab(seen: instance_screen.Picture) -> str:
    """What is broken comes first."""
    return "incidents" if seen.failed else "variables"


@blueprint.get("/variables/<int:scope>/<path:name>")
def variable(key: int, scope: int, name: str) -> str:
    """Every value a variable had: who wrote it when. `scope`: token id of the element instance, 0 the process."""
    with engine().reading() as session:
        row = instance_screen.instance_row(session, actor(), key)
        changes = history.variable_history(session, key, name, scope)
        if not any(not change.removed for change in changes):
            raise NotFound(what=_("变量"), key=name)
        people = runs_screen.people(session, [change.by for change in changes])
    lines = [instance_tabs.history_line(change, people) for change in reversed(changes)]
    return render_template("instance_variable.html", row=row, name=name, scope=scope, lines=lines)


# ---------------------------------------------------------------------- repair
@blueprint.post("/variables")
def set_variable(key: int) -> Response:
    """Write one variable at a scope of this instance."""
    name, value = _name(), read_json(_limited("value"))
    with engine().unit_of_work() as session:
        where = instance_screen.scope_key(key, request.form.get("scope", ""))
        commands.set_variables(session, actor(), where, {name: value}, local="local" in request.form)
    flash(_("变量 %(name)s 已修改。", name=name), "success")
    return _back(key, "variables")


@blueprint.post("/incidents/<int:incident>")
def repair(key: int, incident: int) -> Response:
    """Write the variable that was wrong, if one is named, and do the failed step again: both or neither."""
    with engine().unit_of_work() as session:
        if request.form.get("name", "").strip():
            value = read_json(_limited("value"))
            where = instance_screen.scope_key(key, request.form.get("scope", ""))
            commands.set_variables(session, actor(), where, {_name(): value}, local="local" in request.form)
        commands.resolve_incident(session, actor(), incident)
        failed = bool(reads.incidents_of_instance(session, key))
    flash(_("已重试，又出现了异常，请看新的原因。") if failed else _("已重试，流程继续。"), "error" if failed else "success")
    return _back(key, "incidents")


@blueprint.post("/messages/<int:subscription>")
def publish(key: int, subscription: int) -> Response:
    """Publish the message that the instance waits for; nobody else who comes later gets it."""
    variables = read_object(_limited("variables"))
    with engine().unit_of_work() as session:
        waiting = reads.subscription(session, subscription)
        if waiting.instance_key != key:
            raise NotFound(what=_("等待的消息"), key=subscription)
        commands.publish_message(session, actor(), waiting.message_name, waiting.correlation_key, variables, ttl_seconds=0)
    flash(_("消息“%(name)s”已发送。", name=waiting.message_name), "success")
    return _back(key, "messages")


@blueprint.post("/ad-hoc/<int:element>")
def activate_ad_hoc(key: int, element: int) -> Response:
    """Begin the chosen elements of an open ad-hoc subprocess; with `cancel` what runs inside is ended first."""
    elements: dict[str, dict[str, Any]] = {name: {} for name in request.form.getlist("element")}
    if not elements:
        raise Invalid(reason=_("请选择要启动的环节"))
    with engine().unit_of_work() as session:
        model = instance_screen.picture(session, actor(), key, None).model
        where = instance_screen.scope_key(key, str(element))
        commands.activate_ad_hoc(session, actor(), where, elements, cancel_remaining="cancel" in request.form)
        names = [model.elements[name].name or name for name in elements]
    flash(_("已启动：%(names)s", names="、".join(names)), "success")
    return _back(key, "work")


@blueprint.post("/conditions")
def reevaluate(key: int) -> Response:
    """Evaluate every condition that the instance waits for."""
    with engine().unit_of_work() as session:
        before = len(commands.waiting_conditions(session, actor(), key))
        after = commands.reevaluate_conditions(session, actor(), key)
        failed = bool(reads.incidents_of_instance(session, key))
    if failed:
        flash(_("已重新判断，有条件无法计算，请看异常。"), "error")
    else:
        flash(_("已重新判断：%(n)s 个条件成立后不再等待，%(m)s 个继续等待。", n=max(0, before - after), m=after), "success")
    return _back(key, "incidents" if failed else "messages")


# ---------------------------------------------------------------------- suspend, resume, cancel
@blueprint.get("/<any(suspend, resume, cancel):what>")
def confirm(key: int, what: str) -> str:
    """Say what will happen, and ask for the reason."""
    with engine().reading() as session:
        row = instance_screen.instance_row(session, actor(), key)
        model = process_model(session, row.definition_key)
        below = len(reads.active_below(session, row.root_key or row.key, row.key)) - 1
    title, explained = CONFIRMATIONS[what]
    words = {"name": model.name or row.process_id, "title": title, "explained": explained, "below": below}
    return render_template("instance_confirm.html", row=row, what=what, **words)


@blueprint.post("/<any(suspend, resume, cancel):what>")
def change(key: int, what: str) -> Response:
    """Do it."""
    reason = request.form.get("reason", "")
    with engine().unit_of_work() as session:
        command = {"suspend": commands.suspend_instance, "resume": commands.resume_instance, "cancel": commands.cancel_instance}[what]
        command(session, actor(), key, reason)
    done = {"suspend": _("流程已暂停。"), "resume": _("流程已恢复。"), "cancel": _("流程已终止。")}[what]
    flash(done, "success")
    return redirect(url_for("instances.show", key=key))


# ---------------------------------------------------------------------- reading forms
def _name() -> str:
    name = request.form.get("name", "").strip()
    if not name:
        raise Invalid(reason=_("请填写变量名"))
    return name


def _limited(field: str) -> str:
    text = request.form.get(field, "")
    if len(text) > MAX_VALUE:
        raise Invalid(reason=_("内容超过 %(n)s 个字", n=MAX_VALUE))
    return text


def _back(key: int, tab: str) -> Response:
    return redirect(url_for("instances.show", key=key, tab=tab))
