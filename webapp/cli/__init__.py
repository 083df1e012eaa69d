"""The command `lianban`: everything that is done without a browser. `lianban --help` lists it, docs/operations.md explains it.

Each module of this package adds its commands to the parser; a command is a function of the parsed arguments that returns an exit code.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence

from engine.errors import DeploymentRefused, FormInvalid, LianbanError
from webapp.cli import bundles, clock, content, doctor, expressions, keeping, people, process_tests, server, templates, tokens

EXIT_REFUSED = 1
EXIT_USAGE = 2

PARTS = (server, people, tokens, keeping, doctor, content, templates, process_tests, expressions, clock, bundles)


def build_parser() -> argparse.ArgumentParser:
    """The parser with every command; `parser.lianban_commands` names them in the order of the help."""
    parser = argparse.ArgumentParser(prog="lianban", description="联办：并联审批的流程引擎与平台 / workflow engine for parallel approval")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for part in PARTS:
        part.add_commands(commands)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command -> the process's exit code: 0 done, 1 refused or failed (with the reason on stderr), 2 wrong usage."""
    parsed = build_parser().parse_args(arguments)
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
