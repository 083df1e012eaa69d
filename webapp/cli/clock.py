"""clock: show or move the business clock of the installation; `clock due` computes statutory due dates and opens no database."""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any

from engine import clock
from engine.clock import CHINA
from engine.errors import Invalid, LianbanError
from engine.workcalendar import FIRST_YEAR, LAST_YEAR, WorkCalendar
from handlers.catalogue.service import catalogue_calendar
from handlers.clock.service import Limit, due_date
from webapp.cli.opening import Commands, command, opened

MAX_DAYS = 10_000
FIELDS = frozenset({"accepted", "days", "unit", "pauses", "calendar"})
CALENDARS: dict[str, Callable[[], WorkCalendar]] = {"xinjiang": catalogue_calendar, "national": WorkCalendar}
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)

DUE_HELP = """--jsonl 每行一个对象 / one object a line: {"accepted": "2022-05-23", "days": 20, "unit": "wd",
"pauses": [["2022-06-01", "2022-06-15"]], "calendar": "xinjiang"}；后三项可省 / the last three may be left out.
每行回答 / each is answered by {"due": "2022-07-04", "provisional": false} 或 / or {"error": "…"}"""


class QuestionInvalid(Invalid):
    """期限的问题不完整或有误：{reason}

    The question about a due date is not valid: {reason}
    """

    code = "due_question_invalid"


def add_commands(commands: Commands) -> None:
    parser = command(commands, "clock", change_clock, "显示或移动业务时钟；due 计算到期日 / show or move the business clock; due dates")
    parser.add_argument("--to", metavar="ISO", help="北京时间 / Beijing time, e.g. 2022-08-01T10:30")
    parser.add_argument("--reset", action="store_true", help="回到真实时间 / back to real time")
    parts = parser.add_subparsers(dest="clock_command", metavar="due")
    due = command(parts, "due", answer_due, "从受理日计算到期日，不需要数据库 / the due date of a limit, without a database")
    due.epilog = DUE_HELP
    due.add_argument("--accepted", metavar="DATE", help="受理日，不计入 / day of acceptance, does not count")
    due.add_argument("--days", type=int, metavar="N", help="期限天数 / the limit")
    due.add_argument("--unit", default="wd", choices=("wd", "cd"), help="工作日或自然日 / working or calendar days")
    due.add_argument(
        "--pause", action="append", default=[], metavar="FROM:TO", help="暂停，FROM 次日至 TO 不计 / days after FROM up to TO do not count"
    )
    due.add_argument("--calendar", default="xinjiang", choices=tuple(CALENDARS), help="日历 / calendar")
    due.add_argument("--jsonl", action="store_true", help="从标准输入读很多问题，每行一个 / many questions on standard input, one a line")


def change_clock(arguments: argparse.Namespace) -> int:
    from engine.commands import move_clock  # `clock due` shall not wait for the diagram parser
    from engine.policy import SYSTEM

    with opened() as engine:
        if arguments.to or arguments.reset:
            target = datetime.fromisoformat(arguments.to) if arguments.to else clock.wall_now()
            with engine.unit_of_work() as session:
                move_clock(session, SYSTEM, to=target if target.tzinfo else target.replace(tzinfo=CHINA))
            print(f"到期事项 / timers fired: {engine.run_due()}")
        with engine.reading():
            print(f"业务时间 / business time {clock.now():%Y-%m-%d %H:%M:%S}，与实际时间相差 / offset {clock.offset()}")
    return 0


def answer_due(arguments: argparse.Namespace) -> int:
    """One due date, or with --jsonl one a line; then a bad line is answered with its error, and the exit code is 1 at the end."""
    calendars = {name: make() for name, make in CALENDARS.items()}
    if arguments.jsonl:
        return _answer_lines(calendars)
    if arguments.accepted is None or arguments.days is None:
        raise QuestionInvalid(reason="需要 --accepted 和 --days（或 --jsonl） (give --accepted and --days, or --jsonl)")
    pauses = [text.split(":") for text in arguments.pause]
    question = {"accepted": arguments.accepted, "days": arguments.days, "unit": arguments.unit, "pauses": pauses}
    print(json.dumps(due_of(question | {"calendar": arguments.calendar}, calendars)))
    return 0


def _answer_lines(calendars: Mapping[str, WorkCalendar]) -> int:
    failed = False
    for line in sys.stdin.buffer:
        if not line.strip():
            continue
        try:
            answer = due_of(_read_line(line), calendars)
        except LianbanError as error:
            failed = True
            answer = {"error": error.message("zh")}
        print(json.dumps(answer, ensure_ascii=False), flush=True)
    return 1 if failed else 0


def _read_line(line: bytes) -> Any:
    try:
        return json.loads(line)
    except (ValueError, RecursionError):  # not JSON, not UTF-8, an endless number, brackets without end
        raise QuestionInvalid(reason="不是有效的 JSON (not JSON)") from None


def due_of(question: Any, calendars: Mapping[str, WorkCalendar]) -> dict[str, Any]:
    """{"due": ISO date, "provisional": bool} for a question as `clock due --jsonl` reads it. Unknown fields are refused, because a
    misspelt pause would silently give a wrong date. Raises QuestionInvalid, ClockRefused (with the article), CalendarError."""
    if not isinstance(question, dict) or not question.keys() <= FIELDS:
        raise QuestionInvalid(reason=f"应为对象，字段为 {', '.join(sorted(FIELDS))} (an object with these fields)")
    given = {name: value for name, value in question.items() if value is not None}
    calendar = calendars.get(str(given.get("calendar", "xinjiang")))
    if calendar is None:
        raise QuestionInvalid(reason=f"calendar 只能是 {' 或 '.join(calendars)} (unknown calendar)")
    due, provisional = due_date(_day(given.get("accepted"), "accepted"), _limit(given), calendar, _pauses(given.get("pauses", [])))
    return {"due": due.isoformat(), "provisional": provisional}


def _limit(given: Mapping[str, Any]) -> Limit:
    days, unit = given.get("days"), given.get("unit", "wd")
    if type(days) is not int or not 1 <= days <= MAX_DAYS:
        raise QuestionInvalid(reason=f"days 应为 1 到 {MAX_DAYS} 的整数 (days: a whole number)")
    if unit == "wd":
        return Limit(days, "wd")
    if unit == "cd":
        return Limit(days, "cd")
    raise QuestionInvalid(reason="unit 只能是 wd 或 cd (unknown unit)")


def _pauses(given: Any) -> list[tuple[date, date]]:
    if not isinstance(given, list) or not all(isinstance(pause, list) and len(pause) == 2 for pause in given):
        raise QuestionInvalid(reason="暂停应为 [起, 止] (a pause is [from, to])")
    return [(_day(begin, "pause"), _day(end, "pause")) for begin, end in given]


def _day(text: Any, field: str) -> date:
    if not isinstance(text, str) or _DAY.fullmatch(text) is None:
        raise QuestionInvalid(reason=f"{field} 应为日期 2022-05-23 (a date YYYY-MM-DD)")
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise QuestionInvalid(reason=f"{field}：没有 {text} 这一天 (no such day)") from None
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise QuestionInvalid(reason=f"{field}：日历只到 {FIRST_YEAR}-{LAST_YEAR} 年 (outside the calendar's years)")
    return day
