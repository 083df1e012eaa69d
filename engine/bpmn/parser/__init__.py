"""XML -> ProcessModel: the zeebe dialect, and plain BPMN 2.0."""

from __future__ import annotations

from collections.abc import Iterator

from engine.bpmn.kernel.element import Element, ScopeSpec
from engine.bpmn.model import ConditionalStart, ElementInfo, MessageStart, ProcessModel, SignalStart, TimerStart
from engine.bpmn.parser.extensions import read_properties, zeebe
from engine.bpmn.parser.nodes import MEMBER
from engine.bpmn.parser.process import FileParser
from engine.bpmn.parser.xml import Refused, child_text, finding_at, read_xml
from engine.bpmn.vocabulary import Text
from engine.errors import DeploymentRefused


def parse(xml: bytes, resource: str) -> list[ProcessModel]:
    """The executable processes of a BPMN file. Raises DeploymentRefused when it cannot be read; `lint` gives every finding at once."""
    try:
        parser = FileParser(read_xml(xml, resource), resource)
        return [_model(parser, process_id, resource) for process_id in parser.executable()]
    except Refused as error:
        raise DeploymentRefused([error.finding]) from error


def lines(xml: bytes) -> dict[str, int]:
    """Element id -> line, of a file that `parse` accepts."""
    return {node.get("id", ""): finding_at("", "", "", "", node).line for node in read_xml(xml, "").iter() if node.get("id")}


def _model(parser: FileParser, process_id: str, resource: str) -> ProcessModel:
    spec, node = parser.compile(process_id), parser.nodes[process_id]
    tag = zeebe(node, "versionTag")
    elements = dict(_elements(spec, ""))
    top = [spec.task_specs[name] for name, info in elements.items() if info.kind == "startEvent" and not info.parent]
    model = ProcessModel(
        process_id=process_id,
        name=node.get("name") or process_id,
        version_tag="" if tag is None else tag.get("value") or "",
        resource=resource,
        spec=spec,
        properties=read_properties(node),
        elements=elements,
        has_none_start=bool(spec.starts),
        called=frozenset(info.called for info in elements.values() if info.called),
        flows={e.bpmn_id: _flows(e) for e in spec.table if e.name == e.bpmn_id},
        start_elements=frozenset(spec.starts) | {e.bpmn_id for e in top},
        documentation=child_text(node, "documentation") or "",
    )
    for start in top:
        _add_start(model, start)
    return model


def _flows(element: Element) -> list[tuple[str, str]]:
    """(flow id, target id) of the outgoing flows, the default flow first."""
    return [(f.flow_id, f.target.bpmn_id) for f in sorted(element.flows, key=lambda f: not f.is_default)]


TASK_EVENTS = ("creating", "assigning", "updating", "completing", "canceling")


def _written(text: Text | None) -> str:
    """A text as the analyst typed it."""
    return "" if text is None else ("=" if text.is_feel else "") + text.text


def _add_start(model: ProcessModel, start: Element) -> None:
    trigger = start.trigger
    if trigger is None:
        return
    if trigger.kind == "message" and trigger.name is not None:
        key = trigger.correlation_key
        model.message_starts.append(MessageStart(start.bpmn_id, trigger.name.text, None if key is None else key.text))
    elif trigger.kind == "signal" and trigger.name is not None:
        model.signal_starts.append(SignalStart(start.bpmn_id, trigger.name.text))
    elif trigger.kind == "conditional" and trigger.expression is not None:
        model.conditional_starts.append(ConditionalStart(start.bpmn_id, trigger.expression.text))
    elif trigger.kind == "timer" and trigger.expression is not None:
        text = ("=" if trigger.expression.is_feel else "") + trigger.expression.text
        model.timer_starts.append(TimerStart(start.bpmn_id, trigger.timer_kind or "date", text))


def _elements(spec: ScopeSpec, parent: str) -> Iterator[tuple[str, ElementInfo]]:
    hosts = {name: e.bpmn_id for e in spec.task_specs.values() for name in e.boundary}
    for element in spec.task_specs.values():
        member = spec.task_specs.get(element.name + MEMBER, element)
        if element.name != element.bpmn_id:
            continue
        ext, called = member.ext, member.ext.called_process
        info = ElementInfo(
            id=element.bpmn_id,
            name=element.bpmn_name or "",
            kind=element.kind,
            lane=element.lane,
            parent=parent,
            properties=ext.properties,
            form_id=ext.form.form_id if ext.form else None,
            documentation=element.documentation or "",
            trigger=member.trigger.kind if member.trigger is not None else "",
            attached_to=hosts.get(element.name, ""),
            called=called.process_id.text if called is not None and not called.process_id.is_feel else "",
            job_type=_written(ext.job.type if ext.job else None),
            task_events=frozenset(each for each in TASK_EVENTS if getattr(ext, f"{each}_listeners")),
            assignee=_written(ext.assignment.assignee if ext.assignment else None),
            candidate_groups=_written(ext.assignment.candidate_groups if ext.assignment else None),
        )
        yield element.bpmn_id, info
    for name, inner in spec.inner.items():
        yield from _elements(inner, name)
