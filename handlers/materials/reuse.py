"""Given once, used by every department (R052, R064): where each demanded material comes from, and whether that was confirmed.

A material of the same name in the project's pool serves every item that demands it; an official paper that the project holds as a licence
(shared_types.csv: shared_type -> items) is taken from the register, never asked for. Whoever files confirms a reuse once; when the source
changes (a new version, a changed, renewed or ended licence), it is asked again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine import clock
from engine.errors import Conflict, Forbidden
from engine.policy import Actor
from engine.store import audit
from handlers.catalogue.service import FOLDER, MaterialRequirement, read_table
from handlers.licences import service as licences
from handlers.licences.service import Licence
from handlers.materials.models import MaterialReuseRow, MaterialRow
from handlers.projects import service as projects

State = Literal["confirmed", "open", "changed", "missing"]


@dataclass(frozen=True, slots=True)
class Source:
    """Where a demanded material comes from. `kind` material, licence or "" (nothing yet); `label` says it to people; `id` of the source.

    `state`: confirmed; open (there, not confirmed for this item yet); changed (confirmed, but another version since); missing.
    """

    wanted: MaterialRequirement
    kind: Literal["material", "licence", ""]
    label: str
    id: int
    state: State


@lru_cache(maxsize=4)
def shared_types(folder: Path = FOLDER) -> dict[str, tuple[str, ...]]:
    """Kind of official paper -> the items whose result it is."""
    return {row["type"]: tuple(row["items"].split()) for row in read_table("shared_types", folder)}


def sources(session: Session, project_id: int | str, item_code: str, answers: Mapping[str, Any]) -> list[Source]:
    """Every material that an item demands under these answers, with its source. Ask for the project first: access is checked there."""
    held = licences.held_items(session, project_id)
    newest = _newest(session, project_id)
    confirmed = {
        row.name: row.fingerprint
        for row in session.scalars(
            select(MaterialReuseRow).where(MaterialReuseRow.project_id == int(project_id), MaterialReuseRow.item_code == item_code)
        )
    }
    listed = projects.catalogue_of(session, project_id)
    return [_source(wanted, held, newest, confirmed) for wanted in listed.materials_for(item_code, answers)]


def _newest(session: Session, project_id: int | str) -> dict[str, MaterialRow]:
    statement = select(MaterialRow).where(MaterialRow.project_id == int(project_id)).order_by(MaterialRow.item, MaterialRow.version)
    return {row.item: row for row in session.scalars(statement)}


def _source(
    wanted: MaterialRequirement, held: Mapping[str, Licence], newest: Mapping[str, MaterialRow], confirmed: Mapping[str, str]
) -> Source:
    for code in shared_types().get(wanted.shared_type, ()):
        if code in held:
            one = held[code]
            return Source(wanted, "licence", f"{one.title} {one.number}".strip(), one.id, _state(wanted, confirmed, _print_of(one)))
    row = newest.get(wanted.name) or newest.get(wanted.shared_type)
    if row is not None:
        return Source(wanted, "material", f"{row.filename}（第 {row.version} 版）", row.id, _state(wanted, confirmed, row.sha256))
    return Source(wanted, "", "", 0, "missing")


def _print_of(licence: Licence) -> str:
    """What a licence is now: it changes when the licence is changed, renewed or ends."""
    content = ";".join(f"{key}={value}" for key, value in sorted(licence.content.items()))
    return f"licence:{licence.id}:{licence.valid_until}:{licence.renewals}:{content}"[:200]


def _state(wanted: MaterialRequirement, confirmed: Mapping[str, str], fingerprint: str) -> State:
    known = confirmed.get(wanted.name)
    return "open" if known is None else "confirmed" if known == fingerprint else "changed"


def confirm(session: Session, actor: Actor, project_id: int | str, item_code: str, names: Sequence[str], answers: Mapping[str, Any]) -> int:
    """Confirm that these materials, as they are now, serve the item -> how many were confirmed.

    NotFound without access, Forbidden unless the person files for the project or the window does, Conflict for a material without a source.
    """
    project = projects.get_project(session, actor, project_id)
    if not (projects.is_own(session, actor, str(project.id)) or actor.can("represent_owner")):
        raise Forbidden(reason="材料复用由项目单位或者综合窗口确认")
    held, newest = licences.held_items(session, project.id), _newest(session, project.id)
    found = {one.wanted.name: one for one in sources(session, project.id, item_code, answers)}
    count = 0
    for name in names:
        source = found.get(name)
        if source is None or source.state == "missing":
            raise Conflict(reason=f"“{name}”还没有可以复用的来源")
        if source.state != "confirmed":
            _write(session, actor, project.id, item_code, source, held, newest)
            count += 1
    session.flush()
    return count


def _write(
    session: Session,
    actor: Actor,
    project_id: int,
    item_code: str,
    source: Source,
    held: Mapping[str, Licence],
    newest: Mapping[str, MaterialRow],
) -> None:
    if source.kind == "licence":
        fingerprint = _print_of(next(one for one in held.values() if one.id == source.id))
    else:
        fingerprint = next(row.sha256 for row in newest.values() if row.id == source.id)
    statement = select(MaterialReuseRow).where(
        MaterialReuseRow.project_id == project_id, MaterialReuseRow.item_code == item_code, MaterialReuseRow.name == source.wanted.name
    )
    row = session.scalar(statement.with_for_update())
    if row is None:
        row = MaterialReuseRow(project_id=project_id, item_code=item_code, name=source.wanted.name)
        session.add(row)
    row.fingerprint, row.confirmed_by, row.confirmed_at = fingerprint, actor.username, clock.now()
    audit.record(
        session, actor, "material.reused", business_id=str(project_id), data={"item": item_code, "name": row.name, "source": source.label}
    )
