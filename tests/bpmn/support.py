"""Helpers for the kernel's tests: a small BPMN writer, a host that answers the kernel, and a store that keeps rows as the tables would."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import orjson

from engine.bpmn import Completed, Instance, Outcome, ProcessModel, parse
from engine.changes import Changes, JobOpened, StoredState
from engine.errors import DecisionNotFound
from engine.feel import Environment as FeelEnvironment

HEAD = (
    '<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
    'xmlns:zeebe="http://camunda.org/schema/zeebe/1.0" targetNamespace="t">'
)
ROOTS = (
    '<error id="E1" errorCode="E1"/><error id="E2" errorCode="E2"/><escalation id="X1" escalationCode="X1"/>'
    '<signal id="S1" name="S1"/><signal id="S2" name="S2"/>'
    '<message id="M1" name="M1"><extensionElements><zeebe:subscription correlationKey="=key"/></extensionElements></message>'
)
START, END = '<startEvent id="s"/>', '<endEvent id="e"/>'
NOON = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)


def doc(body: str, process_id: str = "p", roots: str = ROOTS) -> bytes:
    """A file with one process."""
    return f'{HEAD}{roots}<process id="{process_id}" isExecutable="true">{body}</process></definitions>'.encode()


def el(kind: str, id: str, inner: str = "", **attributes: str) -> str:
    """One element."""
    written = "".join(f' {name}="{value}"' for name, value in attributes.items())
    return f'<{kind} id="{id}"{written}>{inner}</{kind}>'


def user(*ids: str) -> str:
    """Plain user tasks."""
    return "".join(el("userTask", id) for id in ids)


def zeebe(inner: str) -> str:
    """Extension elements."""
    return f"<extensionElements>{inner}</extensionElements>"


def quoted(expression: str) -> str:
    """A FEEL text inside an attribute."""
    return expression.replace('"', "&quot;")


def script(id: str, expression: str, result: str) -> str:
    """A FEEL script task."""
    return el("scriptTask", id, zeebe(f'<zeebe:script expression="={quoted(expression)}" resultVariable="{result}"/>'))


def service(id: str, type: str, extra: str = "", inner: str = "") -> str:
    """A service task with a job type."""
    return el("serviceTask", id, zeebe(f'<zeebe:taskDefinition type="{type}"/>{extra}') + inner)


def io(inputs: Mapping[str, str] | None = None, outputs: Mapping[str, str] | None = None) -> str:
    """An io mapping: target -> FEEL."""
    written = "".join(f'<zeebe:input source="={quoted(v)}" target="{k}"/>' for k, v in (inputs or {}).items())
    written += "".join(f'<zeebe:output source="={quoted(v)}" target="{k}"/>' for k, v in (outputs or {}).items())
    return f"<zeebe:ioMapping>{written}</zeebe:ioMapping>"


def gate(id: str, kind: str = "parallel", **attributes: str) -> str:
    """A gateway."""
    return el(f"{kind}Gateway", id, **attributes)


_flows = [0]


def flow(source: str, target: str, condition: str = "", id: str = "") -> str:
    """A sequence flow; the id is made up when it does not matter."""
    _flows[0] += 1
    inner = f"<conditionExpression>={condition}</conditionExpression>" if condition else ""
    return f'<sequenceFlow id="{id or f"f{_flows[0]}"}" sourceRef="{source}" targetRef="{target}">{inner}</sequenceFlow>'


def chain(*ids: str) -> str:
    """Flows through the elements."""
    return "".join(flow(a, b) for a, b in pairwise(ids))


def sub(id: str, inner: str, tag: str = "subProcess", **attributes: str) -> str:
    """A subprocess."""
    return el(tag, id, inner, **attributes)


def event_sub(id: str, definition: str, inner: str, interrupting: bool = True) -> str:
    """An event subprocess whose start is `<id>_s` and end `<id>_e`."""
    start = el("startEvent", f"{id}_s", definition, isInterrupting=str(interrupting).lower())
    return sub(id, start + inner + el("endEvent", f"{id}_e"), triggeredByEvent="true")


def boundary(id: str, host: str, definition: str, interrupting: bool = True) -> str:
    """A boundary event."""
    return el("boundaryEvent", id, definition, attachedToRef=host, cancelActivity=str(interrupting).lower())


def timer(text: str, kind: str = "timeDuration") -> str:
    """A timer definition."""
    return f"<timerEventDefinition><{kind}>{text}</{kind}></timerEventDefinition>"


ERROR = '<errorEventDefinition errorRef="E1"/>'
ANY_ERROR = "<errorEventDefinition/>"
ESCALATION = '<escalationEventDefinition escalationRef="X1"/>'
SIGNAL = '<signalEventDefinition signalRef="S1"/>'
MESSAGE = '<messageEventDefinition messageRef="M1"/>'
COMPENSATE = "<compensateEventDefinition/>"
TERMINATE = "<terminateEventDefinition/>"


def multi(collection: str = "units", element: str = "unit", out: str = "", out_element: str = "", until: str = "", **kw: str) -> str:
    """multiInstanceLoopCharacteristics with zeebe settings."""
    collect = f' outputCollection="{out}" outputElement="={out_element}"' if out else ""
    done = f"<completionCondition>={until}</completionCondition>" if until else ""
    sequential = f' isSequential="{kw["sequential"]}"' if "sequential" in kw else ""
    return (
        f"<multiInstanceLoopCharacteristics{sequential}><extensionElements>"
        f'<zeebe:loopCharacteristics inputCollection="={collection}" inputElement="{element}"{collect}/>'
        f"</extensionElements>{done}</multiInstanceLoopCharacteristics>"
    )


@dataclass
class Decided:
    """A decision result."""

    value: object
    trace: list[dict[str, Any]] = field(default_factory=list)


@dataclass
class Host:
    """A host: business time that tests move, decisions and jobs (default: Completed) as functions; whether its caller catches errors."""

    at: datetime = NOON
    jobs: dict[str, Callable[[JobOpened], Outcome]] = field(default_factory=dict)
    decisions: dict[str, Callable[[Mapping[str, object]], object]] = field(default_factory=dict)
    performed: list[JobOpened] = field(default_factory=list)
    caller_catches: bool = True
    feel: FeelEnvironment = field(default_factory=lambda: FeelEnvironment(now=lambda: NOON))

    def now(self) -> datetime:
        return self.at

    def decide(self, decision_id: str, binding: str, version_tag: str | None, context: Mapping[str, object]) -> Any:
        if decision_id not in self.decisions:
            raise DecisionNotFound(decision=decision_id, reason="unknown")
        return Decided(self.decisions[decision_id](context), [{"decisionId": decision_id}]), 7

    def perform(self, job: JobOpened) -> Outcome:
        self.performed.append(job)
        function = self.jobs.get(job.type)
        return Completed() if function is None else function(job)

    def caught_by_caller(self, code: str) -> bool:
        return self.caller_catches


class Rows:
    """What the tables would hold."""

    def __init__(self) -> None:
        self.header = b""
        self.tokens: dict[int, bytes] = {}
        self.variables: dict[tuple[int, str], bytes] = {}
        self.history: list[Any] = []
        self.open: dict[str, dict[int, Any]] = {"tasks": {}, "jobs": {}, "messages": {}, "signals": {}, "incidents": {}, "calls": {}}
        self.changes = Changes()

    def apply(self, changes: Changes) -> None:
        """Write one step, closing before opening."""
        self.changes, self.header = changes, changes.header
        self.tokens.update(changes.tokens)
        for token_id in changes.removed_tokens:
            del self.tokens[token_id]
        gone = set(changes.removed_scopes)
        self.variables = {key: raw for key, raw in self.variables.items() if key[0] not in gone}
        self.variables.update(changes.variables)
        self.history.extend(changes.history)
        for name, closed, opened in (
            ("tasks", [c.token_id for c in changes.closed_user_tasks], changes.user_tasks),
            ("jobs", changes.closed_jobs, changes.jobs),
            ("messages", changes.closed_subscriptions, changes.subscriptions),
            ("incidents", changes.resolved_incidents, changes.incidents),
            ("calls", changes.cancelled_calls, changes.calls),
        ):
            for token_id in closed:
                del self.open[name][token_id]
            for item in opened:
                assert item.token_id not in self.open[name], (name, item)
                self.open[name][item.token_id] = item
        for token_id in changes.closed_signal_waits:
            del self.open["signals"][token_id]
        self.open["signals"].update(dict(changes.signal_waits))
        if changes.state == "ACTIVE":
            ids = {orjson.loads(row)[0] for row in self.tokens.values()}
            assert {key[0] for key in self.variables} <= ids | {0}

    def stored(self) -> StoredState:
        """The rows as the store reads them."""
        return StoredState(
            self.header,
            [self.tokens[i] for i in sorted(self.tokens)],
            [(scope, name, raw) for (scope, name), raw in self.variables.items()],
        )


class Run:
    """A process instance under test. It is stored and restored before every step, unless `resident`."""

    def __init__(
        self,
        source: bytes | ProcessModel,
        variables: Mapping[str, Any] | None = None,
        host: Host | None = None,
        resident: bool = False,
        **options: Any,
    ) -> None:
        self.model = parse(source, "test.bpmn")[0] if isinstance(source, bytes) else source
        self.host = host or Host()
        self.resident = resident
        self.rows = Rows()
        self.instance = Instance.start(self.model, variables or {}, self.host, **options)
        self.store()

    def store(self) -> Changes:
        changes = self.instance.take_changes()
        self.rows.apply(changes)
        if not self.resident and self.instance.state == "ACTIVE":
            self.instance = Instance.load(self.model, self.rows.stored(), self.host)
        return changes

    def do(self, method: str, *arguments: Any, **named: Any) -> Any:
        """One command and its storing."""
        result = getattr(self.instance, method)(*arguments, **named)
        if method in ("complete_job", "throw_error"):
            self.rows.open["jobs"].pop(arguments[0], None)
        elif method == "call_completed" or (method == "call_failed" and arguments[1].kind == "error"):
            self.rows.open["calls"].pop(arguments[0])
        self.store()
        return result

    # ------------------------------------------------------------------ looking
    @property
    def state(self) -> str:
        return self.instance.state

    @property
    def tasks(self) -> list[str]:
        """Element ids of the open user tasks, sorted."""
        return sorted(task.element_id for task in self.rows.open["tasks"].values())

    @property
    def variables(self) -> dict[str, Any]:
        return self.instance.variables()

    @property
    def incidents(self) -> list[tuple[str, str]]:
        return sorted((i.element_id, i.kind) for i in self.rows.open["incidents"].values())

    def token(self, element_id: str, kind: str = "tasks") -> int:
        """The first open task (job, message, incident, call) of an element."""
        return next(i for i, item in sorted(self.rows.open[kind].items()) if item.element_id == element_id)

    def at(self, element_id: str) -> int:
        """The first live token at an element."""
        return next(t.token_id for t in self.instance.live_tokens() if t.element_id == element_id)

    def events(self, element_id: str) -> list[str]:
        return [e.kind for e in self.rows.history if e.element_id == element_id]

    # ------------------------------------------------------------------ doing
    def complete(self, element_id: str, token_id: int | None = None, /, **variables: Any) -> None:
        self.do("complete_user_task", token_id or self.token(element_id), variables)

    def message(self, element_id: str, **variables: Any) -> None:
        self.do("correlate", self.token(element_id, "messages"), variables)

    def signal(self, name: str = "S1", **variables: Any) -> int:
        count: int = self.do("signal", name, variables)
        return count

    def wait(self, **delta: float) -> int:
        """Let time pass and fire what is due."""
        self.host.at += timedelta(**delta)
        count: int = self.do("fire_due", self.host.at)
        return count


def diagram(test_file: str, name: str) -> bytes:
    """A .bpmn file beside a test."""
    return (Path(test_file).parent / name).read_bytes()
