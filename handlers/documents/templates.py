"""Wording of documents: the shipped templates of processes/documents and the versions that staff saved over them.

A kind's newest saved version is in force; without one the shipped text (version 0) is. Nothing is ever overwritten: taking back a version
saves the earlier text as a new one.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from engine import clock
from engine.errors import Conflict, Forbidden, Invalid, NotFound
from engine.policy import Actor
from engine.settings import ROOT
from engine.store import audit
from handlers.catalogue.service import catalogue
from handlers.documents.models import DocumentTemplateRow
from handlers.documents.printer import BODY, Print, drafts
from handlers.documents.samples import sample_context

FOLDER = ROOT / "processes" / "documents"
LAYOUTS = ("base", "letter", "notice", "sheet", "certificate", "macros")
OTHER = "other"
MAX_SOURCE = 60_000
"""Characters of a template; the longest shipped one has 3,000."""
EDITORS = frozenset({"analyst", "tf_convener"})
"""Roles that may edit the wording beside the administrators: analysts, and the convener for the legal staff of the centre."""


@dataclass(frozen=True, slots=True)
class Template:
    """A version of a kind's wording. Version 0 is the shipped text, of nobody and no time."""

    kind: str
    title: str
    version: int
    source: str
    note: str = ""
    saved_by: str = ""
    saved_at: datetime | None = None


def may_edit(actor: Actor) -> bool:
    """Whether the actor may change the wording of documents."""
    return actor.can("administer") or actor.can("deploy") or any(group.partition(".")[2] in EDITORS for group in actor.groups)


def require_editor(actor: Actor) -> None:
    """Raise Forbidden unless the actor may change the wording of documents."""
    if not may_edit(actor):
        raise Forbidden(reason="文书模板由系统管理员、流程分析员和专班召集人维护")


@lru_cache(maxsize=1)
def shipped(folder: Path = FOLDER) -> dict[str, str]:
    """The shipped texts by name (kind codes and layouts), read once."""
    return {path.stem: path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.html"))}


def layouts() -> dict[str, str]:
    """The shipped layouts that every body stands on."""
    return {name: shipped()[name] for name in LAYOUTS}


def in_force(session: Session, kind: str) -> Template:
    """The wording a document of this kind is printed with now."""
    row = session.scalars(_of_kind(kind).limit(1)).first()
    return _template(row) if row is not None else _shipped(kind)


def version(session: Session, kind: str, number: int) -> Template:
    """One version of a kind's wording, 0 for the shipped one; NotFound when there is none."""
    if number == 0:
        return _shipped(kind)
    row = session.scalar(_of_kind(kind).where(DocumentTemplateRow.version == number))
    if row is None:
        raise NotFound(what="文书模板", key=f"{kind} v{number}")
    return _template(row)


def versions(session: Session, kind: str) -> list[Template]:
    """All versions of a kind's wording, newest first, the shipped one last."""
    return [*(_template(row) for row in session.scalars(_of_kind(kind))), _shipped(kind)]


def changed_kinds(session: Session) -> dict[str, int]:
    """Kind -> newest saved version, for the kinds whose shipped text was changed."""
    statement = select(DocumentTemplateRow.kind, func.max(DocumentTemplateRow.version)).group_by(DocumentTemplateRow.kind)
    return {row[0]: row[1] for row in session.execute(statement)}


@dataclass(frozen=True, slots=True)
class CheckedText:
    """A text that was parsed and printed over the sample case without fault; made by `check` only."""

    kind: str
    source: str
    sample: Print


def check(actor: Actor, kind: str, source: str) -> CheckedText:
    """Print a text over the kind's sample case, outside any transaction: it takes half a second.

    Raises Forbidden, NotFound (kind), Invalid (empty or too long), TemplateInvalid (line and reason of a syntax error), DocumentNotPrinted
    (with the line where the text fails: an unknown name, an endless loop, something fetched from outside).
    """
    require_editor(actor)
    catalogue().document(kind)
    text = source.replace("\r\n", "\n")
    if not text.strip() or len(text) > MAX_SOURCE:
        raise Invalid(reason=f"模板不能为空，也不能超过 {MAX_SOURCE} 个字符")
    return CheckedText(kind, text, drafts.print(layouts() | {BODY: text}, sample_context(kind)))


def save(session: Session, actor: Actor, checked: CheckedText, *, note: str = "", based_on: int) -> Template:
    """Save a checked text as the newest version of its kind's wording.

    `based_on` is the version that was edited. Raises Forbidden, Conflict (somebody saved meanwhile, or nothing changed).
    """
    return _add(session, actor, checked.kind, checked.source, note, based_on)


def take_back(session: Session, actor: Actor, kind: str, number: int, *, based_on: int) -> Template:
    """Put an earlier version in force again, as a new version. Raises Forbidden, NotFound, Conflict as `save`."""
    return _add(session, actor, kind, version(session, kind, number).source, f"恢复第 {number} 版", based_on)


def _add(session: Session, actor: Actor, kind: str, source: str, note: str, based_on: int) -> Template:
    require_editor(actor)
    current = in_force(session, kind)
    if current.version != based_on:
        raise Conflict(reason=f"模板已由他人改为第 {current.version} 版，请重新打开后修改")
    if source == current.source:
        raise Conflict(reason="内容没有变化")
    row = DocumentTemplateRow(
        kind=kind, version=current.version + 1, source=source, note=note[:200], saved_by=actor.username, saved_at=clock.now()
    )
    session.add(row)
    session.flush()
    audit.record(session, actor, "document_template.saved", data={"kind": kind, "version": row.version})
    return _template(row)


def sources(template: Template) -> dict[str, str]:
    """What the printer needs to print with this wording."""
    return layouts() | {BODY: template.source}


def _of_kind(kind: str) -> Select[DocumentTemplateRow]:
    return select(DocumentTemplateRow).where(DocumentTemplateRow.kind == kind).order_by(DocumentTemplateRow.version.desc())


def _shipped(kind: str) -> Template:
    entry = catalogue().document(kind)
    return Template(kind, entry.title, 0, shipped().get(kind, shipped()[OTHER]))


def _template(row: DocumentTemplateRow) -> Template:
    title = catalogue().document(row.kind).title
    return Template(row.kind, title, row.version, row.source, row.note, row.saved_by, row.saved_at)
