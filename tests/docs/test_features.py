"""docs/features.md names every feature row of the case's part (issue 6), and only tests and scenarios that exist."""

from __future__ import annotations

import json
import re

import pytest

from engine.settings import ROOT

ISSUE = {"R001", "R029", "R030", "R035", "R064", "R067", "R068", "R128"}
ISSUE |= {f"R{n:03d}" for n in (*range(3, 7), *range(59, 62), *range(201, 222))}
LINE = re.compile(r"^\| (\S+) \| ([^|]+) \| ([^|]+) \| ([^|]+) \|$", re.MULTILINE)


def table() -> dict[str, list[str]]:
    text = (ROOT / "docs" / "features.md").read_text(encoding="utf-8")
    found = [(row, re.findall(r"`([^`]+)`", tests)) for row, _feature, _acceptance, tests in LINE.findall(text) if not row.startswith("-")]
    rows = dict(found[1:] if found and found[0][0] == "行" else found)
    assert len(rows) == len([row for row, _tests in found if row != "行"]), "a row twice"
    return rows


def test_every_row_of_the_issue_is_there_with_a_test() -> None:
    rows = table()
    assert rows.keys() >= ISSUE and all(rows.values())


@pytest.mark.parametrize("reference", sorted({test for tests in table().values() for test in tests}))
def test_every_test_named_exists(reference: str) -> None:
    name, _, part = reference.partition("::")
    path = ROOT / name
    assert path.is_file(), name
    if name.endswith(".json"):
        assert part in {scenario["name"] for scenario in json.loads(path.read_bytes())["scenarios"]}, reference
    elif part:
        assert re.search(rf"^def {re.escape(part)}\(", path.read_text(encoding="utf-8"), re.MULTILINE), reference
