"""The JavaScript interpreter `feelin` as an oracle: where it is and how to ask it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
MODULES = HERE.parents[1] / "webapp" / "node_modules"


def find_feelin() -> Path | None:
    """Its entry file: in the folder that LIANBAN_FEELIN names, or among the web shell's node modules."""
    folders = [Path(os.environ["LIANBAN_FEELIN"])] if "LIANBAN_FEELIN" in os.environ else []
    folders += [MODULES / "feelin", MODULES / "@bpmn-io" / "feelin"]
    entries = (folder / "dist" / name for folder in folders for name in ("index.js", "index.esm.js"))
    return next((entry for entry in entries if entry.is_file()), None) if shutil.which("node") else None


def ask(questions: list[dict[str, Any]], *options: str) -> list[dict[str, Any]]:
    """The answers to {expression, context} questions, in order: {value} or {error}."""
    entry = find_feelin()
    assert entry is not None, "feelin is not installed: run `make assets`, or set LIANBAN_FEELIN"
    command = ["node", str(HERE / "oracle.mjs"), str(entry), *options]
    done = subprocess.run(command, input=json.dumps(questions), capture_output=True, text=True, check=True, timeout=120)
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return found
