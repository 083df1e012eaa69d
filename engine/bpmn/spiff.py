"""The only door to SpiffWorkflow 3.2.0 (pinned): what the kernel, the elements and the parser subclass or call.

SpiffWorkflow is untyped. The type checker sees the declarations below, the program gets the real classes; so every assumption about
upstream, private names included, stands in this file and nowhere else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from lxml.etree import _Element as XmlElement

    class Task:
        """SpiffWorkflow.task.Task: one token in the tree."""

        id: int
        workflow: Any
        task_spec: Any
        triggered: bool
        thread_id: int
        last_state_change: float
        internal_data: dict[str, Any]
        _parent: int | None
        _children: dict[int, int]
        _state: int

        def __init__(self, workflow: Any, task_spec: Any) -> None: ...
        def _ready(self) -> None: ...
        def complete(self) -> None: ...

    class BpmnWorkflow:
        """SpiffWorkflow.bpmn.workflow.BpmnWorkflow: a process instance."""

        spec: Any
        tasks: dict[int, Any]
        task_tree: Any

    class BpmnSubWorkflow:
        """SpiffWorkflow.bpmn.util.subworkflow.BpmnSubWorkflow: an embedded scope."""

        spec: Any
        tasks: dict[int, Any]
        task_tree: Any

    class BpmnProcessSpec:
        """SpiffWorkflow.bpmn.specs.bpmn_process_spec.BpmnProcessSpec: the elements of one scope."""

        name: str
        file: str | None
        start: Any
        task_specs: dict[str, Any]
        bpmn_start_events: list[Any]

        def __init__(self, name: str, description: str | None = None, filename: str | None = None) -> None: ...
        def _add_notify(self, task_spec: Any) -> None: ...

    class BpmnSpecMixin:
        """SpiffWorkflow.bpmn.specs.mixins.bpmn_spec_mixin.BpmnSpecMixin: what every visible element has."""

        name: str
        bpmn_id: str
        bpmn_name: str | None
        lane: str | None
        documentation: str | None
        manual: bool
        task_spec: str
        spec: str
        event_definition: Any
        cancel_activity: bool
        _wf_spec: Any
        _outputs: list[str]

        def __init__(self, wf_spec: Any, bpmn_id: str, **kwargs: Any) -> None: ...
        def _on_complete(self, my_task: Any) -> None: ...
        def connect(self, taskspec: Any) -> None: ...
        def _connect_notify(self, taskspec: Any) -> None: ...

    class UserTask(BpmnSpecMixin): ...

    class ServiceTask(BpmnSpecMixin): ...

    class ScriptTask(BpmnSpecMixin): ...

    class SendTask(BpmnSpecMixin): ...

    class ReceiveTask(BpmnSpecMixin): ...

    class ExclusiveGateway(BpmnSpecMixin): ...

    class InclusiveGateway(BpmnSpecMixin): ...

    class ParallelGateway(BpmnSpecMixin): ...

    class EventBasedGateway(BpmnSpecMixin): ...

    class StartEvent(BpmnSpecMixin): ...

    class EndEvent(BpmnSpecMixin): ...

    class IntermediateCatchEvent(BpmnSpecMixin): ...

    class IntermediateThrowEvent(BpmnSpecMixin): ...

    class BoundaryEvent(BpmnSpecMixin): ...

    class SubWorkflowTask(BpmnSpecMixin): ...

    class CallActivity(BpmnSpecMixin): ...

    class TransactionSubprocess(BpmnSpecMixin): ...

    class EventSubprocess(BpmnSpecMixin): ...

    class AdHocSubprocess(BpmnSpecMixin): ...

    class StandardLoopTask(BpmnSpecMixin): ...

    class ParallelMultiInstanceTask(BpmnSpecMixin): ...

    class SequentialMultiInstanceTask(BpmnSpecMixin): ...

    class NoneEventDefinition: ...

    class TaskParser:
        """SpiffWorkflow.bpmn.parser.TaskParser.TaskParser: reads one flow element."""

        process_parser: Any
        spec_class: Any
        node: XmlElement
        spec: Any
        task: Any
        lane: str | None
        filename: str
        bpmn_id: str

        def __init__(self, process_parser: Any, spec_class: Any, node: Any, nsmap: Any, lane: str | None = None) -> None: ...

    class ProcessParser:
        """SpiffWorkflow.bpmn.parser.ProcessParser.ProcessParser: reads one scope."""

        parser: Any
        node: XmlElement
        spec: Any
        parent: Any
        filename: str
        bpmn_id: str
        process_executable: bool

        def __init__(self, p: Any, node: Any, nsmap: Any, data_stores: Any, filename: str, lane: str | None = None) -> None: ...
        def get_name(self) -> str: ...
        def get_spec(self) -> Any: ...
        def parse_node(self, node: Any) -> Any: ...
        def get_outgoing_sequence_flows(self, source_ref: str) -> list[XmlElement]: ...
        def get_node_by_id(self, node_id: str | None) -> XmlElement | None: ...

    class BpmnParser:
        """SpiffWorkflow.bpmn.parser.BpmnParser.BpmnParser: reads one file."""

        process_parsers: dict[str, Any]
        PROCESS_PARSER_CLASS: Any
        OVERRIDE_PARSER_CLASSES: ClassVar[dict[str, tuple[Any, Any]]]

        def __init__(self) -> None: ...
        def _add_diagram_indexes(self, bpmn: Any) -> None: ...
        def create_parser(self, node: Any, filename: str, lane: str | None = None) -> None: ...

else:
    from SpiffWorkflow.bpmn.parser.BpmnParser import BpmnParser
    from SpiffWorkflow.bpmn.parser.ProcessParser import ProcessParser
    from SpiffWorkflow.bpmn.parser.TaskParser import TaskParser
    from SpiffWorkflow.bpmn.specs.bpmn_process_spec import BpmnProcessSpec
    from SpiffWorkflow.bpmn.specs.defaults import (
        AdHocSubprocess,
        BoundaryEvent,
        CallActivity,
        EndEvent,
        EventBasedGateway,
        EventSubprocess,
        ExclusiveGateway,
        InclusiveGateway,
        IntermediateCatchEvent,
        IntermediateThrowEvent,
        ParallelGateway,
        ParallelMultiInstanceTask,
        ReceiveTask,
        ScriptTask,
        SendTask,
        SequentialMultiInstanceTask,
        ServiceTask,
        StandardLoopTask,
        StartEvent,
        SubWorkflowTask,
        TransactionSubprocess,
        UserTask,
    )
    from SpiffWorkflow.bpmn.specs.event_definitions import NoneEventDefinition
    from SpiffWorkflow.bpmn.specs.mixins.bpmn_spec_mixin import BpmnSpecMixin
    from SpiffWorkflow.bpmn.util.subworkflow import BpmnSubWorkflow
    from SpiffWorkflow.bpmn.workflow import BpmnWorkflow
    from SpiffWorkflow.task import Task

FUTURE, WAITING, READY, STARTED, COMPLETED, ERROR, CANCELLED = 4, 8, 16, 32, 64, 128, 256
"""SpiffWorkflow.util.task.TaskState: what a token row stores. Everything below COMPLETED is live."""

STATE_NAMES = {
    FUTURE: "ACTIVATING",
    WAITING: "WAITING",
    READY: "READY",
    STARTED: "STARTED",
    COMPLETED: "COMPLETED",
    CANCELLED: "TERMINATED",
}

__all__ = [
    "CANCELLED",
    "COMPLETED",
    "ERROR",
    "FUTURE",
    "READY",
    "STARTED",
    "STATE_NAMES",
    "WAITING",
    "AdHocSubprocess",
    "BoundaryEvent",
    "BpmnParser",
    "BpmnProcessSpec",
    "BpmnSpecMixin",
    "BpmnSubWorkflow",
    "BpmnWorkflow",
    "CallActivity",
    "EndEvent",
    "EventBasedGateway",
    "EventSubprocess",
    "ExclusiveGateway",
    "InclusiveGateway",
    "IntermediateCatchEvent",
    "IntermediateThrowEvent",
    "NoneEventDefinition",
    "ParallelGateway",
    "ParallelMultiInstanceTask",
    "ProcessParser",
    "ReceiveTask",
    "ScriptTask",
    "SendTask",
    "SequentialMultiInstanceTask",
    "ServiceTask",
    "StandardLoopTask",
    "StartEvent",
    "SubWorkflowTask",
    "Task",
    "TaskParser",
    "TransactionSubprocess",
    "UserTask",
]
