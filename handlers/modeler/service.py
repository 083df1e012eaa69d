"""The generated files for Camunda Modeler. The only import allowed from outside."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from engine.settings import ROOT
from handlers.catalogue.service import Catalogue, catalogue
from handlers.modeler.names import Names, groups_of, handlers, names_of
from handlers.modeler.templates import element_templates

TEMPLATES = Path(".camunda", "element-templates")
LISTS = Path("modeler", "bpmnlint-plugin-lianban", "catalogue.json")


def generated(root: Path = ROOT) -> dict[Path, str]:
    """Path below `root` -> its content: the element templates, and the lists that the lint rules know."""
    names, entries = names_of(root), catalogue()
    files = {TEMPLATES / file: _text(templates) for file, templates in element_templates(names, entries).items()}
    return {**files, LISTS: _text(lists(names, entries))}


def lists(names: Names, entries: Catalogue) -> dict[str, Any]:
    """What the Modeler plug-in compares with. `items`: code -> statutory limit in working days (null: none of its own)."""
    return {
        "jobTypes": sorted(handlers().types()),
        "forms": sorted(names.forms),
        "decisions": sorted(names.decisions),
        "processes": sorted(names.processes),
        "groups": sorted(groups_of(entries)),
        "units": sorted(entries.units),
        "items": {code: int(item.statutory_limit) if item.statutory_limit.isdigit() else None for code, item in entries.items.items()},
    }


def stale(root: Path = ROOT) -> list[Path]:
    """Files that are missing or differ from what would be generated now."""
    return [path for path, text in generated(root).items() if not (root / path).is_file() or (root / path).read_text("utf-8") != text]


def write(root: Path = ROOT) -> list[Path]:
    """Write what is stale -> what was written."""
    texts = generated(root)
    changed = stale(root)
    for path in changed:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(texts[path], encoding="utf-8")
    return changed


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=1) + "\n"
