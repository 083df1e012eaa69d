"""deploy, lint, import, simulate: what is drawn and decided, without a browser."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

from engine import commands
from engine.bpmn.camunda7 import translate
from engine.commands import Deployment
from engine.errors import Invalid, NotFound
from engine.policy import SYSTEM
from engine.settings import ROOT, Settings
from handlers.directory import service as directory
from handlers.policies import service as policies
from handlers.simulate import service as simulation
from webapp.cli.opening import Commands, command, opened

SUFFIXES = frozenset({".bpmn", ".dmn", ".form"})
OWN_FOLDERS = (ROOT / "processes", ROOT / "forms")


def add_commands(commands: Commands) -> None:
    for name, act, summary in (
        ("deploy", deploy, "部署流程图、决策表和表单 / deploy diagrams, decisions and forms together"),
        ("lint", lint, "检查但不部署 / check without deploying"),
    ):
        parser = command(commands, name, act, summary)
        parser.add_argument("paths", nargs="*", type=Path, metavar="PATH", help="文件或文件夹 / files or folders (default: ours)")
    importer = command(commands, "import", import_camunda7, "把 Camunda 7 的流程图译为 Camunda 8 / translate Camunda 7 diagrams")
    importer.add_argument("paths", nargs="+", type=Path, metavar="FILE", help="Camunda 7 的 .bpmn 文件 / .bpmn files for Camunda 7")
    importer.add_argument("--into", type=Path, default=Path(), metavar="FOLDER", help="放到哪个文件夹 / where to put the translations")
    simulate = command(commands, "simulate", run_simulation, "用真实命令跑完整项目 / drive whole projects through the real commands")
    simulate.add_argument("--variant", default="all", choices=[*"123456", "all"], help="流程类别 / project variant")
    simulate.add_argument("--seed", type=int, default=1, help="随机种子，同种子同结果 / same seed, same run")
    simulate.add_argument("--projects", type=int, default=0, help="项目数，依次取各类别 / how many projects (default: one of each variant)")
    simulate.add_argument("--json", action="store_true", help="每步一行 JSON / one JSON object a step")
    simulate.add_argument("--quiet", action="store_true", help="只打印每个项目的结果 / results only")


def files_of(paths: Sequence[Path]) -> list[tuple[str, bytes]]:
    """(file name, content) of the given files and of all resources in the given folders. NotFound for a path that is not there."""
    found: dict[str, bytes] = {}
    for path in _expand(paths or OWN_FOLDERS):
        found[path.name] = path.read_bytes()
    if not found:
        raise Invalid(reason="没有 .bpmn、.dmn 或 .form 文件 (no such files)")
    return sorted(found.items())


def _expand(paths: Iterable[Path]) -> Iterable[Path]:
    for path in paths:
        if path.is_dir():
            # examples are answers to forms, not forms
            yield from sorted(p for p in path.rglob("*") if p.suffix in SUFFIXES and "examples" not in p.parts)
        elif path.exists():
            yield path
        else:
            raise NotFound(what="文件", key=str(path))


def deploy_own_files(session: Session) -> Deployment:
    """Deploy the diagrams, decisions and forms that come with the program."""
    return commands.deploy(session, SYSTEM, files_of(()), name="lianban")


def deploy(arguments: argparse.Namespace) -> int:
    with opened() as engine, engine.unit_of_work() as session:
        deployment = commands.deploy(session, SYSTEM, files_of(arguments.paths), name="lianban deploy")
        for item in deployment.items:
            print(f"{item.kind:8} {item.id:32} {'v' + str(item.version):>5}  {item.name}{'' if item.new else '  (未变 / unchanged)'}")
        for finding in deployment.findings:
            print(f"{finding.severity} {finding}", file=sys.stderr)
    return 0


def lint(arguments: argparse.Namespace) -> int:
    """Prints every finding; the exit code is 1 when one of them is an error. Uses a database of its own: nothing is looked up in yours."""
    with _own_database() as folder, opened(_fresh(folder), any_schema=True) as engine:
        engine.create_schema()
        with engine.unit_of_work() as session:
            directory.import_units(session)
            policies.bring_in(session)
            parsed, _models = commands.check_resources(session, files_of(arguments.paths))
    for finding in parsed.findings:
        print(f"{finding.severity} {finding}\n    {finding.message_en}")
    errors = sum(finding.severity == "error" for finding in parsed.findings)
    print(f"{len(parsed.bpmn) + len(parsed.decisions) + len(parsed.forms)} 个文件，{errors} 处错误 / errors")
    return 1 if errors else 0


def import_camunda7(arguments: argparse.Namespace) -> int:
    """Writes `<name>.camunda8.bpmn` for each file. The exit code is 1 when something has no counterpart: it stays in the file as it was."""
    lost = 0
    for path in arguments.paths:
        if not path.is_file():
            raise NotFound(what="文件", key=str(path))
        translation = translate(path.read_bytes(), path.name)
        target = arguments.into / f"{path.stem}.camunda8.bpmn"
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(translation.xml)
        for finding in translation.findings:
            print(f"{finding.severity} {finding}\n    {finding.message_en}")
        lost += sum(finding.severity == "error" for finding in translation.findings)
        print(target)
    if lost:
        print(f"{lost} 处没有对应的写法，请在图上改画 / {lost} part(s) have no counterpart: redraw them")
    return 1 if lost else 0


def run_simulation(arguments: argparse.Namespace) -> int:
    """In a fresh database of its own. Exit code 1 when a project is stuck or has an incident."""
    variants = list(range(1, 7)) if arguments.variant == "all" else [int(arguments.variant)]
    count = arguments.projects or len(variants)
    failed = 0
    with _own_database() as folder:
        for number in range(count):
            variant, seed = variants[number % len(variants)], arguments.seed + number // len(variants)
            settings = _fresh(folder, f"{number}.db")
            with opened(settings, any_schema=True) as engine:
                engine.create_schema()
                result = simulation.simulate(engine, variant, seed, _reporter(arguments))
            failed += not result.ok
            _print(arguments, {"variant": variant, "seed": seed, "ok": result.ok, "outcome": result.outcome, "steps": result.steps})
            Path(folder, f"{number}.db").unlink(missing_ok=True)
    return 1 if failed else 0


def _reporter(arguments: argparse.Namespace) -> Any:
    return (lambda _step: None) if arguments.quiet else (lambda step: _print(arguments, step))


def _print(arguments: argparse.Namespace, step: dict[str, Any]) -> None:
    print(
        json.dumps(step, ensure_ascii=False, default=str) if arguments.json else "  ".join(str(value) for value in step.values()),
        flush=True,
    )


def _own_database() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="lianban-")


def _fresh(folder: str, name: str = "lint.db") -> Settings:
    return replace(Settings(), database_url=f"sqlite:///{Path(folder, name)}", files_dir=Path(folder, "files"))
