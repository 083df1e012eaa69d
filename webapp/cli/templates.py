"""templates: write what Camunda Modeler reads of the house (element templates, the names its lint rules know)."""

from __future__ import annotations

import argparse

from handlers.modeler import service as modeler
from webapp.cli.opening import Commands, command


def add_commands(commands: Commands) -> None:
    """`templates [--check]`."""
    parser = command(
        commands, "templates", templates, "为 Camunda Modeler 生成元素模板和检查用的名录 / element templates for Camunda Modeler"
    )
    parser.add_argument("--check", action="store_true", help="只检查是否需要重新生成 / only tell whether they are up to date")


def templates(arguments: argparse.Namespace) -> int:
    """Prints the files that changed; with --check nothing is written and the exit code is 1 when some would."""
    if arguments.check:
        old = modeler.stale()
        for path in old:
            print(f"需要重新生成 / out of date: {path}")
        return 1 if old else 0
    for path in modeler.write():
        print(path)
    return 0
