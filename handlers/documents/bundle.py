"""The case file (案卷) as one zip: documents, materials, opinions, an index page and a manifest with the sha256 of each, and its check.

The index page is a document of its own (W34 案卷目录): issuing it fixes what belongs to the file at that moment, digests included. The zip
is put together from what is stored whenever it is asked for, always with the same bytes.
"""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine import clock
from engine.definitions import form_schema
from engine.errors import Conflict, Forbidden, Invalid, NotFound
from engine.policy import SYSTEM, Actor
from engine.runtime import runtime_of
from engine.store import audit, reads
from engine.store import models as m
from handlers.cases import service as cases
from handlers.cases.models import CaseRow
from handlers.catalogue.service import catalogue
from handlers.directory import service as directory
from handlers.documents.issuing import Document, document, documents_of, files_of, issue
from handlers.documents.subject import instant, unit_name
from handlers.materials import service as materials
from handlers.materials.files import stored_path
from handlers.projects.access import project_row
from handlers.projects.models import ProjectRow
from handlers.tasks.service import answer_lines, task_rows

INDEX = "W34"
CENTRE = "XZSPJ"
MANIFEST, INDEX_FILE, OPINIONS_FILE = "manifest.json", "案卷目录.pdf", "意见/办理意见.json"
FORMAT = 1
MAX_MEMBERS, MAX_MANIFEST_BYTES = 10_000, 10 * 1024 * 1024
FIXED_TIME = (1980, 1, 1, 0, 0, 0)
"""Every member carries the same time, so that the same content is the same zip."""


class BundleBroken(Invalid):
    """案卷包不完整或被改动：{reason}

    The case file is incomplete or was changed: {reason}
    """

    code = "bundle_broken"


@dataclass(frozen=True, slots=True)
class Checked:
    """A case file that holds what its manifest says."""

    title: str
    made_at: str
    members: int
    digest: str


def may_bundle(session: Session, actor: Actor, project_id: int, case_id: int | None) -> bool:
    """Whether the actor may file and take the case file: the centre, the case's own body, and who may read everything; never an applicant.

    It holds what the offices said to each other.
    """
    units = {group.partition(".")[0] for group in actor.groups}
    if actor.can("read_all") or CENTRE in units:
        return True
    return case_id is not None and cases.get_case(session, case_id).unit in units


def file_case(session: Session, actor: Actor, project_id: int, case_id: int | None = None) -> Document:
    """Issue the index (W34) of a case's file, or of the whole project's: from now on it can be downloaded once the index is printed.
    When the newest index lists the very same (a second click), that one stands.

    Raises NotFound (project, or case of another project), Forbidden, Conflict while a document of the file is not printed yet.
    """
    project = project_row(session, actor, project_id)
    case = cases.get_case(session, case_id) if case_id is not None else None
    if case is not None and case.project_id != project.id:
        raise NotFound(what="办件", key=case_id)
    if not may_bundle(session, actor, project.id, case_id):
        raise Forbidden(reason="案卷由政务中心或者承办单位整理")
    _lock(session, project.id, case_id)
    known = documents_of(session, project.id, case_id)
    found = [each for each in reversed(known) if each.kind != INDEX]
    entries = [*_document_entries(session, found), *_material_entries(session, project.id, case)]
    opinions = _opinions(session, project.id, case)
    body = _json(opinions)
    if opinions:
        entries.append(_entry("意见", "办理意见", OPINIONS_FILE, _sha256(body), "", instant(clock.now())))
    newest = next((each for each in known if each.kind == INDEX and each.case_id == case_id), None)
    if newest is not None and _contents(newest.facts["案卷材料"]) == _contents(entries):
        return newest
    index = issue(
        session,
        INDEX,
        project_id=project.id,
        case_id=case_id,
        item_code=case.item_code if case is not None else "",
        unit=case.unit if case is not None else CENTRE,
        facts={"案卷材料": entries, "意见内容": opinions},
        root_key=0,
        person=actor.username,
        now=clock.now(),
    )
    audit.record(session, actor, "case_file.indexed", business_id=str(project.id), data={"documentId": index.id, "members": len(entries)})
    return index


def _lock(session: Session, project_id: int, case_id: int | None) -> None:
    """Two who ask for the index of the same file at once take turns."""
    owner = select(ProjectRow.id).where(ProjectRow.id == project_id) if case_id is None else select(CaseRow.id).where(CaseRow.id == case_id)
    session.execute(owner.with_for_update())


def _contents(entries: Sequence[Mapping[str, Any]]) -> list[tuple[str, str]]:
    """What a file holds, whatever the moment at which it was listed."""
    return [(entry["路径"], entry["摘要"]) for entry in entries]


def archive_finished(session: Session, case_id: int) -> Document | None:
    """Issue the index of a case that is over, once all of its documents are printed; None while it is not, or when it has one (R134).

    Asked for after each PDF that was filed; the case's row is locked, so that of two PDFs filed at once the second sees the first.
    """
    session.execute(select(CaseRow.id).where(CaseRow.id == case_id).with_for_update())
    case = cases.get_case(session, case_id)
    found = documents_of(session, case.project_id, case_id)
    if not _finished(session, case) or any(each.kind == INDEX for each in found):
        return None
    if len(files_of(session, [each.id for each in found])) < len(found):
        return None
    return file_case(session, SYSTEM, case.project_id, case_id)


def _finished(session: Session, case: cases.Case) -> bool:
    """Over, and a decision was handed over (or its flow has ended without that)."""
    if not case.ended:
        return False
    if case.served_at is not None or case.decided_at is None:
        return True
    return session.scalar(select(m.process_instance.c.state).where(m.process_instance.c.key == case.root_key)) != "ACTIVE"


def write_bundle(session: Session, actor: Actor, index_id: int, target: BinaryIO) -> str:
    """Write the zip of a filed index into `target` -> its file name. NotFound, Forbidden, Conflict while the index is not printed."""
    index = document(session, actor, index_id)
    if index.kind != INDEX:
        raise NotFound(what="案卷", key=index_id)
    if not may_bundle(session, actor, index.project_id, index.case_id):
        raise Forbidden(reason="案卷由政务中心或者承办单位查阅")
    printed = files_of(session, [index.id]).get(index.id)
    if printed is None:
        raise Conflict(reason="案卷目录还在生成，请稍后再试")
    folder = runtime_of(session).settings.files_dir
    entries: list[dict[str, Any]] = index.facts["案卷材料"]
    with zipfile.ZipFile(target, "w") as archive:
        for entry in entries:
            if entry["路径"] == OPINIONS_FILE:
                archive.writestr(_info(OPINIONS_FILE), _json(index.facts["意见内容"]))
            else:
                _add_file(archive, entry["路径"], stored_path(folder, entry["摘要"]))
        _add_file(archive, INDEX_FILE, stored_path(folder, printed.sha256))
        archive.writestr(_info(MANIFEST), _json(_manifest(index, entries, printed.sha256)))
    case = index.subject["case"]
    return f"案卷-{case['number'] if case else index.subject['project']['code'] or index.project_id}-{index.id}.zip"


def record_taken(session: Session, actor: Actor, index_id: int) -> None:
    """Note in the audit trail that the actor took the case file."""
    index = document(session, actor, index_id)
    audit.record(session, actor, "case_file.taken", business_id=str(index.project_id), data={"documentId": index.id})


def check_bundle(path: Path) -> Checked:
    """Read a case file again, without any database: every member is there, none is extra, and each has its sha256. Raises BundleBroken."""
    try:
        with zipfile.ZipFile(path) as archive:
            return _check(archive)
    except (zipfile.BadZipFile, NotImplementedError, OSError, EOFError) as error:
        raise BundleBroken(reason=f"不是完好的 zip 文件（{error}）") from error


def _check(archive: zipfile.ZipFile) -> Checked:
    names = archive.namelist()
    if MANIFEST not in names or len(names) > MAX_MEMBERS or archive.getinfo(MANIFEST).file_size > MAX_MANIFEST_BYTES:
        raise BundleBroken(reason=f"没有 {MANIFEST} 或者太大")
    raw = archive.read(MANIFEST)
    try:
        manifest = json.loads(raw)
        members = {str(m["path"]): str(m["sha256"]) for m in manifest["members"]}
        title, made_at = str(manifest["title"]), str(manifest["madeAt"])
    except (ValueError, KeyError, TypeError) as error:
        raise BundleBroken(reason=f"{MANIFEST} 读不懂") from error
    if len(names) != len(set(names)) or set(names) != members.keys() | {MANIFEST}:
        different = sorted(set(names) ^ (members.keys() | {MANIFEST})) or ["有重复的文件"]
        raise BundleBroken(reason="清单与内容不一致：" + "、".join(different[:5]))
    for name, wanted in members.items():
        if _digest_of(archive, name) != wanted:
            raise BundleBroken(reason=f"“{name}”与清单的摘要不一致")
    return Checked(title, made_at, len(members), _sha256(raw))


def _digest_of(archive: zipfile.ZipFile, name: str) -> str:
    digest = hashlib.sha256()
    with archive.open(name) as stream:
        while chunk := stream.read(1024 * 1024):
            digest.update(chunk)
    return digest.hexdigest()


# ---------------------------------------------------------------------- what belongs to the file
def _document_entries(session: Session, found: Sequence[Document]) -> Iterator[dict[str, Any]]:
    files = files_of(session, [each.id for each in found])
    waiting = [each.title for each in found if each.id not in files]
    if waiting:
        raise Conflict(reason="还有文书没有生成 PDF：" + "、".join(waiting[:5]))
    for number, each in enumerate(found, 1):
        file = files[each.id]
        path = f"文书/{number:03d}-{each.kind}-{_safe(each.title)}.pdf"
        yield _entry("文书", each.title, path, file.sha256, each.number or "", instant(each.issued_at), file.pages)


def _material_entries(session: Session, project_id: int, case: cases.Case | None) -> Iterator[dict[str, Any]]:
    """The newest version of every material; of a case those that its item asks for."""
    wanted = {entry.name for entry in catalogue().materials if case is None or entry.item == case.item_code}
    newest: dict[str, materials.Material] = {}
    for material in materials.materials_of(session, project_id):
        if case is None or material.item in wanted:
            newest.setdefault(material.item, material)
    for number, material in enumerate(newest.values(), 1):
        path = f"材料/{number:03d}-{_safe(material.item)}.{material.kind}"
        yield _entry("材料", material.item, path, material.sha256, "", instant(material.uploaded_at))


def _opinions(session: Session, project_id: int, case: cases.Case | None) -> list[dict[str, Any]]:
    """What was said in the tasks of the file, oldest first: who, of which unit, when, the result and every answered field."""
    raw = [row for row in reads.tasks_of_business(session, str(project_id)) if row.state == "COMPLETED"]
    if case is not None:
        raw = [row for row in raw if row.root_key == case.root_key]
    names = directory.display_names(session, [row.completed_by for row in raw])
    return [
        {
            "环节": shown.name,
            "单位": unit_name(shown.unit) if shown.unit else "",
            "办理人": names.get(row.completed_by, row.completed_by),
            "时间": instant(row.completed_at),
            "结果": shown.result,
            "内容": dict(answer_lines(form_schema(session, row.form_key), row.submission)) if row.form_key and row.submission else {},
        }
        for row, shown in zip(raw, task_rows(session, raw), strict=True)
    ]


def _entry(
    group: str, title: str, path: str, sha256: str, number: str = "", day: str | None = None, pages: int | None = None
) -> dict[str, Any]:
    return {"类别": group, "题名": title, "文号": number, "日期": day, "页数": pages, "摘要": sha256, "路径": path}


def _manifest(index: Document, entries: Sequence[Mapping[str, Any]], index_sha256: str) -> dict[str, Any]:
    members = [{"path": entry["路径"], "sha256": entry["摘要"], "title": entry["题名"], "number": entry["文号"]} for entry in entries]
    members.append({"path": INDEX_FILE, "sha256": index_sha256, "title": index.title, "number": ""})
    return {
        "format": FORMAT,
        "title": index.subject["project"]["name"],
        "projectCode": index.subject["project"]["code"],
        "caseNumber": index.subject["case"]["number"] if index.subject["case"] else None,
        "madeAt": instant(index.issued_at),
        "verificationCode": index.verification_code,
        "members": members,
    }


def _add_file(archive: zipfile.ZipFile, name: str, path: Path) -> None:
    if not path.is_file():
        raise Conflict(reason=f"“{name}”的内容不在文件库中，请系统管理员从备份恢复")
    with path.open("rb") as source, archive.open(_info(name), "w", force_zip64=True) as target:
        while chunk := source.read(1024 * 1024):
            target.write(chunk)


def _info(name: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name, FIXED_TIME)
    info.compress_type = zipfile.ZIP_DEFLATED
    info.external_attr = 0o600 << 16
    return info


def _json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, indent=1, sort_keys=True).encode()


def _sha256(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


def _safe(name: str) -> str:
    """A title as part of a file name: no separators, no characters that Windows refuses."""
    return "".join("_" if character in '/\\:*?"<>|' or ord(character) < 32 else character for character in name)[:60]
