"""Lists as files that spreadsheets open: UTF-8 with its mark, and no cell that would be computed."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Any

from flask import Response

FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet would take for a formula."""


def csv_answer(name: str, rows: Iterable[Sequence[Any]]) -> Response:
    """The rows, the headings first, as the file `name` (ASCII)."""
    out = io.StringIO()
    csv.writer(out).writerows([plain(cell) for cell in row] for row in rows)
    headers = {"Content-Disposition": f"attachment; filename={name}", "Cache-Control": "no-store"}
    return Response("\ufeff" + out.getvalue(), mimetype="text/csv", headers=headers)  # the mark tells Excel that it is UTF-8


def plain(value: Any) -> str:
    """A cell that no spreadsheet takes for a formula, whatever people wrote into it; "" for None."""
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(FORMULA) else text
