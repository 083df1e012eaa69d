"""Runs scenario files against the diagrams of the repository or against what is deployed. The only import allowed from outside."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy.orm import Session

from engine.bpmn import ProcessModel, parse
from engine.definitions import decision_model, form_schema, process_model
from engine.dmn import parse_dmn
from engine.errors import NotFound
from engine.process_tests import Library, Report, ScenarioInvalid, read_scenarios, run_scenarios
from engine.settings import ROOT
from engine.store import definitions
from engine.workcalendar import WorkCalendar

SUFFIX = ".scenarios.json"
SECONDS = 20.0
"""CPU time of a file that is sent to the server; the longest of ours takes one."""


@dataclass(frozen=True, slots=True)
class Tested:
    """A scenario file that was run: its process and what came of it."""

    process_id: str
    report: Report


def shipped(process_id: str, root: Path = ROOT) -> Path | None:
    """The scenario file that comes with the program for a process, or None."""
    path = root / "processes" / f"{process_id}{SUFFIX}"
    return path if process_id.isidentifier() and path.is_file() else None


def files(root: Path = ROOT) -> list[Path]:
    """Every scenario file beside a diagram."""
    return sorted((root / "processes").glob(f"*{SUFFIX}"))


def run_file(path: Path, calendar: WorkCalendar, root: Path = ROOT) -> Tested:
    """Run a file against the diagram beside it, with the decisions and forms of the repository."""
    process_id, scenarios = read_scenarios(path.read_bytes())
    diagram = path.with_name(f"{process_id}.bpmn")
    if not diagram.is_file():
        raise NotFound(what="流程图", key=diagram.name)
    models = {model.process_id: model for model in parse(diagram.read_bytes(), diagram.name)}
    return Tested(process_id, run_scenarios(models[process_id], scenarios, library_of_files(calendar, root)))


def run_deployed(session: Session, definition_key: int, content: bytes, calendar: WorkCalendar) -> Tested:
    """Run a file's content against a deployed version, with the newest deployed decisions and forms.

    Anybody who may deploy sends a file, so its scenarios share some seconds. Raises ScenarioInvalid when it is for another process.
    """
    model: ProcessModel = process_model(session, definition_key)
    process_id, scenarios = read_scenarios(content)
    if process_id != model.process_id:
        raise ScenarioInvalid(reason=f"文件是流程 {process_id} 的，不是 {model.process_id} 的")
    return Tested(process_id, run_scenarios(model, scenarios, library_of_deployed(session, calendar), cpu_seconds=SECONDS))


def library_of_files(calendar: WorkCalendar, root: Path = ROOT) -> Library:
    """Decisions, forms and example submissions of the repository."""
    models = [parse_dmn(path.read_bytes(), path.name) for path in sorted((root / "processes").glob("*.dmn"))]
    schemas = [json.loads(path.read_text(encoding="utf-8")) for path in sorted((root / "forms").glob("*.form"))]
    return Library(
        decisions={decision: model for model in models for decision in model.decisions},
        forms={schema["id"]: schema for schema in schemas},
        examples=examples(root),
        calendar=calendar,
    )


def library_of_deployed(session: Session, calendar: WorkCalendar) -> Library:
    """The newest deployed decisions and forms; the examples are those of the repository."""
    decisions = definitions.latest_versions(session, "decision")
    forms = definitions.latest_versions(session, "form")
    return Library(
        decisions={row.decision_id: decision_model(session, row) for row in decisions},
        forms={row.form_id: form_schema(session, row.key) for row in forms},
        examples=examples(),
        calendar=calendar,
    )


def examples(root: Path = ROOT) -> dict[str, dict[str, object]]:
    """Form id -> a submission that is complete."""
    return {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in sorted((root / "forms" / "examples").glob("*.json"))}
