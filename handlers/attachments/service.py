"""Keep, give out and delete files that programs store beside process variables. The only import allowed from outside."""

from __future__ import annotations

import hashlib
import os
import tempfile
import uuid
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine import Engine, clock
from engine.errors import Conflict, Forbidden, Invalid, NotFound
from engine.policy import Actor, may_watch
from engine.runtime import runtime_of
from handlers.attachments.models import AttachmentRow

CHUNK = 1024 * 1024
FOLDER = "attachments"
YOUNG_SECONDS = 3600
"""No upload takes as long as this from its last byte to its commit."""


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
        path.replace(final)  # also over the same content: the file is young again, so nobody who deletes takes it away (_discard)
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


def linked(session: Session, identifier: str) -> Attachment:
    """A file for whoever holds a link to it, which somebody made who may see it. NotFound when it is gone or its time is over."""
    return _seen(session, _current(session, identifier))


def remove(session: Session, actor: Actor, identifier: str) -> None:
    """Delete a file; its content goes after the commit when nobody else shares it, or later by the sweep when it is young. Only who stored
    it, or an operator."""
    row = _row(session, actor, identifier)
    if row.created_by != actor.username and not actor.can("operate"):
        raise Forbidden(reason="只能删除自己保存的文件")
    path, sha256 = _path(runtime_of(session).settings.files_dir, row.sha256), row.sha256
    session.delete(row)
    session.flush()
    if sha256 not in _kept(session, [sha256]):
        session.info["after_commit"].append(lambda: _discard(path, clock.wall_now()))


def sweep(engine: Engine) -> int:
    """Discard contents that no file has: of uploads that came to nothing and of files deleted while young -> how many went."""
    folder, now, gone = engine.settings.files_dir / FOLDER, clock.wall_now(), 0
    for part in sorted(folder.glob("[0-9a-f][0-9a-f]")):
        found = {path.name: path for path in part.iterdir() if path.name.startswith(part.name)}
        with engine.reading() as session:
            kept = _kept(session, found.keys())
        gone += sum(_discard(path, now) for name, path in found.items() if name not in kept)
    return gone


def _kept(session: Session, digests: Collection[str]) -> set[str]:
    """Those of the contents that some file has."""
    return set(session.scalars(select(AttachmentRow.sha256).where(AttachmentRow.sha256.in_(digests))))


def _discard(path: Path, now: datetime) -> bool:
    """Take a content away that no file had a moment ago, unless it is young: its upload may be about to be committed -> whether it went.

    It is put aside before its age is looked at, so an upload of the same content in between either lies where it belongs by now or comes
    back. Whoever reads it in that instant finds nothing.
    """
    aside = path.with_name(f".discarded-{uuid.uuid4().hex}")
    try:
        path.rename(aside)
    except FileNotFoundError:
        return False
    young = now.timestamp() - aside.stat().st_mtime < YOUNG_SECONDS
    if young:
        with suppress(FileExistsError):
            path.hardlink_to(aside)
    aside.unlink()
    return not young


def _row(session: Session, actor: Actor, identifier: str) -> AttachmentRow:
    row = _current(session, identifier)
    if row.created_by != actor.username and not may_watch(actor):
        raise NotFound(what="文件", key=identifier)
    return row


def _current(session: Session, identifier: str) -> AttachmentRow:
    row = session.get(AttachmentRow, identifier)
    if row is None or (row.expires_at is not None and row.expires_at <= clock.wall_now()):
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
