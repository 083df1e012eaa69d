"""Every diagram passes Camunda Modeler's own linter for 8.9 without a finding of the category error."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
MODULES = ROOT / "webapp" / "node_modules"


@pytest.fixture(scope="module")
def findings(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """What the linter says of all diagrams of processes/."""
    bundle = tmp_path_factory.mktemp("lint") / "lint.mjs"
    source = Path(__file__).with_name("camunda_lint.mjs")
    build = [str(MODULES / ".bin" / "esbuild"), str(source), "--bundle", "--platform=node", "--format=esm", f"--outfile={bundle}"]
    build.append("--banner:js=import { createRequire } from 'module'; const require = createRequire(import.meta.url);")
    subprocess.run(build, check=True, capture_output=True, env={**os.environ, "NODE_PATH": str(MODULES)}, timeout=120)
    diagrams = [str(path) for path in sorted((ROOT / "processes").glob("*.bpmn"))]
    done = subprocess.run(["node", str(bundle), *diagrams], check=True, capture_output=True, text=True, timeout=120)
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_every_diagram_is_for_8_9(findings: list[dict[str, Any]]) -> None:
    linted = {f["resource"]: f["version"] for f in findings if f["category"] == "linted"}
    assert linted.keys() == {path.name for path in (ROOT / "processes").glob("*.bpmn")}
    assert set(linted.values()) == {"8.9.0"}


def test_no_errors(findings: list[dict[str, Any]]) -> None:
    assert [f for f in findings if f["category"] in ("error", "rule-error")] == []
