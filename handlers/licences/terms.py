"""When a licence may be renewed: before its end, with notice, so often and so long as its law allows."""

from __future__ import annotations

from datetime import date, timedelta

from sqlalchemy.orm import Session

from handlers.licences.models import LicenceRow
from handlers.licences.rules import terms
from handlers.licences.view import LicenceRefused, licence_of
from handlers.lights import calendar_of


def latest_application(session: Session, item_code: str, valid_until: date) -> date:
    """The last day to apply for a renewal: `notice_days` before the end (行政许可法 50: thirty days; 核准备案条例 12: working days)."""
    term = terms().get(item_code)
    if term is None or not term.notice_days:
        return valid_until
    if term.unit == "W":
        return calendar_of(session).add_workdays(valid_until, -term.notice_days)
    return valid_until - timedelta(days=term.notice_days)


def renewal_refusal(session: Session, row: LicenceRow, months: int, applied_on: date) -> LicenceRefused | None:
    """Why a licence cannot be renewed by an application of that day, with the article; None when it can."""
    term = terms().get(row.item_code)
    if term is None or row.valid_until is None:
        return LicenceRefused(reason="这个结果没有有效期，不需要延续", article="行政许可法第五十条")
    reason = ""
    if row.state != "valid":
        reason = f"许可{licence_of(session, row.id).state_name}"
    elif term.renewals is not None and row.renewals >= term.renewals:
        reason = "不能延续" if term.renewals == 0 else f"最多延续 {term.renewals} 次"
    elif not 1 <= months <= term.renewal_months:
        reason = f"每次延续 1 到 {term.renewal_months} 个月"
    elif applied_on > row.valid_until:
        reason = "有效期已经届满"
    elif applied_on > (latest := latest_application(session, row.item_code, row.valid_until)):
        reason = f"应当在 {latest} 以前提出申请"
    return LicenceRefused(reason=reason, article=term.article) if reason else None
