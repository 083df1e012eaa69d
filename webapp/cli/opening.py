"""Opening the engine for a command, and asking a person at the terminal."""

from __future__ import annotations

import argparse
import fcntl
import getpass
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from engine.errors import Conflict, Invalid
from engine.settings import Settings

if TYPE_CHECKING:
    from engine import Engine

CLAIM_TRIES = 30
"""How often a starting server asks, each tenth of a second, whether the one before it is gone."""


class Commands(Protocol):
    """What argparse returns from add_subparsers; its own class is private."""

    def add_parser(self, name: str, **options: Any) -> argparse.ArgumentParser: ...


def command(commands: Commands, name: str, act: Callable[[argparse.Namespace], int], summary: str) -> argparse.ArgumentParser:
    """Add the command `name`; `summary` (Chinese / English) is its help line and its description."""
    parser = commands.add_parser(name, help=summary, description=summary)
    parser.set_defaults(act=act)
    return parser


@contextmanager
def opened(settings: Settings | None = None, *, migrate: bool = False, any_schema: bool = False) -> Iterator[Engine]:
    """The engine with every handler and inline jobs, closed afterwards.

    `migrate`: bring the schema up to date first, unless a server runs on the SQLite file (Conflict: it is that of an older version);
    otherwise an old schema is refused (Conflict) unless `any_schema`.
    """
    from engine.store.migrate import pending  # only commands that open a database pay for its libraries
    from webapp.composition import open_lianban

    settings = replace(settings or Settings.from_environment(), jobs="inline")
    engine = open_lianban(settings)
    try:
        old = not any_schema and pending(engine.runtime.database)
        if old and migrate:
            with only_one(settings):
                engine.migrate()
        elif old:
            raise Conflict(reason="数据库结构不是最新的，请先运行 lianban migrate (the schema is not current: run lianban migrate)")
        yield engine
    finally:
        engine.close()


@contextmanager
def only_one(settings: Settings) -> Iterator[None]:
    """On SQLite only one process may run jobs: two would run each pending job twice, and each would take the other for dead. Nor may the
    schema change under a server.

    The lock ends with the process and those it forked, however they end. Raises Conflict when another server still holds it after a while.
    """
    from sqlalchemy.engine import make_url

    url = make_url(settings.database_url)
    if url.get_backend_name() != "sqlite" or not url.database:
        yield
        return
    with Path(f"{url.database}.lock").open("w", encoding="ascii") as held:
        for attempt in range(CLAIM_TRIES):
            try:
                fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if attempt == CLAIM_TRIES - 1:
                    reason = "这个 SQLite 数据库已有一个服务在运行 (another server is running on this database)"
                    raise Conflict(reason=reason) from None
                threading.Event().wait(0.1)
        yield


def ask(question: str, *, default: str = "") -> str:
    """One line from the terminal, or from a pipe; an empty answer is the default, and refused when there is none."""
    print(f"{question}{f' [{default}]' if default else ''}: ", end="", flush=True, file=sys.stderr)
    answer = sys.stdin.readline().strip() or default
    if not answer:
        raise Invalid(reason=f"没有回答：{question}")
    return answer


def ask_password(question: str = "密码 / password") -> str:
    """A new password: typed twice unseen at a terminal, one line from a pipe."""
    if not sys.stdin.isatty():
        return ask(question)
    first = getpass.getpass(f"{question}: ", stream=sys.stderr)
    if first != getpass.getpass("再输入一次 / again: ", stream=sys.stderr):
        raise Invalid(reason="两次输入的密码不一致 (the passwords differ)")
    return first
