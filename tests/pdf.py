"""Small sound PDFs for uploads, written object by object so that a test can put anything into them."""

from __future__ import annotations

import zlib


def pdf(catalog: bytes = b"", *more: bytes, note: bytes = b"") -> bytes:
    """A one-page PDF: `catalog` are more entries of its catalogue, `more` are objects from number 4 on, `note` a comment at the top."""
    objects = [
        b"<</Type/Catalog/Pages 2 0 R" + catalog + b">>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]>>",
        *more,
    ]
    out, offsets = b"%PDF-1.7\n%" + note + b"\n", []
    for number, body in enumerate(objects, 1):
        offsets.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n%s" % (len(objects) + 1, table)
    return out + b"trailer<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, start)


def stream(content: bytes, entries: bytes = b"") -> bytes:
    """A stream object of these bytes, as they are."""
    return b"<</Length %d%s>>\nstream\n%s\nendstream" % (len(content), entries, content)


def packed(catalog: bytes) -> bytes:
    """A PDF whose catalogue lies in a compressed object stream, found through a cross-reference stream (PDF 32000-1 7.5.7, 7.5.8)."""
    inner = b"1 0 <</Type/Catalog/Pages 2 0 R" + catalog + b">>"
    bodies = {
        2: b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        3: b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]>>",
        4: stream(zlib.compress(inner), b"/Type/ObjStm/N 1/First 4/Filter/FlateDecode"),
    }
    out, places = b"%PDF-1.7\n", {}
    for number, body in bodies.items():
        places[number] = len(out)
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    rows = [(0, 0, 255), (2, 4, 0), *((1, places[number], 0) for number in bodies), (1, len(out), 0)]
    table = b"".join(bytes([kind]) + second.to_bytes(4, "big") + bytes([third]) for kind, second, third in rows)
    entries = b"/Type/XRef/Size 6/W[1 4 1]/Root 1 0 R"
    return out + b"5 0 obj\n%s\nendobj\nstartxref\n%d\n%%%%EOF\n" % (stream(table, entries), len(out))
