"""Databases of landed versions: restoring them on either kind of database, and taking what is unfinished in them to its end."""

from __future__ import annotations

import json
import lzma
import random
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import psycopg
from psycopg import sql
from sqlalchemy import create_engine, make_url, select, text

from engine import Engine, clock
from engine.policy import SYSTEM
from engine.settings import Settings
from engine.store import migrate
from engine.store import models as m
from handlers.driving.service import Driver, Player, Script, rules_of
from handlers.projects import service as projects
from webapp.composition import open_lianban

HERE = Path(__file__).parent
LANDINGS = sorted(
    (path.name.partition(".")[0] for path in HERE.glob("landing*.sql.xz")), key=lambda name: int(name.removeprefix("landing"))
)
"""The dumps of this folder, oldest first."""
MOST_ACTS = 200
STRAIGHT: list[dict[str, Any]] = [
    *({"message": name, "hold": True} for name in ("withdrawal_requested", "stop_reported", "start_extension_requested")),
    *({"message": name, "hold": True} for name in ("extension_requested", "hearing_requested")),
    {"message": "land_allocated", "when": '=project.tdhqfs != "划拨"', "hold": True},
    {"message": "land_contract_registered", "when": '=project.tdhqfs = "划拨"', "hold": True},
    {
        "form": "joint_review_summary",
        "when": '=some o in opinions satisfies o.opinion in ("不同意", "有条件同意")',
        "most": 1,
        "answer": {"summary": {"conclusion": "修改", "changes": "按各单位意见修改总平面图。", "comment": "请申请人修改方案。"}},
    },
]
"""How people decide: everybody agrees, a plan that some unit objected to is changed once, nobody asks for anything special."""


@dataclass(frozen=True, slots=True)
class Restored:
    """A landed database as it was when it was made: its address, its folders, and the facts of make_dump.py."""

    url: str
    folder: Path
    facts: Mapping[str, Any]

    def opened(self) -> Engine:
        """Today's program on it, with inline jobs; the caller closes it."""
        return open_lianban(Settings(database_url=self.url, jobs="inline", files_dir=self.folder / "files"))

    def driver(self, engine: Engine) -> Driver:
        """Acts for the people of the time, with answers that fit the forms of the time."""
        folder = self.folder / "examples"
        folder.mkdir(exist_ok=True)
        for form_id, example in self.facts["examples"].items():
            (folder / f"{form_id}.json").write_bytes(orjson.dumps(example))
        return Driver(engine, folder)

    def set_clocks(self) -> None:
        """No time has passed since the moment of the dump: the business clock says what it said then, whoever was logged in still is."""
        database, now = create_engine(self.url), clock.wall_now()
        ahead = datetime.fromisoformat(self.facts["business_time"]) - now
        with database.begin() as connection:
            connection.execute(text("UPDATE business_clock SET offset_seconds = :seconds"), {"seconds": int(ahead.total_seconds())})
            connection.execute(text("UPDATE web_session SET seen_at = :now"), {"now": now.replace(tzinfo=None).isoformat(" ")})
        database.dispose()


def read(name: str) -> tuple[dict[str, Any], str]:
    """The facts of a dump and its SQL text for SQLite."""
    text = lzma.decompress((HERE / f"{name}.sql.xz").read_bytes()).decode()
    first, _, script = text.partition("\n")
    facts: dict[str, Any] = json.loads(first.removeprefix("-- "))
    return facts, script


def revision_in(database: sqlite3.Connection) -> str:
    """The revision of an SQLite database's schema."""
    return str(database.execute("SELECT version_num FROM alembic_version").fetchone()[0])


def restore(name: str, url: str, folder: Path) -> Restored:
    """Fill the empty database at `url` with a dump, its clocks at the moment when that was made."""
    facts, script = read(name)
    if make_url(url).get_backend_name() == "sqlite":
        with closing(sqlite3.connect(str(make_url(url).database))) as connection:
            connection.executescript(script)
    else:
        with closing(sqlite3.connect(":memory:")) as source:
            source.executescript(script)
            _make_schema(url, revision_in(source))
            _copy_rows(source, url)
    restored = Restored(url, folder, facts)
    restored.set_clocks()
    return restored


def _make_schema(url: str, revision: str) -> None:
    database = create_engine(url)
    migrate.upgrade(database, revision)
    database.dispose()


def _copy_rows(source: sqlite3.Connection, url: str) -> None:
    """Every row of the SQLite database into the same tables of PostgreSQL, which reads SQLite's texts of instants and JSON itself."""
    with psycopg.connect(make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)) as target:
        target.execute("SET TimeZone = 'UTC'")
        target.execute("SET session_replication_role = replica")  # foreign keys hold in the source: the order of tables is no matter
        for (table,) in source.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name <> 'alembic_version'").fetchall():
            rows = source.execute(f'SELECT * FROM "{table}"')
            names = sql.SQL(", ").join(sql.Identifier(column[0]) for column in rows.description)
            with target.cursor().copy(sql.SQL("COPY {} ({}) FROM STDIN").format(sql.Identifier(table), names)) as copy:
                for row in rows:
                    copy.write_row(row)
        _count_on(target)


def _count_on(target: psycopg.Connection[Any]) -> None:
    """Numbers that PostgreSQL gives out go on after the highest one used."""
    counted = """
        SELECT table_name, column_name FROM information_schema.columns
        WHERE table_schema = 'public' AND (is_identity = 'YES' OR column_default LIKE 'nextval%')
    """
    for table, column in target.execute(counted).fetchall():
        highest = sql.SQL("SELECT setval(pg_get_serial_sequence({}, {}), (SELECT max({}) FROM {}))")
        target.execute(highest.format(sql.Literal(f'"{table}"'), sql.Literal(column), sql.Identifier(column), sql.Identifier(table)))


def crosswise(*kinds: str) -> list[tuple[str, str]]:
    """Each landed version on one kind of database: the next one on the other kind. The other test of two has it the other way round."""
    return [(landing, kinds[number % 2]) for number, landing in enumerate(LANDINGS)]


def finish(driver: Driver, project_id: int) -> Iterator[str]:
    """Take a project to its end -> the element ids of what was done. Fails when it is stuck."""
    with driver.engine.reading() as session:
        project = projects.get_project(session, SYSTEM, project_id)
    player = Player(driver, Script(rules_of(STRAIGHT), random.Random(project_id)), project)
    acts = 0
    while driver.live_flows(project_id):
        act = player.act()
        if act is not None:
            acts += 1
            assert acts < MOST_ACTS, f"project {project_id} goes round in circles"
            yield act.element
            driver.engine.run_due()
            continue
        moments = [at for at in (player.next_time(), driver.engine.next_due()) if at is not None]
        assert moments, f"{driver.live_flows(project_id)} of project {project_id} wait for nothing"
        driver.move_to(max(min(moments), clock.now() + timedelta(minutes=10)))


def live_instances(engine: Engine) -> list[int]:
    """The keys of all instances that have not ended."""
    with engine.reading() as session:
        return list(session.scalars(select(m.process_instance.c.key).where(m.process_instance.c.state == "ACTIVE")))
