"""The house: make's targets, the lock files, what must not stand in the repository."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TARGETS = ("setup", "run", "test", "lint", "bench", "soak", "assets", "help")
MAX_LINES = 500
ADDRESS = re.compile(r"https?://", re.IGNORECASE)


def tracked(*patterns: str) -> list[Path]:
    """Files of the repository, new ones included, without what git ignores."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "--", *patterns],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return [ROOT / name for name in listed.stdout.splitlines() if (ROOT / name).is_file()]


def make(*arguments: str) -> str:
    return subprocess.run(["make", *arguments], cwd=ROOT, capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize("target", TARGETS)
def test_make_help_explains_every_target(target: str) -> None:
    assert re.search(rf"^make {target} +\S", make("--no-print-directory", "help"), re.MULTILINE)


def test_ci_runs_lint_and_test() -> None:
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert "make --no-print-directory lint" in script
    assert "make --no-print-directory test" in script
    assert "set -euo pipefail" in script


@pytest.mark.parametrize(
    "name", ["requirements.lock", "requirements-node.lock", "webapp/package-lock.json", "webapp/.npmrc", "pyproject.toml"]
)
def test_lock_files_hold_no_address(name: str) -> None:
    lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
    kept = [line for line in lines if ADDRESS.search(line) and not re.search(r'"(url|funding|homepage)"', line)]
    assert kept == []


def test_every_python_requirement_is_pinned_with_a_hash() -> None:
    text = (ROOT / "requirements.lock").read_text(encoding="utf-8").replace("\\\n", " ")
    entries = [line for line in text.splitlines() if line and not line.lstrip().startswith("#")]
    assert len(entries) > 40
    assert [entry for entry in entries if "==" not in entry or "--hash=sha256:" not in entry] == []


def test_every_node_package_is_pinned_with_a_hash() -> None:
    lock = json.loads((ROOT / "webapp" / "package-lock.json").read_text(encoding="utf-8"))
    packages = {name: entry for name, entry in lock["packages"].items() if name}
    assert [name for name, entry in packages.items() if "integrity" not in entry] == []
    assert [name for name, entry in packages.items() if "resolved" in entry] == []


def test_no_path_of_a_machine_stands_in_the_repository() -> None:
    here = re.compile(re.escape(str(ROOT.parent) + "/") + "|" + re.escape(str(Path.home()) + "/"))
    found = []
    for path in tracked():
        if path.suffix in {".png", ".woff2", ".lock"}:
            continue
        text = path.read_text(encoding="utf-8", errors="ignore")
        found += [f"{path.relative_to(ROOT)}: {match.group()}" for match in here.finditer(text)]
    assert found == []


def test_no_source_file_is_too_long_to_read() -> None:
    written = [path for path in tracked("*.py", "*.js", "*.css", "*.html") if "migrations" not in path.parts]  # Alembic writes those
    assert {str(path.relative_to(ROOT)): lines for path in written if (lines := _lines(path)) > MAX_LINES} == {}


def _lines(path: Path) -> int:
    return len(path.read_text(encoding="utf-8").splitlines())


SOURCES = ("engine/*.py", "handlers/*.py", "webapp/*.py")
FORBIDDEN = [
    (r"datetime\.now\(|date\.today\(|time\.time\(\)", "engine/clock.py", "time comes from engine/clock.py"),
    (r"\.commit\(", "engine/unit_of_work.py", "only the unit of work commits"),
    (r"(?<![\w.])(?:eval|exec)\(", None, "no eval, no exec"),
    (r"except( Exception)?:|except BaseException", None, "no broad except"),
]


@pytest.mark.parametrize(("pattern", "allowed", "rule"), FORBIDDEN, ids=[rule for _, _, rule in FORBIDDEN])
def test_rules_of_the_house(pattern: str, allowed: str | None, rule: str) -> None:
    expression = re.compile(pattern)
    found = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in tracked(*SOURCES)
        if str(path.relative_to(ROOT)) != allowed
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if expression.search(line)
    ]
    assert found == [], rule
