"""`lianban import`: Camunda 7 diagrams in, Camunda 8 diagrams out, the losses by name."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.bpmn import lint
from webapp.cli import main

EXAMPLES = Path(__file__).resolve().parents[1] / "bpmn" / "camunda7"


def test_a_translation_is_written_beside_nothing_else(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["import", str(EXAMPLES / "opinion_request.bpmn"), "--into", str(tmp_path / "new")]) == 0
    (made,) = (tmp_path / "new").iterdir()
    assert made.name == "opinion_request.camunda8.bpmn"
    assert [finding for finding in lint(made.read_bytes(), made.name) if finding.severity == "error"] == []
    assert str(made) in capsys.readouterr().out


def test_losses_are_named_and_the_exit_code_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["import", str(EXAMPLES / "untranslatable.bpmn"), "--into", str(tmp_path)]) == 1
    said = capsys.readouterr().out
    assert "cn.changji.WriteDelegate" in said
    assert "java（写库）" in said
    assert (tmp_path / "untranslatable.camunda8.bpmn").is_file()


def test_a_missing_file(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["import", "nowhere.bpmn"]) == 1
    assert "nowhere.bpmn" in capsys.readouterr().err


def test_no_bpmn_at_all(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "page.bpmn").write_text("<html/>")
    assert main(["import", str(tmp_path / "page.bpmn"), "--into", str(tmp_path)]) == 1
    assert "BPMN" in capsys.readouterr().err
