"""serve, worker, migrate, demo: the processes, and what they need before they start."""

from __future__ import annotations

import argparse
import gc
import signal
import sys
import threading
from contextlib import nullcontext
from dataclasses import replace
from typing import Any

from gunicorn.app.base import BaseApplication
from sqlalchemy.engine import make_url

from engine import Engine, clock
from engine.errors import Conflict
from engine.settings import Settings
from engine.store.migrate import pending
from handlers.demo import service as demo
from webapp import create_app
from webapp.cli.opening import Commands, command, only_one, opened
from webapp.composition import open_lianban
from webapp.live import Hub

THREADS = 128
"""Threads of a web process: every live page holds one."""
GRACEFUL_SECONDS = 4
"""How long a stopping web process finishes the requests that it has begun."""
STOP_SECONDS = 15
"""After that the arbiter kills a stopping web process: time for its requests, then for the jobs that it is running."""


def add_commands(commands: Commands) -> None:
    serve = command(commands, "serve", run_server, "启动网站与后台作业 / serve the web pages and run the jobs")
    serve.add_argument("--no-jobs", action="store_true", help="只提供网页，作业由 lianban worker 运行 / web pages only")
    command(commands, "worker", run_worker, "只运行后台作业和到期事项（需 PostgreSQL） / run jobs and timers only (PostgreSQL)")
    command(commands, "migrate", migrate, "把数据库升级到最新结构 / bring the database to the newest schema")
    command(commands, "demo", load_demo, "装入演示用户和演示项目，可重复执行 / load the demo; a second time changes nothing")


class Server(BaseApplication):  # type: ignore[misc]  # gunicorn carries no types
    """gunicorn around create_app: the application is built in the worker process, after the fork, because jobs run in threads."""

    def __init__(self, settings: Settings, *, jobs: bool) -> None:
        self._settings, self._jobs = settings, jobs
        self._engine: Engine | None = None
        super().__init__()

    def load_config(self) -> None:
        options = {
            "bind": f"{self._settings.host}:{self._settings.port}",
            "workers": self._settings.workers,
            "worker_class": "gthread",
            "threads": THREADS,
            "timeout": 120,
            "graceful_timeout": STOP_SECONDS,
            "keepalive": 15,
            "loglevel": "warning",
            "forwarded_allow_ips": "",  # Settings.trusted_proxies says whom to believe, in one place
            "control_socket_disable": True,
            "post_worker_init": self._know_the_end,
            "worker_exit": lambda _server, _worker: self._close(),
        }
        for name, value in options.items():
            if name in self.cfg.settings:
                self.cfg.set(name, value)

    def load(self) -> Any:
        app = create_app(self._settings)
        engine: Engine = app.extensions["lianban"]
        self._engine = engine
        if self._jobs:
            engine.start()
        gc.collect()
        gc.freeze()  # modules and mappers live as long as the process: looking through them again costs a request a quarter of a second
        return app

    def _know_the_end(self, worker: Any) -> None:
        """In the web process: its requests get their own, shorter time, and its live pages end as soon as it is told to."""
        worker.cfg.set("graceful_timeout", GRACEFUL_SECONDS)
        hub: Hub = worker.wsgi.extensions["lianban.live"]
        hub.is_ending = lambda: not worker.alive

    def _close(self) -> None:
        if self._engine is not None:  # in the web process, never in the arbiter
            for number in (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT):
                signal.signal(number, signal.SIG_IGN)  # Ctrl+C reaches both, and the arbiter asks again: once is enough
            self._engine.close()


def run_server(arguments: argparse.Namespace) -> int:
    """Serve until SIGTERM or Ctrl+C. On PostgreSQL the schema must be current: there an upgrade is a decision, not a side effect of a
    restart. On SQLite it is brought up to date, once no other server runs on the file."""
    settings = Settings.from_environment()
    _refuse_many_on_sqlite(settings)
    shown = "localhost" if settings.host in {"127.0.0.1", "0.0.0.0"} else settings.host
    with nullcontext() if arguments.no_jobs else only_one(settings):
        _bring_up_to_date(settings, alone=not arguments.no_jobs)
        print(f"联办 http://{shown}:{settings.port}  (Ctrl+C 停止 / to stop)", flush=True)
        Server(settings, jobs=not arguments.no_jobs).run()
    return 0


def run_worker(_arguments: argparse.Namespace) -> int:
    """Run jobs until SIGTERM or Ctrl+C, beside any number of web processes on the same PostgreSQL."""
    settings = Settings.from_environment()
    _refuse_many_on_sqlite(replace(settings, workers=2))
    _bring_up_to_date(settings, alone=False)
    engine = open_lianban(settings)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    engine.start()
    print("作业进程已启动 / worker started", flush=True)
    stop.wait()
    engine.close()
    return 0


def _bring_up_to_date(settings: Settings, *, alone: bool) -> None:
    """`alone`: the file is claimed already. Raises Conflict for an older schema on PostgreSQL, SchemaTooNew for a newer one on either."""
    with opened(settings, any_schema=True) as engine:
        if pending(engine.runtime.database):
            if make_url(settings.database_url).get_backend_name() != "sqlite":
                raise Conflict(reason="数据库结构不是最新的，请先运行 lianban migrate (run lianban migrate first)")
            with nullcontext() if alone else only_one(settings):
                engine.migrate()


def _refuse_many_on_sqlite(settings: Settings) -> None:
    if settings.workers > 1 and make_url(settings.database_url).get_backend_name() == "sqlite":
        raise Conflict(
            reason="SQLite 只能由一个进程使用；多进程请用 LIANBAN_DATABASE_URL 指定 PostgreSQL (several processes need PostgreSQL)"
        )


def migrate(_arguments: argparse.Namespace) -> int:
    """Our tables and the job engine's: a web process that runs no jobs must be able to enqueue from its first command on."""
    settings = Settings.from_environment()
    with opened(settings, migrate=True):
        if settings.jobs == "dbos":
            from engine.jobs.dbos_adapter import DbosJobs  # 400 ms that the other commands do without

            DbosJobs(settings.database_url).migrate()
    print("数据库结构已是最新 / the schema is current")
    return 0


def load_demo(_arguments: argparse.Namespace) -> int:
    """Users of every role and six projects, taken by the real commands under the moved business clock."""
    started = clock.monotonic()
    with opened(replace(Settings.from_environment(), demo=True), migrate=True) as engine:
        changed = demo.load_demo(engine, report=lambda line: print(f"  {line}", file=sys.stderr, flush=True))
    done = "演示数据已装入 / demo loaded" if changed else "演示数据已在 / the demo is there already"
    print(f"{done} ({clock.monotonic() - started:.0f} s)")
    return 0
