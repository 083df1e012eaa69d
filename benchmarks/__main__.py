"""`make bench`: run every benchmark module, print the table, write var/bench.json."""

from __future__ import annotations

import importlib
import json
import pkgutil
import sys
from pathlib import Path
from typing import Any

import benchmarks

ROOT = Path(__file__).resolve().parent.parent


def main(names: list[str]) -> int:
    """Run the named modules, or all that have a run() -> 0 when every target was met, else 1."""
    found = names or sorted(m.name for m in pkgutil.iter_modules(benchmarks.__path__) if not m.name.startswith("_"))
    rows: list[dict[str, Any]] = []
    for name in found:
        module = importlib.import_module(f"benchmarks.{name}")
        if hasattr(module, "run"):
            rows += module.run()
    target = ROOT / "var" / "bench.json"
    target.parent.mkdir(exist_ok=True)
    target.write_text(json.dumps(rows, ensure_ascii=False, indent=1))
    for row in rows:
        mark = "ok " if row["ok"] else "NOT"
        limit = "-" if row["target"] is None else f"<= {row['target']:g}"
        print(f"{mark} {row['name']:<60} {row['value']:>12.4g} {row['unit']:<8} ratio {row['ratio']:>9.3g}  target {limit}")
    return 0 if all(row["ok"] for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
