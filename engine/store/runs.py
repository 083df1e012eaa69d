"""The instances of one process version taken together: where they stand, how often and how long each element was entered, lists of them.

These queries check no rights: whoever calls them has asked policy. A loop (multi-instance activity) is counted by its members; the token
that holds them together is counted only while it has none.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from statistics import fmean, median
from typing import Any, Literal

from sqlalchemy import CTE, ColumnElement, Row, Select, and_, case, func, or_, select
from sqlalchemy.orm import Session

from engine.store import models as m
from engine.store.search_sources import PROCESS_INSTANCES

SAMPLE = 2_000
"""Durations are those of so many newest instances: the whole history of a city would take seconds to read."""

Sort = Literal["newest", "oldest", "business", "incidents"]

_event, _instance, _incident = m.element_event, m.process_instance, m.incident
_state = PROCESS_INSTANCES.fields["state"]


@dataclass(frozen=True, slots=True)
class RunFilter:
    """Which instances of a version. `state`: ACTIVE, SUSPENDED, COMPLETED, TERMINATED or "" for all; `incident`: only those with an open
    incident; `element`: only those with a token there now; `text`: a business id or instance key; `business_ids`: found by that text
    elsewhere (names of projects); `keys`: only these instances; `live`: only those that have not ended."""

    definition_key: int
    state: str = ""
    incident: bool = False
    element: str = ""
    text: str = ""
    business_ids: tuple[str, ...] = ()
    keys: tuple[int, ...] = ()
    live: bool = False


@dataclass(slots=True)
class ElementUse:
    """One element over all instances of a version. Durations are seconds of business time of what has ended, in the SAMPLE newest
    instances; `since`: when the token was entered that has waited longest."""

    now: int = 0
    entered: int = 0
    incidents: int = 0
    since: datetime | None = None
    seconds: list[float] = field(default_factory=list)

    @property
    def mean(self) -> float | None:
        return fmean(self.seconds) if self.seconds else None

    @property
    def median(self) -> float | None:
        return median(self.seconds) if self.seconds else None

    @property
    def longest(self) -> float | None:
        return max(self.seconds, default=None)


def element_uses(session: Session, definition_key: int) -> dict[str, ElementUse]:
    """Element id -> its use, for every element that an instance of the version has entered or stands at.

    What a migrated instance did before its migration is counted under the ids it had then.
    """
    uses: dict[str, ElementUse] = {}
    for _key, element, since in _standing(session, _of_version(definition_key)):
        use = uses.setdefault(element, ElementUse())
        use.now, use.since = use.now + 1, since if use.since is None else min(since, use.since)
    for element, count in session.execute(_open_incidents(definition_key)):
        uses.setdefault(element, ElementUse()).incidents = count
    for element, count in session.execute(_entries(definition_key)):
        uses.setdefault(element, ElementUse()).entered = count
    for element, count in session.execute(_loop_bodies(definition_key)):
        uses[element].entered -= count
    for element, seconds in _durations(session, definition_key):
        uses.setdefault(element, ElementUse()).seconds.append(seconds)
    return uses


def tokens_now(session: Session, definition_key: int) -> dict[str, int]:
    """Element id -> how many tokens of live instances stand there."""
    return dict(Counter(element for _key, element, _since in _standing(session, _of_version(definition_key))))


def standing_at(session: Session, instance_keys: Iterable[int]) -> dict[int, dict[str, int]]:
    """Instance key -> element id -> tokens, for a page of live instances."""
    found: dict[int, dict[str, int]] = {}
    for key, element, _since in _standing(session, _event.c.instance_key.in_(list(instance_keys))):
        here = found.setdefault(key, {})
        here[element] = here.get(element, 0) + 1
    return found


def count(session: Session, wanted: RunFilter) -> int:
    """How many instances match."""
    return session.scalar(select(func.count()).select_from(_instance).where(*_conditions(wanted))) or 0


def page(session: Session, wanted: RunFilter, sort: Sort, limit: int, offset: int) -> Sequence[Row[Any]]:
    """One page of matching instances: the columns of process_instance but its state, and `shown_state`."""
    statement = select(_instance, _state.label("shown_state")).where(*_conditions(wanted)).order_by(*_ORDERS[sort])
    return session.execute(statement.limit(limit).offset(offset)).all()


def keys(session: Session, wanted: RunFilter, limit: int) -> list[int]:
    """Keys of the matching instances, oldest first."""
    return list(session.scalars(select(_instance.c.key).where(*_conditions(wanted)).order_by(_instance.c.key).limit(limit)))


_ORDERS: dict[Sort, tuple[ColumnElement[Any], ...]] = {
    "newest": (_instance.c.key.desc(),),
    "oldest": (_instance.c.key,),
    "business": (_instance.c.business_id.asc().nulls_last(), _instance.c.key),
    "incidents": (_instance.c.incidents.desc(), _instance.c.key.desc()),
}


def _conditions(wanted: RunFilter) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = [_instance.c.definition_key == wanted.definition_key]
    if wanted.state:
        found.append(_state == wanted.state)
    if wanted.live:
        found.append(_instance.c.state == "ACTIVE")
    if wanted.incident:
        found.append(_instance.c.incidents > 0)
    if wanted.element:
        live = _live(_of_version(wanted.definition_key))
        found.append(_instance.c.key.in_(select(live.c.instance_key).where(live.c.element_id == wanted.element)))
    if wanted.text:
        either: list[ColumnElement[bool]] = [_instance.c.business_id == wanted.text, _instance.c.business_id.in_(wanted.business_ids)]
        if wanted.text.isascii() and wanted.text.isdecimal() and int(wanted.text) < 2**63:
            either.append(_instance.c.key == int(wanted.text))
        found.append(or_(*either))
    if wanted.keys:
        found.append(_instance.c.key.in_(wanted.keys))
    return found


# ---------------------------------------------------------------------- tokens
def _of_version(definition_key: int) -> ColumnElement[bool]:
    live = select(_instance.c.key).where(_instance.c.definition_key == definition_key, _instance.c.state == "ACTIVE")
    return _event.c.instance_key.in_(live)


def _live(which: ColumnElement[bool]) -> CTE:
    """Tokens whose latest event is no end: (instance_key, token_id, element_id by its newest name, scope_id, since)."""
    newest = (
        select(func.max(_event.c.id).label("id"), func.max(case((_event.c.kind == "entered", _event.c.at))).label("since"))
        .where(which)
        .group_by(_event.c.instance_key, _event.c.token_id)
        .subquery()
    )
    return (
        select(_event.c.instance_key, _event.c.token_id, _event.c.element_id, _event.c.scope_id, newest.c.since)
        .join(newest, newest.c.id == _event.c.id)
        .where(_event.c.kind.in_(("entered", "migrated")))
        .cte("live")
    )


def _standing(session: Session, which: ColumnElement[bool]) -> Iterator[tuple[int, str, datetime]]:
    """(instance key, element id, since) of every live token, without the bodies of loops whose members are among them."""
    rows = session.execute(select(_live(which))).all()
    members = {(row.instance_key, row.scope_id, row.element_id) for row in rows}
    for row in rows:
        if (row.instance_key, row.token_id, row.element_id) not in members:
            yield row.instance_key, row.element_id, row.since


def _open_incidents(definition_key: int) -> Select[Any]:
    return (
        select(_incident.c.element_id, func.count())
        .join(_instance, _instance.c.key == _incident.c.instance_key)
        .where(_instance.c.definition_key == definition_key, _incident.c.state == "ACTIVE")
        .group_by(_incident.c.element_id)
    )


def _entries(definition_key: int) -> Select[Any]:
    return (
        select(_event.c.element_id, func.count())
        .join(_instance, _instance.c.key == _event.c.instance_key)
        .where(_instance.c.definition_key == definition_key, _event.c.kind == "entered")
        .group_by(_event.c.element_id)
    )


def _loop_bodies(definition_key: int) -> Select[Any]:
    """How many of the entries were bodies of loops that got members."""
    member = (
        select(_event.c.instance_key, _event.c.scope_id, _event.c.element_id)
        .join(_instance, _instance.c.key == _event.c.instance_key)
        .where(_instance.c.definition_key == definition_key, _event.c.kind == "entered", _event.c.scope_id != 0)
        .distinct()
        .subquery()
    )
    body = _event.alias("body")
    same = and_(
        body.c.instance_key == member.c.instance_key,
        body.c.token_id == member.c.scope_id,
        body.c.element_id == member.c.element_id,
        body.c.kind == "entered",
    )
    return select(body.c.element_id, func.count()).join(member, same).group_by(body.c.element_id)


def _durations(session: Session, definition_key: int) -> list[tuple[str, float]]:
    """(element id, seconds) of every element instance that was completed."""
    newest = select(_instance.c.key).where(_instance.c.definition_key == definition_key).order_by(_instance.c.key.desc()).limit(SAMPLE)
    statement = (
        select(_event.c.instance_key, _event.c.token_id, _event.c.kind, _event.c.element_id, _event.c.scope_id, _event.c.at)
        .where(_event.c.instance_key.in_(newest))
        .order_by(_event.c.instance_key, _event.c.id)
    )
    came: dict[tuple[int, int], tuple[str, datetime]] = {}
    bodies: set[tuple[int, int]] = set()
    ended: list[tuple[tuple[int, int], str, timedelta]] = []
    for key, token, kind, element, scope, at in session.execute(statement):
        place = (key, token)
        if kind == "entered":
            came[place] = (element, at)
            if came.get((key, scope), ("",))[0] == element:
                bodies.add((key, scope))
        elif kind == "completed" and place in came:
            ended.append((place, element, at - came[place][1]))
    return [(element, passed.total_seconds()) for place, element, passed in ended if place not in bodies]
