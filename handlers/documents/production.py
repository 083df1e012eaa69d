"""Printing of an issued document: rendered by a job after the commit, then filed once and for ever. Both steps are drawn in
`document_production`; a failure is an incident of that flow, retried when its cause is mended, while the document itself stands."""

from __future__ import annotations

from datetime import datetime
from io import BytesIO
from typing import Any

from sqlalchemy.orm import Session

from engine.errors import Conflict, NotFound
from engine.runtime import runtime_of
from handlers.directory import service as directory
from handlers.documents import bundle, templates
from handlers.documents.issuing import DocumentFile, file_from, print_context, seal_name, stored_document
from handlers.documents.models import DocumentFileRow, DocumentRow
from handlers.documents.printer import MAX_PDF_BYTES, printer
from handlers.documents.subject import instant
from handlers.materials.files import stored_path, take_in


def render(session: Session, document_id: int) -> dict[str, Any]:
    """Print a document with the wording now in force and keep the PDF under its digest; may be repeated.

    Returns {"sha256", "size" (bytes), "pages", "templateVersion"}. Raises NotFound, DocumentNotPrinted (the wording is at fault),
    PrinterFailed.
    """
    found = stored_document(session, document_id)
    template = templates.in_force(session, found.kind)
    settings = runtime_of(session).settings
    printed = printer.print(templates.sources(template), print_context(found, settings))
    kept = take_in(settings.files_dir, "document.pdf", BytesIO(printed.pdf), MAX_PDF_BYTES)
    return {"sha256": kept.sha256, "size": kept.size, "pages": printed.pages, "templateVersion": template.version}


def file(session: Session, document_id: int, printed: dict[str, Any], now: datetime) -> DocumentFile:
    """File the printed PDF of a document. The first one stays: filing again changes nothing.

    Raises NotFound for an unknown document, Conflict when the PDF is not where it was put.
    """
    row = session.get(DocumentRow, document_id)
    if row is None:
        raise NotFound(what="文书", key=document_id)
    filed = session.get(DocumentFileRow, document_id)
    if filed is not None:
        return file_from(filed)
    sha256 = str(printed["sha256"])
    if not stored_path(runtime_of(session).settings.files_dir, sha256).is_file():
        raise Conflict(reason="生成的 PDF 不在文件库中，请重试生成")
    filed = DocumentFileRow(
        document_id=document_id,
        sha256=sha256,
        size=int(printed["size"]),
        pages=int(printed["pages"]),
        template_version=int(printed["templateVersion"]),
        seal=_seal(session, row, sha256),
        made_at=now,
    )
    session.add(filed)
    session.flush()
    session.info["changed"].add(str(row.project_id))
    if row.case_id is not None and row.kind != bundle.INDEX:
        bundle.archive_finished(session, row.case_id)
    return file_from(filed)


def _seal(session: Session, row: DocumentRow, sha256: str) -> dict[str, Any]:
    """The seal's data elements (GB/T 39046 表13), over the PDF's digest; unsigned until a seal service is connected."""
    name = seal_name(stored_document(session, row.id))
    if not name:
        return {}
    signer = directory.display_names(session, [row.issued_by]).get(row.issued_by, row.issued_by)
    return {
        "name": name,
        "body": row.subject["unit_name"],
        "signer": signer,
        "decided_at": instant(row.issued_at),
        "algorithm": "SHA-256",
        "digest": sha256,
        "signature": "",
    }
