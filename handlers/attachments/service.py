"""Keep, give out and delete files that programs store beside process variables. The only import allowed from outside."""

from __future__ import annotations

import hashlib
import os
import tempfile
import uuid
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from engine import clock
from engine.errors import Conflict, Forbidden, Invalid, NotFound
from engine.policy import Actor, may_watch
from engine.runtime import runtime_of
from handlers.attachments.models import AttachmentRow

CHUNK = 1024 * 1024
FOLDER = "attachments"


class AttachmentTooLarge(Invalid):
    """文件超过 {limit} MB。

    The file is larger than {limit} MB.
    """

    code = "attachment_too_large"
    status = 413


@dataclass(frozen=True, slots=True)
class Content:
    """What was uploaded, on disk already: its digest and size in bytes."""

    sha256: str
    size: int


@dataclass(frozen=True, slots=True)
class Attachment:
    """A stored file as others see it. `path`: where its content lies."""

    id: str
    sha256: str
    size: int
    content_type: str
    file_name: str
    process_id: str | None
    instance_key: int | None
    properties: dict[str, Any]
    expires_at: datetime | None
    path: Path


def require_store(actor: Actor) -> None:
    """Raise Forbidden unless the actor may store files: programs of operators and analysts."""
    if not (actor.can("operate") or actor.can("deploy")):
        raise Forbidden(reason="需要“流程部署”或“流程运维”权限")


def take_in(files: Path, stream: BinaryIO, limit_mb: int) -> Content:
    """Write the content under its digest, before any transaction. Raises AttachmentTooLarge."""
    folder = files / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=folder, prefix=".upload-")
    path = Path(temporary)
    try:
        size, digest = 0, hashlib.sha256()
        with os.fdopen(handle, "wb") as target:
            while chunk := stream.read(CHUNK):
                size += len(chunk)
                if size > limit_mb * CHUNK:
                    raise AttachmentTooLarge(limit=limit_mb)
                digest.update(chunk)
                target.write(chunk)
            target.flush()
            os.fsync(target.fileno())
        final = _path(files, digest.hexdigest())
        final.parent.mkdir(exist_ok=True)
        path.replace(final)
    finally:
        path.unlink(missing_ok=True)
    return Content(digest.hexdigest(), size)


def add(
    session: Session,
    actor: Actor,
    content: Content,
    *,
    file_name: str,
    content_type: str,
    identifier: str | None = None,
    process_id: str | None = None,
    instance_key: int | None = None,
    properties: dict[str, Any] | None = None,
    expires_at: datetime | None = None,
) -> Attachment:
    """Store the row of a content that was taken in. Raises Forbidden, Conflict (the identifier is taken)."""
    require_store(actor)
    if identifier is not None and session.get(AttachmentRow, identifier) is not None:
        raise Conflict(reason=f"文件编号 {identifier} 已被使用")
    row = AttachmentRow(
        id=identifier or uuid.uuid4().hex,
        sha256=content.sha256,
        size=content.size,
        content_type=content_type,
        file_name=file_name,
        process_id=process_id,
        instance_key=instance_key,
        properties=properties or {},
        expires_at=expires_at,
        created_at=clock.wall_now(),
        created_by=actor.username,
    )
    session.add(row)
    session.flush()
    return _seen(session, row)


def get(session: Session, actor: Actor, identifier: str) -> Attachment:
    """A file; NotFound when there is none, its time is over, or the actor may neither watch what runs nor stored it."""
    return _seen(session, _row(session, actor, identifier))


def remove(session: Session, actor: Actor, identifier: str) -> None:
    """Delete a file; its content goes after the commit when nobody else shares it. Only who stored it, or an operator."""
    row = _row(session, actor, identifier)
    if row.created_by != actor.username and not actor.can("operate"):
        raise Forbidden(reason="只能删除自己保存的文件")
    path, sha256 = _path(runtime_of(session).settings.files_dir, row.sha256), row.sha256
    session.delete(row)
    session.flush()
    shared = session.scalar(select(func.count()).select_from(AttachmentRow).where(AttachmentRow.sha256 == sha256))
    if not shared:
        session.info["after_commit"].append(lambda: path.unlink(missing_ok=True))


def _row(session: Session, actor: Actor, identifier: str) -> AttachmentRow:
    row = session.get(AttachmentRow, identifier)
    if row is None or (row.expires_at is not None and row.expires_at <= clock.wall_now()):
        raise NotFound(what="文件", key=identifier)
    if row.created_by != actor.username and not may_watch(actor):
        raise NotFound(what="文件", key=identifier)
    return row


def _path(files: Path, sha256: str) -> Path:
    return files / FOLDER / sha256[:2] / sha256


def _seen(session: Session, row: AttachmentRow) -> Attachment:
    return Attachment(
        row.id,
        row.sha256,
        row.size,
        row.content_type,
        row.file_name,
        row.process_id,
        row.instance_key,
        row.properties,
        row.expires_at,
        _path(runtime_of(session).settings.files_dir, row.sha256),
    )
