"""Jinja's filters and globals: how dates, sizes, lights and assets are written, the same way on every screen."""

from __future__ import annotations

import hashlib
import json
from datetime import date, datetime
from pathlib import Path
from typing import Any

from flask import Flask, g, request, url_for
from flask_babel import gettext as _
from markupsafe import Markup

from engine import clock
from engine.clock import CHINA
from webapp.languages import language
from webapp.once import once_field

DIST = Path(__file__).parent / "static" / "dist"

LIGHTS = frozenset({"green", "yellow", "red", "blue", "grey"})

POSITIVE = ("同意", "通过", "合格", "符合", "准予", "受理", "无意见", "办结", "一致")
NEGATIVE = ("不同意", "不通过", "不合格", "不符合", "不予", "退回", "终止", "不一致")
CONDITIONAL = ("有条件", "整改后", "修改", "整改", "补正", "补充", "会商")


def instant(value: datetime | date | str | None) -> datetime | None:
    """A value of the database or of JSON as Beijing time; a date alone means its midnight; None stays None."""
    if value is None or value == "":
        return None
    if isinstance(value, str):
        value = datetime.fromisoformat(value)
    if not isinstance(value, datetime):
        value = datetime(value.year, value.month, value.day, tzinfo=CHINA)
    return value.astimezone(CHINA)


def day(value: datetime | date | str | None) -> str:
    """ "07-28", with the year when it is not the current one."""
    moment = instant(value)
    if moment is None:
        return "—"
    return moment.strftime("%m-%d" if moment.year == clock.now().year else "%Y-%m-%d")


def when(value: datetime | date | str | None) -> str:
    """ "07-28 10:42", with the year when it is not the current one."""
    moment = instant(value)
    return "—" if moment is None else f"{day(moment)} {moment:%H:%M}"


def second(value: datetime | str | None) -> str:
    """ "07-28 10:42:07", where the order of events matters."""
    moment = instant(value)
    return "—" if moment is None else f"{day(moment)} {moment:%H:%M:%S}"


def local(value: datetime | str | None) -> str:
    """For `<input type="datetime-local" step="1">`: Beijing time without an offset."""
    moment = instant(value)
    return "" if moment is None else moment.strftime("%Y-%m-%dT%H:%M:%S")


def time_of_day(value: datetime | str | None) -> str:
    """ "10:42"."""
    moment = instant(value)
    return "—" if moment is None else f"{moment:%H:%M}"


def full_date(value: datetime | date | str | None) -> str:
    """ "2022年7月28日", for documents and print."""
    moment = instant(value)
    return "—" if moment is None else f"{moment.year}年{moment.month}月{moment.day}日"


def iso(value: datetime | str | None) -> str:
    """For `<time datetime>`."""
    moment = instant(value)
    return "" if moment is None else moment.isoformat(timespec="seconds")


def size(value: int) -> str:
    """ "0.8 MB"."""
    return f"{value / 1048576:.1f} MB" if value >= 104858 else f"{max(1, round(value / 1024))} KB"


def number(value: float | int | str | None) -> str:
    """Thousands separated, no needless zeros: 18,600."""
    if value is None or value == "":
        return "—"
    return f"{float(value):,.4f}".rstrip("0").rstrip(".")


def result_colour(text: str | None) -> str:
    """The colour class of an opinion's or decision's result; grey for a result whose words say nothing of good or bad."""
    words = text or ""
    if words.startswith(NEGATIVE):
        return "red"
    if words.startswith(CONDITIONAL):
        return "yellow"
    return "green" if words.startswith(POSITIVE) else "grey"


def script_json(value: Any) -> Markup:
    """JSON for a `<script type="application/json">` block: nothing in it can end the block."""
    text = json.dumps(value, ensure_ascii=False, default=str)
    return Markup(text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026"))  # all three are escaped: safe in a block


def asset(name: str) -> str:
    """The address of a built file with its digest, so that browsers keep it for ever and still see a new build at once."""
    return url_for("static", filename=f"dist/{name}", v=_digest(DIST / name))


def _digest(path: Path) -> str:
    """A file's short digest; its time is part of the key, so a rebuild while the server runs is noticed."""
    if not path.exists():
        return "missing"
    key = (str(path), path.stat().st_mtime_ns)
    if key not in _digests:
        _digests[key] = hashlib.sha256(path.read_bytes()).hexdigest()[:12]
    return _digests[key]


_digests: dict[tuple[str, int], str] = {}


def address_with(**changes: Any) -> str:
    """The current address with some of its query arguments changed; None or "" removes one. Filters and pagers are links made of it."""
    merged = request.args.to_dict() | changes
    kept = {key: value for key, value in merged.items() if value not in (None, "")}
    return url_for(request.endpoint or "", **(request.view_args or {}), **kept)


def install(app: Flask) -> None:
    filters = (day, when, second, local, time_of_day, full_date, iso, size, number, result_colour, script_json)
    for function in filters:
        app.add_template_filter(function)
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.globals.update(
        asset=asset, address_with=address_with, language=language, once_field=once_field, business_now=clock.now, _=_
    )
    app.context_processor(lambda: {"me": g.get("user"), "actor": g.get("actor")})
    app.after_request(_keep_assets)


def _keep_assets(response: Any) -> Any:
    if request.endpoint == "static" and "v" in request.args and response.status_code == 200:
        response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
    return response
