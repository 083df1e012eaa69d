"""What every element's folder is tested with: small diagrams beside the tests, each run in every way at once.

A `Case` names a diagram, the variables and the steps with what is open after each. `check_all` runs it
- resident and stored-and-restored before every step, in lockstep: everything observable is equal;
- to its end, where nothing is left open and every element instance that came has ended exactly once;
- refusing after every step to take that same step again (wrong order), without any change;
- cancelled after every step, where nothing is left open;
- and the same again for its twin `nested/<name>`, which has the diagram inside two subprocesses.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from engine.bpmn import Completed, Instance, Known, Outcome, Pending, lint, parse
from engine.changes import JobOpened, UncaughtThrow
from engine.errors import Conflict, NotFound
from tests.bpmn.support import NOON, Host
from tests.bpmn.twins import Twins

Jobs = Mapping[str, Callable[[JobOpened], Outcome]]
PENDING: Jobs = {"work": lambda _: Pending()}
DONE = "完"
"""What is open after the last step."""


@dataclass(frozen=True)
class Step:
    """One thing that happens: a method of Instance with its arguments, made from what is open. `after`: what is open then."""

    name: str
    make: Callable[[Twins], tuple[str, tuple[Any, ...]]]
    after: str
    again: bool = False
    """may happen again at once (signals, time, variables)"""


def _on(kind: str, element: str, twins: Twins) -> int:
    found = [token for token, item in sorted(twins.rows.open[kind].items()) if item.element_id == element]
    assert found, f"{element} is not among the open {kind}: {opened(twins)}"
    return found[0]


def do(element: str, after: str, **variables: Any) -> Step:
    """Complete a user task."""
    return Step(f"do {element}", lambda t: ("complete_user_task", (_on("tasks", element, t), variables)), after)


def job(element: str, after: str, *, again: bool = False, **variables: Any) -> Step:
    """A worker completes the pending job; `again`: the token has the next listener's job at once."""
    return Step(f"job {element}", lambda t: ("complete_job", (_on("jobs", element, t), variables)), after, again)


def error(element: str, code: str, after: str, **variables: Any) -> Step:
    """A worker throws a BPMN error from the pending job, or a person from the open task."""

    def make(twins: Twins) -> tuple[str, tuple[Any, ...]]:
        kind = "jobs" if any(item.element_id == element for item in twins.rows.open["jobs"].values()) else "tasks"
        return "throw_error", (_on(kind, element, twins), code, "", variables)

    return Step(f"error {element}", make, after, f"!{element}" in after.split())


def escalate(element: str, code: str, after: str) -> Step:
    """A person escalates from an open task."""
    return Step(f"escalate {element}", lambda t: ("throw_escalation", (_on("tasks", element, t), code, {})), after, True)


def message(element: str, after: str, *, again: bool = False, **variables: Any) -> Step:
    """A message is correlated; `again`: the event does not interrupt."""
    return Step(f"message {element}", lambda t: ("correlate", (_on("messages", element, t), variables)), after, again)


def signal(name: str, after: str, **variables: Any) -> Step:
    """A signal comes from outside."""
    return Step(f"signal {name}", lambda _: ("signal", (name, variables)), after, True)


def called(element: str, after: str, **variables: Any) -> Step:
    """The called instance completes."""
    return Step(f"called {element}", lambda t: ("call_completed", (_on("calls", element, t), variables)), after)


def call_throws(element: str, kind: Any, code: str, after: str) -> Step:
    """The called instance ends by an error, or passes an escalation on."""
    thrown = UncaughtThrow(kind, code, "", {})
    return Step(f"{kind} of {element}", lambda t: ("call_failed", (_on("calls", element, t), thrown)), after, kind == "escalation")


def retry(element: str, after: str) -> Step:
    """Somebody resolves the incident."""
    return Step(f"retry {element}", lambda t: ("retry", (_on("incidents", element, t),)), after, f"!{element}" in after.split())


def put(after: str, **variables: Any) -> Step:
    """Somebody writes variables of the instance."""
    return Step("put", lambda _: ("set_variables", (variables,)), after, True)


def activate(element: str, names: list[str], after: str) -> Step:
    """More elements of an ad-hoc subprocess are activated."""

    def make(twins: Twins) -> tuple[str, tuple[Any, ...]]:
        return "activate_ad_hoc", (
            next(t.token_id for t in twins.live.live_tokens() if t.element_id == element),
            {name: {} for name in names},
        )

    return Step(f"activate {names}", make, after, True)


def wait(after: str, **delta: float) -> Step:
    """Time passes, and what is due fires."""

    def make(twins: Twins) -> tuple[str, tuple[Any, ...]]:
        twins.host.at += timedelta(**delta)
        return "fire_due", (twins.host.at,)

    return Step(f"wait {delta}", make, after, True)


def opened(twins: Twins) -> str:
    """What is open, in words: user tasks by id, job:, message:, signal:, call: and !incident."""
    rows = twins.rows.open
    marks = {"tasks": "", "jobs": "job:", "messages": "message:", "calls": "call:", "incidents": "!"}
    words = [mark + item.element_id for kind, mark in marks.items() for item in rows[kind].values()]
    words += [f"signal:{name}" for name in rows["signals"].values()]
    return " ".join(sorted(words)) if twins.live.state == "ACTIVE" else DONE


@dataclass(frozen=True)
class Case:
    """A diagram (file name without .bpmn), its variables, what is open at first, the steps, and the variables at the end."""

    file: str
    begin: str
    steps: tuple[Step, ...] = ()
    given: Mapping[str, Any] = field(default_factory=dict)
    ends: Mapping[str, Any] | None = None
    jobs: Jobs = field(default_factory=lambda: PENDING)
    decisions: Mapping[str, Callable[[Mapping[str, object]], object]] = field(default_factory=dict)
    start: str | None = None
    state: str = "COMPLETED"
    options: Mapping[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.file

    def open(self, path: Path) -> Twins:
        """A pair of instances that have just begun."""
        host = Host(at=NOON, jobs={"quick": lambda _: Completed({"quick": 1}), **self.jobs}, decisions=dict(self.decisions))
        return Twins(parse(path.read_bytes(), path.name)[0], dict(self.given), host, start_element=self.start, **self.options)


def check_all(test_file: str, case: Case) -> None:
    """Every check of a case and of its nested twin."""
    folder = Path(test_file).parent
    path = folder / f"{case.file}.bpmn"
    errors = [str(f) for f in lint(path.read_bytes(), path.name, Known()) if f.severity == "error"]
    assert errors == []
    _check(path, case)
    if case.start is None and not case.options:
        _check(folder / "nested" / path.name, case)


def _check(path: Path, case: Case) -> None:
    _to_the_end(path, case)
    for number in range(len(case.steps) + (case.begin != DONE and not case.steps)):
        _cancelled_after(path, case, number)


def _to_the_end(path: Path, case: Case) -> None:
    twins = case.open(path)
    assert opened(twins) == case.begin, (path, opened(twins))
    for step in case.steps:
        method, arguments = step.make(twins)
        twins.do(method, *arguments)
        assert opened(twins) == step.after, (path, step.name, opened(twins))
        if not step.again:
            _refused(twins, method, arguments)
    if case.steps and case.steps[-1].after != DONE:
        return
    assert twins.live.state == case.state, path
    if case.ends is not None:
        assert twins.live.variables() == dict(case.ends), path
    nothing_open(twins)


def _refused(twins: Twins, method: str, arguments: tuple[Any, ...]) -> None:
    """The same step again is refused, on the living instance and on the restored one, and changes nothing."""
    for instance in (twins.live, twins.stored):
        with pytest.raises((Conflict, NotFound)):
            getattr(instance, method)(*arguments)
    twins.unchanged()


def _cancelled_after(path: Path, case: Case, number: int) -> None:
    twins = case.open(path)
    for step in case.steps[:number]:
        method, arguments = step.make(twins)
        twins.do(method, *arguments)
    twins.do("cancel")
    assert twins.live.state == "TERMINATED"
    nothing_open(twins)


def nothing_open(twins: Twins) -> None:
    """An ended instance has no tokens, scopes, tasks, jobs, subscriptions, calls or incidents; all that came has ended once."""
    assert not twins.rows.tokens and not any(scope for scope, _ in twins.rows.variables)
    assert not any(twins.rows.open.values()), twins.rows.open
    entered = [e.token_id for e in twins.rows.history if e.kind == "entered"]
    assert sorted(entered) == sorted(e.token_id for e in twins.rows.history if e.kind != "entered")


def instance_of(twins: Twins) -> Instance:
    """The resident twin."""
    return twins.live
