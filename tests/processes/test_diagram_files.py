"""The diagram files themselves: readable pictures, sound structure, and nothing referenced that does not exist.

What a diagram must carry is written in processes/README.md; these tests read the files only and start nothing.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from lxml import etree

from engine.bpmn.interface import Known
from engine.bpmn.lint import lint
from engine.feel import compile_expression
from tests.processes.diagram_geometry import findings

ROOT = Path(__file__).resolve().parents[2]
FILES = sorted((ROOT / "processes").glob("*.bpmn"))
FLOWS = {
    "project_lifecycle", "item_intake", "item_decision", "item_handling", "project_initiation", "land_preapproval",
    "land_use_permit", "planning_permit", "construction_permit", "completion_acceptance",
}  # fmt: skip
SUPPORT = {"project_lifecycle", "document_production"}
"""Flows that approve nothing themselves."""
STAGES = {
    "project_initiation": "S1", "land_preapproval": "S1", "land_use_permit": "S1",
    "planning_permit": "S2", "construction_permit": "S3", "completion_acceptance": "S4",
}  # fmt: skip
OUTSIDE = {
    "land_contract_registered", "land_allocated", "construction_contract_registered", "start_reported",
    "rectification_done", "withdrawal_requested", "start_extension_requested", "stop_reported", "extension_requested",
    "hearing_requested",
}  # fmt: skip
OFFICE = {"extension_requested"}
"""Outside events that an office reports, not the applicant."""
BPMN = "{http://www.omg.org/spec/BPMN/20100524/MODEL}"
DI = "{http://www.omg.org/spec/BPMN/20100524/DI}"
ZEEBE = "{http://camunda.org/schema/zeebe/1.0}"
MODELER = "{http://camunda.org/schema/modeler/1.0}"
GATEWAYS = {f"{BPMN}{kind}Gateway" for kind in ("exclusive", "parallel", "inclusive", "eventBased")}
NODES = {
    *GATEWAYS,
    *(f"{BPMN}{kind}Task" for kind in ("user", "service", "send", "script", "businessRule")),
    *(f"{BPMN}{kind}Event" for kind in ("start", "end", "boundary", "intermediateCatch", "intermediateThrow")),
    f"{BPMN}callActivity",
    f"{BPMN}subProcess",
}

every_diagram = pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)


def tree(path: Path) -> etree._Element:
    return etree.parse(str(path)).getroot()


def nodes(root: etree._Element, *kinds: str) -> list[etree._Element]:
    """Flow nodes, or those of the given kinds (local names)."""
    wanted = {f"{BPMN}{kind}" for kind in kinds} or NODES
    return [element for element in root.iter() if element.tag in wanted]


def zeebe(element: etree._Element, name: str) -> list[etree._Element]:
    """The zeebe extension elements of this very element, at any depth of its extensionElements."""
    holder = element.find(f"{BPMN}extensionElements")
    return [] if holder is None else list(holder.iter(f"{ZEEBE}{name}"))


def properties(element: etree._Element) -> dict[str, str]:
    return {p.get("name", ""): p.get("value", "") for p in zeebe(element, "property")}


def outgoing(element: etree._Element) -> int:
    return len(element.findall(f"{BPMN}outgoing"))


def inputs(element: etree._Element) -> dict[str, str]:
    return {i.get("target", ""): i.get("source", "") for i in zeebe(element, "input")}


def thrown(element: etree._Element) -> str | None:
    """The name of the message that this element publishes, or None."""
    types = [t.get("type") for t in zeebe(element, "taskDefinition")]
    return inputs(element)["messageName"].strip('="') if types == ["publish_message"] else None


def caught(root: etree._Element) -> dict[str, list[etree._Element]]:
    """Message name -> the events that wait for it."""
    names = {m.get("id"): m.get("name", "") for m in root.iter(f"{BPMN}message")}
    waiting: dict[str, list[etree._Element]] = {}
    for definition in root.iter(f"{BPMN}messageEventDefinition"):
        if definition.get("messageRef"):
            event = definition.getparent()
            assert event is not None
            waiting.setdefault(names[definition.get("messageRef")], []).append(event)
    return waiting


def process_of(root: etree._Element) -> etree._Element:
    process = root.find(f"{BPMN}process")
    assert process is not None
    return process


ALL = {path.stem: tree(path) for path in FILES}
USER_TASKS = {task.get("id", "") for root in ALL.values() for task in nodes(root, "userTask")}


def test_the_flows_of_the_first_release_are_there() -> None:
    assert set(ALL) >= FLOWS


@every_diagram
def test_picture_is_clean(path: Path) -> None:
    assert findings(path) == []


@every_diagram
def test_interchange_is_complete(path: Path) -> None:
    root = ALL[path.stem]
    drawn = [shape.get("bpmnElement", "") for shape in root.iter(f"{DI}BPMNShape", f"{DI}BPMNEdge")]
    drawable = [e.get("id", "") for e in root.iter() if e.tag in NODES | {f"{BPMN}sequenceFlow", f"{BPMN}lane", f"{BPMN}participant"}]
    assert sorted(drawn) == sorted(drawable)


@every_diagram
def test_opens_in_the_modeler_as_camunda_8_9(path: Path) -> None:
    root, process = ALL[path.stem], process_of(ALL[path.stem])
    assert (root.get(f"{MODELER}executionPlatform"), root.get(f"{MODELER}executionPlatformVersion")) == ("Camunda Cloud", "8.9.0")
    assert (process.get("id"), process.get("isExecutable")) == (path.stem, "true")
    assert [tag.get("value") for tag in zeebe(process, "versionTag")] == ["v1"]
    assert properties(process)["legalBasis"]
    assert properties(process).get("stage") == STAGES.get(path.stem)
    assert (properties(process).get("approval") == "true") == (path.stem not in SUPPORT)


@every_diagram
def test_ids_are_unique_and_ascii(path: Path) -> None:
    ids = [element.get("id") for element in ALL[path.stem].iter() if element.get("id")]
    assert len(ids) == len(set(ids))
    assert all(ident.isascii() for ident in ids if ident)


@every_diagram
def test_everything_has_a_chinese_name(path: Path) -> None:
    root = ALL[path.stem]
    named = [*nodes(root), *root.iter(f"{BPMN}lane", f"{BPMN}participant")]
    merges = [node for node in named if node.tag in GATEWAYS and outgoing(node) == 1]
    nameless = [n.get("id") for n in named if n not in merges and not any(ord(c) > 0x2E80 for c in n.get("name", ""))]
    assert nameless == []


@every_diagram
def test_every_node_is_in_a_lane(path: Path) -> None:
    process = process_of(ALL[path.stem])
    placed = [ref.text for ref in process.iter(f"{BPMN}flowNodeRef")]
    top = [node for node in process if node.tag in NODES]
    for node in top:
        lanes = placed.count(node.get("id"))
        assert lanes >= 1 if node.tag == f"{BPMN}subProcess" else lanes == 1, node.get("id")


@every_diagram
def test_every_choice_has_a_way_out(path: Path) -> None:
    for gateway in nodes(ALL[path.stem], "exclusiveGateway", "inclusiveGateway"):
        if outgoing(gateway) < 2:
            continue
        flows = [f for f in ALL[path.stem].iter(f"{BPMN}sequenceFlow") if f.get("sourceRef") == gateway.get("id")]
        free = [f.get("id") for f in flows if f.find(f"{BPMN}conditionExpression") is None]
        always = [f.get("id") for f in flows if f.findtext(f"{BPMN}conditionExpression") == "=true"]
        assert free == [gateway.get("default")] if gateway.get("default") else (free == [] and always), gateway.get("id")


@every_diagram
def test_user_tasks_have_form_actor_and_law(path: Path) -> None:
    for task in nodes(ALL[path.stem], "userTask"):
        ident = task.get("id")
        assert zeebe(task, "userTask"), ident
        assert properties(task).get("legalBasis"), ident
        (form,) = zeebe(task, "formDefinition")
        assert form.get("bindingType") == "deployment"
        schema = json.loads((ROOT / "forms" / f"{form.get('formId')}.form").read_text())
        assert schema["id"] == form.get("formId")
        (assignment,) = zeebe(task, "assignmentDefinition")
        actor = assignment.get("assignee") or assignment.get("candidateGroups") or ""
        assert actor == "=applicant" or "." in actor, ident


@every_diagram
def test_what_is_called_exists(path: Path) -> None:
    root = ALL[path.stem]
    for call in root.iter(f"{ZEEBE}calledElement"):
        assert call.get("processId") in ALL
        flags = (call.get("bindingType"), call.get("propagateAllChildVariables"), call.get("propagateAllParentVariables"))
        assert flags == ("deployment", "false", "false")
    decisions = {
        decision.get("id")
        for file in (ROOT / "processes").glob("*.dmn")
        for decision in tree(file).iter("{https://www.omg.org/spec/DMN/20191111/MODEL/}decision")
    }
    for call in root.iter(f"{ZEEBE}calledDecision"):
        assert (call.get("decisionId") in decisions, call.get("bindingType")) == (True, "deployment"), call.get("decisionId")


@every_diagram
def test_separation_of_duty_names_existing_tasks(path: Path) -> None:
    """审核 is not 经办, 签发 is neither: every deciding task says whose work it may not be (issue 2; domain.md 6.2)."""
    for task in nodes(ALL[path.stem], "userTask"):
        (form,) = zeebe(task, "formDefinition")
        (assignment,) = zeebe(task, "assignmentDefinition")
        apart = {name for name in properties(task).get("separateFrom", "").split(",") if name}
        assert apart <= USER_TASKS, task.get("id")
        if form.get("formId") in {"verification", "decision_sign"}:
            assert "t_check" in apart and len(apart) > 1, task.get("id")
            role = ".verifier" if form.get("formId") == "verification" else ".signer"
            assert role in (assignment.get("candidateGroups") or ""), task.get("id")


@every_diagram
def test_members_keep_their_form_to_themselves(path: Path) -> None:
    """A member's form variable is local to it, or parallel members would overwrite each other (Camunda 8 variable scopes)."""
    for task in nodes(ALL[path.stem], "userTask"):
        loop = task.find(f"{BPMN}multiInstanceLoopCharacteristics")
        if loop is None:
            assert "role" not in properties(task)
            continue
        (definition,) = loop.iter(f"{ZEEBE}loopCharacteristics")
        (form,) = zeebe(task, "formDefinition")
        schema = json.loads((ROOT / "forms" / f"{form.get('formId')}.form").read_text())
        variable = next(part["path"] for part in schema["components"] if part.get("path"))
        assert inputs(task).get(variable) == "=null", task.get("id")
        assert f"{variable}." in (definition.get("outputElement") or "") and definition.get("outputCollection"), task.get("id")
        assert properties(task)["role"] == "member"


def test_every_message_has_a_sender_and_a_receiver() -> None:
    sent = {name for root in ALL.values() for node in nodes(root) if (name := thrown(node))}
    awaited = {name for root in ALL.values() for name in caught(root)}
    assert sent == awaited - OUTSIDE
    assert awaited >= OUTSIDE


@every_diagram
def test_outside_events_say_who_reports_them_and_with_which_form(path: Path) -> None:
    for name, events in caught(ALL[path.stem]).items():
        for event in events:
            given = properties(event)
            assert (given.get("outsideEvent") == "true") == (name in OUTSIDE), event.get("id")
            if name in OUTSIDE:
                assert given["groups"] == '=unit + ".handler"' if name in OFFICE else "applicant" in given["groups"].split(",")
                assert (ROOT / "forms" / f"{given['formId']}.form").is_file(), given["formId"]


@every_diagram
def test_messages_correlate_by_project(path: Path) -> None:
    root = ALL[path.stem]
    for name, events in caught(root).items():
        process_starts = [e for e in events if e.tag == f"{BPMN}startEvent" and e.getparent() is process_of(root)]
        if len(process_starts) == len(events):
            continue
        (message,) = [m for m in root.iter(f"{BPMN}message") if m.get("name") == name]
        assert [s.get("correlationKey") for s in zeebe(message, "subscription")] == ["=projectId"]
    for node in nodes(root):
        if thrown(node):
            assert inputs(node)["correlationKey"] == "=projectId"


@every_diagram
def test_expressions_are_feel(path: Path) -> None:
    texts: set[str] = set()
    for element in ALL[path.stem].iter(f"{BPMN}*", f"{ZEEBE}*"):
        texts |= {str(value)[1:] for value in element.attrib.values() if str(value).startswith("=")}
        if (element.text or "").startswith("="):
            texts.add((element.text or "")[1:])
    assert texts
    for text in texts:
        compile_expression(text)


@every_diagram
def test_engine_accepts_it(path: Path) -> None:
    """No error; the only warnings allowed are splits without default whose first branch is always taken (`=true`)."""
    known = Known(
        process_ids=set(ALL),
        form_ids={file.stem for file in (ROOT / "forms").glob("*.form")},
        decision_ids={file.stem for file in (ROOT / "processes").glob("*.dmn")},
    )
    found = lint(path.read_bytes(), path.name, known)
    always = {f.get("sourceRef") for f in ALL[path.stem].iter(f"{BPMN}sequenceFlow") if f.findtext(f"{BPMN}conditionExpression") == "=true"}
    unexpected = [f for f in found if f.severity == "error" or (f.severity == "warning" and f.element_id not in always)]
    assert unexpected == []


@every_diagram
def test_readme_lists_every_user_task(path: Path) -> None:
    readme = (ROOT / "processes" / "README.md").read_text()
    for task in nodes(ALL[path.stem], "userTask"):
        (form,) = zeebe(task, "formDefinition")
        (assignment,) = zeebe(task, "assignmentDefinition")
        actor = assignment.get("assignee") or assignment.get("candidateGroups")
        row = f"| `{path.stem}` | `{task.get('id')}` | {task.get('name')} | `{actor}` | `{form.get('formId')}` |"
        assert row in readme, row
