"""What the page of a case's clock shows: its light, the limits side by side, the four times, and every day in weeks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import groupby
from typing import Any

from flask_babel import gettext as _
from sqlalchemy.orm import Session

from engine import clock
from engine.clock import CHINA
from engine.policy import Actor
from handlers.cases import service as cases
from handlers.cases.service import Case
from handlers.clock import service as clocks
from handlers.clock.service import CaseClock, ClockDay, View
from handlers.directory import service as directory
from handlers.lights import Light
from handlers.projects import service as projects
from handlers.sanctions import service as sanctions
from handlers.visits import service as visits

COLOURS = {"counted": "counted", "accepted": "edge", "received": "edge", "waiting": "waiting", "paused": "paused", "off": "off"}


@dataclass(frozen=True, slots=True)
class Month:
    """One month of the strip: weeks of seven cells, None where the month or the clock has no day."""

    title: str
    weeks: list[list[ClockDay | None]]


def build(session: Session, actor: Actor, case_id: int, view: View = "promise") -> dict[str, Any]:
    """Everything the page needs, the days counted as `view` says. NotFound when the actor may not see the case's project."""
    case = cases.get_case(session, case_id)
    project = projects.get_project(session, actor, case.project_id)
    now = clock.now()
    found = clocks.clock_of(session, case_id, now)
    days = clocks.explain_days(found, now.astimezone(CHINA).date(), view)
    return {
        "case": case,
        "project": project,
        "clock": found,
        "light": clocks.case_light(found, now),
        "views": views(found),
        "times": found.reading.times,
        "months": months(days),
        "counts": _counts(days),
        "changes": _changes(session, case),
        "today": now.astimezone(CHINA).date(),
        "item_rule": clocks.extension_of(case.item_code),
        "colours": COLOURS,
        "view": view,
        "left_out": left_out(days),
        "ways": ways(),
        "visits": visits.visits_of(session, [case.id])[case.id],
        "visit_reasons": [one for one in visits.reasons().values() if one.manual] if actor.can("represent_owner") else [],
        "false_material": sanctions.false_material_of(session, case.id),
        "may_report_false": sanctions.may_report_false(actor, case),
        "false_effect": sanctions.false_effect(case.item_code),
    }


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Days in a row that did not count, for one reason."""

    first: date
    last: date
    days: int
    reason: str


def left_out(days: Sequence[ClockDay]) -> list[LeftOut]:
    """The stretches so far that did not count, with why; days before the acceptance are one of them."""
    past = [one for one in days if not one.future]
    found = []
    for (reason, counted), group in groupby(past, key=lambda one: (one.reason, one.number is not None)):
        stretch = list(group)
        if not counted:
            found.append(LeftOut(stretch[0].day, stretch[-1].day, len(stretch), reason))
    return found


def ways() -> list[tuple[View, str, str]]:
    """The ways to count: code, name, what each leaves out."""
    return [
        ("promise", _("承诺口径"), _("按承诺时限计；补正和本市清单里的特别程序都不计入")),
        ("statutory", _("法定口径"), _("按法定时限计；只有补正和行政许可法第四十五条列明的程序不计入，公示等照常计")),
        ("reform", _("改革口径"), _("计入全流程百个工作日的日子；特殊环节和并行推进的事项不计入")),
    ]


def views(found: CaseClock) -> list[dict[str, Any]]:
    """The case against the city's promise and against the law, side by side."""
    rows = []
    for label, limit, reading in (
        (_("承诺时限"), found.limit, found.reading),
        (_("法定时限"), found.statutory_limit, found.statutory),
    ):
        rows.append(
            {
                "label": label,
                "limit": limit,
                "unit": _unit(limit.unit) if limit is not None else "",
                "elapsed": reading.elapsed,
                "remaining": reading.remaining,
                "due": reading.due or reading.projected_due,
                "projected": reading.due is None and reading.projected_due is not None,
                "provisional": reading.provisional,
            }
        )
    return rows


def _unit(unit: str) -> str:
    return str(_("自然日")) if unit == "cd" else str(_("工作日"))


def months(days: Sequence[ClockDay]) -> list[Month]:
    """The days in the weeks of their months, Monday first."""
    found = []
    for (year, month), group in groupby(days, key=lambda one: (one.day.year, one.day.month)):
        known = {one.day: one for one in group}
        first, last = min(known), max(known)
        start = first - timedelta(days=first.weekday())
        cells = [_in_month(known, start + timedelta(days=n), month) for n in range((last - start).days + 1)]
        cells += [None] * (-len(cells) % 7)
        title = _("%(year)s年%(month)s月", year=year, month=month)
        found.append(Month(str(title), [cells[n : n + 7] for n in range(0, len(cells), 7)]))
    return found


def _in_month(known: dict[date, ClockDay], day: date, month: int) -> ClockDay | None:
    return known.get(day) if day.month == month else None


def _counts(days: Sequence[ClockDay]) -> dict[str, int]:
    """How many days so far were counted, off and paused."""
    past = [one.kind for one in days if not one.future]
    return {kind: past.count(kind) for kind in ("counted", "off", "paused")}


def _changes(session: Session, case: Case) -> list[dict[str, Any]]:
    """Every change of status with who made it."""
    history = cases.case_history(session, case.id)
    names = directory.display_names(session, [event.person for event in history])
    units = directory.unit_names(session)
    return [
        {
            "at": event.at,
            "status": event.status_name,
            "who": _("系统") if event.person == "system" else names.get(event.person, event.person),
            "unit": units.get(event.unit, event.unit),
            "note": event.note,
        }
        for event in history
    ]


def lights_of(session: Session, found: Sequence[Case]) -> dict[int, Light]:
    """The light of each case that has a clock."""
    now = clock.now()
    return {case_id: clocks.case_light(one, now) for case_id, one in clocks.clocks_of(session, [c.id for c in found], now).items()}
