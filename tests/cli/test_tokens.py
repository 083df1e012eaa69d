"""lianban token: add, list, revoke."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from engine import Engine, open_engine
from engine.settings import Settings
from handlers.directory import service as directory
from handlers.directory import tokens
from webapp.cli import main


@pytest.fixture
def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    url = f"sqlite:///{tmp_path / 'lianban.db'}"
    monkeypatch.setenv("LIANBAN_DATABASE_URL", url)
    opened = open_engine(Settings(database_url=url, jobs="inline"))
    opened.migrate()
    with opened.unit_of_work() as session:
        directory.create_demo_user(session, "ada", "管理员", "admin")
    yield opened
    opened.close()


def test_a_token_is_shown_once_works_and_can_be_revoked(engine: Engine, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["token", "add", "ada", "--name", "平台对接", "--days", "30"]) == 0
    token = capsys.readouterr().out.strip()
    with engine.reading() as session:
        assert tokens.holder(session, token) == "ada"
    assert main(["token", "list"]) == 0
    listed = capsys.readouterr().out
    assert "平台对接" in listed and token not in listed
    assert main(["token", "revoke", listed.split()[0]]) == 0
    with engine.reading() as session, pytest.raises(tokens.TokenRefused):
        tokens.holder(session, token)


@pytest.mark.parametrize("arguments", [["add", "nobody", "--name", "x"], ["add", "ada", "--name", " "], ["revoke", "7"]])
def test_what_cannot_be_is_refused(engine: Engine, arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["token", *arguments]) == 1
    assert main(["token", "add", "ada", "--name", "x", "--days", "0"]) == 1
    with engine.reading() as session:
        assert tokens.tokens(session) == []
