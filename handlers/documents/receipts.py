"""Service of documents (送达): how, when, by whom and to whom, who signed for it; every service has its receipt 送达回证 (W24).

行政许可法 第四十四条: within ten days of the decision (the case's clock watches that). Ways of service: 民事诉讼法 第八十七条以下, and
electronic service and collection at the window as the centre offers them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine import clock
from engine.clock import CHINA
from engine.errors import Conflict, Forbidden, Invalid
from engine.policy import Actor
from engine.store import audit
from handlers.directory import service as directory
from handlers.documents.issuing import Document, document, issue, stored_document
from handlers.documents.models import DocumentRow, DocumentServiceRow
from handlers.documents.subject import instant

RECEIPT = "W24"
DECISIONS = frozenset({"W19", "W20", "W21", "W22", "W23"})
"""Kinds that have to be served: decisions and what is granted."""
BY_TASK = frozenset({"W19", "W20", "W21"})
"""Kinds whose service is a task of the flow (送达), because the case's clock ends with it."""
WINDOW, POST, ELECTRONIC = "窗口领取", "邮寄送达", "电子送达"
DIRECT, LEFT, ENTRUSTED, PUBLIC = "直接送达", "留置送达", "委托送达", "公告送达"
METHODS = (WINDOW, POST, ELECTRONIC, DIRECT, LEFT, ENTRUSTED, PUBLIC)
UNSIGNED = frozenset({ELECTRONIC, LEFT, PUBLIC})
"""Ways in which nobody signs; a note then says what happened instead (not needed for electronic service)."""
SERVING_UNIT = "XZSPJ"
"""Documents are handed out at the centre's issue window (出件窗口)."""


@dataclass(frozen=True, slots=True)
class Service:
    """One service of one document. `receipt_id`: the 送达回证, None while it is being written."""

    document_id: int
    receipt_id: int | None
    method: str
    recipient: str
    signed_by: str
    tracking_number: str
    note: str
    served_by: str
    served_at: datetime


@dataclass(frozen=True, slots=True)
class Handover:
    """What is recorded of a service. `served_at` in business time, not in the future and not before the document was issued."""

    method: str
    served_at: datetime
    recipient: str
    signed_by: str = ""
    tracking_number: str = ""
    note: str = ""


def handover_from_form(values: Mapping[str, Any], recipient: str, now: datetime) -> Handover:
    """The delivery form (出件送达) as a handover; a day without time counts as now on that very day, else as noon."""
    text = str(values.get("delivered_at") or "")
    moment = datetime.fromisoformat(text.split("[", maxsplit=1)[0]) if text else now
    if len(text) <= 10 and text:
        moment = now if now.astimezone(CHINA).date() == moment.date() else moment.replace(hour=12)
    return Handover(
        method=str(values.get("method") or WINDOW),
        served_at=min(moment if moment.tzinfo else moment.replace(tzinfo=CHINA), now),
        recipient=recipient,
        signed_by=str(values.get("recipient") or ""),
        tracking_number=str(values.get("tracking_no") or ""),
        note=str(values.get("note") or ""),
    )


def serve_case(session: Session, case_id: int, values: Mapping[str, Any], *, person: str, root_key: int, now: datetime) -> Document | None:
    """Record that the decisions of a case were handed over, as the delivery form says -> their receipt; None when none was left to serve.

    For the flow, in the transaction that completes the delivery task.
    """
    statement = select(DocumentRow.id).where(DocumentRow.case_id == case_id, DocumentRow.kind.in_(DECISIONS)).order_by(DocumentRow.id)
    ids = list(session.scalars(statement))
    _lock(session, ids)
    unserved = [key for key in ids if key not in services(session, ids)]
    if not unserved:
        return None
    recipient = stored_document(session, unserved[0]).addressee
    return _record(session, unserved, handover_from_form(values, recipient, now), person, root_key, now)


def serve(session: Session, actor: Actor, document_id: int, handover: Handover) -> Document:
    """Record the service of one document by hand -> its receipt; the same again from the same person (a second click) -> the first one's.

    Raises NotFound, Forbidden (only the window and the body that issued it serve), Conflict (already served, a receipt itself, a decision),
    Invalid (unknown way, a day in the future or before the issue, a missing signature, note or tracking number).
    """
    found = document(session, actor, document_id)
    if not may_serve(actor, found):
        raise Forbidden(reason="由出件窗口或者出具文书的单位登记送达")
    if found.kind == RECEIPT:
        raise Conflict(reason="送达回证本身不需要送达")
    if found.kind in BY_TASK:
        raise Conflict(reason="决定和证件的送达在流程的“送达”任务中登记")
    _lock(session, [document_id])
    before = services(session, [document_id]).get(document_id)
    if before is not None and before.receipt_id is not None and _is_same(before, handover, actor.username):
        return stored_document(session, before.receipt_id)
    if before is not None:
        raise Conflict(reason="这份文书已经登记送达")
    receipt = _record(session, [document_id], handover, actor.username, 0, clock.now())
    audit.record(session, actor, "document.served", business_id=str(found.project_id), data={"documentId": found.id})
    return receipt


def _lock(session: Session, ids: Sequence[int]) -> None:
    """Two who serve the same documents at once take turns."""
    session.execute(select(DocumentRow.id).where(DocumentRow.id.in_(ids)).order_by(DocumentRow.id).with_for_update())


def _is_same(before: Service, handover: Handover, person: str) -> bool:
    said = Handover(before.method, before.served_at, before.recipient, before.signed_by, before.tracking_number, before.note)
    return before.served_by == person and said == replace(handover, note=handover.note[:500])


def may_serve(actor: Actor, found: Document) -> bool:
    """Whether the actor may record a service of this document: the centre's window, or a person of the body that issued it."""
    return any(group in actor.groups for group in (f"{SERVING_UNIT}.issue_window", f"{SERVING_UNIT}.window")) or any(
        group.partition(".")[0] == found.unit for group in actor.groups
    )


def services(session: Session, document_ids: Sequence[int]) -> dict[int, Service]:
    """The recorded services of documents, by document."""
    statement = select(DocumentServiceRow).where(DocumentServiceRow.document_id.in_(document_ids))
    return {row.document_id: _service(row) for row in session.scalars(statement)}


def _record(session: Session, ids: Sequence[int], handover: Handover, person: str, root_key: int, now: datetime) -> Document:
    served = [stored_document(session, key) for key in ids]
    _check(handover, served, now)
    first = served[0]
    receipt = issue(
        session,
        RECEIPT,
        project_id=first.project_id,
        case_id=first.case_id,
        item_code=first.item_code,
        unit=SERVING_UNIT if handover.method in (WINDOW, POST, ELECTRONIC) else first.unit,
        facts=_facts(session, handover, served, person),
        root_key=root_key or stored_root(session, first.id),
        person=person,
        now=now,
    )
    session.add_all(
        DocumentServiceRow(
            document_id=each.id,
            receipt_id=receipt.id,
            method=handover.method,
            recipient=handover.recipient,
            signed_by=handover.signed_by,
            tracking_number=handover.tracking_number,
            note=handover.note[:500],
            served_by=person,
            served_at=handover.served_at,
            recorded_at=now,
        )
        for each in served
    )
    session.flush()
    return receipt


def _check(handover: Handover, served: Sequence[Document], now: datetime) -> None:
    if handover.method not in METHODS:
        raise Invalid(reason=f"送达方式只有{'、'.join(METHODS)}")
    if handover.served_at > now:
        raise Invalid(reason="送达时间不能晚于现在")
    if handover.served_at.astimezone(CHINA).date() < max(each.issued_at for each in served).astimezone(CHINA).date():
        raise Invalid(reason="送达时间不能早于文书作出的日期")
    if handover.method == POST and not handover.tracking_number.strip():
        raise Invalid(reason="邮寄送达应当填写邮件号")
    if handover.method not in UNSIGNED and not handover.signed_by.strip():
        raise Invalid(reason="请填写签收人")
    if handover.method in (LEFT, PUBLIC) and not handover.note.strip():
        raise Invalid(reason="留置、公告送达应当在备注中写明情况和见证人")


def _facts(session: Session, handover: Handover, served: Sequence[Document], person: str) -> dict[str, Any]:
    name = directory.display_names(session, [person]).get(person, person)
    facts = {
        "受送达人": handover.recipient,
        "送达方式": handover.method,
        "送达时间": instant(handover.served_at),
        "送达人": name,
        "签收人": handover.signed_by or f"（{handover.method}，无签收人）",
        "邮件号": handover.tracking_number,
        "备注": handover.note,
        "送达文书": [{"文书": each.title, "文号": each.number or ""} for each in served],
    }
    return {label: value for label, value in facts.items() if value}


def stored_root(session: Session, document_id: int) -> int:
    """The root instance a document was issued in; 0 when it was issued outside of any."""
    return session.scalar(select(DocumentRow.root_key).where(DocumentRow.id == document_id)) or 0


def _service(row: DocumentServiceRow) -> Service:
    return Service(
        document_id=row.document_id,
        receipt_id=row.receipt_id,
        method=row.method,
        recipient=row.recipient,
        signed_by=row.signed_by,
        tracking_number=row.tracking_number,
        note=row.note,
        served_by=row.served_by,
        served_at=row.served_at,
    )
