"""Issue of documents and permits: number, facts and names are fixed in the caller's transaction; then a flow prints the PDF."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from engine.commands import start_instance
from engine.errors import Conflict, NotFound
from engine.policy import SYSTEM, Actor
from engine.runtime import runtime_of
from engine.settings import Settings
from engine.store import models as m
from handlers.cases import service as cases
from handlers.cases.service import Case
from handlers.catalogue.service import DocumentKind, catalogue
from handlers.directory import service as directory
from handlers.documents.models import DocumentFileRow, DocumentRow
from handlers.documents.numbers import BUILDING, take_number
from handlers.documents.subject import NO_CASE, case_subject, digest, instant, project_subject, unit_name
from handlers.materials.files import stored_path
from handlers.projects.access import project_row
from handlers.projects.models import ProjectRow

PERMIT = "W21"
"""许可证件: title and number pattern come from the item, not from the kind."""
LICENCE = "XK"
"""Kind 行政许可 of items.csv."""
PRODUCTION = "document_production"
"""The flow that prints an issued document."""
CODE_ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
"""Without 0 O 1 I, which people confuse on paper."""
CODE_LENGTH = 12
"""60 random bits: nobody finds a document by trying codes."""


@dataclass(frozen=True, slots=True)
class Document:
    """A document as issued. `facts` are JSON values with Chinese keys, `subject` the names fixed at issue (project, case, body)."""

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
    addressee: str
    facts: dict[str, Any]
    subject: dict[str, Any]
    digest: str
    verification_code: str
    production_key: int | None
    issued_by: str
    issued_at: datetime


@dataclass(frozen=True, slots=True)
class DocumentFile:
    """The filed PDF of a document."""

    document_id: int
    sha256: str
    size: int
    pages: int
    template_version: int
    seal: dict[str, Any]
    made_at: datetime


@dataclass(frozen=True, slots=True)
class Production:
    """How far the printing of a document is: `state` done, running or failed; of a failed one the incident to retry and its reason."""

    state: str
    incident_key: int | None = None
    reason: str = ""


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
    addressee: str | None = None,
    category: str = BUILDING,
) -> Document:
    """Issue a document of a kind with the next number of its body and year, and start the flow that prints it.

    Number, facts and names are fixed here, in the caller's transaction; the PDF follows after the commit and may fail and be retried
    without touching them. `addressee`: by default who the catalogue says (the applicant's organisation, the body of the
    case). NotFound for an unknown kind, item, project or case.
    """
    entry = catalogue().document(kind)
    name, pattern = entry.title, entry.number
    if kind == PERMIT:
        item = catalogue().item(item_code)
        name, pattern = item.result_title or entry.title, item.result_number
    project = session.get(ProjectRow, project_id)
    if project is None:
        raise NotFound(what="项目", key=project_id)
    case = cases.get_case(session, case_id) if case_id is not None else None
    row = DocumentRow(
        kind=kind,
        title=title or name,
        number=take_number(session, pattern, unit, now, category),
        project_id=project_id,
        case_id=case_id,
        item_code=item_code,
        unit=unit,
        addressee=_addressee(entry, project, case) if addressee is None else addressee,
        facts=dict(facts),
        subject={
            "project": project_subject(project),
            "case": case_subject(case) if case is not None else None,
            "unit_name": entry.body or unit_name(unit),
        },
        verification_code="".join(secrets.choice(CODE_ALPHABET) for _ in range(CODE_LENGTH)),
        root_key=root_key,
        issued_by=person,
        issued_at=now,
    )
    row.digest = digest(_fixed(row))
    session.add(row)
    session.flush()
    row.production_key = start_instance(session, SYSTEM, PRODUCTION, {"documentId": str(row.id)})
    session.flush()
    return _document(row)


def _addressee(entry: DocumentKind, project: ProjectRow, case: Case | None) -> str:
    if entry.recipient == "unit":
        return unit_name(case.unit) if case is not None else ""
    return project.organisation if entry.recipient == "applicant" else ""


def _fixed(row: DocumentRow) -> dict[str, Any]:
    names = ("kind", "title", "number", "project_id", "case_id", "item_code", "unit", "addressee", "facts", "subject", "verification_code")
    return {name: getattr(row, name) for name in names} | {"issued_at": instant(row.issued_at), "issued_by": row.issued_by}


def is_unchanged(session: Session, document_id: int) -> bool:
    """Whether everything fixed at the issue still has the digest that was computed then."""
    row = session.get(DocumentRow, document_id)
    return row is not None and digest(_fixed(row)) == row.digest


# ---------------------------------------------------------------------- reading
def documents_of(session: Session, project_id: int | str, case_id: int | None = None, *, actor: Actor | None = None) -> list[Document]:
    """The documents of a project (or of one of its cases), newest first; for an `actor` those this person may see.

    Ask for the project first: access to it is checked there.
    """
    statement = select(DocumentRow).where(DocumentRow.project_id == int(project_id)).order_by(DocumentRow.id.desc())
    if case_id is not None:
        statement = statement.where(DocumentRow.case_id == case_id)
    found = [_document(row) for row in session.scalars(statement)]
    return found if actor is None else [each for each in found if _may_see(actor, each)]


def document(session: Session, actor: Actor, document_id: int) -> Document:
    """One document; NotFound when there is none, when the actor may not see its project, or when it is internal to the offices."""
    found = stored_document(session, document_id)
    project_row(session, actor, found.project_id)
    if not _may_see(actor, found):
        raise NotFound(what="文书", key=document_id)
    return found


def _may_see(actor: Actor, found: Document) -> bool:
    return directory.is_staff(actor) or not catalogue().document(found.kind).internal


def stored_document(session: Session, document_id: int) -> Document:
    """One document without a question of access: for the flow that prints it. NotFound when there is none."""
    row = session.get(DocumentRow, document_id)
    if row is None:
        raise NotFound(what="文书", key=document_id)
    return _document(row)


def files_of(session: Session, document_ids: Sequence[int]) -> dict[int, DocumentFile]:
    """The filed PDFs of documents, by document; what is not printed yet is missing."""
    statement = select(DocumentFileRow).where(DocumentFileRow.document_id.in_(document_ids))
    return {row.document_id: file_from(row) for row in session.scalars(statement)}


def file_of(session: Session, document_id: int) -> DocumentFile | None:
    """The filed PDF of a document, None while it is not printed."""
    return files_of(session, [document_id]).get(document_id)


def open_file(session: Session, actor: Actor, document_id: int) -> tuple[Document, Path]:
    """A document and where its PDF lies; NotFound as `document`, Conflict while it is not printed."""
    found = document(session, actor, document_id)
    file = file_of(session, document_id)
    if file is None:
        raise Conflict(reason="文书的 PDF 还在生成，请稍后再试")
    return found, stored_path(runtime_of(session).settings.files_dir, file.sha256)


def production(session: Session, found: Document) -> Production:
    """How far the printing of a document is."""
    if file_of(session, found.id) is not None:
        return Production("done")
    failed = _incidents(session, [found.production_key])
    return Production("failed", failed[0].key, failed[0].message) if failed else Production("running")


def failed_documents(session: Session, found: Sequence[Document]) -> set[int]:
    """Which of these documents stand at an incident of their printing."""
    keys = {row.instance_key for row in _incidents(session, [document.production_key for document in found])}
    return {document.id for document in found if document.production_key in keys}


def _incidents(session: Session, instance_keys: Sequence[int | None]) -> Sequence[Row[Any]]:
    keys = [key for key in instance_keys if key is not None]
    return session.execute(select(m.incident).where(m.incident.c.instance_key.in_(keys), m.incident.c.state == "ACTIVE")).all()


def print_context(found: Document, settings: Settings) -> dict[str, Any]:
    """What a template prints from: `document`, `project`, `case` (its number "" for a document of no case) and `facts`;
    JSON values only."""
    item = catalogue().items.get(found.item_code)
    return {
        "document": {
            "kind": found.kind,
            "title": found.title,
            "number": found.number,
            "unit_name": found.subject["unit_name"],
            "addressee": found.addressee,
            "issued_at": instant(found.issued_at),
            "verification_code": grouped(found.verification_code),
            "verification_url": f"{settings.public_url.rstrip('/')}/verify/{found.verification_code}",
            "digest": found.digest,
            "seal": seal_name(found),
            "validity": item.validity if item is not None and found.kind == PERMIT else "",
        },
        "project": found.subject["project"],
        "case": found.subject["case"] or NO_CASE,
        "facts": found.facts,
    }


def seal_name(found: Document) -> str:
    """The seal that belongs on a document: its kind's, and the body's own on a permit that is no licence (批复, 意见); "" for none."""
    item = catalogue().items.get(found.item_code)
    if found.kind == PERMIT and (item is None or item.kind != LICENCE):
        return str(found.subject["unit_name"])
    return catalogue().document(found.kind).seal


def grouped(code: str) -> str:
    """A verification code as people read and type it: four characters at a time."""
    return "-".join(code[start : start + 4] for start in range(0, len(code), 4))


def file_from(row: DocumentFileRow) -> DocumentFile:
    """A file's row as other parts see it."""
    return DocumentFile(row.document_id, row.sha256, row.size, row.pages, row.template_version, row.seal, row.made_at)


def _document(row: DocumentRow) -> Document:
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
        unit_name=row.subject["unit_name"],
        addressee=row.addressee,
        facts=row.facts,
        subject=row.subject,
        digest=row.digest,
        verification_code=row.verification_code,
        production_key=row.production_key,
        issued_by=row.issued_by,
        issued_at=row.issued_at,
    )
