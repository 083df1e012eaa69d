"""Numbers of documents (文号, 证号): patterns are data in the catalogue, sequences run per body and year, or per day, without gaps."""

from __future__ import annotations

import string
from datetime import datetime

from sqlalchemy.orm import Session

from engine.clock import CHINA
from engine.errors import Invalid
from handlers.catalogue.service import catalogue
from handlers.numbering import REGION, next_number

BUILDING, MUNICIPAL = "01", "02"


def take_number(session: Session, pattern: str, unit: str, now: datetime, category: str = BUILDING) -> str | None:
    """The next number of a pattern, None for an empty pattern.

    Fields: {prefix} 机关代字, {region}, {year}, {date} (yyyymmdd), {category} (01 房建, 02 市政), {serial}. Everything but the serial names
    the sequence, so numbers run per body and year, or per day, as the pattern says. Raises Invalid for an unknown field.
    """
    if not pattern:
        return None
    entry = catalogue().units.get(unit)
    local = now.astimezone(CHINA)
    values = {
        "prefix": (entry.document_prefix or entry.short_name) if entry else unit,
        "region": REGION,
        "year": str(local.year),
        "date": local.strftime("%Y%m%d"),
        "category": category,
    }
    unknown = {name for _, name, _, _ in string.Formatter().parse(pattern) if name} - values.keys() - {"serial"}
    if unknown:
        raise Invalid(reason=f"文号格式“{pattern}”含有未知的 {', '.join(sorted(unknown))}")
    serial = next_number(session, "document:" + pattern.format(**values, serial=0))
    return pattern.format(**values, serial=serial)


def category_of(project: object) -> str:
    """The class digits of a construction permit: municipal works or buildings, from the registration's 工程分类."""
    values = project if isinstance(project, dict) else {}
    return MUNICIPAL if values.get("gcfl") == "城市基础设施" else BUILDING
