"""Files of programs: contents are kept by their digest, so a deletion and an upload of the same content must not meet badly."""

from __future__ import annotations

import os
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pytest

from engine import Engine, open_engine
from engine.policy import SYSTEM
from handlers.attachments import service as attachments
from handlers.attachments.service import Attachment, Content
from tests.snapshots import Snapshots, empty

CONTENT = b"the same content"


@pytest.fixture
def engine(database_kind: str, request: pytest.FixtureRequest, tmp_path: Path, snapshots: Snapshots) -> Iterator[Engine]:
    with snapshots.opened(database_kind, request, tmp_path, empty, open_engine) as (opened, _nothing):
        yield opened


def take_in(engine: Engine) -> Content:
    return attachments.take_in(engine.settings.files_dir, BytesIO(CONTENT), 1)


def add(engine: Engine, content: Content) -> Attachment:
    with engine.unit_of_work() as session:
        return attachments.add(session, SYSTEM, content, file_name="a.txt", content_type="text/plain")


def remove(engine: Engine, stored: Attachment) -> None:
    with engine.unit_of_work() as session:
        attachments.remove(session, SYSTEM, stored.id)


def grow_old(path: Path) -> None:
    os.utime(path, (0, 0))


def test_the_last_deletion_takes_the_content(engine: Engine) -> None:
    first, second = add(engine, take_in(engine)), add(engine, take_in(engine))
    grow_old(first.path)
    remove(engine, first)
    assert second.path.read_bytes() == CONTENT, "shared"
    remove(engine, second)
    assert not second.path.exists()


def test_an_upload_that_is_not_committed_yet_keeps_its_content_from_a_deletion(engine: Engine) -> None:
    old = add(engine, take_in(engine))
    grow_old(old.path)
    content = take_in(engine)
    remove(engine, old)
    assert add(engine, content).path.read_bytes() == CONTENT


def test_an_upload_between_the_commit_of_a_deletion_and_its_end_keeps_its_content(engine: Engine) -> None:
    old = add(engine, take_in(engine))
    grow_old(old.path)
    with engine.unit_of_work() as session:
        attachments.remove(session, SYSTEM, old.id)
        session.info["after_commit"].insert(0, lambda: take_in(engine))
    assert old.path.read_bytes() == CONTENT


def test_what_was_deleted_young_or_never_committed_is_swept_when_it_is_old(engine: Engine) -> None:
    stored = add(engine, take_in(engine))
    remove(engine, stored)
    assert attachments.sweep(engine) == 0
    assert stored.path.exists(), "young"
    grow_old(stored.path)
    assert attachments.sweep(engine) == 1
    assert not stored.path.exists()
    assert attachments.sweep(engine) == 0


def test_the_sweep_leaves_what_somebody_has(engine: Engine) -> None:
    stored = add(engine, take_in(engine))
    grow_old(stored.path)
    assert attachments.sweep(engine) == 0
    assert stored.path.read_bytes() == CONTENT
