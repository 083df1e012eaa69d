"""The documents keep up with the program: every command, setting, target and folder is explained, and every link leads somewhere."""

from __future__ import annotations

import argparse
import re
from pathlib import Path

import pytest

from engine.settings import Settings
from webapp.cli import build_parser

ROOT = Path(__file__).parents[2]
OPERATIONS = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
README = (ROOT / "README.md").read_text(encoding="utf-8")


def commands() -> list[str]:
    parser = build_parser()
    actions = [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]
    return sorted(actions[0].choices)


@pytest.mark.parametrize("command", commands())
def test_operations_explain_every_command(command: str) -> None:
    assert f"`lianban {command}`" in OPERATIONS


@pytest.mark.parametrize("field", list(Settings.__dataclass_fields__))
def test_operations_explain_every_setting(field: str) -> None:
    assert f"`LIANBAN_{field.upper()}`" in OPERATIONS


def test_no_setting_is_documented_that_does_not_exist() -> None:
    named = set(re.findall(r"LIANBAN_([A-Z_]+)`", OPERATIONS + README))
    assert named <= {field.upper() for field in Settings.__dataclass_fields__}


@pytest.mark.parametrize("command", ["make run", "make test"])
def test_the_readme_names_its_two_commands(command: str) -> None:
    assert command in README


@pytest.mark.parametrize("kind", ["process", "form", "handler", "element", "page"])
def test_there_is_a_howto_in_both_languages(kind: str) -> None:
    text = (ROOT / "docs" / "howto" / f"add-a-{kind}.md").read_text(encoding="utf-8")
    assert re.search(r"[\u4e00-\u9fff]{4}", text)
    assert re.search(r"(?:[A-Za-z]+ ){6}", text)


@pytest.mark.parametrize("page", sorted(p.relative_to(ROOT).as_posix() for p in [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]))
def test_every_relative_link_leads_to_a_file(page: str) -> None:
    path = ROOT / page
    targets = re.findall(r"\]\(([^)#\s]+)", path.read_text(encoding="utf-8"))
    broken = [target for target in targets if "://" not in target and not (path.parent / target).exists()]
    assert broken == []
