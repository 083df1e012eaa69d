"""What is cached about deployments: they never change, and one that was rolled back is forgotten."""

from __future__ import annotations

import pytest

from engine import Engine, commands
from engine.errors import Conflict
from engine.policy import SYSTEM
from engine.store.models import user_task
from tests.engine.test_commands import start

PROCESS = (
    '<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:zeebe="http://camunda.org/schema/zeebe/1.0"'
    ' id="d" targetNamespace="test"><bpmn:process id="p" isExecutable="true"><bpmn:startEvent id="s"/>'
    '<bpmn:userTask id="{task}"><bpmn:extensionElements><zeebe:userTask/></bpmn:extensionElements></bpmn:userTask>'
    '<bpmn:sequenceFlow id="f" sourceRef="s" targetRef="{task}"/></bpmn:process></bpmn:definitions>'
)


def test_a_deployment_that_was_rolled_back_leaves_nothing_in_the_caches(engine: Engine) -> None:
    """Its keys are given out again; an instance of the next deployment must run that deployment's diagram."""
    with pytest.raises(Conflict), engine.unit_of_work() as session:
        commands.deploy(session, SYSTEM, [("p.bpmn", PROCESS.format(task="first").encode())])
        commands.start_instance(session, SYSTEM, "p", {})
        raise Conflict(reason="rolled back")
    with engine.unit_of_work() as session:
        commands.deploy(session, SYSTEM, [("p.bpmn", PROCESS.format(task="second").encode())])
    start(engine, "p")
    with engine.reading() as session:
        assert [task.element_id for task in session.execute(user_task.select())] == ["second"]
