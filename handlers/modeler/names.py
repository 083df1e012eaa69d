"""The names that diagrams may use: job types, forms, decisions, processes, groups, units, items. Read from the files of the repository."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from engine.bpmn import parse
from engine.commands import builtin
from engine.dmn import parse_dmn
from engine.jobs import HandlerRegistry
from engine.settings import ROOT
from handlers.catalogue.service import Catalogue
from handlers.registry import registry


@dataclass(frozen=True, slots=True)
class Names:
    """Identifier -> what a person reads, in the order of the files."""

    forms: Mapping[str, str]
    decisions: Mapping[str, str]
    processes: Mapping[str, str]


def names_of(root: Path = ROOT) -> Names:
    """What `forms/` and `processes/` define."""
    processes = [model for path in _files(root, "processes", "bpmn") for model in parse(path.read_bytes(), path.name)]
    models = [parse_dmn(path.read_bytes(), path.name) for path in _files(root, "processes", "dmn")]
    return Names(
        forms=dict(_form(path) for path in _files(root, "forms", "form")),
        decisions={decision.id: decision.name for model in models for decision in model.decisions.values()},
        processes={model.process_id: model.name for model in processes},
    )


def _files(root: Path, folder: str, suffix: str) -> list[Path]:
    return sorted((root / folder).glob(f"*.{suffix}"))


def _form(path: Path) -> tuple[str, str]:
    """A form's id, and the label of its first group or text as its name."""
    schema = json.loads(path.read_text(encoding="utf-8"))
    labels = (part.get("label") for part in schema.get("components", []) if part.get("label"))
    return schema["id"], next(labels, schema["id"])


def handlers() -> HandlerRegistry:
    """Every job type the program does itself, the engine's own included."""
    whole = HandlerRegistry()
    whole.include(builtin.registry)
    whole.include(registry())
    return whole


def groups_of(entries: Catalogue) -> dict[str, str]:
    """Candidate group -> "unit · role", for the roles that the register gives each unit."""
    pairs = [(unit, entries.roles[code]) for unit in entries.units.values() for code in unit.roles]
    return {f"{unit.code}.{role.code}": f"{unit.short_name} · {role.name}" for unit, role in pairs}
