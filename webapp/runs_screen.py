"""What the screens about many instances share: the version, the instances that the address means, words for states and durations."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from flask import request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext
from sqlalchemy import Row
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict

from engine.commands.batches import MAX_ITEMS
from engine.errors import Invalid, NotFound
from engine.policy import SYSTEM, Actor
from engine.store import definitions, runs
from handlers.directory import service as directory
from handlers.projects import service as projects

STATES = {
    "ACTIVE": (lazy_gettext("办理中"), "blue"),
    "SUSPENDED": (lazy_gettext("已暂停"), "yellow"),
    "COMPLETED": (lazy_gettext("已完成"), "green"),
    "TERMINATED": (lazy_gettext("已终止"), "grey"),
}
BATCH_KINDS = {
    "migrate": lazy_gettext("迁移"),
    "undo_migration": lazy_gettext("撤销迁移"),
    "cancel": lazy_gettext("终止"),
    "retry_incidents": lazy_gettext("重试故障"),
    "suspend": lazy_gettext("暂停办理"),
    "resume": lazy_gettext("恢复办理"),
    "modify": lazy_gettext("调整环节"),
}
BATCH_STATES = {
    "RUNNING": (lazy_gettext("正在执行"), "blue"),
    "PAUSED": (lazy_gettext("已暂停"), "yellow"),
    "CANCELLED": (lazy_gettext("已取消"), "grey"),
    "COMPLETED": (lazy_gettext("已结束"), "green"),
}
FILTERS = ("state", "incident", "element", "q")
"""The query arguments that say which instances; a selection adds `key` (several) or `all`."""
NAMED = 500
"""Projects whose name matches a search: more are not looked at."""


def version_row(session: Session, identifier: str, version: int | None) -> tuple[list[Row[Any]], Row[Any]]:
    """All versions of a process, newest first, and the wanted one (None: the newest). NotFound when there is none."""
    rows = list(definitions.versions(session, "process", identifier))
    for row in rows:
        if version is None or row.version == version:
            return rows, row
    raise NotFound(what="流程", key=identifier if version is None else f"{identifier} v{version}")


def run_filter(session: Session, actor: Actor, definition_key: int, args: MultiDict[str, str]) -> runs.RunFilter:
    """The filter in the address; unknown states mean all."""
    text, state = args.get("q", "").strip()[:100], args.get("state", "")
    return runs.RunFilter(
        definition_key,
        state=state if state in STATES else "",
        incident=args.get("incident") == "1",
        element=args.get("element", "")[:200],
        text=text,
        business_ids=tuple(projects.ids_matching(session, actor, text, NAMED)) if text else (),
    )


def selected(session: Session, actor: Actor, definition_key: int, args: MultiDict[str, str], *, live: bool = False) -> list[int]:
    """Keys of the instances that the address selects: those named by `key`, or with `all` everything that matches the filter.

    `live`: only what has not ended. Raises Invalid when more are selected than a batch takes.
    """
    if args.get("all") == "1":
        wanted = replace(run_filter(session, actor, definition_key, args), live=live)
    else:
        named = tuple(key for key in args.getlist("key", type=int) if 0 < key < 2**63)
        if not named:
            return []
        wanted = runs.RunFilter(definition_key, keys=named[:MAX_ITEMS], live=live)
    found = runs.keys(session, wanted, MAX_ITEMS + 1)
    if len(found) > MAX_ITEMS:
        raise Invalid(reason=f"一次最多处理 {MAX_ITEMS} 个流程实例，请用筛选分批进行")
    return found


def selection_fields(args: MultiDict[str, str]) -> list[tuple[str, str]]:
    """(name, value) of hidden fields that carry the version, filter and selection to the next page."""
    names = ("version", "all", *FILTERS)
    return [(name, args[name]) for name in names if args.get(name)] + [("key", key) for key in args.getlist("key")]


def projects_of(session: Session, business_ids: Iterable[str | None]) -> dict[str, tuple[str, str]]:
    """Business id -> (name, address) of the project it belongs to, where there is one."""
    numbers = {int(text) for text in business_ids if text and text.isascii() and text.isdecimal() and len(text) < 10}
    names = projects.project_names(session, numbers)
    return {str(number): (name, url_for("projects.show", project_id=number)) for number, name in names.items()}


def people(session: Session, usernames: Iterable[str]) -> Mapping[str, str]:
    """Username -> the name people know; what nobody did, the system did."""
    return {SYSTEM.username: str(_("系统"))} | directory.display_names(session, list(dict.fromkeys(usernames)))


def page_number() -> int:
    """`page` of the address, from 1."""
    return min(max(1, request.args.get("page", 1, type=int)), 100_000)


def duration(seconds: float | None) -> str:
    """A length of time in words, coarse enough to compare at a glance; a dash for none."""
    if seconds is None:
        return "—"
    if seconds < 0.5:
        return str(_("即时"))
    if seconds < 60:
        return str(_("%(n)s 秒", n=round(seconds)))
    if seconds < 3600:
        return str(_("%(n)s 分钟", n=round(seconds / 60)))
    if seconds < 48 * 3600:
        return str(_("%(n)s 小时", n=round(seconds / 3600, 1)))
    return str(_("%(n)s 天", n=round(seconds / 86400, 1)))
