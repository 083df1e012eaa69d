"""The kernel against raw SpiffWorkflow on the benchmark process (stages of eight departments in parallel, a reminder timer per stage, a
subprocess, a twelve-way multi-instance, 20 KB of case data), both sides in one run, medians. Targets: design/engine.md §4.

`run()` -> [{name, value, unit, baseline, ratio, target, ok}]; ratio is value / baseline, and `ok` tells whether it is within the target.
Raw SpiffWorkflow: restore + step + dump of its own serializer at the same place of the same process.
"""

from __future__ import annotations

import gc
import json
import logging
import statistics
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from SpiffWorkflow.bpmn.parser.BpmnParser import BpmnParser
from SpiffWorkflow.bpmn.serializer import BpmnWorkflowSerializer
from SpiffWorkflow.bpmn.workflow import BpmnWorkflow
from SpiffWorkflow.util.task import TaskState

from engine.bpmn import Completed, Instance, Outcome, ProcessModel, parse
from engine.changes import Changes, JobOpened, StoredState
from engine.feel import Environment as FeelEnvironment

Row = dict[str, Any]
DEPARTMENTS = 8
BATCH = 20
"""Our steps take microseconds: so many are measured together, or the clock and the cold cache are measured instead."""
NAMESPACES = (
    'xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
    'xmlns:zeebe="http://camunda.org/schema/zeebe/1.0" targetNamespace="bench"'
)


# ---------------------------------------------------------------------------------------------- the process
class Diagram:
    """Writes the benchmark process in a dialect that both sides read; only the timer text differs."""

    def __init__(self, stages: int, *, for_stock: bool) -> None:
        self.parts: list[str] = []
        self.flows = 0
        self.duration = "'P10D'" if for_stock else "P10D"
        self.xml = self._write(stages).encode()

    def flow(self, source: str, target: str, condition: str = "", id: str = "") -> None:
        self.flows += 1
        inner = f"<conditionExpression>{condition}</conditionExpression>" if condition else ""
        id = id or f"f{self.flows}"
        self.parts.append(f'<sequenceFlow id="{id}" sourceRef="{source}" targetRef="{target}">{inner}</sequenceFlow>')

    def _write(self, stages: int) -> str:
        self.parts.append('<startEvent id="start"/><endEvent id="end"/><endEvent id="rejected_end"/>')
        previous = "start"
        for stage in range(1, stages + 1):
            previous = self._stage(stage, previous)
        inner = '<startEvent id="i_start"/><userTask id="i_accept"/><userTask id="i_check"/><endEvent id="i_end"/>'
        self.parts.append(f'<subProcess id="sub">{inner}')
        for source, target in (("i_start", "i_accept"), ("i_accept", "i_check"), ("i_check", "i_end")):
            self.flow(source, target)
        self.parts.append(f'</subProcess><userTask id="mi">{_loop()}</userTask>')
        self.flow(previous, "sub", id=f"default_{previous}")
        self.flow("sub", "mi")
        self.flow("mi", "end")
        return f'<definitions {NAMESPACES}><process id="p" isExecutable="true">{"".join(self.parts)}</process></definitions>'

    def _stage(self, stage: int, previous: str) -> str:
        fork, join, choice = f"s{stage}_fork", f"s{stage}_join", f"s{stage}_xor"
        self.parts.append(f'<parallelGateway id="{fork}"/><parallelGateway id="{join}"/>')
        self.parts.append(f'<exclusiveGateway id="{choice}" default="default_{choice}"/>')
        self.flow(previous, fork, id="" if stage == 1 else f"default_{previous}")
        for department in range(1, DEPARTMENTS + 1):
            task = f"s{stage}_d{department}"
            self.parts.append(f'<userTask id="{task}" name="部门{department}"/>')
            self.flow(fork, task)
            self.flow(task, join)
        timer = f"<timerEventDefinition><timeDuration>{self.duration}</timeDuration></timerEventDefinition>"
        self.parts.append(f'<boundaryEvent id="s{stage}_t" attachedToRef="s{stage}_d1" cancelActivity="false">{timer}</boundaryEvent>')
        self.parts.append(f'<endEvent id="s{stage}_reminded"/>')
        self.flow(f"s{stage}_t", f"s{stage}_reminded")
        self.flow(join, choice)
        self.flow(choice, "rejected_end", "rejected")
        return choice


def _loop() -> str:
    settings = 'inputCollection="=departments" inputElement="dept" outputCollection="opinions" outputElement="=opinion"'
    return (
        f"<multiInstanceLoopCharacteristics><extensionElements><zeebe:loopCharacteristics {settings}/></extensionElements>"
        "<loopDataInputRef>departments</loopDataInputRef><loopDataOutputRef>opinions</loopDataOutputRef>"
        '<inputDataItem id="dept" name="dept"/><outputDataItem id="opinion" name="opinion"/></multiInstanceLoopCharacteristics>'
    )


def case_data(kilobytes: int = 20) -> Row:
    """Case data of about that size."""
    data: Row = {
        "project": {"name": "招商引资项目", "code": "2022-652301-01", "investor": {"name": "x" * 40}},
        "rejected": False,
        "departments": [f"部门{n}" for n in range(12)],
        "materials": [],
    }
    while len(json.dumps(data)) < kilobytes * 1024:
        number = len(data["materials"])
        data["materials"].append({"id": number, "name": f"material-{number}", "file": "f" * 60, "meta": {"sha256": "a" * 64}})
    return data


def opinion(name: str) -> Row:
    """What a clerk submits."""
    result: Row = {f"op_{name}": {"result": "agree", "by": f"clerk-{name}", "text": "同意" * 20, "ts": 1650000000}}
    if name.startswith("mi"):
        result["opinion"] = {"result": "agree", "by": name}
    return result


# ---------------------------------------------------------------------------------------------- our side
class World:
    """A host that answers at once."""

    feel = FeelEnvironment()

    def now(self) -> datetime:
        return datetime(2026, 1, 5, tzinfo=UTC)

    def decide(self, decision_id: str, binding: str, version_tag: str | None, context: Mapping[str, object]) -> Any:
        raise NotImplementedError

    def perform(self, job: JobOpened) -> Outcome:
        return Completed()

    def caught_by_caller(self, code: str) -> bool:
        return False


class Stored:
    """The rows of one instance, as the tables hold them."""

    def __init__(self) -> None:
        self.header = b""
        self.tokens: dict[int, bytes] = {}
        self.variables: dict[tuple[int, str], bytes] = {}

    def apply(self, changes: Changes) -> None:
        self.header = changes.header
        self.tokens.update(changes.tokens)
        for token_id in changes.removed_tokens:
            del self.tokens[token_id]
        if changes.removed_scopes:
            gone = set(changes.removed_scopes)
            self.variables = {key: raw for key, raw in self.variables.items() if key[0] not in gone}
        self.variables.update(changes.variables)

    def state(self) -> StoredState:
        variables = [(scope, name, raw) for (scope, name), raw in self.variables.items()]
        return StoredState(self.header, [self.tokens[token_id] for token_id in sorted(self.tokens)], variables)


def written(changes: Changes) -> int:
    """Bytes of the rows that a step writes, history without its indexes included."""
    rows = len(changes.header) + sum(map(len, changes.tokens.values())) + sum(map(len, changes.variables.values()))
    return rows + sum(len(json.dumps([e.token_id, e.kind[0], e.element_id, e.predecessor])) for e in changes.history)


def ready(instance: Instance) -> list[tuple[int, str]]:
    return [(t.token_id, t.element_id) for t in instance.live_tokens() if t.kind == "userTask" and t.state == "READY"]


def advance_to_last_stage(model: ProcessModel, stages: int) -> tuple[StoredState, tuple[int, str], list[int]]:
    """Complete tasks until half of the last stage is done: (state, the next task, bytes per step)."""
    world, stored = World(), Stored()
    sizes: list[int] = []
    instance = Instance.start(model, case_data(), world)
    stored.apply(instance.take_changes())
    while True:
        tasks = ready(instance)
        if tasks[0][1].startswith(f"s{stages}_") and len(tasks) <= DEPARTMENTS // 2:
            return stored.state(), tasks[0], sizes
        token_id, name = tasks[0]
        instance.complete_user_task(token_id, opinion(name))
        changes = instance.take_changes()
        sizes.append(written(changes))
        stored.apply(changes)


# ---------------------------------------------------------------------------------------------- stock's side
def stock_blob(stages: int, xml: bytes) -> tuple[str, BpmnWorkflowSerializer]:
    """The serialized stock instance half-way through its last stage."""
    parser = BpmnParser()
    parser.add_bpmn_str(xml)
    serializer = BpmnWorkflowSerializer(BpmnWorkflowSerializer.configure())
    workflow = BpmnWorkflow(parser.get_spec("p"), parser.get_subprocess_specs("p"))
    workflow.get_next_task(spec_name="Start").set_data(**case_data())
    workflow.do_engine_steps()
    while True:
        tasks = stock_ready(workflow)
        if tasks[0].task_spec.name.startswith(f"s{stages}_") and len(tasks) <= DEPARTMENTS // 2:
            return serializer.serialize_json(workflow), serializer
        stock_step(workflow, tasks[0])


def stock_ready(workflow: Any) -> list[Any]:
    return list(workflow.get_tasks(state=TaskState.READY, manual=True))


def stock_step(workflow: Any, task: Any) -> None:
    task.set_data(**opinion(task.task_spec.name))
    task.run()
    workflow.do_engine_steps()


# ---------------------------------------------------------------------------------------------- measuring
def median_ms(action: Callable[[Any], object], rounds: int, setup: Callable[[], Any] = lambda: None) -> float:
    """Median milliseconds of one action, garbage collection off while it runs."""
    times = []
    for number in range(rounds + 2):
        argument = setup()
        gc.collect()
        gc.disable()
        started = time.perf_counter()
        action(argument)
        spent = time.perf_counter() - started
        gc.enable()
        if number >= 2:
            times.append(spent)
    return statistics.median(times) * 1000


def result(name: str, value: float, unit: str, baseline: float | None, target: float) -> Row:
    """One line: `target` is the largest allowed ratio of value to baseline (or value, without a baseline)."""
    ratio = value if baseline is None else value / baseline
    return {
        "name": name,
        "value": round(value, 4),
        "unit": unit,
        "baseline": None if baseline is None else round(baseline, 4),
        "ratio": round(ratio, 5),
        "target": round(target, 5),
        "ok": ratio <= target,
    }


def steps(stages: int, target: float, resident_target: float, bytes_target: float) -> list[Row]:
    """Restore + step + delta and resident step + delta against stock's restore + step + dump."""
    blob, serializer = stock_blob(stages, Diagram(stages, for_stock=True).xml)
    model = parse(Diagram(stages, for_stock=False).xml, "bench.bpmn")[0]
    state, (token_id, name), sizes = advance_to_last_stage(model, stages)
    world = World()

    def stock_round(_: Any) -> object:
        workflow = serializer.deserialize_json(blob)
        stock_step(workflow, stock_ready(workflow)[0])
        return serializer.serialize_json(workflow)

    def complete(instance: Instance) -> Changes:
        instance.complete_user_task(token_id, opinion(name))
        return instance.take_changes()

    def load() -> Instance:
        return Instance.load(model, state, world)

    baseline = median_ms(stock_round, 9 if stages < 20 else 5)
    restored = median_ms(lambda _: [complete(load()) for _ in range(BATCH)], 15) / BATCH
    resident = median_ms(lambda batch: [complete(each) for each in batch], 15, lambda: [load() for _ in range(BATCH)]) / BATCH
    return [
        result(f"kernel.restore_step_delta.{stages}_stages", restored, "ms", baseline, target),
        result(f"kernel.resident_step_delta.{stages}_stages", resident, "ms", baseline, resident_target),
        result(f"kernel.bytes_per_step.{stages}_stages", statistics.mean(sizes), "B", float(len(blob)), bytes_target),
    ]


def rework_loop() -> Row:
    """Milliseconds per step at round 2,000 against round 10 of a rework loop around a fork and join."""
    diagram = (
        '<startEvent id="s"/><exclusiveGateway id="x"/><parallelGateway id="f"/><userTask id="a"/><userTask id="b"/>'
        '<parallelGateway id="j"/><userTask id="d"/><exclusiveGateway id="y" default="fe"/><endEvent id="e"/>'
    )
    for number, ends in enumerate(("sx", "xf", "fa", "fb", "aj", "bj", "jd", "dy")):
        source, target = tuple(ends)
        diagram += f'<sequenceFlow id="f{number}" sourceRef="{source}" targetRef="{target}"/>'
    diagram += '<sequenceFlow id="fr" sourceRef="y" targetRef="x"><conditionExpression>again</conditionExpression></sequenceFlow>'
    diagram += '<sequenceFlow id="fe" sourceRef="y" targetRef="e"/>'
    xml = f'<definitions {NAMESPACES}><process id="p" isExecutable="true">{diagram}</process></definitions>'.encode()
    model, world, stored = parse(xml, "loop.bpmn")[0], World(), Stored()
    instance = Instance.start(model, {"again": True}, world)
    stored.apply(instance.take_changes())
    times = []
    for number in range(2_000):
        started = time.perf_counter()
        for name in ("a", "b", "d") if number % 2 else ("b", "a", "d"):
            instance = Instance.load(model, stored.state(), world)
            instance.complete_user_task(next(token for token, element in ready(instance) if element == name), {})
            stored.apply(instance.take_changes())
        times.append((time.perf_counter() - started) / 3 * 1000)
    return result("kernel.rework_loop.round_2000_vs_10", statistics.median(times[-50:]), "ms", statistics.median(times[5:55]), 1.2)


def multi_instance() -> Row:
    """A 1,000-item multi-instance, start to end, against one of 100 items."""
    body = f'<startEvent id="s"/><userTask id="mi">{_loop()}</userTask><endEvent id="e"/>'
    body += '<sequenceFlow id="f1" sourceRef="s" targetRef="mi"/><sequenceFlow id="f2" sourceRef="mi" targetRef="e"/>'
    xml = f'<definitions {NAMESPACES}><process id="p" isExecutable="true">{body}</process></definitions>'.encode()
    model, world = parse(xml, "mi.bpmn")[0], World()

    def go(count: int) -> None:
        instance = Instance.start(model, {"departments": list(range(count))}, world)
        for token_id, _ in ready(instance):
            instance.complete_user_task(token_id, {"opinion": 1})
        assert instance.state == "COMPLETED"

    small = median_ms(lambda _: go(100), 9)
    return result("kernel.multi_instance.1000_vs_100", median_ms(lambda _: go(1000), 3), "ms", small, 12)


def run() -> list[Row]:
    """Every measure of this file."""
    logging.getLogger("spiff").setLevel(logging.CRITICAL)
    return [*steps(5, 1 / 50, 1 / 80, 1 / 200), *steps(60, 1 / 500, 1 / 500, 1 / 200), rework_loop(), multi_instance()]


if __name__ == "__main__":
    for line in run():
        print(json.dumps(line, ensure_ascii=False))
