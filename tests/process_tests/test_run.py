"""Process tests: scenarios run in memory; every difference from what was expected is a sentence; the coverage is that of the diagram."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from engine.bpmn import parse
from engine.process_tests import Library, Report, ScenarioInvalid, read_scenarios, run_scenarios
from engine.process_tests.scenario import MAX_BYTES
from engine.workcalendar import WorkCalendar

(MODEL,) = parse(Path(__file__).with_name("joint_review.bpmn").read_bytes(), "joint_review.bpmn")
FORM = {
    "type": "default",
    "id": "opinion",
    "components": [
        {
            "type": "group",
            "id": "g",
            "path": "opinion",
            "components": [{"type": "textfield", "id": "t", "key": "text", "label": "意见", "validate": {"required": True}}],
        }
    ],
}
LIBRARY = Library(forms={"opinion": FORM}, examples={"opinion": {"opinion": {"text": "同意"}}}, calendar=WorkCalendar())
GIVEN: dict[str, Any] = {
    "decisions": {"review_units": ["ZRZYJ", "ZJJ"]},
    "calls": {"item_handling": {"variables": {"itemResult": "granted"}}},
}
DONE: list[dict[str, Any]] = [{"complete": "review", "every": True}, {"message": "contract"}]


def run(steps: list[dict[str, Any]], then: dict[str, Any] | None = None, **given: Any) -> Report:
    file = {"process": "joint_review", "given": GIVEN | given, "scenarios": [{"name": "一", "steps": steps, "then": then or {}}]}
    process_id, scenarios = read_scenarios(json.dumps(file).encode())
    assert process_id == "joint_review"
    return run_scenarios(MODEL, scenarios, LIBRARY)


def failures(*arguments: Any, **given: Any) -> list[str]:
    (outcome,) = run(*arguments, **given).outcomes
    return outcome.failures


# ---------------------------------------------------------------------- what happens
def test_a_scenario_that_goes_as_written() -> None:
    then = {
        "path": ["units", "review", "issue", "handle", "contract", "done"],
        "never": ["remind", "refused"],
        "variables": {"opinions": ["同意", "同意"], "itemResult": "granted", "count(opinions)": 2},
        "documents": ["W21"],
        "jobs": {"issue": {"opinions": ["同意", "同意"]}},
        "calls": {"handle": {"opinions": ["同意", "同意"]}},
    }
    assert failures(DONE, then) == []


def test_what_is_typed_lies_over_the_forms_example_and_where_chooses_the_member() -> None:
    steps = [{"complete": "review", "where": {"unit": "ZJJ"}, "with": {"opinion": {"text": "不同意"}}}, *DONE]
    assert failures(steps, {"variables": {"opinions": ["同意", "不同意"]}}) == []


def test_the_clock_fires_what_is_due_on_the_way() -> None:
    assert failures([{"clock": "P2D"}, *DONE], {"never": ["late"]}) == []
    assert failures([{"clock": "P4D"}, *DONE], {"path": ["late", "remind", "reminded", "review"]}) == []
    assert failures([{"clock": "2022-05-27T10:00:00+08:00"}, *DONE], {"path": ["remind"]}) == []


def test_the_clock_moves_by_working_days() -> None:
    """From Monday 23 May 2022 two working days are two days, five are seven: the reminder after three days comes with the second."""
    assert WorkCalendar().add_workdays(date(2022, 5, 23), 5) == date(2022, 5, 30)
    assert failures([{"clock": "2 workdays"}, *DONE], {"never": ["remind"]}) == []
    assert failures([{"clock": "5 workdays"}, *DONE], {"path": ["remind"]}) == []


def test_jobs_answer_with_variables_or_errors_or_wait() -> None:
    assert (
        failures([{"complete": "review", "every": True}], {"path": ["no_number", "refused"]}, jobs={"issue": {"error": "NO_NUMBER"}}) == []
    )
    waiting = {"jobs": {"document.issue": {"wait": True}}}
    assert failures([{"complete": "review", "every": True}], {"state": "ACTIVE", "waiting": ["issue"]}, **waiting) == []
    steps = [{"complete": "review", "every": True}, {"job": "issue", "with": {"documentNo": "1"}}, {"message": "contract"}]
    assert failures(steps, {"variables": {"documentNo": "1"}}, **waiting) == []
    assert failures([{"complete": "review", "every": True}, {"job": "issue", "error": "NO_NUMBER"}], {"path": ["refused"]}, **waiting) == []


def test_a_failed_job_is_an_incident_that_can_be_retried() -> None:
    given = {"jobs": {"issue": [{"message": "打印机没纸"}, {"variables": {}}]}}
    stuck = {"state": "ACTIVE", "incident": "issue"}
    assert failures([{"complete": "review", "every": True}], stuck, **given) == []
    assert failures([{"complete": "review", "every": True}, {"retry": "issue"}, {"message": "contract"}], {"path": ["done"]}, **given) == []


def test_called_processes_answer_or_wait() -> None:
    given = {"calls": {"handle": {"wait": True}}}
    steps = [{"complete": "review", "every": True}, {"call": "handle", "with": {"itemResult": "denied"}}, {"message": "contract"}]
    assert failures(steps, {"variables": {"itemResult": "denied"}}, **given) == []


# ---------------------------------------------------------------------- what is told
@pytest.mark.parametrize(
    ("then", "told"),
    [
        ({"path": ["issue", "review"]}, "按次序经过 review"),
        ({"path": ["nowhere"]}, "图上没有元素 nowhere"),
        ({"never": ["issue"]}, "经过了 issue"),
        ({"variables": {"itemResult": "denied"}}, "变量 itemResult 是 'granted'"),
        ({"documents": []}, "出具的文书是 W21，应为 无"),
        ({"messages": ["x_done"]}, "没有发送消息 x_done"),
        ({"jobs": {"review": {}}}, "review 没有作业"),
        ({"calls": {"issue": {}}}, "issue 没有调用"),
        ({"calls": {"handle": {"count(opinions)": 1}}}, "handle 的 count(opinions) 是 2"),
        ({"jobs": {"issue": {"opinions[1]": "不同意"}}}, "issue 的 opinions[1] 是 '同意'"),
        ({"state": "ACTIVE"}, "流程状态是 COMPLETED"),
        ({"waiting": ["review"]}, "在等待 无，应等待 review"),
        ({"incident": "issue"}, "issue 没有异常"),
    ],
)
def test_every_difference_is_a_sentence(then: dict[str, Any], told: str) -> None:
    assert told in "".join(failures(DONE, then))


@pytest.mark.parametrize(
    ("step", "told"),
    [
        ({"complete": "handle"}, "没有待办的任务（现在等待：review）"),
        ({"complete": "review", "with": {"opinion": {"text": ""}}}, "表单填写有误：opinion.text"),
        ({"complete": "review", "where": {"unit": "GAJ"}}, "没有待办的任务"),
        ({"message": "nobody"}, "没有人在等这个消息"),
        ({"signal": "nobody"}, "没有人在等这个信号"),
        ({"job": "issue"}, "没有未完成的作业"),
        ({"call": "handle"}, "没有打开的调用"),
        ({"retry": "issue"}, "没有异常"),
        ({"clock": "明天"}, "既不是时长"),
    ],
)
def test_a_step_that_cannot_be_done_says_why_and_where(step: dict[str, Any], told: str) -> None:
    (said,) = failures([step])
    assert said.startswith("第 1 步")
    assert told in said


def test_an_unexpected_incident_is_told() -> None:
    assert "异常" in "".join(failures([], {"state": "ACTIVE"}, decisions={}))


# ---------------------------------------------------------------------- coverage
def test_coverage_counts_nodes_and_flows() -> None:
    coverage = run(DONE).coverage
    assert coverage.missed == ["late", "remind", "reminded", "no_number", "refused", "f7", "f8", "f9"]
    assert 60 < coverage.percent < 100
    assert coverage.visits["review"] >= 2


def test_scenarios_reach_full_coverage_together() -> None:
    file = {
        "process": "joint_review",
        "given": GIVEN,
        "scenarios": [
            {"name": "一", "steps": [{"clock": "P4D"}, *DONE]},
            {"name": "二", "given": {"jobs": {"issue": {"error": "NO_NUMBER"}}}, "steps": DONE[:1]},
        ],
    }
    report = run_scenarios(MODEL, read_scenarios(json.dumps(file).encode())[1], LIBRARY)
    assert [outcome.failures for outcome in report.outcomes] == [[], []]
    assert report.coverage.percent == 100
    assert report.ok


# ---------------------------------------------------------------------- the file
@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"{", "JSON"),
        (b'{"process": "p", "scenarios": []}', "scenarios"),
        (b'{"process": "p", "scenarios": [{"name": "a", "stepps": []}]}', "stepps"),
        (b'{"process": "p", "scenarios": [{"name": "a", "steps": [{"complete": "x", "message": "y"}]}]}', "一步只写一件事"),
        (b'{"process": "p", "scenarios": [{"name": "a", "given": 3}]}', "given"),
        (b'{"process": "p", "scenarios": [{"name": "a"}, {"name": "a"}]}', "情形重名"),
        (b'{"process": "p", "given": {"jobs": {"x": []}}, "scenarios": [{"name": "a"}]}', "jobs.x"),
        (b" " * (MAX_BYTES + 1), "超过"),
    ],
)
def test_a_wrong_file_is_refused_by_place(content: bytes, told: str) -> None:
    with pytest.raises(ScenarioInvalid) as refused:
        read_scenarios(content)
    assert told in refused.value.message()


WITHDRAWN = """<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" targetNamespace="t"><error id="E" errorCode="withdrawn"/>
<process id="w" isExecutable="true"><startEvent id="s"/><subProcess id="sp"><startEvent id="in"/><endEvent id="thrown">
<errorEventDefinition errorRef="E"/></endEvent><sequenceFlow id="f1" sourceRef="in" targetRef="thrown"/></subProcess>
<boundaryEvent id="caught" attachedToRef="sp"><errorEventDefinition errorRef="E"/></boundaryEvent><endEvent id="e"/>
<sequenceFlow id="f0" sourceRef="s" targetRef="sp"/><sequenceFlow id="f2" sourceRef="caught" targetRef="e"/></process></definitions>"""


def test_an_error_end_event_counts_although_its_scope_is_left_by_it() -> None:
    (model,) = parse(WITHDRAWN.encode(), "w.bpmn")
    _, scenarios = read_scenarios(b'{"process": "w", "scenarios": [{"name": "1", "then": {"path": ["in", "thrown", "caught", "e"]}}]}')
    report = run_scenarios(model, scenarios, LIBRARY)
    assert report.ok
    assert report.coverage.missed == []


LISTENED = """<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" targetNamespace="t"
 xmlns:zeebe="http://camunda.org/schema/zeebe/1.0">
<process id="l" isExecutable="true"><startEvent id="s"/><endEvent id="e"><extensionElements><zeebe:executionListeners>
<zeebe:executionListener eventType="start" type="document.issue.W22"/></zeebe:executionListeners></extensionElements></endEvent>
<sequenceFlow id="f" sourceRef="s" targetRef="e"/></process></definitions>"""


def test_documents_that_listeners_issue_count_too() -> None:
    (model,) = parse(LISTENED.encode(), "l.bpmn")
    _, scenarios = read_scenarios(b'{"process": "l", "scenarios": [{"name": "1", "then": {"documents": ["W22"]}}]}')
    assert run_scenarios(model, scenarios, LIBRARY).ok
