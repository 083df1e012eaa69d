"""Whether a PDF only shows something: no scripts, no launched programs, no embedded files (PDF 32000-1 12.6.4, 7.11.4).

The objects are read with pypdf instead of searching the bytes: three bytes like /JS turn up by chance in any large scan,
and a name may be written with escapes (/J#53) or lie in a compressed object stream (7.5.7).
"""

from __future__ import annotations

import logging
import zlib
from pathlib import Path

from pypdf import PdfReader
from pypdf.errors import PyPdfError
from pypdf.generic import ArrayObject, DictionaryObject, IndirectObject, PdfObject

logging.getLogger("pypdf").setLevel(logging.ERROR)  # it tells of every oddity of an applicant's file

ACTIVE_ACTIONS = frozenset({"/JavaScript", "/Launch", "/ImportData"})
ACTIVE_KEYS = frozenset({"/JS", "/EF"})
ACTIVE_ANNOTATIONS = frozenset({"/RichMedia", "/FileAttachment"})
MOST_OBJECTS = 500_000
"""A document with more dictionaries and lists is not looked through; a scan of a thousand pages has some ten thousand."""
UNREADABLE = (PyPdfError, ValueError, LookupError, TypeError, AttributeError, ArithmeticError, RecursionError, zlib.error, OSError)
"""What pypdf raises on damaged files."""


def is_passive(path: Path) -> bool:
    """True when every object that the document can reach only shows something; False also when it is damaged or needs a password."""
    try:
        with path.open("rb") as stream:
            reader = PdfReader(stream, strict=False)
            if reader.is_encrypted and not reader.decrypt(""):
                return False
            return "/Root" in reader.trailer and _passive(reader.trailer)
    except UNREADABLE:
        return False


def _passive(trailer: PdfObject) -> bool:
    waiting: list[PdfObject | None] = [trailer]
    seen: set[tuple[int, int]] = set()
    looked_at = 0
    while waiting:
        found = waiting.pop()
        if isinstance(found, IndirectObject):
            if (reference := (found.idnum, found.generation)) in seen:
                continue
            seen.add(reference)
            found = found.get_object()
        if isinstance(found, DictionaryObject):
            if _is_active(found):
                return False
            waiting += dict.values(found)
        elif isinstance(found, ArrayObject):
            waiting += list.__iter__(found)
        else:
            continue
        looked_at += 1
        if looked_at > MOST_OBJECTS:
            return False
    return True


def _is_active(found: DictionaryObject) -> bool:
    if not ACTIVE_KEYS.isdisjoint(found):
        return True
    return _value(found, "/S") in ACTIVE_ACTIONS or _value(found, "/Subtype") in ACTIVE_ANNOTATIONS


def _value(found: DictionaryObject, key: str) -> str:
    """What stands under the key, also where it is only a reference; "" for nothing and for other than a name."""
    value = found.raw_get(key).get_object() if key in found else None
    return value if isinstance(value, str) else ""
