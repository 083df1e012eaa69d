"""backup and restore: one file that holds the database and the uploaded files, made while the server runs.

SQLite is copied with its own online backup, PostgreSQL with pg_dump; both are consistent at one instant. Files are named by their
content and never change, so copying them after the database cannot miss one that the copy refers to.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sqlite3
import subprocess
import tarfile
import tempfile
from contextlib import closing
from pathlib import Path
from typing import Any

from sqlalchemy import URL
from sqlalchemy.engine import make_url

from engine import clock
from engine.errors import Conflict, Invalid, NotFound
from engine.settings import Settings
from webapp.cli.opening import Commands, command

FORMAT = 1
MANIFEST, DATABASE, FILES = "manifest.json", "database", "files"

EMPTYING = """
DO $$
DECLARE present record;
BEGIN
    FOR present IN
        SELECT class.oid::regclass AS name FROM pg_class class
        WHERE class.relkind IN ('r', 'p') AND class.relnamespace IN (SELECT oid FROM pg_namespace WHERE nspname IN ('public', 'dbos'))
            AND NOT EXISTS (SELECT FROM pg_depend WHERE classid = 'pg_class'::regclass AND objid = class.oid AND deptype = 'e')
    LOOP
        EXECUTE format('DROP TABLE IF EXISTS %s CASCADE', present.name);
    END LOOP;
END $$;
"""
"""Drops every table but those of extensions, ours and the job engine's. pg_restore drops only what the backup holds: tables that an upgrade
has added since would refer to those and forbid it, and stay there for the next upgrade to stumble over."""


def add_commands(commands: Commands) -> None:
    save = command(commands, "backup", backup, "备份数据库和全部文件到一个文件 / the database and all files into one file")
    save.add_argument("target", type=Path, help="备份文件，或放它的文件夹 / the file, or a folder for it")
    bring = command(commands, "restore", restore, "从备份恢复（先停止服务） / restore from a backup (stop the server first)")
    bring.add_argument("source", type=Path)
    bring.add_argument("--replace", action="store_true", help="覆盖现有数据 / replace existing data")


def backup(arguments: argparse.Namespace) -> int:
    settings = Settings.from_environment()
    url = make_url(settings.database_url)
    target: Path = arguments.target
    if target.is_dir():
        target = target / f"lianban-{clock.wall_now():%Y%m%dT%H%M%SZ}.tar.gz"
    partial = target.with_name(target.name + ".part")
    with tempfile.TemporaryDirectory(prefix="lianban-backup-") as folder:
        copy = Path(folder, DATABASE)
        _dump(url, copy)
        manifest = {"format": FORMAT, "backend": url.get_backend_name(), "made_at": clock.wall_now().isoformat(timespec="seconds")}
        Path(folder, MANIFEST).write_text(json.dumps(manifest), encoding="utf-8")
        with tarfile.open(partial, "w:gz", compresslevel=3) as archive:
            archive.add(Path(folder, MANIFEST), MANIFEST)
            archive.add(copy, DATABASE)
            if settings.files_dir.is_dir():
                archive.add(settings.files_dir, FILES)
    partial.replace(target)  # a backup that was cut off never looks like one
    print(f"{target}  {target.stat().st_size / 1048576:.1f} MB")
    return 0


def restore(arguments: argparse.Namespace) -> int:
    """Refuses to overwrite a database that holds something unless --replace; the files are added, none is removed."""
    settings = Settings.from_environment()
    url = make_url(settings.database_url)
    if not arguments.source.is_file():
        raise NotFound(what="备份文件", key=str(arguments.source))
    with tempfile.TemporaryDirectory(prefix="lianban-restore-") as folder:
        manifest = _unpack(arguments.source, Path(folder))
        if manifest.get("format") != FORMAT or manifest.get("backend") != url.get_backend_name():
            raise Invalid(reason=f"备份来自 {manifest.get('backend')}，不能恢复到 {url.get_backend_name()} (other kind of database)")
        if not arguments.replace and _holds_something(url):
            raise Conflict(reason="数据库里已有数据；确认要覆盖请加 --replace (add --replace to overwrite)")
        _load(url, Path(folder, DATABASE))
        if Path(folder, FILES).is_dir():
            shutil.copytree(Path(folder, FILES), settings.files_dir, dirs_exist_ok=True)
    print(f"已恢复到 {manifest['made_at']} 的状态 / restored")
    return 0


def _unpack(source: Path, folder: Path) -> dict[str, Any]:
    try:
        with tarfile.open(source) as archive:
            archive.extractall(folder, filter="data")
        manifest: dict[str, Any] = json.loads(Path(folder, MANIFEST).read_text(encoding="utf-8"))
    except (tarfile.TarError, OSError, json.JSONDecodeError) as error:
        raise Invalid(reason=f"这不是联办的备份文件：{error} (not a backup of ours)") from error
    return manifest


def _dump(url: URL, copy: Path) -> None:
    if url.get_backend_name() == "sqlite":
        path = Path(url.database or "")
        if not path.is_file():
            raise NotFound(what="数据库", key=str(path))
        with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(copy)) as target:
            source.backup(target)
        return
    _postgres("pg_dump", url, "--format=custom", "--no-owner", f"--file={copy}")


def _load(url: URL, copy: Path) -> None:
    if url.get_backend_name() == "sqlite":
        path = Path(url.database or "")
        path.parent.mkdir(parents=True, exist_ok=True)
        with closing(sqlite3.connect(copy)) as source, closing(sqlite3.connect(path)) as target:
            source.backup(target)
        return
    script, emptying = copy.with_suffix(".sql"), copy.with_suffix(".empty.sql")
    _postgres("pg_restore", url, "--clean", "--if-exists", "--no-owner", f"--file={script}", str(copy))
    emptying.write_text(EMPTYING, encoding="utf-8")
    _postgres("psql", url, "-Xq", "-v", "ON_ERROR_STOP=1", "--single-transaction", f"--file={emptying}", f"--file={script}")


def _holds_something(url: URL) -> bool:
    if url.get_backend_name() == "sqlite":
        path = Path(url.database or "")
        if not path.is_file():
            return False
        with closing(sqlite3.connect(path)) as database:
            return bool(database.execute("SELECT count(*) FROM sqlite_master").fetchone()[0])
    return bool(_postgres("pg_dump", url, "--schema-only", "--table=process_instance", check=False).strip())


def _postgres(program: str, url: URL, *arguments: str, check: bool = True) -> str:
    """Run one of PostgreSQL's programs with the connection in its environment, so that no password shows in a process list."""
    found = shutil.which(program)
    if found is None:
        raise NotFound(what="程序", key=f"{program}（请安装 postgresql-client）")
    values = {"PGHOST": url.host, "PGPORT": url.port, "PGUSER": url.username, "PGPASSWORD": url.password, "PGDATABASE": url.database}
    environment = os.environ | {name: str(value) for name, value in values.items() if value is not None}
    done = subprocess.run([found, *arguments], env=environment, capture_output=True, text=True, check=False)
    if check and done.returncode:
        raise Invalid(reason=f"{program}：{done.stderr.strip()}")
    return done.stdout
