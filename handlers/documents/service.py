"""Documents and permits: issued once with a number and the facts their text is made of. The only import allowed from outside."""

from __future__ import annotations

import string
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.clock import CHINA
from engine.errors import Invalid, NotFound
from engine.policy import Actor
from handlers.catalogue.service import catalogue
from handlers.documents.models import DocumentRow
from handlers.numbering import next_number
from handlers.projects.access import project_row

REGION = "652301"
"""昌吉市, GB/T 2260."""
PERMIT = "W21"
"""许可证件: title and number pattern come from the item, not from the kind."""
BUILDING, MUNICIPAL = "01", "02"


@dataclass(frozen=True, slots=True)
class Document:
    """A document as issued. `facts` are JSON values with Chinese keys where they are printed as they are."""

    id: int
    kind: str
    kind_title: str
    title: str
    number: str | None
    project_id: int
    case_id: int | None
    item_code: str
    unit: str
    unit_name: str
    facts: dict[str, Any]
    issued_by: str
    issued_at: datetime


def issue(
    session: Session,
    kind: str,
    *,
    project_id: int,
    case_id: int | None,
    item_code: str,
    unit: str,
    facts: Mapping[str, Any],
    root_key: int,
    person: str,
    now: datetime,
    title: str = "",
    category: str = BUILDING,
) -> Document:
    """Issue a document of a kind (W01-W26) with the next number of its body and year. NotFound for an unknown kind or item."""
    entry = catalogue().document(kind)
    name, pattern = entry.title, entry.number
    if kind == PERMIT:
        item = catalogue().item(item_code)
        name, pattern = item.result_title or entry.title, item.result_number
    row = DocumentRow(
        kind=kind,
        title=title or name,
        number=take_number(session, pattern, unit, now, category),
        project_id=project_id,
        case_id=case_id,
        item_code=item_code,
        unit=unit,
        facts=dict(facts),
        root_key=root_key,
        issued_by=person,
        issued_at=now,
    )
    session.add(row)
    session.flush()
    return _document(row)


def take_number(session: Session, pattern: str, unit: str, now: datetime, category: str = BUILDING) -> str | None:
    """The next number of a pattern, None for an empty pattern.

    Fields: {prefix} 机关代字, {region}, {year}, {date} (yyyymmdd), {category} (01 房建, 02 市政), {serial}. Everything but the serial names
    the sequence, so numbers run per body and year, or per day, as the pattern says. Raises Invalid for an unknown field.
    """
    if not pattern:
        return None
    entry = catalogue().units.get(unit)
    local = now.astimezone(CHINA)
    values = {
        "prefix": (entry.document_prefix or entry.short_name) if entry else unit,
        "region": REGION,
        "year": str(local.year),
        "date": local.strftime("%Y%m%d"),
        "category": category,
    }
    unknown = {name for _, name, _, _ in string.Formatter().parse(pattern) if name} - values.keys() - {"serial"}
    if unknown:
        raise Invalid(reason=f"文号格式“{pattern}”含有未知的 {', '.join(sorted(unknown))}")
    serial = next_number(session, "document:" + pattern.format(**values, serial=0))
    return pattern.format(**values, serial=serial)


def category_of(project: object) -> str:
    """The class digits of a construction permit: municipal works or buildings, from the registration's 工程分类."""
    values = project if isinstance(project, dict) else {}
    return MUNICIPAL if values.get("gcfl") == "城市基础设施" else BUILDING


def documents_of(session: Session, project_id: int | str) -> list[Document]:
    """The documents of a project, newest first. Ask for the project first: access is checked there."""
    statement = select(DocumentRow).where(DocumentRow.project_id == int(project_id)).order_by(DocumentRow.id.desc())
    return [_document(row) for row in session.scalars(statement)]


def document(session: Session, actor: Actor, document_id: int) -> Document:
    """One document; NotFound when there is none or the actor may not see its project."""
    row = session.get(DocumentRow, document_id)
    if row is None:
        raise NotFound(what="文书", key=document_id)
    project_row(session, actor, row.project_id)
    return _document(row)


def _document(row: DocumentRow) -> Document:
    unit = catalogue().units.get(row.unit)
    return Document(
        id=row.id,
        kind=row.kind,
        kind_title=catalogue().document(row.kind).title,
        title=row.title,
        number=row.number,
        project_id=row.project_id,
        case_id=row.case_id,
        item_code=row.item_code,
        unit=row.unit,
        unit_name=unit.name if unit else row.unit,
        facts=row.facts,
        issued_by=row.issued_by,
        issued_at=row.issued_at,
    )
