"""Memory of one live instance in the process's cache: a five-stage joint review in the middle of its work, with 20 KB of case data."""

from __future__ import annotations

import tracemalloc

from benchmarks._measure import Row, no_garbage_collection, row
from benchmarks.kernel import Diagram, World, advance_to_last_stage
from engine.bpmn import Instance, parse

INSTANCES = 200
STAGES = 5


def run() -> list[Row]:
    """Rows of the table in var/bench.json: bytes of one instance, in all and without the JSON text of its variables."""
    model = parse(Diagram(STAGES, for_stock=False).xml, "bench.bpmn")[0]
    state, _, _ = advance_to_last_stage(model, STAGES)
    data = sum(len(value) for _, _, value in state.variables)
    with no_garbage_collection():
        tracemalloc.start()
        instances = [Instance.load(model, state, World()) for _ in range(INSTANCES)]
        used, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    kilobytes = used / len(instances) / 1024
    return [row(f"memory of a live instance ({data // 1024} KB of case data shared)", kilobytes, None, 64, "KB")]
