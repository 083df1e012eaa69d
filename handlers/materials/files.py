"""What a file really is, and where it is kept. A file whose content does not match its name is refused (a disguised file)."""

from __future__ import annotations

import hashlib
import os
import tempfile
import unicodedata
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import filetype

from engine.errors import Invalid
from handlers.materials.pdf import is_passive

CHUNK = 1024 * 1024


class FileTooLarge(Invalid):
    """文件超过 {limit} MB。

    The file is larger than {limit} MB.
    """

    code = "file_too_large"
    status = 413


class FileRefused(Invalid):
    """文件“{name}”不能接收：{reason}

    The file "{name}" is not accepted: {reason}
    """

    code = "file_refused"
    status = 415


@dataclass(frozen=True, slots=True)
class TakenFile:
    """A stored content: its type, size in bytes and digest."""

    kind: str
    size: int
    sha256: str


def _magic(*kinds: str) -> Callable[[Path], bool]:
    def check(path: Path) -> bool:
        found = filetype.guess(str(path))
        return found is not None and found.extension in kinds

    return check


def _zip_with(*members: str) -> Callable[[Path], bool]:
    """A sound zip that holds these members; office files also must not hold macros."""

    def check(path: Path) -> bool:
        try:
            with zipfile.ZipFile(path) as archive:
                entries = archive.infolist()
        except (zipfile.BadZipFile, NotImplementedError):
            return False
        names = {entry.filename for entry in entries}
        if not names.issuperset(members) or sum(entry.file_size for entry in entries) > MOST_UNPACKED_BYTES:
            return False
        return not any(_is_active(name.lower()) for name in names)

    return check


MOST_UNPACKED_BYTES = 2 * 1024**3
"""What an archive may hold once unpacked; more is a bomb, not a document."""
RUNNING = (".exe", ".dll", ".com", ".bat", ".cmd", ".ps1", ".vbs", ".js", ".jse", ".wsf", ".scr", ".msi", ".jar", ".sh", ".hta", ".lnk")


def _is_active(name: str) -> bool:
    """Whether a member of an archive runs when it is opened: a macro, an ActiveX control, a program or a script."""
    return name.endswith(("vbaproject.bin", *RUNNING)) or "/activex/" in name


def _plain_pdf(path: Path) -> bool:
    return _magic("pdf")(path) and is_passive(path)


def _autocad(path: Path) -> bool:
    with path.open("rb") as stream:
        return stream.read(6)[:4] == b"AC10"


ACCEPTED: dict[str, Callable[[Path], bool]] = {
    "pdf": _plain_pdf,
    "jpg": _magic("jpg"),
    "jpeg": _magic("jpg"),
    "png": _magic("png"),
    "docx": _zip_with("[Content_Types].xml", "word/document.xml"),
    "xlsx": _zip_with("[Content_Types].xml", "xl/workbook.xml"),
    "ofd": _zip_with("OFD.xml"),
    "zip": _zip_with(),
    "dwg": _autocad,
}


def checked_name(filename: str) -> str:
    """The bare file name, safe to show and to offer for download; FileRefused for a kind that is not accepted."""
    bare = filename.replace("\\", "/").rpartition("/")[2]
    name = "".join(c for c in unicodedata.normalize("NFC", bare) if unicodedata.category(c)[0] != "C").strip()
    if _extension(name) not in ACCEPTED:
        raise FileRefused(name=name or "—", reason="只接收 " + "、".join(k for k in ACCEPTED if k != "jpeg"))
    return name[-255:]


def take_in(folder: Path, name: str, stream: BinaryIO, limit: int) -> TakenFile:
    """Write the stream into the folder under its sha256. FileTooLarge over `limit` bytes, FileRefused when empty or disguised."""
    folder.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=folder, prefix=".upload-")
    path = Path(temporary)
    try:
        with os.fdopen(handle, "wb") as target:
            size, digest = _copy(stream, target, limit)
        if not size:
            raise FileRefused(name=name, reason="文件是空的")
        extension = _extension(name)
        if not ACCEPTED[extension](path):
            raise FileRefused(name=name, reason=f"内容不是 {extension} 文件，或者已损坏、加密，或者含有宏、脚本、可执行程序、附件")
        final = stored_path(folder, digest)
        final.parent.mkdir(exist_ok=True)
        path.replace(final)
    finally:
        path.unlink(missing_ok=True)
    return TakenFile("jpg" if extension == "jpeg" else extension, size, digest)


def _copy(stream: BinaryIO, target: BinaryIO, limit: int) -> tuple[int, str]:
    size, digest = 0, hashlib.sha256()
    while chunk := stream.read(CHUNK):
        size += len(chunk)
        if size > limit:
            raise FileTooLarge(limit=limit // 1024 // 1024)
        digest.update(chunk)
        target.write(chunk)
    target.flush()
    os.fsync(target.fileno())
    return size, digest.hexdigest()


def stored_path(folder: Path, sha256: str) -> Path:
    """Where a content lies."""
    return folder / sha256[:2] / sha256


def _extension(name: str) -> str:
    return name.rpartition(".")[2].lower() if "." in name else ""
