"""专家评审: experts are drawn at random from the list, those with a conflict of interest stand back. The only import allowed from outside.

The seed is made when drawing and kept; the same seed and pool give the same experts for ever (random.Random over Python's documented
Mersenne Twister), so an auditor can repeat any draw.
"""

from __future__ import annotations

import random
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.errors import Invalid
from handlers.catalogue.service import read_table
from handlers.special.models import ExpertDrawRow

LEAST_EXPERTS, MOST_EXPERTS = 3, 9


class DrawRefused(Invalid):
    """专家抽取不成立：{reason}（行政许可法第四十五条；本市专家评审规定）

    The draw of experts is not valid: {reason} (Administrative Licensing Law 45; the city's rules for expert reviews)
    """

    code = "expert_draw_refused"


@dataclass(frozen=True, slots=True)
class Expert:
    """An expert of the list."""

    name: str
    field: str
    organisation: str

    def as_dict(self) -> dict[str, str]:
        return {"name": self.name, "field": self.field, "organisation": self.organisation}


@dataclass(frozen=True, slots=True)
class Draw:
    """A draw as recorded."""

    seed: str
    experts: tuple[Expert, ...]
    excluded: tuple[str, ...]


@lru_cache(maxsize=1)
def experts() -> tuple[Expert, ...]:
    """Every expert of processes/catalogue/experts.csv, in its order."""
    return tuple(Expert(row["name"], row["field"], row["organisation"]) for row in read_table("experts"))


def choose(pool: Sequence[Expert], count: int, seed: str) -> tuple[Expert, ...]:
    """`count` different experts of the pool by chance. Pure: the same arguments give the same experts."""
    return tuple(random.Random(seed).sample(list(pool), count))


def draw(
    session: Session, case_id: int, *, field: str, count: int, conflicting: Iterable[str], person: str, now: datetime, seed: str = ""
) -> Draw:
    """Draw an odd number of experts of a field (all fields when empty) and record it.

    `conflicting`: organisations of the applicant, designer, ...; their experts, retired ones too, stand back. DrawRefused: too few left.
    """
    if not LEAST_EXPERTS <= count <= MOST_EXPERTS or count % 2 == 0:
        raise DrawRefused(reason=f"专家应为 {LEAST_EXPERTS} 至 {MOST_EXPERTS} 名单数")
    parties = [name for name in conflicting if name]
    asked = [expert for expert in experts() if not field or expert.field == field]
    excluded = [expert for expert in asked if any(_related(expert.organisation, party) for party in parties)]
    pool = [expert for expert in asked if expert not in excluded]
    if len(pool) < count:
        raise DrawRefused(reason=f"回避后“{field or '全部专业'}”只有 {len(pool)} 名专家，不足 {count} 名")
    seed = seed or secrets.token_hex(16)
    drawn = choose(pool, count, seed)
    session.add(
        ExpertDrawRow(
            case_id=case_id,
            seed=seed,
            pool=[expert.as_dict() for expert in pool],
            excluded=[expert.as_dict() for expert in excluded],
            drawn=[expert.as_dict() for expert in drawn],
            person=person,
            at=now,
        )
    )
    session.flush()
    return Draw(seed, drawn, tuple(expert.name for expert in excluded))


def draws_of(session: Session, case_id: int) -> list[Draw]:
    """The draws of a case, oldest first."""
    rows = session.scalars(select(ExpertDrawRow).where(ExpertDrawRow.case_id == case_id).order_by(ExpertDrawRow.id))
    return [Draw(r.seed, tuple(Expert(**_known(e)) for e in r.drawn), tuple(e["name"] for e in r.excluded)) for r in rows]


def _known(entry: dict[str, Any]) -> dict[str, str]:
    return {name: str(entry[name]) for name in ("name", "field", "organisation")}


def _related(organisation: str, party: str) -> bool:
    """Whether an expert's organisation is the party, or was before they retired."""
    return organisation.removesuffix("（退休）") == party
