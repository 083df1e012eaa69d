"""One more diagram in the folder of an element: `as_modeled.bpmn`, in the dialect Camunda Modeler writes.

It lints clean, runs to its end (stored and restored before every step) with the expected variables, and can be cancelled after every step
without leaving anything open."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from engine.bpmn import Completed, Known, lint
from tests.bpmn.support import Host, Run

HERE = Path(__file__).parent
Step = tuple[Any, ...]
"""("do", task, variables) completes a user task; ("message", element, variables); ("signal", name); ("wait", days); ("call", variables)"""

CASES: dict[str, tuple[dict[str, Any], list[Step], dict[str, Any]]] = {
    "user_task": ({"owner": "ZJJ"}, [("do", "review", {"result": "同意", "note": 1})], {"owner": "ZJJ", "opinion": "同意"}),
    "service_task": ({}, [], {"code": "2026-01"}),
    "script_task": ({"amounts": [1, 2, 3]}, [], {"amounts": [1, 2, 3], "total": 6}),
    "business_rule_task": ({}, [], {"units": ["ZJJ"]}),
    "receive_task": ({"caseId": "C1"}, [("message", "wait", {"paper": "W01"})], {"caseId": "C1", "paper": "W01"}),
    "call_activity": ({"code": "ZR06"}, [("call", {"itemResult": "granted", "noise": 1})], {"code": "ZR06", "result": "granted"}),
    "exclusive_gateway": ({"amount": 500}, [("do", "big", {})], {"amount": 500}),
    "parallel_gateway": ({}, [("do", "b", {}), ("do", "a", {})], {}),
    "inclusive_gateway": ({"land": True, "plan": True}, [("do", "plan", {}), ("do", "land", {})], {"land": True, "plan": True}),
    "event_based_gateway": ({"caseId": "C1"}, [("wait", 5), ("do", "remind", {})], {"caseId": "C1"}),
    "boundary_event": ({}, [("wait", 3), ("do", "remind", {}), ("do", "review", {})], {}),
    "sub_process": ({}, [("do", "inside", {"unit": "local"})], {}),
    "event_sub_process": ({}, [("signal", "stop_all"), ("do", "wind_up", {})], {}),
    "ad_hoc_sub_process": ({"enough": False}, [("do", "b", {"enough": True})], {"enough": True}),
    "multi_instance": (
        {"units": ["A", "B"]},
        [("do", "member", {"opinion": 1}), ("do", "member", {"opinion": 2})],
        {"units": ["A", "B"], "opinions": [1, 2]},
    ),
    "error_event": ({}, [("do", "check", {}), ("do", "explain", {})], {}),
    "escalation_event": ({}, [("do", "look", {}), ("do", "go_on", {})], {}),
    "link_event": ({}, [("do", "a", {}), ("do", "b", {})], {}),
    "compensation_event": ({}, [("do", "grant", {}), ("do", "appeal", {}), ("do", "undo", {"undone": True})], {"undone": True}),
    "terminate_event": ({}, [("do", "a", {})], {}),
    "conditional_event": ({"count": 1}, [("do", "count_up", {"count": 3}), ("do", "open", {})], {"count": 3}),
}


def start(name: str) -> Run:
    host = Host(jobs={"project.assign_code": lambda _: Completed({"projectCode": "2026-01"})}, decisions={"units": lambda _: ["ZJJ"]})
    return Run((HERE / name / "as_modeled.bpmn").read_bytes(), CASES[name][0], host)


def act(run: Run, step: Step) -> None:
    if step[0] == "do":
        run.complete(step[1], **step[2])
    elif step[0] == "message":
        run.message(step[1], **step[2])
    elif step[0] == "signal":
        run.signal(step[1])
    elif step[0] == "wait":
        run.wait(days=step[1])
    else:
        run.do("call_completed", next(iter(run.rows.open["calls"])), step[1])


def test_every_sample_has_a_case() -> None:
    assert {path.parent.name for path in HERE.glob("*/as_modeled.bpmn")} == set(CASES)


@pytest.mark.parametrize("name", CASES)
def test_lints_clean(name: str) -> None:
    findings = lint((HERE / name / "as_modeled.bpmn").read_bytes(), name, Known())
    assert [str(f) for f in findings if f.severity == "error"] == []


@pytest.mark.parametrize("name", CASES)
def test_runs_to_its_end(name: str) -> None:
    run = start(name)
    for step in CASES[name][1]:
        assert run.state == "ACTIVE"
        act(run, step)
    assert run.state == "COMPLETED" and run.variables == CASES[name][2]
    assert not any(run.rows.open.values()) and not run.rows.tokens


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if case[1]])
def test_cancelled_after_every_step(name: str) -> None:
    for done in range(len(CASES[name][1])):
        run = start(name)
        for step in CASES[name][1][:done]:
            act(run, step)
        run.do("cancel")
        assert run.state == "TERMINATED" and not run.rows.tokens
        assert not any(items for kind, items in run.rows.open.items()), run.rows.open
