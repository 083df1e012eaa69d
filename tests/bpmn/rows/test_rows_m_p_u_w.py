"""Rows m, p, u and w of engine.md §1; the others, and how to read them, are in test_rows.py."""

from __future__ import annotations

from datetime import datetime

from SpiffWorkflow.bpmn.parser.BpmnParser import BpmnParser
from SpiffWorkflow.bpmn.specs.event_definitions.timer import TimerEventDefinition
from SpiffWorkflow.bpmn.workflow import BpmnWorkflow
from SpiffWorkflow.util.task import TaskState

from tests.bpmn.rows.stock import Stock
from tests.bpmn.support import NOON, Host, Run, diagram


def row(name: str) -> bytes:
    return diagram(__file__, f"row_{name}.bpmn")


# ---------------------------------------------------------------------------------------------- m
def test_row_m_what_comes_after_is_cancelled_history_stays_and_the_join_counts_anew() -> None:
    run = Run(row("m"))
    run.complete("a")
    run.complete("b")
    run.do("return_to", run.token("c"), "a", run.rows.history)
    assert run.tasks == ["a"] and run.events("c") == ["entered", "terminated"] and run.events("b") == ["entered", "completed"]
    run.complete("a")
    assert run.tasks == ["c"], "the other branch has not lost its opinion"
    run.complete("c")
    assert run.state == "COMPLETED"


def test_row_m_control() -> None:
    stock = Stock(row("m"))
    first = next(t for t in stock.ready() if t.task_spec.bpmn_id == "a")
    stock.do("a")
    stock.do("b")
    stock.workflow.reset_from_task_id(first.id)
    stock.workflow.do_engine_steps()
    assert stock.tasks == ["a", "c"], "the task behind the join stays READY beside the one that was reset"
    stock = Stock(row("m"))
    first = next(t for t in stock.ready() if t.task_spec.bpmn_id == "a")
    for name in ("a", "b", "c"):
        stock.do(name)
    stock.workflow.reset_from_task_id(first.id)
    assert stock.completed and stock.tasks, "completed, with a READY task"


# ---------------------------------------------------------------------------------------------- p
def test_row_p_a_call_names_the_version_it_is_bound_to() -> None:
    run = Run(row("p"))
    call = run.rows.open["calls"][run.token("c", "calls")]
    assert (call.process_id, call.binding, call.version_tag) == ("q", "versionTag", "1")


def test_row_p_control() -> None:
    parser = BpmnParser()
    parser.add_bpmn_str(row("p"))
    parser.add_bpmn_str(row("p_called"))
    workflow = BpmnWorkflow(parser.get_spec("p"), parser.get_subprocess_specs("p"))
    workflow.do_engine_steps()
    assert [t.task_spec.bpmn_id for t in workflow.get_tasks(state=TaskState.READY, manual=True)] == ["second"], "version 2, unasked"


# ---------------------------------------------------------------------------------------------- u
def test_row_u_an_inclusive_join_waits_for_an_open_multi_instance() -> None:
    run = Run(row("u"), {"yes": True})
    run.complete("m")
    run.complete("b")
    assert run.tasks == ["m"]
    run.complete("m")
    assert run.tasks == ["z"]
    run.complete("z")
    assert run.state == "COMPLETED"


def test_row_u_control() -> None:
    stock = Stock(row("u"), {"yes": True})
    stock.do("m")
    stock.do("b")
    assert stock.tasks == ["m", "z"], "the join has fired while a member is still open"


# ---------------------------------------------------------------------------------------------- w
def test_row_w_a_month_from_the_31st_of_january_is_the_last_of_february() -> None:
    start = NOON.replace(month=1, day=31)
    run = Run(row("w"), host=Host(at=start))
    assert run.instance.next_due_at == NOON.replace(month=2, day=28)
    assert run.wait(days=28) == 1 and run.tasks == ["h"]


def test_row_w_control() -> None:
    start: datetime = NOON.replace(month=1, day=31)
    month = TimerEventDefinition.get_timedelta_from_start(TimerEventDefinition.parse_iso_duration("P1M"), start)
    assert (start + month).month == 3 and (start + month).day == 3
