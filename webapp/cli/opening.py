"""Opening the engine for a command, and asking a person at the terminal."""

from __future__ import annotations

import argparse
import getpass
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Protocol

from engine.errors import Conflict, Invalid
from engine.settings import Settings

if TYPE_CHECKING:
    from engine import Engine


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

    `migrate`: bring the schema up to date first; otherwise an old schema is refused (Conflict) unless `any_schema`.
    """
    from engine.store.migrate import pending  # only commands that open a database pay for its libraries
    from webapp.composition import open_lianban

    settings = replace(settings or Settings.from_environment(), jobs="inline")
    engine = open_lianban(settings)
    try:
        if migrate:
            engine.migrate()
        elif not any_schema and pending(engine.runtime.database):
            raise Conflict(reason="数据库结构不是最新的，请先运行 lianban migrate (the schema is not current: run lianban migrate)")
        yield engine
    finally:
        engine.close()


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
