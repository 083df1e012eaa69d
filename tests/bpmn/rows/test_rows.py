"""The rows of engine.md §1: what stock SpiffWorkflow does wrong and what must happen instead, on the same diagram.

Every row has a test on the kernel (stored and restored before each step) and a control that shows stock's behaviour, so that nobody
believes a row is covered when the diagram does not provoke it. Rows m, p, u and w are in test_rows_m_p_u_w.py, further faults of a row in
test_rows_in_full.py.
"""

from __future__ import annotations

import os
import sys
from datetime import timedelta
from typing import Any

import pytest
from SpiffWorkflow.bpmn.parser.BpmnParser import BpmnParser
from SpiffWorkflow.bpmn.serializer import BpmnWorkflowSerializer
from SpiffWorkflow.bpmn.specs.event_definitions.message import MessageEventDefinition
from SpiffWorkflow.bpmn.specs.event_definitions.timer import TimerEventDefinition
from SpiffWorkflow.bpmn.util.event import BpmnEvent
from SpiffWorkflow.util.task import TaskState

from engine.bpmn import Instance, parse
from engine.errors import Conflict, DeploymentRefused, NotFound
from tests.bpmn.rows.stock import Stock
from tests.bpmn.support import END, NOON, START, Host, Run, chain, diagram, doc, user

pytestmark = pytest.mark.scaled

SOAK = os.environ.get("HYPOTHESIS_PROFILE") == "soak"


def row(name: str) -> bytes:
    return diagram(__file__, f"row_{name}.bpmn")


# ---------------------------------------------------------------------------------------------- a
def test_row_a_the_join_counts_every_flow_in_every_round() -> None:
    run = Run(row("a"), {"again": True})
    for first, second in (("a", "b"), ("b", "a"), ("a", "b"), ("b", "a"), ("b", "a")):
        run.complete(first)
        assert run.tasks == [second]
        run.complete(second)
        assert run.tasks == ["dec"]
        run.complete("dec")
    run.complete("a")
    run.complete("b")
    run.complete("dec", again=False)
    assert run.state == "COMPLETED"


def test_row_a_control() -> None:
    stock = Stock(row("a"), {"again": True})
    for name in ("a", "b", "dec", "b"):
        stock.do(name)
    assert stock.tasks == ["a", "dec"]


# ---------------------------------------------------------------------------------------------- b
def test_row_b_what_follows_is_created_when_it_is_reached() -> None:
    run = Run(row("b"))
    while run.state == "ACTIVE":
        assert len(run.rows.tokens) <= 2 * 8 + 5
        run.complete(run.tasks[0])


def test_row_b_control() -> None:
    assert len(Stock(row("b")).workflow.tasks) > 2000


# ---------------------------------------------------------------------------------------------- c
def test_row_c_parallel_branches_share_variables_and_a_join_merges_nothing() -> None:
    run = Run(row("c"), {"x": 1, "items": []})
    run.complete("b", x=2, items=["b"])
    assert run.instance.variables(run.token("a"))["x"] == 2
    run.complete("a")
    assert run.variables == {"x": 2, "items": ["b"]}


def test_row_c_control() -> None:
    stock = Stock(row("c"), {"x": 1, "items": []})
    stock.do("b", x=2, items=["b"])
    stock.do("a")
    assert stock.ready()[0].data["x"] == 1 and stock.ready()[0].data["items"] == []


# ---------------------------------------------------------------------------------------------- d
def test_row_d_thousands_of_rounds_at_flat_cost() -> None:
    run = Run(row("d"), {"again": True})
    rounds = 10_000 if SOAK else 1_200
    written: list[int] = []
    for _ in range(rounds):
        run.complete("a")
        written.append(sum(map(len, run.rows.changes.tokens.values())) + 100 * len(run.rows.history))
        run.rows.history.clear()
    assert run.tasks == ["a"] and len(run.rows.tokens) == 1
    assert written[-1] <= written[9] + 20, "a round writes the same: only the token's number grows"
    run.complete("a", again=False)
    assert run.state == "COMPLETED"


def test_row_d_control() -> None:
    stock = Stock(row("d"), {"again": True})
    rounds = 0
    while stock.ready():
        stock.do("a")
        rounds += 1
    assert rounds == 333 and stock.completed


# ---------------------------------------------------------------------------------------------- e
def test_row_e_a_multi_instance_in_a_loop_runs_every_pass() -> None:
    run = Run(row("e"), {"units": [1, 2, 3], "again": True})
    for number in range(3):
        for i in range(3):
            run.complete("m", op=[number, i])
        assert run.variables["outs"] == [[number, 0], [number, 1], [number, 2]]
        run.complete("dec", again=number < 2)
    assert run.state == "COMPLETED"


def test_row_e_control() -> None:
    stock = Stock(row("e"), {"units": [1, 2], "again": True})
    stock.do("m", op=1)
    stock.do("m", op=2)
    with pytest.raises(Exception, match="output must be empty"):
        stock.do("dec")


# ---------------------------------------------------------------------------------------------- f
@pytest.mark.parametrize("name", ["foo", "UUID", "BpmnEvent", "Task"])
def test_row_f_user_data_is_never_interpreted(name: str) -> None:
    run = Run(row("f"), {"form": {"typename": name, "a": [1]}})
    assert run.variables["form"] == {"typename": name, "a": [1]}
    run.complete("a", form={"typename": name})
    assert run.state == "COMPLETED"


def test_row_f_control() -> None:
    stock, serializer = Stock(row("f")), BpmnWorkflowSerializer()
    stock.ready()[0].data["form"] = {"typename": "foo"}
    stored = serializer.serialize_json(stock.workflow)
    with pytest.raises(TypeError):
        serializer.deserialize_json(stored)


# ---------------------------------------------------------------------------------------------- g
def test_row_g_nested_changes_reach_nobody_else() -> None:
    run = Run(row("c"), {"case": {"items": {"k": 0}}}, resident=True)
    run.instance.variables(run.token("a"))["case"]["items"]["k"] = "mine"
    assert run.instance.variables(run.token("b"))["case"] == run.variables["case"] == {"items": {"k": 0}}
    given = {"case": {"items": {"k": 1}}}
    run.do("set_variables", given)
    given["case"]["items"]["k"] = 2
    assert run.variables["case"]["items"]["k"] == 1


def test_row_g_control() -> None:
    stock = Stock(row("c"), {"case": {"items": {"k": 0}}})
    a, b = stock.ready()
    a.data["case"]["items"]["k"] = "by a"
    assert b.data["case"]["items"]["k"] == "by a"


# ---------------------------------------------------------------------------------------------- h
def test_row_h_only_ready_tasks_complete() -> None:
    run = Run(row("h"))
    token = run.token("a")
    run.complete("a")
    with pytest.raises((Conflict, NotFound)):
        run.instance.complete_user_task(token, {})
    assert run.tasks == ["b"]


def test_row_h_control() -> None:
    stock = Stock(row("h"))
    task = stock.ready()[0]
    stock.do("a")
    assert task.state == TaskState.COMPLETED and task.run() is True


# ---------------------------------------------------------------------------------------------- i
def test_row_i_each_timer_of_an_event_gateway_has_its_own_deadline() -> None:
    run = Run(row("i"), {"d1": "PT10M", "d2": "PT5M"})
    assert run.instance.next_due_at == NOON + timedelta(minutes=5)
    assert run.wait(minutes=6) == 1 and run.tasks == ["u2"]


def test_row_i_control() -> None:
    stock = Stock(row("i").replace(b"=d1", b"'PT10M'").replace(b"=d2", b"'PT5M'"))
    waiting = list(stock.workflow.get_tasks(state=TaskState.WAITING))
    assert len(waiting) == 1
    due = TimerEventDefinition.get_datetime(waiting[0].internal_data["event_value"])
    assert due - NOON.now(due.tzinfo) > timedelta(minutes=9)


# ---------------------------------------------------------------------------------------------- j
def test_row_j_a_signal_end_event_throws() -> None:
    run = Run(row("j"))
    run.complete("a")
    assert run.tasks == ["u"]


def test_row_j_control() -> None:
    stock = Stock(row("j"))
    stock.do("a")
    assert stock.tasks == [] and not stock.completed


# ---------------------------------------------------------------------------------------------- k
def test_row_k_an_error_event_subprocess_waits_for_its_error() -> None:
    run = Run(row("k"))
    assert run.tasks == ["a"]
    run.complete("a")
    assert run.state == "COMPLETED"
    run = Run(row("k"))
    run.do("throw_error", run.token("a"), "E1")
    assert run.tasks == ["h"] and run.events("a") == ["entered", "terminated"]


def test_row_k_control() -> None:
    assert Stock(row("k")).tasks == ["a", "h"]


# ---------------------------------------------------------------------------------------------- l
def test_row_l_an_interrupted_subprocess_does_nothing_more() -> None:
    run = Run(row("l"), {"log": []})
    assert run.state == "COMPLETED" and run.variables["log"] == ["i1", "h"]


def test_row_l_control() -> None:
    assert Stock(row("l")).trace == ["i1", "i2", "h"]


# ---------------------------------------------------------------------------------------------- n
def test_row_n_a_failure_after_a_user_task_is_an_incident_and_the_join_still_fires() -> None:
    run = Run(row("n"))
    run.complete("a")
    run.complete("b")
    assert run.incidents == [("x", "CONDITION_ERROR")]
    run.do("set_variables", {"amount": 2})
    run.do("retry", run.token("x", "incidents"))
    assert run.tasks == ["c"]


def test_row_n_a_failed_command_leaves_the_rows_as_they_were() -> None:
    def broken(_: Any) -> Any:
        raise RuntimeError("handler bug")

    body = START + user("a") + '<serviceTask id="t"><extensionElements><zeebe:taskDefinition type="x"/></extensionElements></serviceTask>'
    run = Run(doc(body + END + chain("s", "a", "t", "e")), host=Host(jobs={"x": broken}))
    with pytest.raises(RuntimeError):
        run.complete("a")
    again = Instance.load(run.model, run.rows.stored(), Host())
    again.complete_user_task(run.token("a"), {})
    assert again.state == "COMPLETED"


def test_row_n_control() -> None:
    stock = Stock(row("n"))
    with pytest.raises(Exception, match="amount"):
        stock.do("a")
    stock.do("b")
    assert stock.states("a") == [TaskState.COMPLETED]
    assert stock.tasks == [] and not stock.completed


# ---------------------------------------------------------------------------------------------- o
def test_row_o_one_message_reaches_one_token() -> None:
    run = Run(row("o"), {"k1": "A", "k2": "B"})
    waiting = {opened.correlation_key: token for token, opened in run.rows.open["messages"].items()}
    assert set(waiting) == {"A", "B"}
    run.do("correlate", waiting["B"], {})
    assert run.tasks == ["u2"] and list(run.rows.open["messages"]) == [waiting["A"]]


def test_row_o_control() -> None:
    stock = Stock(row("o"))
    stock.workflow.send_event(BpmnEvent(MessageEventDefinition("M"), {}))
    stock.workflow.do_engine_steps()
    assert stock.tasks == ["u1", "u2"]
    with pytest.raises(Exception, match="not waiting"):
        stock.workflow.send_event(BpmnEvent(MessageEventDefinition("M"), {}))


# ---------------------------------------------------------------------------------------------- q
def test_row_q_no_id_is_reserved_and_conditions_see_the_scope() -> None:
    run = Run(row("q_ids"))
    run.complete("a")
    assert run.state == "COMPLETED"
    run = Run(row("q"), {"flag": False})
    run.complete("a", flag=True)
    assert run.tasks == ["b"]


def test_row_q_control() -> None:
    with pytest.raises(Exception, match="output task"):
        Stock(row("q_ids"))
    stock = Stock(row("q"), {"flag": False})
    stock.do("a", flag=True)
    stock.workflow.refresh_waiting_tasks()
    stock.workflow.do_engine_steps()
    assert stock.tasks == [] and not stock.completed


# ---------------------------------------------------------------------------------------------- r
def test_row_r_loop_variables_as_in_camunda() -> None:
    run = Run(row("r"), {"units": ["A", "B", "C"]})
    seen = run.instance.variables(run.token("m"))
    expected = {"loopCounter": 1, "numberOfInstances": 3, "numberOfActiveInstances": 3, "numberOfCompletedInstances": 0}
    assert expected.items() <= seen.items() and seen["numberOfTerminatedInstances"] == 0
    run.complete("m", op="x")
    run.complete("m", op="y")
    assert run.tasks == ["z"] and run.variables["outs"] == ["x", "y", None]


def test_row_r_control() -> None:
    stock = Stock(row("r"), {"units": ["A", "B", "C"]})
    assert not any("loopCounter" in task.data or "numberOfInstances" in task.data for task in stock.ready())


# ---------------------------------------------------------------------------------------------- s
def test_row_s_running_an_instance_changes_nothing_in_its_specs() -> None:
    model = parse(row("e"), "row_e.bpmn")[0]
    before = [{k: repr(v) for k, v in vars(element).items()} for element in model.spec.table]
    run = Run(model, {"units": [1, 2], "again": False})
    run.complete("m", op=1)
    run.complete("m", op=2)
    run.complete("dec")
    assert [{k: repr(v) for k, v in vars(element).items()} for element in model.spec.table] == before


def test_row_s_control() -> None:
    stock = Stock(row("r").replace(b"numberOfCompletedInstances", b"len(outs)"), {"units": [1, 2]})
    member = stock.workflow.spec.task_specs["m [child]"]
    assert len(member.completed_event.weak_subscribers or []) + len(member.completed_event.hard_subscribers or []) > 0


# ---------------------------------------------------------------------------------------------- t
def test_row_t_a_refusal_names_element_and_reason() -> None:
    with pytest.raises(DeploymentRefused) as refused:
        parse(row("t"), "row_t.bpmn")
    finding = refused.value.findings[0]
    assert (finding.element_id, finding.element_name, finding.line > 0) == ("bad", "不予许可", True)
    assert "E7" in finding.message and "E7" in finding.message_en


def test_row_t_control() -> None:
    with pytest.raises(Exception, match="unexpected keyword argument"):
        Stock(row("t"))


# ---------------------------------------------------------------------------------------------- v
def sequence(length: int) -> bytes:
    ids = ["s", *(f"u{i}" for i in range(length)), "e"]
    return doc(START + END + user(*ids[1:-1]) + chain(*ids))


def test_row_v_long_sequences_parse() -> None:
    model = parse(sequence(10_000 if SOAK else 3_000), "long.bpmn")[0]
    run = Run(model, resident=True)
    for i in range(50):
        run.complete(f"u{i}")
    assert run.tasks == ["u50"]


def test_row_v_control() -> None:
    parser, limit = BpmnParser(), sys.getrecursionlimit()
    parser.add_bpmn_str(sequence(600))
    sys.setrecursionlimit(1000)  # Python's default, which engine.feel raises
    try:
        with pytest.raises(Exception, match="recursion"):
            parser.get_spec("p")
    finally:
        sys.setrecursionlimit(limit)
