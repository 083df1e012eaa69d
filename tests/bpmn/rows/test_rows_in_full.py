"""Rows d, h, j, k, m, q, v and w of engine.md §1 name several faults each: here are those that test_rows.py leaves out."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta, tzinfo

import pytest
from SpiffWorkflow.bpmn.parser.ProcessParser import ProcessParser
from SpiffWorkflow.bpmn.specs.event_definitions import SignalEventDefinition
from SpiffWorkflow.bpmn.specs.event_definitions import timer as stock_timer
from SpiffWorkflow.bpmn.util.event import BpmnEvent
from SpiffWorkflow.util.task import TaskState

from engine.bpmn import Known, lint, parse
from engine.bpmn.spiff import FUTURE
from engine.errors import Conflict, DeploymentRefused
from tests.bpmn.rows.stock import Stock
from tests.bpmn.support import NOON, Run, diagram

pytestmark = pytest.mark.scaled


def row(name: str) -> bytes:
    return diagram(__file__, f"row_{name}.bpmn")


def signalled(stock: Stock) -> list[str]:
    """What is open in stock after the signal S1."""
    stock.workflow.catch(BpmnEvent(SignalEventDefinition("S1"), {}))
    stock.workflow.do_engine_steps()
    return stock.tasks


# ---------------------------------------------------------------------------------------------- d
@pytest.fixture
def shallow_stack() -> Iterator[None]:
    """A fifth of the stack that Python has by default: what recurses over the rounds of a loop fails after a fifth of its rounds."""
    limit, depth, frame = sys.getrecursionlimit(), 0, sys._getframe()
    while frame is not None:
        depth, frame = depth + 1, frame.f_back  # type: ignore[assignment]
    sys.setrecursionlimit(depth + 200)
    yield
    sys.setrecursionlimit(limit)


@pytest.mark.usefixtures("shallow_stack")
def test_row_d_a_fork_and_join_in_a_loop_run_on() -> None:
    run = Run(row("d_joins"), {"again": True}, resident=True)
    for _ in range(1_000):
        run.complete("b")
        run.complete("a")
    assert run.tasks == ["a", "b"] and len(run.rows.tokens) == 3
    run.complete("a")
    run.complete("b", again=False)
    assert run.state == "COMPLETED"


@pytest.mark.usefixtures("shallow_stack")
def test_row_d_control_of_a_fork_and_join() -> None:
    """162 rounds with Python's default stack, which take minutes."""
    stock, rounds = Stock(row("d_joins"), {"again": True}), 0
    with pytest.raises(RecursionError):
        while stock.tasks == ["a", "b"]:
            stock.do("a")
            stock.do("b")
            rounds += 1
    assert rounds < 60


# ---------------------------------------------------------------------------------------------- h
def test_row_h_a_task_that_was_not_reached_does_not_run() -> None:
    run = Run(row("h"), resident=True)
    token = run.instance._process.tokens[run.token("a")]
    token._state = FUTURE
    with pytest.raises(Conflict):
        token.run()


def test_row_h_control_of_a_task_that_was_not_reached() -> None:
    stock = Stock(row("h"))
    later = next(task for task in stock.workflow.get_tasks() if task.task_spec.bpmn_id == "b")
    assert later.state == TaskState.FUTURE and later.run() is True


# ---------------------------------------------------------------------------------------------- j
def test_row_j_a_link_leads_to_its_catch() -> None:
    run = Run(row("j_link"))
    run.complete("b")
    assert run.tasks == ["a"]


def test_row_j_control_of_a_link() -> None:
    stock = Stock(row("j_link"))
    stock.do("b")
    assert stock.tasks == [] and stock.completed, "ends at the link as if the rest of the diagram were not there"


def test_row_j_compensation_runs_its_handler() -> None:
    run = Run(row("j_compensation"))
    run.complete("a")
    assert run.tasks == ["undo"]
    run.complete("undo")
    assert run.tasks == ["z"]


def test_row_j_control_of_compensation() -> None:
    """Stock cannot read the boundary event; its throw event is passed through."""
    stock = Stock(re.sub(rb"<boundaryEvent.*</boundaryEvent>", b"", row("j_compensation"), flags=re.DOTALL))
    stock.do("a")
    assert stock.tasks == ["z"]


def test_row_j_a_receive_task_without_a_message_is_refused() -> None:
    findings = [(each.element_id, each.rule) for each in lint(row("j_receive"), "r.bpmn", Known()) if each.severity == "error"]
    assert set(findings) == {("r", "reference")}
    with pytest.raises(DeploymentRefused):
        parse(row("j_receive").replace(b'"r"/>', b'"r" messageRef="nobody"/>'), "r.bpmn")


def test_row_j_control_of_a_receive_task() -> None:
    assert Stock(row("j_receive")).tasks == ["a"], "passed through"


def test_row_j_an_event_definition_may_stand_elsewhere() -> None:
    run = Run(row("j_reference"))
    assert run.tasks == [] and run.wait(minutes=59) == 0
    assert run.wait(minutes=1) == 1 and run.tasks == ["a"]


def test_row_j_control_of_an_event_definition_elsewhere() -> None:
    assert Stock(row("j_reference")).tasks == ["a"], "does not wait at all"


def test_row_j_the_condition_of_a_tasks_flow_is_heeded() -> None:
    run = Run(row("j_condition"), {"x": 1})
    run.complete("t")
    assert run.tasks == [] and run.state == "COMPLETED"


def test_row_j_control_of_the_condition_of_a_tasks_flow() -> None:
    stock = Stock(row("j_condition"), {"x": 1})
    stock.do("t")
    assert stock.tasks == ["a"], "although x > 1 does not hold"


def test_row_j_a_task_may_split() -> None:
    run = Run(row("j_split"))
    run.complete("t")
    assert run.tasks == ["a", "b"]


def test_row_j_control_of_a_task_that_splits() -> None:
    with pytest.raises(Exception, match="Multiple outgoing flows are not supported"):
        Stock(row("j_split"))


# ---------------------------------------------------------------------------------------------- k
def test_row_k_an_escalation_event_subprocess_waits_for_its_escalation() -> None:
    run = Run(row("k_escalation"))
    assert run.tasks == ["a"]
    run.complete("a")
    assert run.tasks == ["h"]


def test_row_k_a_compensation_event_subprocess_waits_until_its_scope_is_undone() -> None:
    run = Run(row("k_compensation"))
    assert run.tasks == ["a"]
    run.complete("a")
    assert run.tasks == ["h"]
    run.complete("h")
    assert run.state == "COMPLETED"


@pytest.mark.parametrize("name", ["k_escalation", "k_compensation"])
def test_row_k_control_of_events_that_are_thrown(name: str) -> None:
    assert Stock(row(name)).tasks == ["a", "h"], "the handler runs before anything was thrown"


def test_row_k_an_interrupting_event_subprocess_interrupts() -> None:
    run = Run(row("k_interrupting"))
    run.signal("S1")
    assert run.tasks == ["h"] and run.events("a") == ["entered", "terminated"]


def test_row_k_control_of_an_interrupting_event_subprocess() -> None:
    assert signalled(Stock(row("k_interrupting"))) == ["a", "h"]


def test_row_k_an_event_subprocess_listens_inside_a_subprocess() -> None:
    run = Run(row("k_inside"))
    run.signal("S1")
    assert run.tasks == ["h"]


def test_row_k_control_of_an_event_subprocess_inside() -> None:
    assert signalled(Stock(row("k_inside"))) == ["a"], "never triggered"


def test_row_k_a_waiting_event_subprocess_keeps_nothing_open() -> None:
    run = Run(row("k_timer"))
    run.complete("a")
    assert run.state == "COMPLETED" and run.instance.next_due_at is None


def test_row_k_control_of_a_waiting_event_subprocess() -> None:
    stock = Stock(row("k_timer").replace(b"PT1H", b"'PT1H'"))
    stock.do("a")
    assert stock.tasks == [] and not stock.completed


# ---------------------------------------------------------------------------------------------- m
def test_row_m_history_stays() -> None:
    run = Run(row("m"))
    run.complete("a")
    run.complete("b")
    before = list(run.rows.history)
    run.do("return_to", run.token("c"), "a", run.rows.history)
    assert run.rows.history[: len(before)] == before


def test_row_m_control_of_history() -> None:
    stock = Stock(row("m"))
    first = next(task for task in stock.ready() if task.task_spec.bpmn_id == "a")
    stock.do("a", opinion="同意")
    assert first.data["opinion"] == "同意"
    stock.workflow.reset_from_task_id(first.id)
    assert stock.states("a") == [TaskState.READY]
    assert not any("opinion" in task.data for task in stock.workflow.get_tasks()), "nobody knows that somebody ever agreed"


# ---------------------------------------------------------------------------------------------- q
def test_row_q_a_timer_is_plain_iso_8601() -> None:
    run = Run(row("q_timer"))
    assert run.instance.next_due_at == NOON + timedelta(hours=1)


def test_row_q_control_of_a_plain_timer() -> None:
    with pytest.raises(Exception, match="PT1H"):
        Stock(row("q_timer"))
    assert Stock(row("q_timer").replace(b"PT1H", b"'PT1H'")).states("c") == [TaskState.WAITING], "only as quoted Python"


# ---------------------------------------------------------------------------------------------- v
def test_row_v_a_data_object_of_the_process_may_be_read_deep_inside() -> None:
    run = Run(row("v_data"))
    run.complete("u")
    assert run.state == "COMPLETED"


class _Hangs(BaseException):
    """Nothing of upstream's catches this."""


def test_row_v_control_of_a_data_object(monkeypatch: pytest.MonkeyPatch) -> None:
    """Upstream asks the same scope for its parent for ever."""
    asked = 0

    def parent(self: ProcessParser) -> object:
        nonlocal asked
        asked += 1
        if asked > 1_000:
            raise _Hangs
        return self.__dict__["parent"]

    def keep(self: ProcessParser, value: object) -> None:
        self.__dict__["parent"] = value

    monkeypatch.setattr(ProcessParser, "parent", property(parent, keep), raising=False)
    with pytest.raises(_Hangs):
        Stock(row("v_data"))


# ---------------------------------------------------------------------------------------------- w
def test_row_w_control_of_the_diagram(monkeypatch: pytest.MonkeyPatch) -> None:
    class On31January(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> On31January:
            return cls(2026, 1, 31, 12, tzinfo=tz)

    monkeypatch.setattr(stock_timer, "datetime", On31January)
    stock = Stock(row("w").replace(b"P1M", b"'P1M'"))
    (waiting,) = stock.workflow.get_tasks(state=TaskState.WAITING)
    assert waiting.internal_data["event_value"].startswith("2026-03-03")
