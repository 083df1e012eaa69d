"""doctor: is everything here that the platform needs, and what to do about what is not."""

from __future__ import annotations

import argparse
import shutil
import subprocess
from collections.abc import Callable, Iterator
from ctypes.util import find_library
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from engine import Engine, clock
from engine.commands.workers import living
from engine.settings import Settings
from engine.store import definitions, reads
from engine.store.migrate import SchemaTooNew, pending
from handlers import lights
from handlers.calendar import service as calendars
from handlers.clock import service as clocks
from webapp.cli.opening import Commands, command, opened

LOW_DISK_MB = 1024
DIST = Path(__file__).parents[1] / "static" / "dist"


@dataclass(frozen=True, slots=True)
class Check:
    """One thing looked at. `advice` says what to do and is empty when nothing is; `fatal`: the platform cannot work like this."""

    name: str
    found: str
    advice: str = ""
    fatal: bool = False


def add_commands(commands: Commands) -> None:
    command(commands, "doctor", examine, "体检：数据库、结构、时钟、日历、字体、磁盘 / check the installation and say what to do")


def examine(_arguments: argparse.Namespace) -> int:
    """Exit code 1 when something is missing that the platform cannot work without."""
    failed = False
    for check in checks(Settings.from_environment()):
        mark = "✓" if not check.advice else "✗" if check.fatal else "!"
        print(f"{mark} {check.name:<14}{check.found}")
        if check.advice:
            print(f"    → {check.advice}")
        failed = failed or (check.fatal and bool(check.advice))
    return 1 if failed else 0


def checks(settings: Settings) -> Iterator[Check]:
    """Every check, the database first; the ones that need it are left out when it cannot be reached."""
    try:
        with opened(settings, any_schema=True) as engine:
            yield _database(engine)
            schema = _schema(engine)
            yield schema
            if not schema.advice:
                yield from (check(engine) for check in NEED_SCHEMA)
    except SQLAlchemyError as error:
        reason = str(error.__cause__ or error).splitlines()[0]
        yield Check("database", reason, "检查 LIANBAN_DATABASE_URL，确认数据库已启动 / does the database run?", fatal=True)
    yield from (_fonts(), _printing(), _disk(settings), _assets())


def _database(engine: Engine) -> Check:
    with engine.runtime.database.connect() as connection:
        connection.execute(text("SELECT 1"))
    return Check("database", engine.runtime.database.url.render_as_string())


def _schema(engine: Engine) -> Check:
    try:
        old = pending(engine.runtime.database)
    except SchemaTooNew as error:
        return Check(
            "schema",
            f"{error.message('zh')} / {error.message('en')}",
            "运行新版程序，或从升级前的备份恢复 / newer program, or restore",
            fatal=True,
        )
    if old:
        return Check("schema", "不是最新 / not current", "运行 lianban migrate / run lianban migrate", fatal=True)
    return Check("schema", "最新 / current")


def _deployed(engine: Engine) -> Check:
    with engine.reading() as session:
        count = len(definitions.latest_versions(session, "process"))
    advice = "" if count else "运行 lianban deploy 部署自带流程 / run lianban deploy"
    return Check("processes", f"{count} 个流程 / processes", advice)


def _incidents(engine: Engine) -> Check:
    with engine.reading() as session:
        count = len(reads.incidents(session))
    return Check("incidents", f"{count} 个未处理 / active", "在“流程”页查看并重试 / see them under Processes" if count else "")


def _overdue(engine: Engine) -> Check:
    with engine.reading() as session:
        due = len(reads.due_instances(session, clock.now()))
    return Check(
        "timers",
        f"{due} 个流程有已到期未处理的定时 / instances overdue",
        "后台作业是否在运行？ / is serve or worker running?" if due else "",
    )


def _workers(engine: Engine) -> Check:
    with engine.reading() as session:
        count = living(session)
    advice = "" if count else "没有进程在运行作业：启动 lianban serve 或 lianban worker / start one of them"
    return Check("workers", f"{count} 个进程在运行作业 / processes run jobs", advice)


def _business_clock(engine: Engine) -> Check:
    with engine.reading():
        offset = clock.offset()
    moved = bool(offset) and not engine.settings.demo
    advice = "正式服务不应移动业务时钟：lianban clock --reset / real service runs on real time" if moved else ""
    return Check("clock", f"业务时钟偏移 / offset {offset}", advice)


def _calendar(engine: Engine) -> Check:
    """From November on the next year's notice of days off must be there, or its due dates are guesses (domain §3.4)."""
    with engine.reading() as session:
        calendar = lights.calendar_of(session)
        missing = calendars.missing_year(calendar, clock.wall_now().astimezone(clock.CHINA).date())
        stale = clocks.stale_count(session)
    last = max([calendar.official_until, *calendar.imported])
    advice = f"在“日历”页导入 {missing} 年的放假通知 / import the notice of days off for {missing} on the calendar page" if missing else ""
    if stale:
        advice = f"{stale} 个办件等待按新日历重算，serve 或 worker 是否在运行？ / clocks to recompute: is serve or worker running?"
    return Check("calendar", f"放假安排至 {last} 年 / official days off until then", advice)


NEED_SCHEMA: tuple[Callable[[Engine], Check], ...] = (_deployed, _incidents, _workers, _overdue, _business_clock)


def _fonts() -> Check:
    try:
        listed = subprocess.run(["fc-list", ":lang=zh-cn", "family"], capture_output=True, text=True, check=False).stdout
    except OSError:
        listed = ""
    families = sorted({line.split(",")[0] for line in listed.splitlines() if line.strip()})
    advice = "" if families else "安装中文字体：apt-get install fonts-noto-cjk / install Chinese fonts"
    return Check("fonts", families[0] if families else "没有中文字体 / no Chinese fonts", advice)


def _printing() -> Check:
    missing = [name for name in ("pango-1.0", "pangoft2-1.0") if find_library(name) is None]
    advice = "安装 Pango，文书才能生成 PDF：apt-get install libpango-1.0-0 libpangoft2-1.0-0 / install Pango, documents wait for it"
    return Check("printing", "缺少 / missing " + "、".join(missing) if missing else "Pango", advice if missing else "")


def _disk(settings: Settings) -> Check:
    folder = settings.files_dir
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free // 1048576
    return Check("disk", f"剩余 {free:,} MB / free", "磁盘空间不足 / make room" if free < LOW_DISK_MB else "")


def _assets() -> Check:
    missing = [name for name in ("app.js", "app.css", "form.js", "diagram.js") if not (DIST / name).exists()]
    advice = "运行 make assets / run make assets" if missing else ""
    return Check("assets", "缺 / missing " + " ".join(missing) if missing else "已生成 / built", advice, fatal=True)
