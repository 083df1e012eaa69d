"""What the flow 证后办理 (licence_service) calls: carry out what was decided about a licence, or refuse it in writing."""

from __future__ import annotations

from datetime import date
from typing import Any

from engine.errors import Invalid
from engine.jobs import HandlerRegistry, JobContext
from handlers.documents import service as documents
from handlers.licences import service as licences
from handlers.licences.requests import CANCEL, CHANGE, RENEW, REVOKE

registry = HandlerRegistry()

GRANT, DENIAL, ENDING = "W19", "W20", "W23"
REMEDY = "如不服本决定，可以自收到之日起六十日内申请行政复议，或者六个月内提起行政诉讼。"
INPUTS = ("licenceId", "kind", "request", "projectId", "licenceDecision")


@registry.handler("licence.apply", transactional=True, inputs=INPUTS, headers=("deemed",), outputs=("licence", "documentNo"))
def apply(job: JobContext) -> dict[str, Any]:
    """证后办理：按决定变更、延续、撤销或注销许可，出具决定书。

    `kind` and `request` as handlers.licences.requests made them. Header `deemed` true: nobody decided in time, the renewal
    counts as granted (行政许可法 50). A term that ended meanwhile or a ground that fits no more is refused with its article.
    """
    licence, kind, request = _licence(job), str(job.variables.get("kind")), _context(job, "request")
    document = _document(job, licence, kind, request)
    number = document.number or document.title
    changed = _carry_out(job, licence.id, kind, request, number)
    licences.close_service(job.session, licence.id)
    return {"documentNo": number, "licence": {"state": changed.state, "until": _iso(changed.valid_until)}}


def _carry_out(job: JobContext, licence_id: int, kind: str, request: dict[str, Any], number: str) -> licences.Licence:
    session, person, now, reason = job.session, job.actor, job.now, str(request.get("reason") or "")
    if kind == RENEW:
        applied, months = date.fromisoformat(str(request.get("appliedOn"))), int(request.get("months", 0))
        deemed = job.headers.get("deemed") == "true"
        return licences.renew(session, licence_id, months, applied_on=applied, person=person, document=number, deemed=deemed, now=now)
    if kind == CHANGE:
        return licences.change(session, licence_id, request.get("fields") or {}, reason=reason, person=person, document=number, now=now)
    end = licences.revoke if kind == REVOKE else licences.cancel
    return end(session, licence_id, str(request.get("ground")), reason=reason, person=person, document=number, now=now)


@registry.handler("licence.refuse", transactional=True, inputs=INPUTS, outputs=("documentNo",))
def refuse(job: JobContext) -> dict[str, Any]:
    """证后办理：不同意申请的，出具不予决定书，写明理由和救济途径（行政许可法第三十八条）。"""
    licence, kind = _licence(job), str(job.variables.get("kind"))
    reason = str(_context(job, "licenceDecision").get("reason") or "")
    licences.close_service(job.session, licence.id, refused=f"不予{kind}：{reason}", person=job.actor, now=job.now)
    if kind == REVOKE:
        return {"documentNo": ""}  # the office keeps the licence as it is: nothing is denied to anybody
    facts = {"不予理由": reason, "救济途径": REMEDY, "办理依据": "《中华人民共和国行政许可法》"}
    return {"documentNo": _issue(job, licence, DENIAL, facts, f"不予{kind}行政许可决定书").number or ""}


def _document(job: JobContext, licence: licences.Licence, kind: str, request: dict[str, Any]) -> documents.Document:
    if kind in (REVOKE, CANCEL):
        ending = licences.end_of(str(request.get("ground")), "revoke" if kind == REVOKE else "cancel")
        facts = {"处理": kind, "原文号": licence.number, "理由": request.get("reason") or ending.reason, "依据": ending.article}
        return _issue(job, licence, ENDING, facts | {"救济途径": REMEDY}, "")
    if kind == RENEW:
        assert licence.valid_until is not None  # a renewal of a licence without a term was refused when it was asked for
        until = licences.add_months(licence.valid_until, int(request.get("months", 0)))
        facts = {"许可条件": f"{licence.title} {licence.number} 延续。", "有效期止": until.isoformat()}
        return _issue(job, licence, GRANT, facts | {"办理依据": "《中华人民共和国行政许可法》第五十条"}, "准予延续行政许可决定书")
    if kind == CHANGE:
        lines = [f"{label}：{value}" for label, value in (request.get("fields") or {}).items()]
        facts = {
            "许可条件": "\n".join([f"{licence.title} {licence.number} 变更：", *lines]),
            "办理依据": "《中华人民共和国行政许可法》第四十九条",
        }
        return _issue(job, licence, GRANT, facts, "准予变更行政许可决定书")
    raise Invalid(reason=f"没有“{kind}”这种证后事项")


def _issue(job: JobContext, licence: licences.Licence, kind: str, facts: dict[str, Any], title: str) -> documents.Document:
    return documents.issue(
        job.session,
        kind,
        project_id=licence.project_id,
        case_id=licence.case_id,
        item_code=licence.item_code,
        unit=licence.unit,
        facts=facts,
        root_key=job.root_key,
        person=job.actor,
        now=job.now,
        title=title,
    )


def _licence(job: JobContext) -> licences.Licence:
    text = str(job.variables.get("licenceId") or "")
    if not text.isdecimal():
        raise Invalid(reason="缺少输入 licenceId")
    return licences.licence_of(job.session, int(text))


def _context(job: JobContext, name: str) -> dict[str, Any]:
    value = job.variables.get(name)
    return value if isinstance(value, dict) else {}


def _iso(day: date | None) -> str | None:
    return day.isoformat() if day is not None else None
