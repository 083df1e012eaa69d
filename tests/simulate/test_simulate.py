"""Whole projects without a browser: they end, and the same seed does the same."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from engine.policy import SYSTEM
from engine.settings import Settings
from engine.store import reads
from handlers.projects import service as projects
from handlers.simulate import service as simulation
from webapp.composition import open_lianban


def run(folder: Path, variant: int, seed: int) -> tuple[simulation.Result, list[dict[str, Any]]]:
    engine = open_lianban(Settings(database_url=f"sqlite:///{folder / f'{variant}-{seed}.db'}", jobs="inline", files_dir=folder / "files"))
    engine.create_schema()
    steps: list[dict[str, Any]] = []
    try:
        result = simulation.simulate(engine, variant, seed, steps.append)
        with engine.reading() as session:
            assert list(reads.incidents(session)) == []
            if result.ok:
                states = {line.project.state for line in projects.list_projects(session, SYSTEM).rows}
                assert states in ({"completed"}, {"terminated"})
    finally:
        engine.close()
    return result, steps


@pytest.mark.parametrize("variant", [4, 6])
def test_a_project_comes_to_its_end(tmp_path: Path, variant: int) -> None:
    result, steps = run(tmp_path, variant, 3)
    assert result.ok and result.outcome == "completed" and result.steps == len(steps) > 30
    assert {"process", "element", "actor", "result", "at"} <= steps[0].keys()
    assert "completion_acceptance" in {step["process"] for step in steps}


def test_the_same_seed_does_the_same(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    first, one = run(tmp_path / "a", 5, 2)
    second, two = run(tmp_path / "b", 5, 2)
    shown = ("process", "element", "actor", "result")
    assert first == second and [[s[k] for k in shown] for s in one] == [[s[k] for k in shown] for s in two]


def test_a_project_that_cannot_go_on_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(simulation, "MOST_ACTS", 5)
    result, steps = run(tmp_path, 3, 1)
    assert not result.ok and "5" in result.outcome and len(steps) == 5


def test_what_the_law_refuses_for_now_is_put_off_until_it_may_be(tmp_path: Path) -> None:
    """建筑法 8: in a small project the construction permit waits for the planning permit that is handled beside it."""
    result, steps = run(tmp_path, 4, 103)
    assert result.ok
    put_off = [step for step in steps if str(step["result"]).startswith("暂缓")]
    assert put_off and "建筑法第八条" in put_off[0]["result"]
    assert {step["element"] for step in steps if step["result"] == "准予"} >= {put_off[-1]["element"]}
