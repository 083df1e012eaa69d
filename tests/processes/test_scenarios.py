"""Every scenario beside our diagrams goes as written, and together they go through the whole diagram."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.settings import ROOT
from handlers.scenarios import service as scenarios
from webapp.cli import main
from webapp.composition import work_calendar

FILES = scenarios.files()


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name.removesuffix(scenarios.SUFFIX))
def test_scenarios_go_as_written_and_cover_the_diagram(path: Path) -> None:
    report = scenarios.run_file(path, work_calendar()).report
    assert {outcome.name: outcome.failures for outcome in report.outcomes if not outcome.ok} == {}
    assert report.coverage.missed == []


def test_every_diagram_has_scenarios() -> None:
    diagrams = {path.stem for path in (ROOT / "processes").glob("*.bpmn")}
    assert diagrams == {path.name.removesuffix(scenarios.SUFFIX) for path in FILES}


def test_the_command_says_what_failed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "land_use_permit.bpmn").write_bytes((FILES[0].parent / "land_use_permit.bpmn").read_bytes())
    wrong = tmp_path / "land_use_permit.scenarios.json"
    wrong.write_text(
        '{"process": "land_use_permit", "scenarios": [{"name": "自有", "given": {"variables": {"project": {"tdhqfs": "自有"}}}}]}'
    )
    assert main(["test", str(wrong)]) == 0
    assert main(["test", str(wrong), "--coverage", "90"]) == 1
    wrong.write_text(wrong.read_text().replace('自有"}', '出让"}'))
    assert main(["test", str(wrong)]) == 1
    assert "✗ land_use_permit：自有" in capsys.readouterr().out
