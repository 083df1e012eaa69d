"""The command line on a database of its own: set up, accounts, deploy, evaluate, back up, restore, examine."""

from __future__ import annotations

import io
import json
import shutil
import sqlite3
import tarfile
from contextlib import closing
from pathlib import Path

import pytest

from engine.errors import DeploymentRefused
from webapp.cli import EXIT_REFUSED, _explain, build_parser, main

PASSWORD = "long enough 2022"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine without anything: its own database and files folder."""
    monkeypatch.setenv("LIANBAN_DATABASE_URL", f"sqlite:///{tmp_path / 'data' / 'lianban.db'}")
    monkeypatch.setenv("LIANBAN_FILES_DIR", str(tmp_path / "files"))
    return tmp_path


@pytest.fixture(scope="module")
def initialised(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a machine after `lianban init`, to be copied."""
    folder = tmp_path_factory.mktemp("initialised")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LIANBAN_DATABASE_URL", f"sqlite:///{folder / 'data' / 'lianban.db'}")
        patch.setenv("LIANBAN_FILES_DIR", str(folder / "files"))
        answer(patch, PASSWORD)
        assert main(["init", "--username", "root", "--display-name", "管理员"]) == 0
    return folder


@pytest.fixture
def city(home: Path, initialised: Path) -> Path:
    """The same after `lianban init`."""
    shutil.copytree(initialised, home, dirs_exist_ok=True)
    return home


def answer(monkeypatch: pytest.MonkeyPatch, *lines: str) -> None:
    """What the person types."""
    monkeypatch.setattr("sys.stdin", io.StringIO("".join(f"{line}\n" for line in lines)))


def usernames(home: Path) -> dict[str, tuple[str, bool]]:
    with closing(sqlite3.connect(home / "data" / "lianban.db")) as database:
        rows = database.execute("SELECT username, kind, disabled FROM user_account").fetchall()
    return {name: (kind, bool(disabled)) for name, kind, disabled in rows}


def test_init_makes_one_administrator_and_deploys_the_flows(city: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert usernames(city) == {"root": ("admin", False)}
    assert main(["deploy"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert any("planning_permit" in line and "unchanged" in line for line in lines)


def test_init_is_refused_when_there_is_an_administrator(
    city: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    answer(monkeypatch, PASSWORD)
    assert main(["init", "--username", "second", "--display-name", "第二位"]) == EXIT_REFUSED
    assert "已有管理员" in capsys.readouterr().err
    assert set(usernames(city)) == {"root"}


def test_init_refuses_a_weak_password_and_leaves_nobody(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answer(monkeypatch, "short")
    assert main(["init", "--username", "root", "--display-name", "管理员"]) == EXIT_REFUSED
    assert usernames(home) == {}


def test_user_add_disable_and_reset(city: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    answer(monkeypatch, "another long one")
    assert main(["user", "add", "li", "--display-name", "李建国", "--member", "ZRZYJ.handler"]) == 0
    assert main(["user", "disable", "li"]) == 0
    assert usernames(city)["li"] == ("staff", True)
    answer(monkeypatch, "yet another long one")
    assert main(["user", "reset", "li"]) == 0
    assert main(["user", "disable", "nobody"]) == EXIT_REFUSED
    assert "没有找到用户：nobody" in capsys.readouterr().err


def test_user_add_explains_a_membership_without_a_role(
    city: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    answer(monkeypatch, "another long one")
    assert main(["user", "add", "li", "--display-name", "李建国", "--member", "ZRZYJ"]) == EXIT_REFUSED
    assert "单位.角色" in capsys.readouterr().err


def test_commands_refuse_an_old_schema_and_say_what_to_do(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["clock"]) == EXIT_REFUSED
    assert "lianban migrate" in capsys.readouterr().err
    assert main(["migrate"]) == 0
    assert main(["clock"]) == 0


def test_lint_names_every_finding_with_its_element(home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    broken = tmp_path / "broken.bpmn"
    broken.write_text(
        '<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" targetNamespace="t"><process id="broken" isExecutable="true">'
        '<startEvent id="start"/><sequenceFlow id="f" sourceRef="start" targetRef="nowhere"/></process></definitions>',
        encoding="utf-8",
    )
    assert main(["lint", str(broken)]) == 1
    out = capsys.readouterr().out
    assert "broken.bpmn" in out
    assert "errors" in out
    assert not (home / "data").exists()


def test_lint_accepts_what_comes_with_the_program(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["lint"]) == 0, capsys.readouterr().out


def test_deploy_names_a_missing_file(city: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["deploy", str(tmp_path / "none.bpmn")]) == EXIT_REFUSED
    assert "none.bpmn" in capsys.readouterr().err


def test_clock_moves_and_returns(city: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["clock", "--to", "2022-08-01T10:30:30"]) == 0
    assert "2022-08-01 10:30" in capsys.readouterr().out
    assert main(["clock", "--reset"]) == 0
    assert "2022-08-01" not in capsys.readouterr().out


def test_backup_and_restore_bring_back_rows_and_files(city: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (city / "files" / "ab").mkdir(parents=True)
    (city / "files" / "ab" / "content").write_bytes(b"a material")
    target = tmp_path / "kept.tar.gz"
    assert main(["backup", str(target)]) == 0
    answer(monkeypatch, "another long one")
    assert main(["user", "add", "li", "--display-name", "李建国"]) == 0
    (city / "files" / "ab" / "content").unlink()
    assert main(["restore", str(target)]) == EXIT_REFUSED, "a database that holds something is not overwritten unasked"
    assert main(["restore", str(target), "--replace"]) == 0
    assert set(usernames(city)) == {"root"}
    assert (city / "files" / "ab" / "content").read_bytes() == b"a material"


def test_backup_into_a_folder_names_itself(city: Path, tmp_path: Path) -> None:
    folder = tmp_path / "backups"
    folder.mkdir()
    assert main(["backup", str(folder)]) == 0
    [made] = folder.iterdir()
    with tarfile.open(made) as archive:
        assert {"manifest.json", "database"} <= set(archive.getnames())


def test_restore_refuses_what_is_no_backup(home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "x.tar.gz").write_bytes(b"nothing")
    assert main(["restore", str(tmp_path / "x.tar.gz")]) == EXIT_REFUSED
    assert "备份文件" in capsys.readouterr().err


def test_doctor_tells_an_unmigrated_database_from_a_current_one(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["doctor"])
    assert "→ 运行 lianban migrate" in capsys.readouterr().out
    main(["migrate"])
    main(["doctor"])
    out = capsys.readouterr().out
    assert "lianban migrate" not in out
    assert "→ 运行 lianban deploy" in out


def test_doctor_survives_a_database_that_cannot_be_reached(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("LIANBAN_DATABASE_URL", "postgresql+psycopg://nobody@127.0.0.1:1/none")
    assert main(["doctor"]) == 1
    assert "LIANBAN_DATABASE_URL" in capsys.readouterr().out


def test_several_processes_on_sqlite_are_refused(city: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("LIANBAN_WORKERS", "2")
    assert main(["serve"]) == EXIT_REFUSED
    assert main(["worker"]) == EXIT_REFUSED
    assert "PostgreSQL" in capsys.readouterr().err


def test_a_wrong_setting_is_named(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("LIANBAN_PORT", "eighty")
    assert main(["migrate"]) == EXIT_REFUSED
    assert "LIANBAN_PORT" in capsys.readouterr().err


def test_unknown_commands_are_wrong_usage() -> None:
    with pytest.raises(SystemExit) as stopped:
        build_parser().parse_args(["fly"])
    assert stopped.value.code == 2


def test_a_refused_deployment_prints_its_findings(capsys: pytest.CaptureFixture[str]) -> None:
    from engine.findings import Finding

    _explain(DeploymentRefused([Finding("rule-x", "error", "错", "wrong", "a.bpmn", "t_1", "受理", 7)]))
    assert "a.bpmn:7 t_1（受理） [rule-x] 错" in capsys.readouterr().err


@pytest.mark.parametrize("database_kind", ["postgresql"], indirect=True)
def test_backup_and_restore_of_postgresql(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LIANBAN_DATABASE_URL", database_url)
    monkeypatch.setenv("LIANBAN_FILES_DIR", str(tmp_path / "files"))
    answer(monkeypatch, PASSWORD)
    assert main(["init", "--username", "root", "--display-name", "管理员"]) == 0
    target = tmp_path / "kept.tar.gz"
    assert main(["backup", str(target)]) == 0
    assert main(["user", "disable", "root"]) == 0
    assert main(["restore", str(target)]) == EXIT_REFUSED
    assert main(["restore", str(target), "--replace"]) == 0
    assert main(["init", "--username", "again", "--display-name", "再来"]) == EXIT_REFUSED
    assert "已有管理员" in capsys.readouterr().err


def test_a_backup_of_the_other_kind_of_database_is_refused(city: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "kept.tar.gz"
    assert main(["backup", str(target)]) == 0
    monkeypatch.setenv("LIANBAN_DATABASE_URL", "postgresql+psycopg://nobody@127.0.0.1:1/none")
    assert main(["restore", str(target)]) == EXIT_REFUSED


def test_a_full_simulation_of_one_variant_ends(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["simulate", "--variant", "6", "--seed", "3", "--json"]) == 0
    steps = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert len(steps) > 30
    assert steps[-1] == {"variant": 6, "seed": 3, "ok": True, "outcome": "completed", "steps": len(steps) - 1}
