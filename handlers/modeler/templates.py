"""Element templates of Camunda 8 (zeebe): one for each job type, and those for tasks of departments, of applicants, decisions and calls.

The menu of the Modeler can so never offer a handler, form or unit that the program does not have.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.jobs.registry import Handler
from handlers.catalogue.service import Catalogue
from handlers.modeler.names import Names, groups_of, handlers

Json = dict[str, Any]
ENGINES = {"camunda": "^8.8"}
CATEGORY = {"id": "lianban", "name": "联办"}
GROUPS = [
    {"id": "who", "label": "谁来办"},
    {"id": "what", "label": "办什么"},
    {"id": "law", "label": "时限与依据"},
    {"id": "inputs", "label": "输入"},
    {"id": "headers", "label": "参数"},
    {"id": "outputs", "label": "输出"},
]


def element_templates(names: Names, entries: Catalogue) -> dict[str, list[Json]]:
    """File name -> the templates in it."""
    return {
        "jobs.json": [job_template(handler) for handler in handlers()],
        "tasks.json": [department_task(names, entries), applicant_task(names)],
        "calls.json": [decision_task(names), call_activity(names)],
    }


def _template(ident: str, name: str, description: str, element: str, properties: list[Json]) -> Json:
    used = {part["group"] for part in properties if "group" in part}
    return {
        "name": name,
        "id": f"cn.changji.lianban.{ident}",
        "version": 1,
        "description": description,
        "category": CATEGORY,
        "appliesTo": ["bpmn:Activity"],
        "elementType": {"value": element},
        "engines": ENGINES,
        "groups": [group for group in GROUPS if group["id"] in used],
        "properties": properties,
    }


def job_template(handler: Handler) -> Json:
    """A service task that a handler does: its inputs (FEEL), headers (text) and outputs."""
    name, _, rest = handler.description.partition("\n")[0].partition("：")
    fixed = _hidden("zeebe:taskDefinition", handler.type, property="type")
    inputs = [_field(i, "inputs", {"type": "zeebe:input", "name": i}, feel="optional", value=f"={i}") for i in handler.inputs]
    headers = [_field(h, "headers", {"type": "zeebe:taskHeader", "key": h}) for h in handler.headers]
    outputs = [_field(o, "outputs", {"type": "zeebe:output", "source": f"={o}"}, value=o) for o in handler.outputs]
    return _template(f"job.{handler.type}", name, rest or name, "bpmn:ServiceTask", [fixed, *inputs, *headers, *outputs])


def department_task(names: Names, entries: Catalogue) -> Json:
    """A user task of one role of one unit."""
    groups = _choice("办理单位与角色", "who", {"type": "zeebe:assignmentDefinition", "property": "candidateGroups"}, groups_of(entries))
    units = _choice("责任单位", "who", {"type": "zeebe:property", "name": "unit"}, {c: u.short_name for c, u in entries.units.items()})
    properties = [_marker(), groups, units, *_form(names), *_law()]
    return _template("task.department", "部门办理任务", "由一个单位的一个角色办理的表单任务", "bpmn:UserTask", properties)


def applicant_task(names: Names) -> Json:
    """A user task of whoever applies."""
    assignee = _hidden("zeebe:assignmentDefinition", "=applicant", property="assignee")
    properties = [_marker(), assignee, *_form(names), *_law()]
    return _template("task.applicant", "申请人任务", "由申请人（或代办人员、综合窗口）填写的表单任务", "bpmn:UserTask", properties)


def decision_task(names: Names) -> Json:
    """A business rule task that evaluates a decision table."""
    decision = _choice("决策", "what", {"type": "zeebe:calledDecision", "property": "decisionId"}, names.decisions)
    result = _field("结果变量", "what", {"type": "zeebe:calledDecision", "property": "resultVariable"}, required=True)
    binding = _hidden("zeebe:calledDecision", "deployment", property="bindingType")
    return _template("decision", "查决策表", "按决策表算出结果，写入变量", "bpmn:BusinessRuleTask", [decision, result, binding])


def call_activity(names: Names) -> Json:
    """A call of one of our processes; what goes in and out is said by mappings."""
    process = _choice("流程", "what", {"type": "zeebe:calledElement", "property": "processId"}, names.processes)
    fixed = [_hidden("zeebe:calledElement", "deployment", property="bindingType")]
    fixed += [_hidden("zeebe:calledElement", False, property=f"propagateAll{side}Variables") for side in ("Child", "Parent")]
    return _template("call", "调用流程", "调用另一个流程，用输入输出映射传递变量", "bpmn:CallActivity", [process, *fixed])


def _form(names: Names) -> list[Json]:
    form = _choice("表单", "what", {"type": "zeebe:formDefinition", "property": "formId"}, names.forms)
    return [form, _hidden("zeebe:formDefinition", "deployment", property="bindingType")]


def _law() -> list[Json]:
    return [
        _field("法定依据", "law", {"type": "zeebe:property", "name": "legalBasis"}, required=True),
        {
            **_field("时限（工作日）", "law", {"type": "zeebe:property", "name": "limit"}),
            "constraints": {"notEmpty": False, "pattern": {"value": "[1-9][0-9]*", "message": "请填正整数"}},
            "optional": True,
        },
    ]


def _marker() -> Json:
    return {"type": "Hidden", "binding": {"type": "zeebe:userTask"}}


def _hidden(binding: str, value: str | bool, **more: str) -> Json:
    return {"type": "Hidden", "value": value, "binding": {"type": binding, **more}}


def _field(label: str, group: str, binding: Json, *, value: str = "", feel: str = "", required: bool = False) -> Json:
    part: Json = {"label": label, "type": "String", "group": group, "binding": binding}
    if feel:
        part["feel"] = feel
    if value:
        part["value"] = value
    if required:
        part["constraints"] = {"notEmpty": True}
    return part


def _choice(label: str, group: str, binding: Json, options: Mapping[str, str]) -> Json:
    choices = [{"name": f"{name}（{value}）" if name != value else value, "value": value} for value, name in options.items()]
    return {"label": label, "type": "Dropdown", "group": group, "binding": binding, "choices": choices, "constraints": {"notEmpty": True}}
