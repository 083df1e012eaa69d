"""Camunda 7 diagrams: translated, and what cannot be is listed per element and stays in the file."""

from __future__ import annotations

from pathlib import Path

import pytest
from lxml import etree

from engine.bpmn import lint, parse
from engine.bpmn.camunda7 import is_camunda7, translate
from engine.bpmn.camunda7.juel import Untranslatable, to_feel
from engine.errors import DeploymentRefused
from engine.feel import compile_expression

HERE = Path(__file__).parent
WHOLE = (HERE / "opinion_request.bpmn").read_bytes()
LOSSY = (HERE / "untranslatable.bpmn").read_bytes()


# ---------------------------------------------------------------------- expressions
@pytest.mark.parametrize(
    ("juel", "feel"),
    [
        ("${approved}", "approved"),
        ("#{approved}", "approved"),
        ("${a == 1 && !b}", "a = 1 and not(b)"),
        ("${a ne 'x' or b le 2}", 'a != "x" or b <= 2'),
        ("${amount > 1000 ? '大' : '小'}", 'if amount > 1000 then "大" else "小"'),
        ("${(a ? b : c) + 1}", "(if a then b else c) + 1"),
        ("第${round}轮：${name}", '"第" + string(round) + "轮：" + string(name)'),
        ("${nrOfCompletedInstances/nrOfInstances >= 0.5}", "numberOfCompletedInstances / numberOfInstances >= 0.5"),
        ("${loopCounter * 2}", "(loopCounter - 1) * 2"),
        ("${empty list}", '(list = null or list = "" or list = [])'),
        ("${a.b[0].c}", "a.b[1].c"),
        ("${a[i]}", "a[i + 1]"),
        ("${x - (y - 1)}", "x - (y - 1)"),
        ("${-a * (b + c)}", "-a * (b + c)"),
        ("${a % 2 == 0}", "modulo(a, 2) = 0"),
        ('${execution.getVariable("x") == 2}', "x = 2"),
        ("${'it''s'}", None),
        ('${"say \\"hi\\""}', '"say \\"hi\\""'),
        ("plain", '"plain"'),
        ("", '""'),
    ],
)
def test_simple_expressions(juel: str, feel: str | None) -> None:
    if feel is None:
        with pytest.raises(Untranslatable):
            to_feel(juel)
        return
    assert to_feel(juel) == feel
    compile_expression(feel)


@pytest.mark.parametrize(
    "juel",
    [
        "${bean.call(x)}",
        "${now()}",
        "${execution.setVariable('a', 1)}",
        "${a +}",
        "${a b}",
        "${map['key']}",
        "${a{b}}",
        "${" + "(" * 99 + "a",
    ],
)
def test_what_has_no_counterpart_says_why(juel: str) -> None:
    with pytest.raises(Untranslatable, match=r"\w"):
        to_feel(juel)


def test_values_are_the_same() -> None:
    """JUEL's result by hand against FEEL's."""
    context = {"a": [10, 20], "i": 1, "round": 2, "name": "甲", "x": 7, "y": 3}
    expected = {"${a[i]}": 20, "${x - (y - 1)}": 5, "第${round}轮：${name}": "第2轮：甲", "${x % 4 == 3 ? 'yes' : 'no'}": "yes"}
    assert {juel: compile_expression(to_feel(juel)).evaluate(context) for juel in expected} == expected


# ---------------------------------------------------------------------- diagrams
def test_a_file_for_camunda_7_is_known() -> None:
    assert (is_camunda7(WHOLE), is_camunda7(LOSSY)) == (True, True)
    assert not is_camunda7(translate(WHOLE, "x.bpmn").xml)
    with pytest.raises(DeploymentRefused):
        is_camunda7(b"<html/>")


def test_the_translation_is_complete_and_sound() -> None:
    translation = translate(WHOLE, "opinion_request.bpmn")
    assert translation.complete
    assert [f for f in lint(translation.xml, "opinion_request.bpmn") if f.severity == "error"] == []
    assert b"camunda:" not in translation.xml


def test_every_part_arrives() -> None:
    (model,) = parse(translate(WHOLE, "opinion_request.bpmn").xml, "opinion_request.bpmn")
    ask = model.elements["ask"]
    assert model.version_tag == "2022-1"
    assert (ask.assignee, ask.candidate_groups, ask.form_id) == ("=member", "ZJJ.handler,FGW.handler", "answer")
    assert ask.properties == {"unit": "ZJJ"}
    assert model.elements["remind"].job_type == "remind"
    assert model.elements["ask_again"].called == "meeting"
    text = translate(WHOLE, "opinion_request.bpmn").xml.decode()
    for part in (
        'source="=&quot;第&quot; + string(round) + &quot;轮：&quot; + string(project.name)" target="title"',
        'source="=answer.text" target="last"',
        'inputCollection="=members" inputElement="member"',
        "=numberOfCompletedInstances / numberOfInstances &gt;= 0.5",
        '<bpmn:timeDuration xsi:type="bpmn:tFormalExpression">=patience</bpmn:timeDuration>',
        'retries="5"',
        'expression="=round + 1" resultVariable="round"',
        "=not(agreed) and round &lt; 3",
        'source="=members" target="members"',
        'source="=round + 1" target="round"',
        'propagateAllParentVariables="false" propagateAllChildVariables="true"',
        'decisionId="urgency" resultVariable="urgency" bindingType="deployment"',
        'dueDate="=deadline"',
        'priority="60"',
    ):
        assert part in text, part


def test_hints_tell_what_is_not_needed() -> None:
    hints = {finding.element_id: finding.message for finding in translate(WHOLE, "x.bpmn").findings}
    assert hints.keys() == {"opinion_request", "remind", "ask_again"}
    assert "historyTimeToLive" in hints["opinion_request"]


def test_what_is_lost_is_listed_per_element_and_stays() -> None:
    translation = translate(LOSSY, "legacy.bpmn")
    lost: dict[str, str] = {}
    for finding in translation.findings:
        if finding.severity == "error":
            assert finding.line
            assert finding.message_en
            lost[finding.element_id] = lost.get(finding.element_id, "") + finding.message
    expected = {
        "legacy": ["candidateStarterGroups"],
        "start": ["initiator"],
        "java": ["cn.changji.WriteDelegate", "field"],
        "ask": ["users.findOne", "embedded:app", "taskListener", "executionListener", "codes"],
        "f3": ["groovy"],
        "groovy": ["groovy"],
        "case": ["CMMN"],
        "pinned": ["版本 3", "结果变量", "collectEntries"],
        "reply": ["关联键"],
    }
    assert lost.keys() == expected.keys()
    for element, words in expected.items():
        assert [word for word in words if word not in lost[element]] == [], element
    assert not translation.complete
    text = translation.xml.decode()
    for kept in ("cn.changji.WriteDelegate", "users.findOne(unit)", "embedded:app:forms/a.html", "cn.changji.Notify", "log.write", "x = 1"):
        assert kept in text, kept


def test_no_namespace_is_declared_without_need() -> None:
    head = translate(WHOLE, "x.bpmn").xml.decode().split(">", 2)[1]
    assert "zeebe" in head
    assert "ns0" not in translate(WHOLE, "x.bpmn").xml.decode()


def legacy(process: str, body: str) -> bytes:
    return (
        '<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:camunda="http://camunda.org/schema/1.0/bpmn" '
        f'targetNamespace="t"><process id="p" isExecutable="true" {process}><startEvent id="s"/>{body}<endEvent id="e"/>'
        '<sequenceFlow id="f1" sourceRef="s" targetRef="t"/><sequenceFlow id="f2" sourceRef="t" targetRef="e"/></process></definitions>'
    ).encode()


def test_priorities_of_external_tasks_become_those_of_jobs() -> None:
    task = '<serviceTask id="t" camunda:type="external" camunda:topic="work" camunda:taskPriority="${rank}"/>'
    translation = translate(legacy('camunda:taskPriority="7"', task), "x.bpmn")
    (model,) = parse(translation.xml, "x.bpmn")
    assert translation.complete and model.spec.named["t"].ext.job is not None
    assert [text.get("priority") for text in etree.fromstring(translation.xml).iter("{*}jobPriorityDefinition")] == ["7", "=rank"]


@pytest.mark.parametrize(("events", "kept", "complete"), [("create, update", "create,update", True), ("delete,update", "update", False)])
def test_the_filter_of_a_conditional_event_arrives(events: str, kept: str, complete: bool) -> None:
    event = '<intermediateCatchEvent id="t"><conditionalEventDefinition camunda:variableName="n" camunda:variableEvents="EVENTS">'
    event += "<condition>${n &gt; 1}</condition></conditionalEventDefinition></intermediateCatchEvent>"
    translation = translate(legacy("", event.replace("EVENTS", events)), "x.bpmn")
    (found,) = etree.fromstring(translation.xml).iter("{*}conditionalFilter")
    assert (found.get("variableNames"), found.get("variableEvents"), translation.complete) == ("n", kept, complete)
    trigger = parse(translation.xml, "x.bpmn")[0].spec.named["t"].trigger
    assert trigger is not None and trigger.watched == {"n"} and trigger.changes == set(kept.split(","))
