"""The repository as a process application: element templates from the registry, valid by Camunda's own validator, and up to date."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from handlers.catalogue.service import catalogue
from handlers.modeler import service as modeler
from handlers.modeler.names import handlers, names_of
from webapp.cli import main

ROOT = Path(__file__).resolve().parents[2]
MODULES = ROOT / "webapp" / "node_modules"
TEMPLATES = sorted((ROOT / ".camunda" / "element-templates").glob("*.json"))


def test_the_repository_is_a_process_application() -> None:
    """Camunda Modeler deploys all files below the folder that holds this empty file together."""
    assert (ROOT / ".process-application").read_bytes() == b""


def test_generated_files_are_up_to_date(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["templates", "--check"]) == 0, capsys.readouterr().out


def test_check_names_what_is_missing(tmp_path: Path) -> None:
    for folder in ("forms", "processes"):
        (tmp_path / folder).symlink_to(ROOT / folder)
    assert modeler.stale(tmp_path) == list(modeler.generated(tmp_path))
    written = modeler.write(tmp_path)
    assert modeler.stale(tmp_path) == []
    (tmp_path / written[0]).write_text("[]")
    assert modeler.stale(tmp_path) == [written[0]]


def test_camundas_validator_accepts_every_template(tmp_path: Path) -> None:
    bundle = tmp_path / "validate.mjs"
    source = Path(__file__).with_name("validate_templates.mjs")
    build = [str(MODULES / ".bin" / "esbuild"), str(source), "--bundle", "--platform=node", "--format=esm", f"--outfile={bundle}"]
    subprocess.run(build, check=True, capture_output=True, env={**os.environ, "NODE_PATH": str(MODULES)}, timeout=120)
    broken = tmp_path / "broken.json"
    broken.write_text(json.dumps([{"name": "ohne", "id": "broken", "appliesTo": ["bpmn:Task"], "properties": [{"type": "Nonsense"}]}]))
    done = subprocess.run(["node", str(bundle), *map(str, TEMPLATES), str(broken)], check=True, capture_output=True, text=True, timeout=120)
    assert {template for _file, template, _message in json.loads(done.stdout)} == {"broken"}


def test_a_template_for_each_job_type_with_all_it_reads_and_returns() -> None:
    templates = {t["properties"][0]["value"]: t for t in json.loads((ROOT / ".camunda/element-templates/jobs.json").read_text())}
    assert templates.keys() == handlers().types()
    for handler in handlers():
        bound = [part["binding"] for part in templates[handler.type]["properties"]]
        assert {b["name"] for b in bound if b["type"] == "zeebe:input"} == set(handler.inputs)
        assert {b["key"] for b in bound if b["type"] == "zeebe:taskHeader"} == set(handler.headers)
        assert {b["source"] for b in bound if b["type"] == "zeebe:output"} == {f"={name}" for name in handler.outputs}
        assert templates[handler.type]["name"] != handler.type, "the first line of the docstring names the handler in Chinese"


def test_menus_offer_what_exists() -> None:
    department, _applicant = json.loads((ROOT / ".camunda/element-templates/tasks.json").read_text())
    offered = {part["label"]: {choice["value"] for choice in part["choices"]} for part in department["properties"] if "choices" in part}
    assert offered["表单"] == {path.stem for path in (ROOT / "forms").glob("*.form")}
    assert offered["责任单位"] == set(catalogue().units)
    assert "ZRZYJ.handler" in offered["办理单位与角色"]
    assert names_of(ROOT).processes.keys() >= {"planning_permit", "item_intake"}
