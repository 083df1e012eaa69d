"""Versions of the catalogue (R059): a project keeps the items, materials and preconditions that were in force when it was registered.

A version is known by the digest of its tables, so that editing a table makes a new one and putting it back finds the old one again.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from pathlib import Path

from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from engine.errors import NotFound
from handlers.catalogue import service
from handlers.catalogue.models import CatalogueVersionRow
from handlers.catalogue.service import Catalogue, Row, catalogue, read_table

TABLES = ("stages", "items", "materials", "preconditions")
"""The tables of which a project keeps its version; units, notices, documents and the like are as they are today."""


@dataclass(frozen=True, slots=True)
class Version:
    """A version of the catalogue. `at`: when the first project was registered under it."""

    digest: str
    at: datetime


def keep_version(session: Session, now: datetime) -> str:
    """The digest of the catalogue as it is now, kept for the project that is being registered."""
    digest, tables = _current(service.FOLDER)
    values = {"digest": digest, "tables": tables, "at": now}
    dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    session.execute(dialect.insert(CatalogueVersionRow).values(values).on_conflict_do_nothing())
    return digest


def version_of(session: Session, digest: str | None) -> Version | None:
    """When a version began; None for a project of before versions were kept: it goes by today's catalogue."""
    row = _row(session, digest) if digest else None
    return Version(row.digest, row.at) if row is not None else None


def catalogue_of(session: Session, digest: str | None) -> Catalogue:
    """The catalogue with the kept tables of a version in it; today's for None. NotFound for a version that was never kept."""
    if digest is None or digest == _current(service.FOLDER)[0]:
        return catalogue()
    return _with(_row(session, digest), catalogue())


def _row(session: Session, digest: str) -> CatalogueVersionRow:
    row = session.get(CatalogueVersionRow, digest)
    if row is None:
        raise NotFound(what="事项清单版本", key=digest)
    return row


def _with(row: CatalogueVersionRow, today: Catalogue) -> Catalogue:
    """What the version knows is as it was then; an item that came later (a case of it may be opened all the same) is as it is today."""
    tables: Mapping[str, list[Row]] = row.tables
    stages, items = service.stages_from(tables["stages"]), service.items_from(tables["items"])
    return replace(
        today,
        stages=stages + tuple(stage for stage in today.stages if stage.code not in {old.code for old in stages}),
        stage_names={**today.stage_names, **{stage.code: stage.name for stage in stages}},
        items={**today.items, **items},
        materials=service.materials_from(tables["materials"]) + tuple(one for one in today.materials if one.item not in items),
        needs={**today.needs, **service.needs_from(tables["preconditions"])},
    )


@lru_cache(maxsize=4)
def _current(folder: Path) -> tuple[str, dict[str, list[Row]]]:
    tables = {name: read_table(name, folder) for name in TABLES}
    said = json.dumps(tables, ensure_ascii=False, sort_keys=True)
    return hashlib.sha256(said.encode()).hexdigest(), tables
