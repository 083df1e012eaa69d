"""Lint: every finding at once, addressed to the element, in Chinese and English; hostile files are refused."""

from __future__ import annotations

import pytest

from engine.bpmn import Known, lint, parse
from engine.errors import DeploymentRefused
from tests.bpmn.support import END, START, boundary, chain, doc, el, flow, gate, multi, script, service, sub, timer, user, zeebe

NOTHING = Known(frozenset(), frozenset(), frozenset(), frozenset(), frozenset())


def rules(body: str, known: Known | None = None, severity: str = "error", roots: str | None = None) -> set[tuple[str, str]]:
    """(rule, element id) of the findings."""
    xml = doc(body) if roots is None else doc(body, roots=roots)
    return {(f.rule, f.element_id) for f in lint(xml, "x.bpmn", known or Known()) if f.severity == severity}


def test_a_sound_diagram_has_no_findings() -> None:
    task = el("userTask", "a", zeebe('<zeebe:userTask/><zeebe:assignmentDefinition assignee="=applicant"/>'), name="申请")
    assert lint(doc(START + task + END + chain("s", "a", "e")), "x.bpmn", Known()) == []


def test_findings_come_all_at_once_with_name_line_and_both_languages() -> None:
    xml = doc(START + '\n<serviceTask id="j" name="办件"/>\n<receiveTask id="r"/>' + END + chain("s", "j", "r", "e"))
    findings = lint(xml, "x.bpmn", Known())
    found = {f.element_id: f for f in findings if f.severity == "error"}
    assert set(found) == {"j", "r"}
    assert (found["j"].element_name, found["j"].line, found["j"].resource) == ("办件", 2, "x.bpmn")
    assert "作业类型" in found["j"].message and "job type" in found["j"].message_en
    assert "x.bpmn:2" in str(found["j"])


CASES = [
    ("reference", "f_x", START + END + chain("s", "e") + flow("s", "nowhere", id="f_x")),
    ("reference", "b", START + user("a") + boundary("b", "ghost", timer("PT1H")) + END + chain("s", "a", "e")),
    ("reference", "a", START + el("userTask", "a", default="zz") + END + chain("s", "a", "e")),
    ("reference", "t", START + el("intermediateCatchEvent", "t", '<messageEventDefinition messageRef="M9"/>') + chain("s", "t")),
    ("id", "a", START + user("a") + user("a") + END + chain("s", "a", "e")),
    ("start", "p", user("a") + END + chain("a", "e")),
    ("timer", "t", START + el("intermediateCatchEvent", "t", timer("2 days")) + END + chain("s", "t", "e")),
    ("timer", "t", START + el("intermediateCatchEvent", "t", timer("R3", "timeCycle")) + END + chain("s", "t", "e")),
    ("feel", "sc", START + script("sc", "1 +", "x") + END + chain("s", "sc", "e")),
    (
        "feel",
        "f_c",
        START
        + gate("x", "exclusive", default="f_d")
        + user("a", "b")
        + chain("s", "x")
        + flow("x", "a", "if", id="f_c")
        + flow("x", "b", id="f_d"),
    ),
    (
        "condition",
        "f_c",
        START + gate("x", "exclusive") + user("a", "b") + chain("s", "x") + flow("x", "a", id="f_c") + flow("x", "b", "v"),
    ),
    ("unsupported", "k", START + el("callChoreography", "k") + END + chain("s", "e")),
    ("unsupported", "a", START + el("userTask", "a", zeebe("<zeebe:linkedResources/>")) + END + chain("s", "a", "e")),
    ("unsupported", "a", START + el("userTask", "a", completionQuantity="2") + END + chain("s", "a", "e")),
    ("camunda-8", "k", START + el("complexGateway", "k") + END + chain("s", "k", "e")),
    ("camunda-8", "a", START + el("userTask", "a", '<standardLoopCharacteristics loopMaximum="2"/>') + END + chain("s", "a", "e")),
    ("event-subprocess", "es", START + END + chain("s", "e") + sub("es", el("startEvent", "s2"), triggeredByEvent="true")),
    ("event-definition", "e", START + el("endEvent", "e", timer("PT1H")) + chain("s", "e")),
    ("event-gateway", "a", START + gate("g", "eventBased") + user("a", "b") + chain("s", "g", "a") + chain("g", "b")),
    ("compensation", "b", START + user("a") + boundary("b", "a", "<compensateEventDefinition/>") + END + chain("s", "a", "e")),
    ("link", "l", START + el("intermediateThrowEvent", "l", '<linkEventDefinition name="L"/>') + chain("s", "l")),
    ("loop", "a", START + el("userTask", "a", "<multiInstanceLoopCharacteristics/>") + END + chain("s", "a", "e")),
    ("implementation", "e", START + el("endEvent", "e", '<messageEventDefinition messageRef="M1"/>') + chain("s", "e")),
    ("binding", "a", START + el("userTask", "a", zeebe('<zeebe:formDefinition formId="f" bindingType="versionTag"/>')) + chain("s", "a")),
    (
        "variable-name",
        "a",
        START + el("userTask", "a", zeebe('<zeebe:ioMapping><zeebe:input source="=1" target="a b"/></zeebe:ioMapping>')) + chain("s", "a"),
    ),
    ("unsupported", "a", START + el("userTask", "a", zeebe('<zeebe:taskDefinition type="x"/>')) + END + chain("s", "a", "e")),
    ("unsupported", "s", el("startEvent", "s", zeebe('<zeebe:calledElement processId="q"/>')) + END + chain("s", "e")),
    ("called-process", "c", START + el("callActivity", "c") + END + chain("s", "c", "e")),
    ("priority", "a", START + el("userTask", "a", zeebe('<zeebe:priorityDefinition priority="500"/>')) + chain("s", "a")),
]


@pytest.mark.parametrize(("rule", "element", "body"), CASES, ids=[f"{rule}-{i}" for i, (rule, _, _) in enumerate(CASES)])
def test_error(rule: str, element: str, body: str) -> None:
    assert (rule, element) in rules(body)


def test_a_message_that_is_waited_for_needs_a_key() -> None:
    catch = el("intermediateCatchEvent", "t", '<messageEventDefinition messageRef="M2"/>')
    assert ("subscription", "t") in rules(START + catch + END + chain("s", "t", "e"), roots='<message id="M2" name="M2"/>')


def test_unknown_names_of_every_kind() -> None:
    task = '<zeebe:userTask/><zeebe:formDefinition formId="f1"/><zeebe:assignmentDefinition candidateGroups="A.x, B.y"/>'
    body = START + el("userTask", "a", zeebe(task)) + service("j", "mail")
    body += el("callActivity", "c", zeebe('<zeebe:calledElement processId="q"/>'))
    body += el("businessRuleTask", "d", zeebe('<zeebe:calledDecision decisionId="dd" resultVariable="r"/>')) + END
    body += chain("s", "a", "j", "c", "d", "e")
    expected = {("form", "a"), ("group", "a"), ("job-type", "j"), ("called-process", "c"), ("decision", "d")}
    assert rules(body, NOTHING) == expected
    known = Known({"q"}, {"dd"}, {"f1"}, {"mail"}, {"A.x", "B.y"})
    assert rules(body, known) == set() == rules(body)


def test_unreachable_elements_are_warnings() -> None:
    assert ("unreachable", "a") in rules(START + user("a") + END + chain("s", "e") + chain("a", "e"), severity="warning")


def test_a_parallel_join_behind_an_exclusive_split_is_a_deadlock() -> None:
    body = START + gate("x", "exclusive", default="fd") + user("a", "b") + gate("j") + END + chain("s", "x")
    body += flow("x", "a", "v") + flow("x", "b", id="fd") + chain("a", "j", "e") + chain("b", "j")
    assert rules(body) == {("deadlock", "j")}


def test_a_parallel_join_that_waits_for_its_own_loop_is_a_deadlock() -> None:
    body = START + gate("f") + user("a") + gate("x", "exclusive", default="fd") + END + chain("s", "f", "a", "x")
    assert rules(body + flow("x", "f", "again") + flow("x", "e", id="fd")) == {("deadlock", "f")}


def test_exclusive_choices_inside_a_branch_and_rework_loops_are_no_deadlock() -> None:
    body = START + gate("m", "exclusive") + gate("f") + gate("x", "exclusive", default="fd") + user("a", "b", "c") + gate("k", "exclusive")
    body += (
        gate("j") + gate("r", "exclusive", default="fr") + END + chain("s", "m", "f", "x") + flow("x", "a", "v") + flow("x", "b", id="fd")
    )
    body += chain("a", "k", "j") + chain("b", "k") + chain("f", "c", "j", "r") + flow("r", "m", "again") + flow("r", "e", id="fr")
    assert rules(body) == set()


def test_members_of_a_parallel_multi_instance_must_not_overwrite_each_other() -> None:
    inner = el("startEvent", "s2") + el("userTask", "m2", multi("units", "u", "outs", "u")) + script("sc", "1", "note")
    inner += el("endEvent", "e2") + chain("s2", "m2", "sc", "e2")
    body = START + el("subProcess", "sp", multi() + inner) + END + chain("s", "sp", "e")
    assert rules(body) == {("multi-instance-overwrite", "m2")}
    assert ("multi-instance-overwrite", "sc") in rules(body, severity="warning")
    mapping = '<zeebe:ioMapping><zeebe:input source="=null" target="outs"/><zeebe:input source="=null" target="note"/></zeebe:ioMapping>'
    declared = START + el("subProcess", "sp", zeebe(mapping) + multi() + inner) + END + chain("s", "sp", "e")
    assert rules(declared) == set()
    assert ("multi-instance-overwrite", "sc") not in rules(declared, severity="warning")


def test_members_that_add_to_a_variable_do_not_overwrite_it() -> None:
    def written(source: str) -> set[tuple[str, str]]:
        mapping = f'<zeebe:ioMapping><zeebe:output source="{source}" target="replies"/></zeebe:ioMapping>'
        return rules(START + el("userTask", "t", zeebe(mapping) + multi()) + END + chain("s", "t", "e"), severity="warning")

    assert ("multi-instance-overwrite", "t") in written("=[unit]")
    assert ("multi-instance-overwrite", "t") not in written("=append(replies, unit)")


HOSTILE = {
    "entity bomb": b'<!DOCTYPE d [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]><definitions>&b;</definitions>',
    "external entity": b'<!DOCTYPE d [<!ENTITY x SYSTEM "file:///etc/passwd">]><d>&x;</d>',
    "too large": b"<definitions>" + b" " * 10_000_001 + b"</definitions>",
    "not xml": b"hello",
    "empty": b"",
    "another root": b"<html/>",
    "deep": b"<a>" * 5000 + b"</a>" * 5000,
    "utf-16 entities": '<?xml version="1.0" encoding="UTF-16"?><!DOCTYPE d [<!ENTITY a "a">]><d>&a;</d>'.encode("utf-16"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_files_are_refused(name: str) -> None:
    assert [f.rule for f in lint(HOSTILE[name], "x.bpmn", Known())] == ["xml"]
    with pytest.raises(DeploymentRefused):
        parse(HOSTILE[name], "x.bpmn")


def test_subprocesses_nested_too_deep_are_refused() -> None:
    body = user("a")
    for n in range(60):
        body = sub(f"w{n}", body)
    findings = lint(doc(body), "x.bpmn", Known())
    assert any(f.rule in ("nesting", "xml") for f in findings)
