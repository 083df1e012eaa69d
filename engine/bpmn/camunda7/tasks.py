"""What people, workers, scripts and decisions do: user, service, send, script and business rule tasks, and events that throw messages."""

from __future__ import annotations

from engine.bpmn.camunda7.sheet import Sheet
from engine.bpmn.parser.xml import BPMN, child_text

FORM_BINDINGS = {"latest": "latest", "deployment": "deployment"}
CODE = ("class", "delegateExpression", "expression")
EMBEDDED = "camunda-forms:deployment:"


def user_task(sheet: Sheet) -> None:
    """Assignment, candidates, dates, priority and the linked form."""
    sheet.add("userTask")
    people = {name: sheet.moved(name, sheet.take(name)) for name in ("assignee", "candidateGroups", "candidateUsers")}
    if any(people.values()):
        sheet.add("assignmentDefinition", **people)
    dates = {name: sheet.moved(name, sheet.take(name)) for name in ("dueDate", "followUpDate")}
    if any(dates.values()):
        sheet.add("taskSchedule", **dates)
    priority = sheet.moved("priority", sheet.take("priority"))
    if priority is not None:
        sheet.add("priorityDefinition", priority=priority)
    form(sheet)


def form(sheet: Sheet) -> None:
    """formRef, or a formKey that names a Camunda form of the deployment."""
    reference, key = sheet.moved("formRef", sheet.take("formRef")), sheet.get("formKey")
    if reference is not None:
        binding, version = sheet.take("formRefBinding") or "latest", sheet.get("formRefVersion")
        if binding not in FORM_BINDINGS:
            sheet.loss(
                f"表单按版本 {version or ''} 绑定，请改用版本标签；已按最新版本导入。",
                "The form is bound by version number; imported as the latest.",
            )
        sheet.add("formDefinition", formId=reference, bindingType=FORM_BINDINGS.get(binding, "latest"))
    elif key is not None and key.startswith(EMBEDDED) and key.endswith(".form"):
        sheet.take("formKey")
        sheet.add("formDefinition", formId=key.removeprefix(EMBEDDED).removesuffix(".form"), bindingType="deployment")
    elif key is not None:
        sheet.loss(f"表单“{key}”不是 Camunda 表单，请改画为 .form。", f"The form {key!r} is no Camunda form.")
    if sheet.children("formData"):
        sheet.loss("内嵌的表单字段（formData）请改画为 .form。", "Embedded form fields (formData): draw them as a .form.")


def job(sheet: Sheet) -> None:
    """External tasks become job types; Java code is listed."""
    topic = sheet.get("topic")
    if sheet.get("type") == "external" and topic is not None:
        sheet.take("type")
        retries = _retries(sheet)
        kind = sheet.moved("topic", sheet.take("topic"))
        if kind is not None:
            sheet.add("taskDefinition", type=kind, retries=retries)
        if sheet.kind.endswith("Task"):
            priority(sheet)
        return
    for name in CODE:
        text = sheet.get(name)
        if text is not None:
            sheet.loss(
                f"camunda:{name}“{text}”是 Java 代码，请改为作业类型。", f"camunda:{name} {text!r} is Java code: give a job type instead."
            )
    if sheet.get("type"):
        sheet.loss(f"不支持的任务类型 {sheet.get('type')}。", f"The task type {sheet.get('type')!r} is not supported.")
    for _connector in sheet.children("connector"):
        sheet.loss("连接器（connector）请改为作业类型。", "A connector: give a job type instead.")
    for _field in sheet.children("field"):
        sheet.loss("注入的字段（field）请改为输入映射。", "An injected field: give an input mapping instead.")


def priority(sheet: Sheet) -> None:
    """The priority of an external task, or of those of a process."""
    value = sheet.moved("taskPriority", sheet.take("taskPriority"))
    if value is not None:
        sheet.add("jobPriorityDefinition", priority=value)


def _retries(sheet: Sheet) -> str | None:
    """R3/PT10M -> 3; the waiting time between tries is the worker's in Camunda 8."""
    for cycle in sheet.children("failedJobRetryTimeCycle"):
        times = (cycle.text or "").strip().partition("/")[0].removeprefix("R")
        if times.isdigit():
            sheet.extensions().remove(cycle)
            sheet.note("重试间隔由工作程序决定，只导入了次数。", "Only the number of retries is imported, not the time between them.")
            return times
    return None


def business_rule_task(sheet: Sheet) -> None:
    """A decision of the same or another deployment, or a job."""
    reference = sheet.moved("decisionRef", sheet.take("decisionRef"))
    if reference is None:
        job(sheet)
        return
    binding, tag = sheet.take("decisionRefBinding") or "latest", sheet.take("decisionRefVersionTag")
    if binding == "version":
        number = sheet.get("decisionRefVersion")
        sheet.loss(
            f"决策按版本 {number} 绑定，请改用版本标签；已按最新版本导入。",
            "The decision is bound by version number; imported as the latest.",
        )
        binding = "latest"
    result = sheet.take("resultVariable")
    if result is None:
        sheet.loss("没有结果变量，Camunda 8 必须有。", "There is no result variable; Camunda 8 demands one.")
    mapping = sheet.take("mapDecisionResult") or "resultList"
    if mapping not in ("singleEntry", "singleResult"):
        zh = f"结果的取法 {mapping} 与 Camunda 8 不同：那里由命中策略决定是单值还是列表，请核对。"
        sheet.loss(zh, f"The result mapping {mapping} differs: in Camunda 8 the hit policy decides between one value and a list.")
    sheet.add("calledDecision", decisionId=reference, resultVariable=result, bindingType=binding, versionTag=tag)


def script_task(sheet: Sheet) -> None:
    """FEEL scripts and simple JUEL; other languages are listed."""
    language, text = (sheet.node.get("scriptFormat") or "").lower(), child_text(sheet.node, "script")
    if sheet.get("resource"):
        sheet.loss("外部脚本文件请改为 FEEL 表达式。", "An external script: write it as FEEL.")
        return
    if language not in ("feel", "juel") or text is None:
        sheet.loss(
            f"脚本语言 {language or '未写明'}，请改为 FEEL 表达式或作业类型。",
            f"Script language {language!r}: write FEEL or give a job type.",
        )
        return
    feel = sheet.feel(text, "script") if language == "juel" else text
    if feel is None:
        return
    for node in sheet.node.findall(BPMN + "script"):
        sheet.node.remove(node)
    del sheet.node.attrib["scriptFormat"]
    sheet.add("script", expression=f"={feel}", resultVariable=sheet.take("resultVariable") or "scriptResult")
