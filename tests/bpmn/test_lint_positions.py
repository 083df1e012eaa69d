"""Lint: pieces that are known, but not allowed where they stand; each finding names the element in both languages."""

from __future__ import annotations

import pytest

from engine.bpmn import lint
from tests.bpmn.support import (
    ANY_ERROR,
    COMPENSATE,
    END,
    ERROR,
    ESCALATION,
    START,
    boundary,
    chain,
    doc,
    el,
    event_sub,
    gate,
    multi,
    sub,
    timer,
    user,
    zeebe,
)

CANCEL = "<cancelEventDefinition/>"
LINK = '<linkEventDefinition name="L"/>'
INNER = el("startEvent", "is") + el("endEvent", "ie", CANCEL) + chain("is", "ie")
M1 = '<messageEventDefinition messageRef="M1"/>'


AFTER_A = END + chain("s", "a", "e")


def undo(reference: str) -> str:
    return el("intermediateThrowEvent", "th", f'<compensateEventDefinition activityRef="{reference}"/>')


def canceling(job_type: str) -> str:
    listener = f'<zeebe:taskListener eventType="canceling" type="{job_type}"/>'
    return el("userTask", "a", zeebe(f"<zeebe:taskListeners>{listener}</zeebe:taskListeners>"))


CASES = [
    ("cancel-event", "e", START + el("endEvent", "e", CANCEL) + chain("s", "e")),
    ("cancel-event", "ie", START + el("transaction", "tx", INNER) + END + chain("s", "tx", "e")),
    ("loop", "g", START + el("exclusiveGateway", "g", multi()) + END + chain("s", "g", "e")),
    ("loop", "ev", START + END + chain("s", "e") + sub("ev", multi() + el("startEvent", "es", timer("PT1H")), triggeredByEvent="true")),
    ("compensation", "a", START + el("userTask", "a", isForCompensation="true") + END + chain("s", "a", "e")),
    ("compensation", "th", START + user("a") + undo("a") + END + chain("s", "a", "th", "e")),
    ("compensation", "th", START + undo("ghost") + END + chain("s", "th", "e")),
    ("listener", "a", START + canceling("=kind") + END + chain("s", "a", "e")),
    (
        "link",
        "c2",
        START
        + el("intermediateThrowEvent", "t", LINK)
        + el("intermediateCatchEvent", "c1", LINK)
        + el("intermediateCatchEvent", "c2", LINK)
        + chain("s", "t"),
    ),
    ("link", "t", START + el("intermediateThrowEvent", "t", LINK) + chain("s", "t")),
    ("end", "ie", START + el("adHocSubProcess", "ah", user("a") + el("endEvent", "ie")) + END + chain("s", "ah", "e")),
    ("event-definition", "b2", START + user("a") + boundary("b1", "a", ERROR) + boundary("b2", "a", ERROR) + END + chain("s", "a", "e")),
    ("event-definition", "b2", START + user("a") + boundary("b1", "a", ESCALATION) + boundary("b2", "a", ESCALATION, False) + AFTER_A),
    ("event-definition", "b2", START + user("a") + boundary("b1", "a", ANY_ERROR) + boundary("b2", "a", ANY_ERROR) + AFTER_A),
    ("event-definition", "b2", START + user("a") + boundary("b1", "a", M1) + boundary("b2", "a", M1, False) + AFTER_A),
    (
        "event-definition",
        "v2_s",
        START + user("a") + AFTER_A + event_sub("v1", ERROR, chain("v1_s", "v1_e")) + event_sub("v2", ERROR, chain("v2_s", "v2_e")),
    ),
    (
        "event-definition",
        "r",
        START
        + gate("g", "eventBased")
        + el("intermediateCatchEvent", "c", M1)
        + el("receiveTask", "r", messageRef="M1")
        + END
        + chain("s", "g", "c", "e")
        + chain("g", "r", "e"),
    ),
    ("timer", "b", START + user("a") + boundary("b", "a", timer("R3/PT1H", "timeCycle")) + AFTER_A),
    ("timer", "v_s", START + user("a") + AFTER_A + event_sub("v", timer("R3/PT1H", "timeCycle"), chain("v_s", "v_e"))),
    ("start", "m2", el("startEvent", "m1", M1) + el("startEvent", "m2", M1) + END + chain("m1", "e") + chain("m2", "e")),
    (
        "reference",
        "b",
        START + END + chain("s", "e") + event_sub("ev", timer("PT1H"), chain("ev_s", "ev_e")) + boundary("b", "ev", timer("PT1H")),
    ),
]


@pytest.mark.parametrize(("rule", "element", "body"), CASES, ids=[f"{rule}-{i}" for i, (rule, _, _) in enumerate(CASES)])
def test_refused(rule: str, element: str, body: str) -> None:
    found = [f for f in lint(doc(body), "x.bpmn") if f.severity == "error" and (f.rule, f.element_id) == (rule, element)]
    assert found and all(f.message and f.message_en and f.line for f in found)


def test_an_exact_code_and_any_code_may_stand_side_by_side() -> None:
    both = boundary("b1", "a", ERROR) + boundary("b2", "a", ANY_ERROR) + boundary("b3", "a", ESCALATION) + boundary("b4", "a", M1)
    found = lint(doc(START + user("a") + both + AFTER_A + event_sub("v", ERROR, chain("v_s", "v_e"))), "x.bpmn")
    assert [str(f) for f in found if f.rule == "event-definition"] == []


def test_allowed() -> None:
    handled = user("a") + boundary("cb", "a", COMPENSATE) + el("userTask", "h", isForCompensation="true")
    handled += '<association id="as" sourceRef="cb" targetRef="h"/>'
    inside = event_sub("ev", ERROR, undo("a") + chain("ev_s", "th", "ev_e"))
    found = lint(doc(START + handled + inside + END + chain("s", "a", "e")), "x.bpmn")
    assert [str(f) for f in found if f.rule in ("compensation", "loop", "link", "cancel-event")] == []
