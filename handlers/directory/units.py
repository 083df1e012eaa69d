"""Units: departments, utilities and agencies, from the catalogue."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from handlers.catalogue.service import Catalogue, catalogue
from handlers.directory.models import UnitRow


@dataclass(frozen=True, slots=True)
class Unit:
    """A department, utility or agency. `number` is its place in the plan's list (0: not one of the 27 resident units)."""

    code: str
    name: str
    short_name: str
    number: int
    resident: bool
    document_prefix: str


def import_units(session: Session, source: Catalogue | None = None) -> int:
    """Bring the units of the catalogue into the directory (new ones added, names updated) -> how many there are."""
    known = (source or catalogue()).units
    for unit in known.values():
        row = session.get(UnitRow, unit.code)
        if row is None:
            row = UnitRow(code=unit.code)
            session.add(row)
        row.name, row.short_name, row.number = unit.name, unit.short_name, unit.number
        row.resident, row.document_prefix = unit.resident, unit.document_prefix
    session.flush()
    return len(known)


def units(session: Session) -> list[Unit]:
    """All units, the resident ones first in the plan's order."""
    rows: Sequence[UnitRow] = session.scalars(select(UnitRow).order_by(UnitRow.number == 0, UnitRow.number, UnitRow.code)).all()
    return [Unit(r.code, r.name, r.short_name or r.name, r.number, r.resident, r.document_prefix) for r in rows]


def unit_names(session: Session) -> dict[str, str]:
    """Unit code -> the short name that lists show."""
    return {unit.code: unit.short_name for unit in units(session)}


def known_groups(session: Session) -> frozenset[str]:
    """Every group a diagram may name: each unit with each role of the catalogue."""
    roles = catalogue().roles
    return frozenset(f"{code}.{role}" for code in session.scalars(select(UnitRow.code)) for role in roles)
