"""The catalogue of what can be applied for, read once from `processes/catalogue/*.csv`; immutable. The only import allowed from outside,
but for the versions that projects keep (versions.py).

Files and columns (UTF-8, first line = names; lists inside a cell are separated by spaces):
units.csv       code,name,short_name,number,resident,document_prefix,roles
roles.csv       code,name,scope,powers
stages.csv      code,name,lead_unit,milestones
variants.csv    code,name
stage_limits.csv  variant,S1,S2,S3,S4 (working days; empty: the stage does not exist on its own)
items.csv       code,name,stage,kind,unit,statutory_limit,promised_limit,result_title,result_number,validity,legal_basis
materials.csv   item,name,form,copies,necessity,source,commitment,tolerable,shared_type,issuer,condition
documents.csv   code,title,number,seal,issuer,body,recipient,internal,must_contain
case_status.csv code,name,next,ended
notices.csv     event,recipients,title,body
milestones.csv  code,name,early,planned_field (of the registration form),registered,items,days,basis
preconditions.csv need,name,items,condition (FEEL); items.csv, column requires: the edges (handlers.preconditions)
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

from engine.errors import NotFound
from engine.feel import Environment, compile_expression
from engine.policy import Power
from engine.settings import ROOT
from engine.workcalendar import WorkCalendar, load_hours, load_overlay

FOLDER = ROOT / "processes" / "catalogue"
Row = dict[str, str]


@dataclass(frozen=True, slots=True)
class UnitEntry:
    """A unit of domain list §6.1; `number` 0 for participants that are not resident units. Documents bear the `official_name`."""

    code: str
    name: str
    short_name: str
    number: int
    resident: bool
    document_prefix: str
    official_name: str
    roles: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Role:
    """A role and the engine's powers that come with it."""

    code: str
    name: str
    scope: str
    powers: frozenset[Power]


@dataclass(frozen=True, slots=True)
class Stage:
    """An approval stage. `milestones`: codes of its milestone items (★)."""

    code: str
    name: str
    lead_unit: str
    milestones: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Item:
    """An item (事项). Limits in working days as printed (they may hold words such as 即办); `validity`: how long its result holds;
    `requires`: what must come first, as JSON."""

    code: str
    name: str
    stage: str
    kind: str
    unit: str
    statutory_limit: str
    promised_limit: str
    result_title: str
    result_number: str
    validity: str
    legal_basis: str
    requires: str


@dataclass(frozen=True, slots=True)
class Need:
    """What satisfies a need that items name in `requires`: the result of one of `items`, or `condition`."""

    code: str
    name: str
    items: tuple[str, ...]
    condition: str


@dataclass(frozen=True, slots=True)
class MaterialRequirement:
    """A material that an item demands. `condition` is FEEL over the application's answers, "" means always."""

    item: str
    name: str
    form: str
    copies: int
    necessity: str
    source: str
    commitment: bool
    tolerable: bool
    shared_type: str
    issuer: str
    condition: str


@dataclass(frozen=True, slots=True)
class DocumentKind:
    """A kind of document (文书). `number` is its pattern, `seal` the seal that belongs on it; "" when it carries none.

    `issuer`: the unit that issues it ("": the body that handles the case) and `body` the name at its head where that is not the unit's own;
    `recipient`: applicant, unit (that handles the case) or none. `internal`: what the offices say to each other, not shown to applicants;
    `must_contain`: what the law asks for, in words.
    """

    code: str
    title: str
    number: str
    seal: str
    issuer: str
    body: str
    recipient: str
    internal: bool
    must_contain: str


@dataclass(frozen=True, slots=True)
class CaseStatus:
    """An entry of the status dictionary (办理状态 1-16) with the statuses that may follow."""

    code: int
    name: str
    following: frozenset[int]
    ended: bool


@dataclass(frozen=True, slots=True)
class NoticeTemplate:
    """What a notice of an event says; `recipients`: applicant, unit (the case's handlers) or a group `UNIT.role`."""

    event: str
    recipients: tuple[str, ...]
    title: str
    body: str


@dataclass(frozen=True, slots=True)
class MilestoneKind:
    """A milestone of every project; `planned_field` is the field of the registration form with its planned day.

    `early`: which of the four 早 of the city's plan it is, "" for none. `registered`: the window or an agent enters it with evidence, as
    `basis` names it. `items`: whoever is granted one of these has reached it. `days`: where a flow's variables tell the day.
    """

    code: str
    name: str
    early: str
    planned_field: str
    registered: bool
    items: tuple[str, ...]
    days: tuple[str, ...]
    basis: str


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Everything of processes/catalogue, by code."""

    units: Mapping[str, UnitEntry]
    roles: Mapping[str, Role]
    stages: tuple[Stage, ...]
    variants: Mapping[int, str]
    stage_limits: Mapping[int, Mapping[str, int]]
    items: Mapping[str, Item]
    materials: tuple[MaterialRequirement, ...]
    documents: Mapping[str, DocumentKind]
    case_statuses: Mapping[int, CaseStatus]
    notices: Mapping[str, NoticeTemplate]
    milestones: tuple[MilestoneKind, ...]
    needs: Mapping[str, Need]
    stage_names: Mapping[str, str] = field(default_factory=dict)

    def item(self, code: str) -> Item:
        """An item by its code; NotFound when the catalogue has none."""
        found = self.items.get(code)
        if found is None:
            raise NotFound(what="事项", key=code)
        return found

    def document(self, code: str) -> DocumentKind:
        """A kind of document by its code; NotFound when the catalogue has none."""
        found = self.documents.get(code)
        if found is None:
            raise NotFound(what="文书", key=code)
        return found

    def materials_for(self, item_code: str, answers: Mapping[str, Any]) -> list[MaterialRequirement]:
        """The materials that an item demands of this application: those whose condition holds for its answers."""
        return [m for m in self.materials if m.item == item_code and _holds(m.condition, answers)]


def _holds(condition: str, answers: Mapping[str, Any]) -> bool:
    if not condition:
        return True
    return compile_expression(condition.removeprefix("=")).evaluate(answers, Environment()) is True


def catalogue(folder: Path | None = None) -> Catalogue:
    """The catalogue of a folder (None: the one of this house), read once."""
    return _catalogue(folder or FOLDER)


@lru_cache(maxsize=4)
def _catalogue(folder: Path) -> Catalogue:
    stages = stages_from(read_table("stages", folder))
    return Catalogue(
        units=_by_code(UnitEntry(**_unit(r)) for r in read_table("units", folder)),
        roles=_by_code(Role(r["code"], r["name"], r.get("scope", ""), _powers(r.get("powers", ""))) for r in read_table("roles", folder)),
        stages=stages,
        variants=MappingProxyType({int(r["code"]): r["name"] for r in read_table("variants", folder)}),
        stage_limits=MappingProxyType({int(r["variant"]): _limits(r) for r in read_table("stage_limits", folder)}),
        items=items_from(read_table("items", folder)),
        materials=materials_from(read_table("materials", folder)),
        documents=_by_code(_document(r) for r in read_table("documents", folder)),
        case_statuses=_by_code(_status(r) for r in read_table("case_status", folder)),
        notices=MappingProxyType({r["event"]: _notice(r) for r in read_table("notices", folder)}),
        milestones=tuple(_milestone(r) for r in read_table("milestones", folder)),
        needs=needs_from(read_table("preconditions", folder)),
        stage_names=MappingProxyType({stage.code: stage.name for stage in stages}),
    )


def stages_from(rows: Iterable[Row]) -> tuple[Stage, ...]:
    """The stages that the rows of stages.csv name, in their order."""
    return tuple(Stage(r["code"], r["name"], r.get("lead_unit", ""), tuple(r.get("milestones", "").split())) for r in rows)


def items_from(rows: Iterable[Row]) -> Mapping[str, Item]:
    """The items of the rows of items.csv, by code."""
    items: Mapping[str, Item] = _by_code(Item(**{name: r.get(name, "") for name in Item.__slots__}) for r in rows)
    return items


def materials_from(rows: Iterable[Row]) -> tuple[MaterialRequirement, ...]:
    """The materials of the rows of materials.csv."""
    return tuple(MaterialRequirement(**_material(r)) for r in rows)


def needs_from(rows: Iterable[Row]) -> Mapping[str, Need]:
    """The needs of the rows of preconditions.csv, by code."""
    return MappingProxyType({r["need"]: Need(r["need"], r["name"], tuple(r["items"].split()), r["condition"]) for r in rows})


def read_table(name: str, folder: Path = FOLDER) -> list[Row]:
    """The rows of a table of the catalogue (`<name>.csv`: UTF-8, a first line of names) as texts without blanks around them."""
    with (folder / f"{name}.csv").open(encoding="utf-8-sig", newline="") as stream:
        return [{key: (value or "").strip() for key, value in row.items() if key} for row in csv.DictReader(stream)]


def _by_code(entries: Any) -> Any:
    return MappingProxyType({entry.code: entry for entry in entries})


def _document(row: dict[str, str]) -> DocumentKind:
    texts = {name: row.get(name, "") for name in ("code", "title", "number", "seal", "issuer", "body", "must_contain")}
    return DocumentKind(**texts, recipient=row.get("recipient") or "applicant", internal=row.get("internal", "") in {"1", "true", "是"})


def _unit(row: dict[str, str]) -> dict[str, Any]:
    return {
        "code": row["code"],
        "name": row["name"],
        "short_name": row.get("short_name") or row["name"],
        "number": int(row.get("number") or 0),
        "resident": row.get("resident", "") in {"1", "true", "是"},
        "document_prefix": row.get("document_prefix", ""),
        "official_name": row.get("official_name") or row["name"],
        "roles": tuple(row.get("roles", "").split()),
    }


def _powers(cell: str) -> frozenset[Power]:
    powers: set[Power] = set()
    for word in cell.split():
        if word not in ("operate", "read_all", "represent_owner"):
            raise ValueError(f"roles.csv: a role cannot have the power {word!r}")
        powers.add(word)  # type: ignore[arg-type]  # checked one line above
    return frozenset(powers)


def _limits(row: dict[str, str]) -> Mapping[str, int]:
    return MappingProxyType({code: int(days) for code, days in row.items() if code.startswith("S") and days})


def _material(row: dict[str, str]) -> dict[str, Any]:
    flags = {name: row.get(name, "") in {"1", "true", "是"} for name in ("commitment", "tolerable")}
    texts = {name: row.get(name, "") for name in ("item", "name", "form", "necessity", "source", "shared_type", "issuer", "condition")}
    return {**texts, **flags, "copies": int(row.get("copies") or 1)}


def _status(row: dict[str, str]) -> CaseStatus:
    return CaseStatus(int(row["code"]), row["name"], frozenset(int(n) for n in row["next"].split()), row.get("ended", "") == "1")


def _milestone(row: dict[str, str]) -> MilestoneKind:
    texts = {name: row.get(name, "") for name in ("code", "name", "early", "planned_field", "basis")}
    items, days = tuple(row.get("items", "").split()), tuple(row.get("days", "").split())
    return MilestoneKind(**texts, registered=row.get("registered", "") == "1", items=items, days=days)


def _notice(row: dict[str, str]) -> NoticeTemplate:
    return NoticeTemplate(row["event"], tuple(row["recipients"].split()), row["title"], row["body"])


@lru_cache(maxsize=1)
def catalogue_calendar() -> WorkCalendar:
    """Xinjiang's calendar as it comes with the program: days off of processes/catalogue/work_calendar.csv, hours of office_hours.csv."""
    return WorkCalendar(load_overlay(FOLDER / "work_calendar.csv"), hours=load_hours(FOLDER / "office_hours.csv"))
