"""Asking for something after the decision: who may, what is checked at once, and the flow (证后办理) that is started for it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from engine import clock
from engine.clock import CHINA
from engine.commands import start_instance
from engine.errors import Conflict, Forbidden, Invalid
from engine.policy import Actor
from handlers.licences.endings import end_of
from handlers.licences.models import LicenceRow
from handlers.licences.rules import terms
from handlers.licences.terms import renewal_refusal
from handlers.licences.view import Licence, LicenceRefused, add_event, locked, seen_licence
from handlers.lights import calendar_of
from handlers.projects import service as projects
from handlers.projects.service import Project

FLOW = "licence_service"
CHANGE, RENEW, REVOKE, CANCEL = "变更", "延续", "撤销", "注销"
GIVEN_UP = "given_up"
"""The one ground of 注销 that the holder asks for; the others are the body's."""


def kinds_for(session: Session, actor: Actor, licence: Licence, project: Project) -> list[str]:
    """What this person may ask for: the holder and the window change, renew and give up; the body's handlers revoke and cancel."""
    if licence.service_key is not None or licence.state == "cancelled":
        return []
    found = []
    if _holds(session, actor, project) and licence.effective:
        found = [CHANGE, *([RENEW] if licence.valid_until and not licence.used and licence.item_code in terms() else []), CANCEL]
    if f"{licence.unit}.handler" in actor.groups:
        found = [*found, *([REVOKE] if licence.state in ("valid", "expired") else []), *([CANCEL] if CANCEL not in found else [])]
    return found


def request(session: Session, actor: Actor, licence_id: int, kind: str, asked: Mapping[str, Any]) -> int:
    """Start 证后办理 for a licence -> the key of its flow.

    `asked`: 变更 {fields: {label: value}, reason}; 延续 {months}; 撤销 and 注销 {ground, reason}. Raises NotFound without access,
    Forbidden, Conflict while another request is under way, LicenceRefused with the article when the law does not allow it, Invalid.
    """
    row = locked(session, licence_id)
    licence, project = seen_licence(session, actor, licence_id)
    if licence.service_key is not None:
        raise Conflict(reason="这个许可已有事项正在办理")
    if kind not in kinds_for(session, actor, licence, project):
        raise Forbidden(reason=f"您不能对这个许可提出“{kind}”")
    now = clock.now()
    checked = _checked(session, actor, row, licence, kind, asked, now)
    variables = {
        "licenceId": str(licence.id),
        "kind": kind,
        "request": checked,
        "licence": {"title": licence.title, "number": licence.number, "until": _iso(licence)},
        "silentAt": _silent_at(session, licence, kind),
        "unit": licence.unit,
        "projectId": str(project.id),
        "project": project.data | {"code": project.code},
        "applicant": project.applicant,
    }
    row.service_key = start_instance(session, actor, FLOW, variables, business_id=str(project.id), owner=project.applicant)
    add_event(session, row, "requested", actor.username, now, reason=f"{kind}：{checked['summary']}")
    return row.service_key


def close_service(session: Session, licence_id: int, *, refused: str = "", person: str = "", now: datetime | None = None) -> None:
    """The flow about a licence has ended; `refused` says what was not granted and why."""
    row = locked(session, licence_id)
    row.service_key = None
    if refused and now is not None:
        add_event(session, row, "refused", person, now, reason=refused)
    session.flush()


def _checked(
    session: Session, actor: Actor, row: LicenceRow, licence: Licence, kind: str, asked: Mapping[str, Any], now: datetime
) -> dict[str, Any]:
    """What was asked for, cleaned, with a `summary` for whoever decides."""
    reason = str(asked.get("reason") or "").strip()[:1000]
    if kind == RENEW:
        months = asked.get("months")
        if not isinstance(months, int) or isinstance(months, bool):
            raise Invalid(reason="请填写延续的月数")
        applied = now.astimezone(CHINA).date()
        refusal = renewal_refusal(session, row, months, applied)
        if refusal is not None:
            raise refusal
        return {"months": months, "appliedOn": applied.isoformat(), "summary": f"延续 {months} 个月"}
    if kind == CHANGE:
        fields = asked.get("fields")
        given = {str(k).strip()[:40]: str(v).strip()[:500] for k, v in fields.items()} if isinstance(fields, Mapping) else {}
        given = {label: value for label, value in given.items() if label and value}
        if not given or not reason:
            raise Invalid(reason="请写明变更的内容和理由")
        return {"fields": given, "reason": reason, "summary": "；".join(f"{k}变更为{v}" for k, v in given.items()) + f"。{reason}"}
    ending = end_of(str(asked.get("ground") or ""), "revoke" if kind == REVOKE else "cancel")
    if (ending.code == GIVEN_UP) != (f"{licence.unit}.handler" not in actor.groups) and kind == CANCEL:
        raise LicenceRefused(reason="项目单位只能申请注销自己的许可，其他情形由审批部门办理", article=ending.article)
    if not reason:
        raise Invalid(reason="请写明理由和事实")
    return {"ground": ending.code, "reason": reason, "summary": f"{ending.reason}（{ending.article}）。{reason}"}


def _silent_at(session: Session, licence: Licence, kind: str) -> str | None:
    """When silence renews: the close of business on the last day of the term (行政许可法 50); None where the law does not say so."""
    term = terms().get(licence.item_code)
    if kind != RENEW or term is None or not term.silence or licence.valid_until is None:
        return None
    return calendar_of(session).closing(licence.valid_until).isoformat()


def _holds(session: Session, actor: Actor, project: Project) -> bool:
    return projects.is_own(session, actor, str(project.id)) or actor.can("represent_owner")


def _iso(licence: Licence) -> str | None:
    return licence.valid_until.isoformat() if licence.valid_until is not None else None
