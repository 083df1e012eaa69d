"""What diagrams call on promises: record what was signed, read it, keep, extend and break it."""

from __future__ import annotations

from datetime import date
from typing import Any

from engine.errors import Invalid
from engine.jobs import HandlerRegistry, JobContext
from engine.workcalendar import WorkCalendar
from handlers.cases import service as cases
from handlers.documents import service as documents
from handlers.documents.facts import case_facts
from handlers.lights import calendar_of
from handlers.promises import service as promises

registry = HandlerRegistry()

TOLERANCE_PROMISE, COMMITMENT = "W08", "W09"
ROWS: tuple[tuple[promises.Kind, str, str], ...] = (("tolerance", "容缺", TOLERANCE_PROMISE), ("commitment", "承诺", COMMITMENT))
"""Kind of promise, the word in the intake form's `submitted`, and the document that is signed."""


@registry.handler("promise.record", transactional=True, inputs=("caseId", "intake", "promise"), outputs=("promiseRecord",))
def record(job: JobContext) -> dict[str, Any]:
    """登记容缺受理承诺和告知承诺，出具承诺书（W08、W09）。

    `intake.materials` rows with submitted 容缺 or 承诺, `intake.tolerance_deadline`, signed by `promise.signer`. Returns `promiseRecord`.
    """
    case = cases.get_case(job.session, _case(job))
    intake, signed = _context(job, "intake"), _context(job, "promise")
    rows = intake.get("materials")
    listed = [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
    deadline = _day(intake.get("tolerance_deadline"))
    for kind, word, document_kind in ROWS:
        names = [str(row.get("name")) for row in listed if row.get("submitted") == word]
        if not names:
            continue
        until = deadline if kind == "tolerance" else None
        document = documents.issue(
            job.session,
            document_kind,
            project_id=case.project_id,
            case_id=case.id,
            item_code=case.item_code,
            unit=case.unit,
            facts=case_facts(case) | {"承诺材料": names, "补齐期限": until.isoformat() if until else None, "承诺人": signed.get("signer")},
            root_key=job.root_key,
            person=job.actor,
            now=job.now,
        )
        number = document.number or document.title
        promises.record(job.session, case.id, kind, names, until, number, person=str(signed.get("signer") or job.actor), now=job.now)
    return {"promiseRecord": _record(job, case.id)}


@registry.handler("promise.read", transactional=True, inputs=("caseId",), outputs=("promiseRecord",))
def read(job: JobContext) -> dict[str, Any]:
    """读取办件的承诺：材料、期限、提醒时间。

    Returns `promiseRecord`: materials, deadline, expires, remind3, remind1 (instants), extended, commitments.
    """
    return {"promiseRecord": _record(job, _case(job))}


@registry.handler("promise.keep", transactional=True, inputs=("caseId",))
def keep(job: JobContext) -> None:
    """承诺已履行。"""
    promises.keep(job.session, _case(job), job.now)


@registry.handler("promise.extend", transactional=True, inputs=("caseId", "promiseOverdue"), outputs=("promiseRecord",))
def extend(job: JobContext) -> dict[str, Any]:
    """因不可抗力延长承诺期限一次：promiseOverdue.deadline。"""
    deadline = _day(_context(job, "promiseOverdue").get("deadline"))
    if deadline is None:
        raise Invalid(reason="缺少延长后的期限 promiseOverdue.deadline")
    promises.extend(job.session, _case(job), deadline, job.now)
    return {"promiseRecord": _record(job, _case(job))}


@registry.handler("promise.breach", transactional=True, inputs=("caseId", "reason"))
def breach(job: JobContext) -> None:
    """承诺未履行：终结承诺，记入申请人的信用记录。"""
    promises.break_promise(job.session, _case(job), str(job.variables.get("reason") or ""), person=job.actor, now=job.now)


def _record(job: JobContext, case_id: int) -> dict[str, Any]:
    found = promises.promises_of(job.session, case_id)
    tolerance = next((p for p in reversed(found) if p.kind == "tolerance"), None)
    calendar = calendar_of(job.session)
    return {
        "materials": list(tolerance.materials) if tolerance else [],
        "deadline": tolerance.deadline.isoformat() if tolerance and tolerance.deadline else None,
        "extended": tolerance.extended if tolerance else False,
        "commitments": any(p.kind == "commitment" for p in found),
        **_timers(calendar, tolerance.deadline if tolerance else None),
    }


def _timers(calendar: WorkCalendar, deadline: date | None) -> dict[str, str | None]:
    """When the promise expires and when the applicant is reminded, three working days and one before."""
    if deadline is None:
        return {"expires": None, **{f"remind{days}": None for days in promises.REMINDERS}}
    found: dict[str, str | None] = {"expires": calendar.closing(deadline).isoformat()}
    for days in promises.REMINDERS:
        found[f"remind{days}"] = calendar.opening(calendar.add_workdays(deadline, -days)).isoformat()
    return found


def _case(job: JobContext) -> int:
    text = str(job.variables.get("caseId") or "")
    if not text.isdecimal():
        raise Invalid(reason="缺少输入 caseId")
    return int(text)


def _context(job: JobContext, name: str) -> dict[str, Any]:
    value = job.variables.get(name)
    return value if isinstance(value, dict) else {}


def _day(value: Any) -> date | None:
    return date.fromisoformat(value[:10]) if isinstance(value, str) and value else None
