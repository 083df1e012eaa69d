"""test: run the scenario files beside the diagrams, in memory."""

from __future__ import annotations

import argparse
from pathlib import Path

from engine.errors import NotFound
from handlers.scenarios import service as scenarios
from webapp.cli.opening import Commands, command
from webapp.composition import work_calendar


def add_commands(commands: Commands) -> None:
    """`test [FILE...] [--coverage PERCENT]`."""
    parser = command(commands, "test", test, "运行流程测试（情形文件）/ run the scenario files beside the diagrams")
    parser.add_argument("paths", nargs="*", type=Path, metavar="FILE", help=".scenarios.json（默认：全部 / default: all of ours）")
    parser.add_argument("--coverage", type=float, default=0, metavar="PERCENT", help="路径覆盖至少百分之几 / the least path coverage")


def test(arguments: argparse.Namespace) -> int:
    """Prints every scenario and the coverage; the exit code is 1 when a scenario fails or the coverage is too low."""
    bad = 0
    for path in arguments.paths or scenarios.files():
        if not path.is_file():
            raise NotFound(what="文件", key=str(path))
        tested = scenarios.run_file(path, work_calendar())
        for outcome in tested.report.outcomes:
            print(f"{'✓' if outcome.ok else '✗'} {tested.process_id}：{outcome.name}")
            for failure in outcome.failures:
                print(f"    {failure}")
        coverage = tested.report.coverage
        print(
            f"  {tested.process_id} 路径覆盖 / coverage {coverage.percent} %"
            + (f"：{'、'.join(coverage.missed)}" if coverage.missed else "")
        )
        bad += not tested.report.ok or coverage.percent < arguments.coverage
    return 1 if bad else 0
