"""Cases: opened at receipt, moved through the status dictionary, extended, decided, served; every change is an event of the case and, where
the law counts it, of its clock, in one transaction. The only import from outside.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.clock import CHINA
from engine.errors import NotFound
from handlers.cases.models import CaseEventRow, CaseRow
from handlers.cases.refusals import CaseRefused, refusal_of
from handlers.catalogue.service import catalogue
from handlers.clock import service as clocks
from handlers.lights import calendar_of
from handlers.numbering import REGION, check_digit, next_number

QUERY_ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
"""Without 0 O 1 I, which people confuse on paper."""

ACCEPTED, DECIDED, WITHDRAWAL_PENDING, WITHDRAWN = 3, frozenset({11, 12, 13}), 16, 14
CORRECTION, CORRECTED, SPECIAL, SPECIAL_ENDED = 6, 7, 9, 10
CLOSED = frozenset({2, 4, 5, 14})
GRANTED, GRANTED_WITH_TOLERANCE, DENIED = 11, 12, 13


@dataclass(frozen=True, slots=True)
class Case:
    """A case as it stands. Instants are aware; names come from the catalogue."""

    id: int
    number: str
    query_code: str
    project_id: int
    item_code: str
    item_name: str
    unit: str
    applicant: str
    status: int
    status_name: str
    tolerance: bool
    deemed_accepted: bool
    result: str
    document_number: str
    root_key: int
    received_at: datetime
    accepted_at: datetime | None
    decided_at: datetime | None
    served_at: datetime | None

    @property
    def ended(self) -> bool:
        """Whether no status can follow but a revocation."""
        entry = catalogue().case_statuses[self.status]
        return entry.ended or not entry.following


@dataclass(frozen=True, slots=True)
class Pausing:
    """What is known of a pause: `procedure` by its name in special_procedures.csv, the day `planned` for its end, the written notice."""

    procedure: str = ""
    planned: date | None = None
    document: str = ""


@dataclass(frozen=True, slots=True)
class CaseEvent:
    """One change of a case's status; `previous` is None for the first."""

    previous: int | None
    status: int
    status_name: str
    person: str
    unit: str
    element_id: str
    at: datetime
    note: str


NO_PAUSE = Pausing()


def open_case(
    session: Session,
    *,
    project_id: int,
    item_code: str,
    unit: str,
    applicant: str,
    root_key: int,
    person: str,
    element_id: str,
    now: datetime,
) -> Case:
    """Register the receipt of an application (status 1 已接件) with a case number and a query code. NotFound for an unknown item."""
    item = catalogue().item(item_code)
    row = CaseRow(
        number=_case_number(session, unit, item_code, now),
        query_code="".join(secrets.choice(QUERY_ALPHABET) for _ in range(6)),
        project_id=project_id,
        item_code=item.code,
        unit=unit,
        applicant=applicant,
        status=1,
        tolerance=False,
        deemed_accepted=False,
        result="",
        document_number="",
        root_key=root_key,
        received_at=now,
    )
    session.add(row)
    session.flush()
    _add_event(session, row, None, person, element_id, now, "")
    clocks.open_clock(session, row.id, item.code, root_key, person=person, now=now)
    return _case(row)


def _case_number(session: Session, unit: str, item_code: str, now: datetime) -> str:
    """Local number (domain §4.6): region 6, unit 2, item 4, day 8, serial 5, check digit (letters count as 10..35 for it)."""
    entry = catalogue().units.get(unit)
    day = now.astimezone(CHINA).strftime("%Y%m%d")
    head = f"{REGION}{entry.number if entry else 0:02d}{item_code:0<4.4}{day}"
    body = f"{head}{next_number(session, f'case:{day}'):05d}"
    return body + check_digit("".join(str(int(c, 36)) for c in body))


def set_status(
    session: Session,
    case_id: int,
    status: int,
    *,
    person: str,
    unit: str = "",
    element_id: str = "",
    now: datetime,
    accepted_at: datetime | None = None,
    deemed: bool | None = None,
    pausing: Pausing = NO_PAUSE,
    note: str = "",
) -> Case:
    """Move a case to another status of the dictionary, and its clock with it. CaseRefused with the article when it may not follow.

    From 16 撤件待确认 a case goes to 14 or goes on as if from the status it had before. Acceptance (3) takes `accepted_at`: the day of
    receipt when the window was silent for five days (`deemed`, 行政许可法 32(四)), the day on which all corrections were in after a
    correction (32(五)). `pausing` tells what is known of a correction (6) or special procedure (9).
    """
    row = _locked(session, case_id)
    if row.status == status == WITHDRAWAL_PENDING:
        return _case(row)  # asked for twice: the window still confirms the first
    _check_transition(session, row, status)
    previous, row.status = row.status, status
    if status == ACCEPTED:
        row.accepted_at = accepted_at or now
        row.deemed_accepted = row.accepted_at < now if deemed is None else deemed
    if status in DECIDED:
        row.decided_at = now
    _move_clock(session, row, previous, pausing, person, now)
    _add_event(session, row, previous, person, element_id, now, note, unit)
    return _case(row)


def _move_clock(session: Session, row: CaseRow, previous: int, pausing: Pausing, person: str, now: datetime) -> None:
    """The clock event that goes with a new status, if there is one."""
    event = _clock_event(session, row, pausing, now)
    if event is not None and not (previous == WITHDRAWAL_PENDING and row.status != WITHDRAWN and _repeats(session, row, event)):
        clocks.record(session, row.id, event, person=person, now=now)


def _repeats(session: Session, row: CaseRow, event: clocks.Event) -> bool:
    """Whether the clock had this event before the withdrawal was asked for: going on as before adds nothing."""
    counted = [e for e in clocks.events_of(session, row.id) if not isinstance(e, clocks.Extended)]
    return bool(counted) and type(counted[-1]) is type(event)


def _clock_event(session: Session, row: CaseRow, pausing: Pausing, now: datetime) -> clocks.Event | None:
    events, calendar = clocks.events_of(session, row.id), calendar_of(session)
    last = max((event.on for event in events), default=now.astimezone(CHINA).date())
    today = max(last, now.astimezone(CHINA).date())
    if row.status == ACCEPTED:
        basis = clocks.basis(events) or today
        assert row.accepted_at is not None
        return clocks.Accepted(basis if row.deemed_accepted else max(basis, calendar.clock_date(row.accepted_at)), row.deemed_accepted)
    if row.status == CORRECTION:
        return clocks.Paused(today, "correction", pausing.document, pausing.planned)
    if row.status == SPECIAL:
        known = clocks.procedure(pausing.procedure) if pausing.procedure else None
        legal = known is None or known.legal
        return clocks.Paused(today, "special", pausing.document, pausing.planned, pausing.procedure, legal)
    if row.status == CORRECTED:
        return clocks.Resumed(max(last, calendar.clock_date(now)))
    if row.status == SPECIAL_ENDED:
        return clocks.Resumed(today)
    if row.status in DECIDED:
        return clocks.Decided(today)
    return clocks.Closed(today, catalogue().case_statuses[row.status].name) if row.status in CLOSED else None


def extension_rule(session: Session, case_id: int, handling: str = "") -> clocks.ExtensionRule:
    """How a case's limit may be extended: as the joint handling `handling` that it is part of, else as its item. CaseRefused: not at all.

    `handling` is a scope of extensions.csv, e.g. "joint": several departments decide together (行政许可法 42(2)).
    """
    row = _locked(session, case_id)
    rule = clocks.extension_of(handling or row.item_code)
    if rule is None:
        raise CaseRefused(number=row.number, reason="这个事项不能延期", article="行政许可法第四十二条")
    return rule


def extend(
    session: Session,
    case_id: int,
    days: int,
    *,
    approved_by: str,
    document: str,
    person: str,
    now: datetime,
    handling: str = "",
) -> clocks.CaseClock:
    """Extend the limit, once, before it has passed, by no more than the law allows; the applicant is told by `document` (行政许可法 42).

    `approved_by` is one whom `extension_rule` names for this `handling`; that it is so has been checked. Raises CaseRefused or ClockRefused
    with the article.
    """
    rule = extension_rule(session, case_id, handling)
    row = _locked(session, case_id)
    if not 1 <= days <= rule.days:
        raise CaseRefused(number=row.number, reason=f"只能延长 1 到 {rule.days} 个工作日", article=rule.article)
    clock = clocks.clock_of(session, case_id, now)
    due = clock.reading.due
    if clock.is_late or (due is not None and now > clock.calendar.closing(due)):
        raise CaseRefused(number=row.number, reason="期限已经届满，不能再延期", article=rule.article)
    on = max(now.astimezone(CHINA).date(), *(event.on for event in clock.events))
    return clocks.record(session, case_id, clocks.Extended(on, days, approved_by, document), person=person, now=now)


def serve(session: Session, case_id: int, *, person: str, now: datetime) -> Case:
    """The decision reached the applicant (行政许可法 44). Raises ClockRefused before a decision and when it was served already."""
    row = _locked(session, case_id)
    on = max(now.astimezone(CHINA).date(), *(event.on for event in clocks.events_of(session, case_id)))
    clocks.record(session, case_id, clocks.Served(on), person=person, now=now)
    row.served_at = now
    session.flush()
    return _case(row)


def resume(session: Session, case_id: int, *, person: str, unit: str = "", element_id: str = "", now: datetime) -> Case:
    """The withdrawal was refused: the case goes on with the status it had before 16. Nothing to do when it has moved on meanwhile."""
    row = _locked(session, case_id)
    if row.status == WITHDRAWAL_PENDING:
        row.status = _before_withdrawal(session, row)
        _add_event(session, row, WITHDRAWAL_PENDING, person, element_id, now, "", unit)
    return _case(row)


def _check_transition(session: Session, row: CaseRow, status: int) -> None:
    statuses = catalogue().case_statuses
    if status not in statuses:
        raise NotFound(what="办理状态", key=status)
    origin = row.status
    if origin == WITHDRAWAL_PENDING and status != WITHDRAWN:
        origin = _before_withdrawal(session, row)
        if origin == status:
            return
    if status not in statuses[origin].following:
        raise refusal_of(row.number, row.status, status)


def _before_withdrawal(session: Session, row: CaseRow) -> int:
    statement = (
        select(CaseEventRow.previous)
        .where(CaseEventRow.case_id == row.id, CaseEventRow.status == WITHDRAWAL_PENDING)
        .order_by(CaseEventRow.id.desc())
        .limit(1)
    )
    return session.scalars(statement).one() or row.status


def decide(
    session: Session, case_id: int, granted: bool, document_number: str, *, person: str, unit: str = "", element_id: str = "", now: datetime
) -> Case:
    """Record the decision: 11, 12 (granted although a tolerated material came later) or 13."""
    row = _locked(session, case_id)
    status = DENIED if not granted else GRANTED_WITH_TOLERANCE if row.tolerance else GRANTED
    row.result, row.document_number = "granted" if granted else "denied", document_number
    return set_status(session, case_id, status, person=person, unit=unit, element_id=element_id, now=now, note=document_number)


def mark_tolerance(session: Session, case_id: int) -> None:
    """The case was accepted with a gap (容缺受理)."""
    _locked(session, case_id).tolerance = True


def get_case(session: Session, case_id: int) -> Case:
    """A case by its id; NotFound when there is none."""
    row = session.get(CaseRow, case_id)
    if row is None:
        raise NotFound(what="办件", key=case_id)
    return _case(row)


def cases_of(session: Session, project_id: int | str) -> list[Case]:
    """The cases of a project, oldest first."""
    return [_case(row) for row in session.scalars(select(CaseRow).where(CaseRow.project_id == int(project_id)).order_by(CaseRow.id))]


def cases_of_root(session: Session, root_key: int) -> list[Case]:
    """The cases that were opened under one root instance, oldest first."""
    return [_case(row) for row in session.scalars(select(CaseRow).where(CaseRow.root_key == root_key).order_by(CaseRow.id))]


def case_history(session: Session, case_id: int) -> list[CaseEvent]:
    """Every change of a case's status, oldest first."""
    statuses = catalogue().case_statuses
    rows = session.scalars(select(CaseEventRow).where(CaseEventRow.case_id == case_id).order_by(CaseEventRow.id))
    return [CaseEvent(r.previous, r.status, statuses[r.status].name, r.person, r.unit, r.element_id, r.at, r.note) for r in rows]


def _locked(session: Session, case_id: int) -> CaseRow:
    row = session.scalar(select(CaseRow).where(CaseRow.id == case_id).with_for_update())
    if row is None:
        raise NotFound(what="办件", key=case_id)
    return row


def _add_event(
    session: Session, row: CaseRow, previous: int | None, person: str, element_id: str, now: datetime, note: str, unit: str = ""
) -> None:
    session.add(
        CaseEventRow(
            case_id=row.id,
            previous=previous,
            status=row.status,
            person=person,
            unit=unit or row.unit,
            element_id=element_id,
            at=now,
            note=note,
        )
    )
    session.flush()


def _case(row: CaseRow) -> Case:
    item = catalogue().items.get(row.item_code)
    return Case(
        id=row.id,
        number=row.number,
        query_code=row.query_code,
        project_id=row.project_id,
        item_code=row.item_code,
        item_name=item.name if item else row.item_code,
        unit=row.unit,
        applicant=row.applicant,
        status=row.status,
        status_name=catalogue().case_statuses[row.status].name,
        tolerance=row.tolerance,
        deemed_accepted=row.deemed_accepted,
        result=row.result,
        document_number=row.document_number,
        root_key=row.root_key,
        received_at=row.received_at,
        accepted_at=row.accepted_at,
        decided_at=row.decided_at,
        served_at=row.served_at,
    )
