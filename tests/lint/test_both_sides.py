"""One defect a diagram: the Modeler with our plug-in and the server give the same findings, those of expected.json, and none on our own.

`first-two-boxes.bpmn` is an analyst's first diagram: hints and a warning, no error, so it deploys.
`sound.bpmn` is what the others were before their defect.
"""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from engine.commands import check_resources
from engine.findings import Finding
from engine.settings import Settings
from handlers.directory import service as directory
from webapp.composition import open_lianban

ROOT = Path(__file__).resolve().parents[2]
MODULES = ROOT / "webapp" / "node_modules"
HERE = Path(__file__).parent
EXPECTED: dict[str, list[list[str]]] = json.loads((HERE / "expected.json").read_text())
SEVERITY = {"error": "error", "warn": "warning", "info": "hint"}
WARNED_ONLY_IN_THE_MODELER = {"form", "decision", "called-process", "group"}
"""The Modeler cannot see what is deployed elsewhere; the server can, and refuses."""

Found = dict[str, list[tuple[str, str, str, str]]]


@pytest.fixture(scope="module")
def in_the_modeler(tmp_path_factory: pytest.TempPathFactory) -> Found:
    """File name -> (element id, rule, severity, message) of our rules, by Camunda Modeler's own linter with the plug-in."""
    bundle = tmp_path_factory.mktemp("lint") / "lint.mjs"
    build = [str(MODULES / ".bin" / "esbuild"), str(HERE / "modeler_lint.mjs"), "--bundle", "--platform=node", "--format=esm"]
    banner = "--banner:js=import { createRequire } from 'module'; const require = createRequire(import.meta.url);"
    subprocess.run([*build, f"--outfile={bundle}", banner], check=True, env={**os.environ, "NODE_PATH": str(MODULES)}, timeout=120)
    files = [*sorted((HERE / "diagrams").glob("*.bpmn")), *sorted((ROOT / "processes").glob("*.bpmn"))]
    done = subprocess.run(["node", str(bundle), *map(str, files)], check=True, capture_output=True, text=True, timeout=240)
    return {name: [(i, r, SEVERITY[c], m) for i, r, c, m in found] for name, found in json.loads(done.stdout).items()}


@pytest.fixture(scope="module")
def on_the_server(tmp_path_factory: pytest.TempPathFactory) -> Found:
    """The same by a deployment's check of each file on its own, beside our own forms, decisions and processes."""
    folder = tmp_path_factory.mktemp("server")
    engine = open_lianban(Settings(database_url=f"sqlite:///{folder / 'lint.db'}", jobs="inline", files_dir=folder))
    engine.create_schema()
    own = [(p.name, p.read_bytes()) for place in ("processes", "forms") for p in sorted((ROOT / place).iterdir()) if p.is_file()]
    own = [(name, content) for name, content in own if name.endswith((".bpmn", ".dmn", ".form"))]
    theirs = [(path.name, path.read_bytes()) for path in sorted((HERE / "diagrams").glob("*.bpmn"))]
    with engine.unit_of_work() as session:
        directory.import_units(session)
        parsed, _models = check_resources(session, own + theirs)
    engine.close()
    found: Found = {name: [] for name, _content in own + theirs}
    for finding in parsed.findings:
        found[finding.resource].append(_plain(finding))
    return found


def _plain(finding: Finding) -> tuple[str, str, str, str]:
    return (finding.element_id, finding.rule, finding.severity, finding.message)


def _pairs(found: list[tuple[str, str, str, str]]) -> list[list[str]]:
    return sorted([element, rule] for element, rule, _severity, _message in found)


def test_sixty_bad_diagrams() -> None:
    assert len([name for name, expected in EXPECTED.items() if expected and name != "first-two-boxes.bpmn"]) >= 60
    assert EXPECTED.keys() == {path.name for path in (HERE / "diagrams").glob("*.bpmn")}


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_the_modeler_finds_what_is_expected(name: str, in_the_modeler: Found) -> None:
    assert _pairs(in_the_modeler[name]) == EXPECTED[name]


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_the_server_finds_what_is_expected(name: str, on_the_server: Found) -> None:
    assert _pairs(on_the_server[name]) == EXPECTED[name]


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_both_are_as_grave(name: str, in_the_modeler: Found, on_the_server: Found) -> None:
    """Nothing passes in the Modeler that the server refuses, but for names that only the server can know."""
    for rule in {rule for _element, rule in EXPECTED[name]} - WARNED_ONLY_IN_THE_MODELER:
        graveness = [{severity for _e, r, severity, _m in side[name] if r == rule} for side in (in_the_modeler, on_the_server)]
        assert graveness[0] == graveness[1], rule


def test_an_analysts_first_diagram_deploys(on_the_server: Found) -> None:
    assert [finding for finding in on_the_server["first-two-boxes.bpmn"] if finding[2] == "error"] == []


def test_no_error_on_our_own_diagrams(in_the_modeler: Found, on_the_server: Found) -> None:
    for path in (ROOT / "processes").glob("*.bpmn"):
        assert [finding for side in (in_the_modeler, on_the_server) for finding in side[path.name] if finding[2] == "error"] == []
