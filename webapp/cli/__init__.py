"""The command `lianban`: everything that is done without a browser. `lianban --help` lists it, docs/operations.md explains it.

Each module of this package adds its commands to the parser; a command is a function of the parsed arguments that returns an exit code.
Only the module of the command that is asked for is imported: a question about a due date shall not wait for the web server's libraries.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from importlib import import_module

from engine.errors import DeploymentRefused, FormInvalid, LianbanError

EXIT_REFUSED = 1
EXIT_USAGE = 2

PARTS = {
    "server": ("serve", "worker", "migrate", "demo"),
    "people": ("init", "user"),
    "tokens": ("token",),
    "keeping": ("backup", "restore"),
    "doctor": ("doctor",),
    "content": ("deploy", "lint", "import", "simulate"),
    "templates": ("templates",),
    "process_tests": ("test",),
    "expressions": ("feel", "decide"),
    "clock": ("clock",),
    "bundles": ("bundle",),
}
"""Module of this package -> the commands that it adds, in the order of the help."""


def build_parser(asked: str = "") -> argparse.ArgumentParser:
    """The parser with every command, or with those of the module that has the command `asked`."""
    parser = argparse.ArgumentParser(prog="lianban", description="联办：并联审批的流程引擎与平台 / workflow engine for parallel approval")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for part in [name for name, names in PARTS.items() if asked in names] or PARTS:
        import_module(f"webapp.cli.{part}").add_commands(commands)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command -> the process's exit code: 0 done, 1 refused or failed (with the reason on stderr), 2 wrong usage."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    parsed = build_parser(given[0] if given else "").parse_args(given)
    act: Callable[[argparse.Namespace], int] = parsed.act
    try:
        return act(parsed)
    except LianbanError as error:
        _explain(error)
        return EXIT_REFUSED
    except ValueError as error:  # a setting of the wrong type, a file that is none of ours
        print(error, file=sys.stderr)
        return EXIT_REFUSED
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # the reader (head, less) has gone: that is no fault
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def _explain(error: LianbanError) -> None:
    print(error.message("zh"), file=sys.stderr)
    print(error.message("en"), file=sys.stderr)
    if isinstance(error, DeploymentRefused):
        for finding in error.findings:
            print(f"  {finding.severity} {finding}", file=sys.stderr)
    if isinstance(error, FormInvalid):
        for path, texts in error.errors.items():
            print(f"  {path}: {'；'.join(texts)}", file=sys.stderr)
