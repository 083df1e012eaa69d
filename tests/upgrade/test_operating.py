"""What an operator and the people meet at an upgrade: who upgrades the schema, who stays logged in, and that there is no way back but the
backup."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import create_engine, inspect, text

from engine.policy import SYSTEM
from engine.settings import Settings
from engine.store import migrate
from handlers.projects import service as projects
from tests.upgrade.support import Restored, crosswise
from tests.webapp.conftest import log_in
from webapp import create_app, sessions
from webapp.cli import EXIT_REFUSED, main, opening, server

NEWER = "9999"


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What would have been served: the server itself is left out."""
    began: list[str] = []
    monkeypatch.setattr(server.Server, "run", lambda _self: began.append("served"))
    return began


@pytest.fixture
def installed(restored: Restored, monkeypatch: pytest.MonkeyPatch) -> Restored:
    """The landed database as the one that the settings name."""
    monkeypatch.setenv("LIANBAN_DATABASE_URL", restored.url)
    monkeypatch.setenv("LIANBAN_FILES_DIR", str(restored.folder / "files"))
    monkeypatch.setenv("LIANBAN_JOBS", "inline")
    return restored


def is_old(url: str) -> bool:
    database = create_engine(url)
    try:
        return migrate.pending(database)
    finally:
        database.dispose()


def contents(url: str) -> dict[str, int]:
    """Table -> how many rows it has."""
    database = create_engine(url)
    with database.connect() as connection:
        names = inspect(connection).get_table_names()
        found = {name: connection.execute(text(f'SELECT count(*) FROM "{name}"')).scalar_one() for name in names}
    database.dispose()
    return found


def make_newer(url: str) -> None:
    """As a version of the future leaves it."""
    database = create_engine(url)
    with database.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = :newer"), {"newer": NEWER})
    database.dispose()


@pytest.mark.parametrize("landing", ["landing1"], indirect=True)
def test_a_server_upgrades_an_old_sqlite_database_itself_and_refuses_an_old_postgresql_one(
    installed: Restored, database_kind: str, served: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert is_old(installed.url)
    if database_kind == "sqlite":
        assert main(["serve"]) == 0
        assert served == ["served"]
    else:
        for command in ("serve", "worker", "clock"):
            assert main([command]) == EXIT_REFUSED
            assert "lianban migrate" in capsys.readouterr().err
        assert served == [] and is_old(installed.url)
        assert main(["migrate"]) == 0
    assert not is_old(installed.url)


@pytest.mark.parametrize(("landing", "database_kind"), [("landing1", "sqlite")], indirect=True)
def test_nothing_upgrades_the_database_under_a_running_server(
    installed: Restored, served: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(opening, "CLAIM_TRIES", 1)
    with opening.only_one(Settings.from_environment()):
        for command in (["serve"], ["serve", "--no-jobs"], ["migrate"], ["demo"]):
            assert main(command) == EXIT_REFUSED
            assert "another server" in capsys.readouterr().err
    assert served == []
    assert is_old(installed.url)


@pytest.mark.parametrize("landing", ["landing2"], indirect=True)
def test_a_database_that_a_newer_version_has_upgraded_is_refused(
    installed: Restored, served: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["migrate"]) == 0
    make_newer(installed.url)
    for command in ("migrate", "serve", "clock", "demo"):
        assert main([command]) == EXIT_REFUSED
        told = capsys.readouterr().err
        assert NEWER in told and "备份" in told and "backup" in told
    assert main(["doctor"]) == EXIT_REFUSED
    assert NEWER in capsys.readouterr().out
    assert served == []


@pytest.mark.parametrize("landing", ["landing1"], indirect=True)
def test_the_way_back_is_the_backup_made_before(installed: Restored, tmp_path: Path) -> None:
    before = contents(installed.url)
    saved = str(tmp_path / "before.tar.gz")
    assert main(["backup", saved]) == 0
    assert main(["migrate"]) == 0
    assert main(["clock", "--to", "2022-08-03T10:00"]) == 0
    assert contents(installed.url) != before
    assert main(["restore", saved, "--replace"]) == 0
    assert is_old(installed.url) and contents(installed.url) == before
    assert main(["migrate"]) == 0
    assert not is_old(installed.url)


@pytest.mark.parametrize(("landing", "database_kind"), crosswise("sqlite", "postgresql"), indirect=True)
def test_whoever_was_logged_in_still_is_and_a_programs_token_still_opens(installed: Restored) -> None:
    engine = installed.opened()
    engine.migrate()
    app = create_app(engine)
    browser, program = app.test_client(), app.test_client()
    browser.set_cookie(sessions.COOKIE, installed.facts["session"])
    assert browser.get("/definitions/processes/kept_elements/runs").status_code == 200
    bearer = {"Authorization": f"Bearer {installed.facts['token']}"}
    assert program.get("/v2/authentication/me", headers=bearer).get_json()["username"] == installed.facts["username"]
    with engine.reading() as session:
        found = [projects.get_project(session, SYSTEM, number) for number in installed.facts["projects"].values()]
    for project in found:
        page = log_in(app, project.applicant).get(f"/projects/{project.id}")
        assert page.status_code == 200 and project.name in page.text
    engine.close()
