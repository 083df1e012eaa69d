"""Uploaded materials: checked for what they are, stored by content, downloadable with access only. The only import allowed from outside."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine import clock
from engine.commands import may_report
from engine.errors import Conflict, Forbidden, Invalid, NotFound
from engine.policy import Actor
from engine.runtime import runtime_of
from engine.store import audit, reads
from engine.store.models import user_task
from handlers.catalogue.service import Catalogue, catalogue
from handlers.directory import service as directory
from handlers.materials.files import checked_name, stored_path, take_in
from handlers.materials.models import MaterialRow
from handlers.materials.reuse import Source, confirm, sources
from handlers.projects import service as projects
from handlers.projects.access import project_row
from handlers.projects.models import ProjectRow

PREVIEWED = frozenset({"pdf", "jpg", "png"})
"""Kinds of files that a browser may show: PDFs are checked at upload, pictures run nothing."""

__all__ = [
    "PREVIEWED",
    "READ",
    "Material",
    "Source",
    "checklist",
    "confirm",
    "intake_rows",
    "materials_of",
    "names_of",
    "open_material",
    "read_material",
    "sources",
    "store_material",
]

READ = "material.read"
"""The audit's word for a file that was read."""
NECESSARY, OFFICIAL = "必要", "政府核发"
"""Words of materials.csv."""


@dataclass(frozen=True, slots=True)
class Material:
    """One version of a material. `kind` is the checked file type, `size` in bytes."""

    id: int
    project_id: int
    item: str
    filename: str
    kind: str
    size: int
    sha256: str
    version: int
    uploaded_by: str
    uploaded_at: datetime


def store_material(session: Session, actor: Actor, project_id: int | str, item: str, filename: str, stream: BinaryIO) -> Material:
    """Store one file as the next version of the material `item` of a project. When the newest version is the very same file from the same
    person (a second click, a repeated request), that one stands.

    Raises NotFound without access to the project, Forbidden unless the person files for the applicant or has something to do in it now,
    Conflict when the project is closed, Invalid for a missing name, an unaccepted or disguised type, an empty or too large file.
    """
    project = project_row(session, actor, project_id)
    _check_may_add(session, actor, project)
    if not item.strip() or len(item) > 200 or any(unicodedata.category(character)[0] == "C" for character in item):
        raise Invalid(reason="请写明材料名称（不超过 200 字，不含控制字符）")
    name = checked_name(filename)
    settings = runtime_of(session).settings
    taken = take_in(settings.files_dir, name, stream, settings.max_upload_mb * 1024 * 1024)
    session.execute(select(ProjectRow.id).where(ProjectRow.id == project.id).with_for_update())  # two uploads at once are two versions
    versions = select(MaterialRow).where(MaterialRow.project_id == project.id, MaterialRow.item == item.strip())
    newest = session.scalar(versions.order_by(MaterialRow.version.desc()).limit(1))
    same = (name, taken.sha256, actor.username)
    if newest is not None and (newest.filename, newest.sha256, newest.uploaded_by) == same:
        return _material(newest)
    row = MaterialRow(
        project_id=project.id,
        item=item.strip(),
        filename=name,
        kind=taken.kind,
        size=taken.size,
        sha256=taken.sha256,
        version=newest.version + 1 if newest is not None else 1,
        uploaded_by=actor.username,
        uploaded_at=clock.now(),
    )
    session.add(row)
    session.flush()
    session.info["changed"].add(str(project.id))
    return _material(row)


def _check_may_add(session: Session, actor: Actor, project: ProjectRow) -> None:
    """Whoever applies or files for the applicant, and whoever has a task or an awaited event in the project, adds materials to it."""
    if project.state != "active":
        raise Conflict(reason="项目已经办结，不能再补充材料")
    if project.applicant in actor.owns | {actor.username} or project.filed_by == actor.username or actor.can("represent_owner"):
        return
    task = (
        select(user_task.c.key)
        .where(user_task.c.business_id == str(project.id), user_task.c.state == "CREATED", reads.may_complete(actor))
        .limit(1)
    )
    if session.scalar(task) is not None:
        return
    if not any(may_report(actor, waiting, project.applicant) for waiting in reads.subscriptions_of_business(session, str(project.id))):
        raise Forbidden(reason="您在这个项目中没有待办事项，不能补充材料")


def checklist(item_code: str, answers: Mapping[str, Any], listed: Catalogue | None = None) -> list[dict[str, Any]]:
    """The rows of the intake form's 材料核验 for an application: what the catalogue demands of it, to be verified by the window.

    `listed`: the project's catalogue (None: today's).
    Rows start as handed in (non-essential ones as not handed in); official papers are marked as shared between the offices.
    """
    return [
        {
            "name": wanted.name,
            "form": wanted.form,
            "copies": wanted.copies,
            "required": wanted.necessity == NECESSARY,
            "submitted": "已提交" if wanted.necessity == NECESSARY else "未提交",
            "source": "共享" if wanted.source == OFFICIAL else "上传",
            "problem": "",
        }
        for wanted in (listed or catalogue()).materials_for(item_code, answers)
    ]


def intake_rows(session: Session, project_id: int, item_code: str, answers: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The same rows for a project: `source` and `origin` tell the window which material is there already, and from where (R052, R064).

    共享: a result of an office, with its title and number; 历史复用: handed in before and confirmed for this item; 上传: handed in.
    """
    found = {one.wanted.name: one for one in sources(session, project_id, item_code, answers)}
    rows = checklist(item_code, answers, projects.catalogue_of(session, project_id))
    for row in rows:
        source = found[row["name"]]
        reused = source.kind == "material" and source.state == "confirmed"
        row["source"] = "共享" if source.kind == "licence" else "历史复用" if reused else row["source"]
        row["origin"] = source.label
        if source.kind == "licence":
            row["submitted"] = "已提交"  # 免提交: the offices have it
    return rows


def materials_of(session: Session, project_id: int | str) -> list[Material]:
    """All files of a project, by material and newest version first. Ask for the project first: access is checked there."""
    statement = select(MaterialRow).where(MaterialRow.project_id == int(project_id)).order_by(MaterialRow.item, MaterialRow.version.desc())
    return [_material(row) for row in session.scalars(statement)]


def names_of(session: Session, project_id: int | str) -> list[str]:
    """The names of all materials handed in for a project, in order. For callers that have checked access."""
    statement = select(MaterialRow.item).where(MaterialRow.project_id == int(project_id)).distinct().order_by(MaterialRow.item)
    return list(session.scalars(statement))


def open_material(session: Session, actor: Actor, material_id: int) -> tuple[Material, Path]:
    """A file and where its content lies; NotFound when there is none or the actor may not see its project."""
    row = session.get(MaterialRow, material_id)
    if row is None:
        raise NotFound(what="材料", key=material_id)
    project_row(session, actor, row.project_id)
    return _material(row), stored_path(runtime_of(session).settings.files_dir, row.sha256)


def read_material(session: Session, actor: Actor, material_id: int) -> tuple[Material, Path]:
    """The same, written down when somebody of the offices reads what the applicant gave: the log of shared data (R064)."""
    found, path = open_material(session, actor, material_id)
    if directory.is_staff(actor):
        data = {"material": found.id, "item": found.item, "version": found.version}
        audit.record(session, actor, READ, business_id=str(found.project_id), data=data)
    return found, path


def _material(row: MaterialRow) -> Material:
    return Material(
        row.id, row.project_id, row.item, row.filename, row.kind, row.size, row.sha256, row.version, row.uploaded_by, row.uploaded_at
    )
