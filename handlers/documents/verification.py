"""What anybody who holds a paper may check: number, date, body, whether it holds, and whether a file is the one that was issued."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import date, datetime
from typing import BinaryIO

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine import clock
from engine.clock import CHINA
from engine.errors import Invalid, NotFound
from handlers.cases import service as cases
from handlers.documents.issuing import CODE_ALPHABET, CODE_LENGTH, file_of, is_unchanged
from handlers.documents.models import DocumentRow
from handlers.projects.models import ProjectRow

VALID, REVOKED, EXPIRED, CHANGED = "有效", "已撤销", "已过有效期", "记录异常"
CASE_REVOKED = 15
"""Status 15 撤销 of the status dictionary."""
GRANTS = frozenset({"W19", "W21"})
CHUNK = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Verification:
    """What is shown to the public. `organisation` and `project` are "" for confidential projects; `sha256` None while not printed."""

    code: str
    title: str
    number: str | None
    unit_name: str
    issued_at: datetime
    project: str
    organisation: str
    state: str
    digest: str
    sha256: str | None


def normal_code(text: str) -> str:
    """A code as typed (small letters, spaces, hyphens) in the form it is kept; Invalid when it cannot be one."""
    code = "".join(character for character in text.upper() if character not in " -\t－")
    if len(code) != CODE_LENGTH or any(character not in CODE_ALPHABET for character in code):
        raise Invalid(reason=f"查验码是 {CODE_LENGTH} 位数字和字母，印在文书左下角")
    return code


def verify(session: Session, code: str) -> Verification:
    """The document of a verification code; Invalid for what is no code, NotFound for an unknown one."""
    row = session.scalar(select(DocumentRow).where(DocumentRow.verification_code == normal_code(code)))
    if row is None:
        raise NotFound(what="文书", key=code)
    project = session.get_one(ProjectRow, row.project_id)
    file = file_of(session, row.id)
    return Verification(
        code=row.verification_code,
        title=row.title,
        number=row.number,
        unit_name=row.subject["unit_name"],
        issued_at=row.issued_at,
        project="" if project.confidential else row.subject["project"]["name"],
        organisation="" if project.confidential else row.subject["project"]["organisation"],
        state=_state(session, row),
        digest=row.digest,
        sha256=file.sha256 if file is not None else None,
    )


def sha256_of(stream: BinaryIO, limit: int) -> str:
    """The digest of a file that somebody wants compared; Invalid beyond `limit` bytes."""
    digest, size = hashlib.sha256(), 0
    while chunk := stream.read(CHUNK):
        size += len(chunk)
        if size > limit:
            raise Invalid(reason=f"文件超过 {limit // 1024 // 1024} MB")
        digest.update(chunk)
    return digest.hexdigest()


def _state(session: Session, row: DocumentRow) -> str:
    if not is_unchanged(session, row.id):
        return CHANGED
    if row.kind not in GRANTS:
        return VALID
    if row.case_id is not None and cases.get_case(session, row.case_id).status == CASE_REVOKED:
        return REVOKED
    until = row.facts.get("有效期止")
    if isinstance(until, str) and len(until) >= 10 and date.fromisoformat(until[:10]) < clock.now().astimezone(CHINA).date():
        return EXPIRED
    return VALID
