"""The names that a document fixes at its issue: project, case, body and addressee as they were then, however they are called later."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from engine.clock import CHINA
from handlers.cases.service import Case
from handlers.catalogue.service import catalogue
from handlers.projects.models import ProjectRow

NO_CASE: Mapping[str, Any] = {
    "number": "",
    "query_code": "",
    "item_name": "",
    "unit_name": "",
    "received_at": None,
    "accepted_at": None,
    "decided_at": None,
}
"""What templates see where a document belongs to no case: the names of `case_subject`, all empty."""


def unit_name(code: str) -> str:
    """The official name of a unit, its code when the catalogue does not know it."""
    entry = catalogue().units.get(code)
    return entry.official_name if entry else code


def project_subject(row: ProjectRow) -> dict[str, Any]:
    """What documents name of a project; texts, "" where the registration says nothing."""
    data: Mapping[str, Any] = row.data
    funds = data.get("zjly")
    named = [f"{f.get('ly')}{_number(f.get('je'))}万元" for f in funds if isinstance(f, dict)] if isinstance(funds, list) else []
    return {
        "name": row.name,
        "code": row.code or "",
        "organisation": row.organisation,
        "organisation_code": row.organisation_code,
        "address": _text(data.get("jsdd")),
        "content": _text(data.get("jsgmjnr")),
        "investment": _number(data.get("ztze")),
        "funds": "，".join(named),
        "land_area": _number(data.get("ydmj")),
        "floor_area": _number(data.get("jzmj")),
        "representative": _text(data.get("frdb")),
    }


def case_subject(case: Case) -> dict[str, Any]:
    """What documents name of a case; instants in ISO, Beijing time, None when there is none yet."""
    return {
        "number": case.number,
        "query_code": case.query_code,
        "item_name": case.item_name,
        "unit_name": unit_name(case.unit),
        "received_at": instant(case.received_at),
        "accepted_at": instant(case.accepted_at),
        "decided_at": instant(case.decided_at),
    }


def instant(value: datetime | None) -> str | None:
    """An instant as templates get it: ISO in Beijing time."""
    return value.astimezone(CHINA).isoformat(timespec="seconds") if value is not None else None


def digest(fixed: Mapping[str, Any]) -> str:
    """sha256 over everything that an issue fixes, in canonical JSON: whoever changes a stored word changes it."""
    return hashlib.sha256(json.dumps(fixed, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def _text(value: Any) -> str:
    return value.strip() if isinstance(value, str) else ""


def _number(value: Any) -> str:
    return f"{value:,.4f}".rstrip("0").rstrip(".") if isinstance(value, int | float) and not isinstance(value, bool) else ""
