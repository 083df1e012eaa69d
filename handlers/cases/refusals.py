"""Why a case may not take a status, with the article: data of case_refusals.csv (columns from, to, reason, article; * for every status)."""

from __future__ import annotations

from functools import lru_cache

from engine.errors import Conflict
from handlers.catalogue.service import catalogue, read_table

DICTIONARY = "办理状态字典"


class CaseRefused(Conflict):
    """办件 {number}：{reason}（{article}）

    Case {number}: {reason} ({article})
    """

    code = "case_refused"


def refusal_of(number: str, origin: int, target: int) -> CaseRefused:
    """The refusal of a change of status, with the article that forbids it; the dictionary itself where no article does."""
    for origins, targets, reason, article in _refusals():
        if origin in origins and (not targets or target in targets):
            return CaseRefused(number=number, reason=reason, article=article)
    statuses = catalogue().case_statuses
    words = f"现为“{statuses[origin].name}”，不能变为“{statuses[target].name}”"
    return CaseRefused(number=number, reason=words, article=DICTIONARY)


@lru_cache(maxsize=1)
def _refusals() -> tuple[tuple[frozenset[int], frozenset[int], str, str], ...]:
    return tuple((_codes(row["from"]), _codes(row["to"]), row["reason"], row["article"]) for row in read_table("case_refusals"))


def _codes(cell: str) -> frozenset[int]:
    """Empty for every status."""
    return frozenset() if cell == "*" else frozenset(int(code) for code in cell.split())
