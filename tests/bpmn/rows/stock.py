"""Stock SpiffWorkflow on the same diagrams: the controls that show the wrong behaviour of each row."""

from __future__ import annotations

import logging
from typing import Any

from SpiffWorkflow.bpmn.parser.BpmnParser import BpmnParser
from SpiffWorkflow.bpmn.script_engine import PythonScriptEngine, TaskDataEnvironment
from SpiffWorkflow.bpmn.workflow import BpmnWorkflow
from SpiffWorkflow.util.task import TaskState

logging.getLogger("spiff").setLevel(logging.CRITICAL)


class Stock:
    """A stock process instance; scripts may call log(x)."""

    def __init__(self, xml: bytes, data: dict[str, Any] | None = None) -> None:
        parser = BpmnParser()
        parser.add_bpmn_str(xml)
        self.trace: list[str] = []
        engine = PythonScriptEngine(TaskDataEnvironment({"log": self.trace.append}))
        self.workflow = BpmnWorkflow(parser.get_spec("p"), parser.get_subprocess_specs("p"), script_engine=engine)
        self.workflow.get_next_task(spec_name="Start").set_data(**(data or {}))
        self.workflow.do_engine_steps()

    def ready(self) -> list[Any]:
        return list(self.workflow.get_tasks(state=TaskState.READY, manual=True))

    @property
    def tasks(self) -> list[str]:
        """READY user tasks by element id, members of a multi-instance too."""
        return sorted(task.task_spec.bpmn_id for task in self.ready())

    def do(self, name: str, **data: Any) -> None:
        task = next(t for t in self.ready() if t.task_spec.bpmn_id == name)
        task.set_data(**data)
        task.run()
        self.workflow.do_engine_steps()

    @property
    def completed(self) -> bool:
        return bool(self.workflow.is_completed())

    def states(self, name: str) -> list[int]:
        return [task.state for task in self.workflow.get_tasks() if task.task_spec.bpmn_id == name]
