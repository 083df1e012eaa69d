"""Called instances: what they throw reaches their caller in order, and what they did is undone by an instance of its own."""

from __future__ import annotations

import pytest

from engine import Engine, commands
from engine.policy import SYSTEM
from engine.store import reads
from engine.store.models import element_key
from tests.bpmn.support import END, ERROR, START, boundary, chain, doc, el, flow, user, zeebe
from tests.engine.test_commands import DIAGRAMS, clerk, complete, deploy, open_tasks, start, state


def test_every_escalation_of_an_instance_that_ends_at_once_reaches_the_caller_and_the_call_completes(engine: Engine) -> None:
    deploy(engine, "escalating_call.bpmn")
    key = start(engine, "boss")
    assert state(engine, key) == "COMPLETED"
    with engine.reading() as session:
        events = [e.element_id for e in reads.element_history(session, key)]
    assert events.count("told") == 2 and events.count("o_end") == 1


def test_an_interrupting_escalation_ends_the_call_although_the_child_completed(engine: Engine) -> None:
    source = (DIAGRAMS / "escalating_call.bpmn").read_bytes().replace(b' cancelActivity="false"', b"")
    with engine.unit_of_work() as session:
        commands.deploy(session, SYSTEM, [("escalating_call.bpmn", source)])
    key = start(engine, "boss")
    with engine.reading() as session:
        events = [e.element_id for e in reads.element_history(session, key)]
    assert state(engine, key) == "COMPLETED" and events.count("told") == 1 and "o_end" not in events


def test_compensation_reaches_through_two_calls_and_the_throw_waits_for_it(engine: Engine) -> None:
    deploy(engine, "undone_call.bpmn")
    key = start(engine, "outer", business_id="p1")
    complete(engine, clerk("A.handler"), open_tasks(engine)[0].key, {"unit": "changed later"})
    (release,) = open_tasks(engine)
    assert release.element_id == "t_release"
    with engine.reading() as session:
        undoing = reads.instance(session, release.instance_key)
        assert reads.variables(session, undoing.key)["reserved"] == "no. A", "the variables as they were at its end"
    assert (undoing.process_id, undoing.root_key, undoing.business_id) == ("inner", key, "p1")
    complete(engine, clerk("A.handler"), release.key)
    (after,) = open_tasks(engine)
    assert after.element_id == "t_after" and state(engine, undoing.key) == "COMPLETED"
    complete(engine, clerk("A.handler"), after.key)
    assert state(engine, key) == "COMPLETED"


def test_cancelling_while_a_called_instance_is_undone_leaves_nothing_open(engine: Engine) -> None:
    deploy(engine, "undone_call.bpmn")
    key = start(engine, "outer")
    complete(engine, clerk("A.handler"), open_tasks(engine)[0].key)
    (release,) = open_tasks(engine)
    with engine.unit_of_work() as session:
        commands.cancel_instance(session, SYSTEM, key, reason="test")
    assert open_tasks(engine) == [] and state(engine, release.instance_key) == "TERMINATED"


@pytest.mark.parametrize(("binding", "expected"), [("deployment", "first"), ("latest", "second"), ('versionTag" versionTag="1.0', "first")])
def test_row_p_a_call_is_pinned_as_its_binding_says_although_a_newer_version_came_meanwhile(
    engine: Engine, binding: str, expected: str
) -> None:
    caller = (DIAGRAMS / "bound_call.bpmn").read_bytes().replace(b'bindingType="deployment', f'bindingType="{binding}'.encode())
    first = (DIAGRAMS / "bound.bpmn").read_bytes()
    second = first.replace(b"first", b"second").replace(b'value="1.0"', b'value="2.0"')
    for resources in ([("bound_call.bpmn", caller), ("bound.bpmn", first)], [("bound.bpmn", second)]):
        with engine.unit_of_work() as session:
            commands.deploy(session, SYSTEM, resources)
        if not open_tasks(engine):
            key = start(engine, "binding")
    complete(engine, clerk("A.handler"), open_tasks(engine)[0].key)
    assert state(engine, key) == "COMPLETED"
    with engine.reading() as session:
        assert reads.variables(session, key)["version"] == expected


def chain_of_calls(engine: Engine, catches: bool) -> int:
    """Three processes; the innermost ends in the error E1, which the outermost catches or nobody does -> key of the outermost instance."""
    call = el("callActivity", "c", zeebe('<zeebe:calledElement processId="NAME"/>'))
    caught = boundary("b", "c", ERROR) + user("mend") + chain("b", "mend", "e") if catches else ""
    top = doc(START + call.replace("NAME", "middle") + caught + END + chain("s", "c", "e"), "top")
    middle = doc(START + call.replace("NAME", "bottom") + END + chain("s", "c", "e"), "middle")
    decide = el("exclusiveGateway", "x", default="d") + el("endEvent", "er", ERROR) + flow("x", "er", "refused") + flow("x", "e", id="d")
    bottom = doc(START + user("ask") + decide + END + chain("s", "ask", "x"), "bottom")
    with engine.unit_of_work() as session:
        commands.deploy(session, SYSTEM, [("top.bpmn", top), ("middle.bpmn", middle), ("bottom.bpmn", bottom)])
    return start(engine, "top")


def test_an_error_that_is_caught_two_calls_above_ends_the_instances_in_between(engine: Engine) -> None:
    key = chain_of_calls(engine, catches=True)
    (ask,) = open_tasks(engine)
    complete(engine, SYSTEM, ask.key, {"refused": True})
    (mend,) = open_tasks(engine)
    assert (mend.element_id, mend.instance_key, state(engine, ask.instance_key)) == ("mend", key, "TERMINATED")


def test_an_error_that_nobody_above_catches_is_an_incident_where_it_was_thrown_and_loses_nothing(engine: Engine) -> None:
    key = chain_of_calls(engine, catches=False)
    (ask,) = open_tasks(engine)
    complete(engine, SYSTEM, ask.key, {"refused": True})
    with engine.reading() as session:
        (incident,) = reads.incidents_of_instance(session, ask.instance_key)
    assert (incident.element_id, incident.kind) == ("er", "UNHANDLED_ERROR_EVENT")
    assert state(engine, ask.instance_key) == state(engine, key) == "ACTIVE"
    with engine.unit_of_work() as session:
        stuck = element_key(ask.instance_key, incident.token_id)
        commands.jump_to_element(session, SYSTEM, stuck, "ask", reason="退件有误")
    (again,) = open_tasks(engine)
    complete(engine, SYSTEM, again.key, {"refused": False})
    assert state(engine, ask.instance_key) == state(engine, key) == "COMPLETED"
