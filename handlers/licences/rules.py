"""The rules after the decision as data: terms, endings, evaluated areas, intermediary services, bars on filing.

Read from processes/catalogue: validity.csv (months; used_by: the milestone or item after which the term no longer matters; notice_days W
working or C calendar days before the end; renewals "" = without limit; silence 1: no answer renews, 行政许可法 50),
licence_endings.csv (grounds of 撤销 and 注销; bar_months: 行政许可法 79), area_assessments.csv (优化营商环境条例 42),
intermediary_services.csv (43), filing_bars.csv (items that concern safety: 行政许可法 78).
"""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from pathlib import Path

from handlers.catalogue.service import FOLDER, read_table


@dataclass(frozen=True, slots=True)
class Term:
    """How long an item's result holds. `renewals` None: without limit; `unit` of `notice_days`: W or C."""

    item: str
    months: int
    used_by: str
    notice_days: int
    unit: str
    renewals: int | None
    renewal_months: int
    silence: bool
    article: str


@dataclass(frozen=True, slots=True)
class Ending:
    """A ground on which a licence ends: `kind` revoke or cancel; `bar_months` without a new application for the item."""

    code: str
    kind: str
    reason: str
    article: str
    bar_months: int


@dataclass(frozen=True, slots=True)
class AreaAssessment:
    """An evaluated area: inside it the `items` need no assessment of their own; `words` in the address place a project there."""

    code: str
    name: str
    words: tuple[str, ...]
    items: tuple[str, ...]
    number: str
    approved_on: date
    valid_until: date
    issuer: str


@dataclass(frozen=True, slots=True)
class IntermediaryService:
    """A service that an item needs of a third party; without a legal basis it may not be demanded (条例 43)."""

    code: str
    name: str
    items: tuple[str, ...]
    provider: str
    legal_basis: str
    limit_days: int | None


@lru_cache(maxsize=4)
def terms(folder: Path = FOLDER) -> dict[str, Term]:
    """The terms by item code; an item that is not there has none."""
    return {
        r["item"]: Term(
            r["item"],
            int(r["months"]),
            r["used_by"],
            int(r["notice_days"]),
            r["notice_unit"],
            int(r["renewals"]) if r["renewals"] else None,
            int(r["renewal_months"]),
            r["silence"] == "1",
            r["article"],
        )
        for r in read_table("validity", folder)
    }


@lru_cache(maxsize=4)
def endings(folder: Path = FOLDER) -> dict[str, Ending]:
    """The grounds of 撤销 and 注销 by code."""
    return {
        r["code"]: Ending(r["code"], r["kind"], r["reason"], r["article"], int(r["bar_months"]))
        for r in read_table("licence_endings", folder)
    }


@lru_cache(maxsize=4)
def areas(folder: Path = FOLDER) -> tuple[AreaAssessment, ...]:
    """The evaluated areas."""
    return tuple(
        AreaAssessment(
            r["code"],
            r["name"],
            tuple(r["words"].split()),
            tuple(r["items"].split()),
            r["number"],
            date.fromisoformat(r["approved_on"]),
            date.fromisoformat(r["valid_until"]),
            r["issuer"],
        )
        for r in read_table("area_assessments", folder)
    )


@lru_cache(maxsize=4)
def intermediary_services(folder: Path = FOLDER) -> tuple[IntermediaryService, ...]:
    """The directory of intermediary services. ValueError for a row without a legal basis: it may not be published (条例 43)."""
    rows = read_table("intermediary_services", folder)
    without = [r["code"] for r in rows if not r["legal_basis"]]
    if without:
        raise ValueError(f"intermediary_services.csv: no legal basis for {', '.join(without)}")
    return tuple(
        IntermediaryService(
            r["code"],
            r["name"],
            tuple(r["items"].split()),
            r["kind_of_provider"],
            r["legal_basis"],
            int(r["limit_days"]) if r["limit_days"] else None,
        )
        for r in rows
    )


@lru_cache(maxsize=4)
def safety_items(folder: Path = FOLDER) -> dict[str, str]:
    """Items that concern public safety, health or life, with the law that says so (行政许可法 78)."""
    return {r["item"]: r["article"] for r in read_table("filing_bars", folder)}


def add_months(day: date, months: int) -> date:
    """The same day `months` later, or that month's last day (民法典 202)."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))
