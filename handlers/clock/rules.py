"""The clock's rules as data: the limits of an item, who may extend them and by how much, and the procedures that stop them.

Read from processes/catalogue: items.csv (statutory_limit, statutory_unit W or N, promise_days), extensions.csv (scope: an item or a kind of
item), special_procedures.csv (legal 1: named in 行政许可法 45; 0: left out by the city's own count only; reform 1: left out of the hundred
days).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from engine.errors import Invalid
from handlers.catalogue.service import FOLDER, catalogue, read_table
from handlers.clock.events import Limit, Unit

UNITS: dict[str, Unit] = {"W": "wd", "N": "cd"}


class ProcedureUnknown(Invalid):
    """特别程序没有“{name}”这一种（行政许可法第四十五条和本市的清单）。

    There is no special procedure "{name}" (Administrative Licensing Law 45 and the city's list).
    """

    code = "special_procedure_unknown"


@dataclass(frozen=True, slots=True)
class ItemLimits:
    """The two limits of an item: by law, and as the city promises; None where there is none. The case runs on the promise, if any."""

    statutory: Limit | None
    promised: Limit | None

    @property
    def running(self) -> Limit | None:
        return self.promised or self.statutory


@dataclass(frozen=True, slots=True)
class ExtensionRule:
    """At most `days` more working days, approved by somebody with the role `approver` in the body (its head)."""

    days: int
    approver: str
    article: str


@dataclass(frozen=True, slots=True)
class Procedure:
    """A special procedure. `legal`: it stops the statutory limit too; `reform`: its days do not count towards the city's hundred; `days`
    working days is what it may take itself."""

    name: str
    legal: bool
    reform: bool
    days: int
    article: str


@lru_cache(maxsize=1)
def _limits(folder: Path = FOLDER) -> dict[str, ItemLimits]:
    return {
        row["code"]: ItemLimits(_limit(row["statutory_limit"], row["statutory_unit"]), _limit(row["promise_days"], "W"))
        for row in read_table("items", folder)
    }


def _limit(days: str, unit: str) -> Limit | None:
    return Limit(int(days), UNITS[unit or "W"]) if days.isdecimal() else None


@lru_cache(maxsize=1)
def _extensions(folder: Path = FOLDER) -> dict[str, ExtensionRule]:
    return {row["scope"]: ExtensionRule(int(row["days"]), row["approver"], row["article"]) for row in read_table("extensions", folder)}


@lru_cache(maxsize=1)
def procedures(folder: Path = FOLDER) -> dict[str, Procedure]:
    """Every special procedure by its name."""
    rows = read_table("special_procedures", folder)
    return {
        row["name"]: Procedure(row["name"], row["legal"] == "1", row["reform"] == "1", int(row["days"]), row["article"]) for row in rows
    }


def limits_of(item_code: str) -> ItemLimits:
    """The limits of an item; none at all for one that the catalogue does not know any more."""
    return _limits().get(item_code, ItemLimits(None, None))


def extension_of(item_code: str) -> ExtensionRule | None:
    """How an item's limit may be extended: its own rule, else that of its kind; None: not at all."""
    item = catalogue().items.get(item_code)
    return _extensions().get(item_code) or (_extensions().get(item.kind) if item is not None else None)


def procedure(name: str) -> Procedure:
    """A special procedure by its name; ProcedureUnknown when the list has none."""
    found = procedures().get(name)
    if found is None:
        raise ProcedureUnknown(name=name)
    return found
