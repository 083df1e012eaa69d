"""效能: the three measures of the plan, visits, and what is reported to the supervision, for a period; printable and as CSV."""

from __future__ import annotations

from datetime import date
from typing import Any

from flask import Blueprint, Response, render_template, request
from flask_babel import gettext as _

from engine import clock
from engine.clock import CHINA
from engine.errors import Invalid
from handlers.directory import service as directory
from handlers.performance import service as performance
from handlers.performance.service import Interval
from webapp.context import actor, engine
from webapp.csv_file import csv_answer

blueprint = Blueprint("performance", __name__, url_prefix="/performance")
TABS = ("measures", "visits", "reports")


@blueprint.get("")
def index() -> str:
    """One of the three lists; `first` and `last` give the period, by default this year until today."""
    performance.check_reader(actor())
    tab = request.args.get("tab", TABS[0])
    tab = tab if tab in TABS else TABS[0]
    first, last = _period()
    with engine().reading() as session:
        screen = _screen(session, tab, first, last)
        screen["units"] = directory.unit_names(session)
    return render_template("performance.html", tab=tab, tabs=_tabs(), first=first, last=last, quick=_quick(), **screen)


@blueprint.get("/<any(measures, visits, reports):tab>.csv")
def as_csv(tab: str) -> Response:
    """The same list as a file that spreadsheets open."""
    performance.check_reader(actor())
    first, last = _period()
    with engine().reading() as session:
        rows = _table(tab, _screen(session, tab, first, last), directory.unit_names(session))
    return csv_answer(f"{tab}-{first}-{last}.csv", rows)


def _screen(session: Any, tab: str, first: date, last: date) -> dict[str, Any]:
    if tab == "visits":
        lines, seen = performance.repeated_visits(session, actor(), first, last)
        return {"lines": lines, "seen": seen}
    if tab == "reports":
        return {"lines": performance.exceptions(session, actor(), first, last), "kinds": _kinds()}
    return {"found": performance.measures(session, actor(), first, last)}


def _tabs() -> list[tuple[str, str]]:
    return [("measures", _("快审批、快落地、快开工")), ("visits", _("跑动次数")), ("reports", _("报告事项"))]


def _kinds() -> dict[str, tuple[str, str]]:
    """What is reported: name and article."""
    return {
        performance.DEEMED: (_("逾期未告知，视为受理"), _("行政许可法第三十二条第一款第四项")),
        performance.SECOND_NOTICE: (_("再次要求补正"), _("行政许可法第三十二、七十二条")),
        performance.OVERDUE: (_("超过办理期限"), _("优化营商环境条例第三十六条")),
    }


def _period() -> tuple[date, date]:
    today = clock.now().astimezone(CHINA).date()
    return _day("first") or date(today.year, 1, 1), _day("last") or today


def _day(name: str) -> date | None:
    text = request.args.get(name, "")
    try:
        return date.fromisoformat(text) if text else None
    except ValueError as error:
        raise Invalid(reason=_("日期应为 年-月-日")) from error


def _quick() -> list[tuple[str, date, date]]:
    """The usual periods: this month, this quarter, this year."""
    today = clock.now().astimezone(CHINA).date()
    quarter = date(today.year, today.month - (today.month - 1) % 3, 1)
    return [(_("本月"), today.replace(day=1), today), (_("本季"), quarter, today), (_("本年"), date(today.year, 1, 1), today)]


def _table(tab: str, screen: dict[str, Any], units: dict[str, str]) -> list[list[Any]]:
    if tab == "visits":
        head = [_("项目"), _("事项"), _("办件编号"), _("次数"), _("原因")]
        return [head] + [[one.project, one.item_name, one.number, len(one.visits), _reasons(one)] for one in screen["lines"]]
    if tab == "reports":
        head = [_("时间"), _("情况"), _("项目"), _("事项"), _("办件编号"), _("单位")]
        kinds, lines = screen["kinds"], screen["lines"]
        local = [(one, one.at.astimezone(CHINA).strftime("%Y-%m-%d %H:%M")) for one in lines]
        return [head] + [
            [at, kinds[one.kind][0], one.project, one.item_name, one.number, units.get(one.unit, one.unit)] for one, at in local
        ]
    head = [
        _("项目"),
        _("建设单位"),
        _("项目类型"),
        _("状态"),
        _("审批用时（工作日）"),
        _("落地用时（天）"),
        _("开工用时（天）"),
        _("是否超百日"),
    ]
    found = screen["found"]
    rows = [
        [
            one.name,
            one.organisation,
            one.variant,
            one.state_name,
            one.approval,
            _days(one.landing),
            _days(one.starting),
            _("是") if one.approval > one.budget else _("否"),
        ]
        for one in found.lines
    ]
    mean = [
        _("平均（期内办结的）"),
        "",
        "",
        "",
        *(("" if a.mean is None else a.mean) for a in (found.approval, found.landing, found.starting)),
    ]
    return [head, *rows, mean]


def _days(one: Interval) -> Any:
    return "" if one.days is None else one.days if one.finished else _("已 %(n)s", n=one.days)


def _reasons(line: performance.VisitLine) -> str:
    return "、".join(f"{visit.on} {visit.reason_name}" for visit in line.visits)
