"""A case's light in words, with its reason: what every list, the project page and the task page say of its clock."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

from engine.clock import CHINA
from handlers.clock.ledger import CaseClock
from handlers.lights import Light

UNITS = {"wd": "工作日", "cd": "自然日"}


def case_light(clock: CaseClock, now: datetime) -> Light:
    """The light of a case at a moment: colour, what is left or over, and why. `due` is the close of business of the last day."""
    reading = clock.reading
    if reading.state == "received":
        return _waiting(clock)
    if clock.limit is None or reading.remaining is None:
        return Light("grey", "无时限", f"已用 {reading.elapsed} 个工作日")
    unit = UNITS[clock.limit.unit]
    if reading.state == "paused":
        return Light("blue", "暂停计时", _reason(clock), None, reading.remaining)
    if reading.state in ("decided", "served", "ended"):
        over = -reading.remaining
        late = clock.is_late or over > 0
        words = f"办结，超 {max(over, 0)} {unit}" if late else f"办结，用 {reading.elapsed} {unit}"
        return Light("red" if late else "green", words, _reason(clock), None, reading.remaining)
    due = clock.calendar.closing(reading.due) if reading.due is not None else None
    if due is not None and now > due:
        over = max(-reading.remaining, 0)
        return Light("red", f"超 {over} {unit}" if over else "今日已超时", _reason(clock), due, reading.remaining)
    words = f"剩 {reading.remaining} {unit}" if reading.remaining else "今日到期"
    return Light(reading.light, words, _reason(clock), due, reading.remaining)


def _waiting(clock: CaseClock) -> Light:
    silent = clock.reading.silent
    if silent is None:
        return Light("blue", "等申请人补正", "补正期间不计入办理期限（行政许可法第三十二条）")
    until = datetime.combine(silent + timedelta(days=1), time(), CHINA)
    return Light("grey", "待受理", f"{_day(silent)} 前未告知的，视为受理（行政许可法第三十二条第一款第四项）", until)


def _reason(clock: CaseClock) -> str:
    """ "承诺时限 7 工作日，05-12 受理，次日起算；延期 10；暂停 9 个工作日；05-23 到期" """
    reading, limit = clock.reading, clock.limit
    assert limit is not None
    kind = "承诺时限" if limit != clock.statutory_limit else "法定时限"
    parts = [f"{kind} {limit.days} {UNITS[limit.unit]}"]
    if reading.accepted is not None:
        parts.append(f"{_day(reading.accepted)} 受理，次日起算")
    extension = reading.elapsed + (reading.remaining or 0) - limit.days
    if extension:
        parts.append(f"延期 {extension} {UNITS[limit.unit]}")
    if reading.times.special:
        parts.append(f"特别程序 {reading.times.special} 个工作日不计")
    if reading.due is not None and reading.state == "running":
        parts.append(f"{_day(reading.due)} 到期" + ("（暂定）" if reading.provisional else ""))
    elif reading.projected_due is not None:
        parts.append(f"预计 {_day(reading.projected_due)} 到期")
    return "；".join(parts)


def _day(day: date) -> str:
    return f"{day:%m-%d}"
