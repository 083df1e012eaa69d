"""The house rules for diagrams: errors in a process that declares `approval=true` (zeebe property), hints elsewhere, so that an
analyst's first two boxes deploy. The Modeler plug-in (modeler/bpmnlint-plugin-lianban) has the same rules under the same ids; both sides
give the findings of tests/lint/expected.json. In hints the id ends in `-hint`.

Sources: 行政许可法 30 (published basis), 42 (twenty working days unless a law says otherwise), 45 (what does not count); the plan of
Changji's office for 100 working days. The limits are those of processes/catalogue/items.csv.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from engine.bpmn import ElementInfo, ProcessModel
from engine.findings import Finding
from handlers.catalogue.service import Catalogue, catalogue
from handlers.diagram_rules.paths import critical_path, limit_of
from handlers.registry import registry

GENERAL_LIMIT = 20
"""Working days of 行政许可法 42 for a decision when the item has no limit of its own."""
PROJECT_LIMIT = 100
"""Working days for a whole project (the order of 2022)."""

Blame = tuple[str, str, str, str]
"""element id ("" for the process), rule, Chinese, English"""


def check(model: ProcessModel) -> list[Finding]:
    """Every finding of the house rules about one process, in document order."""
    entries = catalogue()
    rules: tuple[Callable[[ProcessModel, Catalogue], Iterator[Blame]], ...] = (_basis, _unit, _limit, _statute, _milestones, _job_types)
    approval = model.properties.get("approval") == "true"
    return [_finding(model, blame, approval) for rule in rules for blame in rule(model, entries)]


def _finding(model: ProcessModel, blame: Blame, approval: bool) -> Finding:
    element_id, rule, zh, en = blame
    element = model.elements.get(element_id)
    name = element.name if element is not None else model.name
    where = (model.resource, element_id or model.process_id, name)
    if approval:
        return Finding(rule, "error", zh, en, *where)
    return Finding(f"{rule}-hint", "hint", zh, en, *where)


def _user_tasks(model: ProcessModel) -> list[ElementInfo]:
    return [element for element in model.elements.values() if element.kind == "userTask"]


def _basis(model: ProcessModel, _entries: Catalogue) -> Iterator[Blame]:
    """The process and every user task name their legal basis; what the machine does follows the process's."""
    if not model.properties.get("legalBasis", "").strip():
        yield "", "legal-basis", "流程没有写明法定依据（属性 legalBasis）。", "The process names no legal basis (property legalBasis)."
    for task in _user_tasks(model):
        if not task.properties.get("legalBasis", "").strip():
            yield (
                task.id,
                "legal-basis",
                "任务没有写明法定依据（属性 legalBasis）。",
                "The task names no legal basis (property legalBasis).",
            )


def _unit(model: ProcessModel, entries: Catalogue) -> Iterator[Blame]:
    """Every user task says which unit does it, by the property `unit`, its candidate groups (UNIT.role) or the applicant as assignee."""
    for task in _user_tasks(model):
        unit, groups = task.properties.get("unit", "").strip(), task.candidate_groups
        if not unit and not groups and not task.assignee:
            yield (
                task.id,
                "unit",
                "任务没有写明责任单位（属性 unit 或候选组“单位.角色”）。",
                "The task names no unit (property unit or groups).",
            )
        elif unit and unit not in entries.units:
            yield task.id, "unit", f"单位名录中没有“{unit}”。", f"There is no unit {unit!r} in the register."
        elif unit and groups and not groups.startswith("=") and not _names(groups, unit):
            yield task.id, "unit", f"候选组“{groups}”不属于责任单位“{unit}”。", f"The groups {groups!r} do not belong to the unit {unit!r}."


def _names(groups: str, unit: str) -> bool:
    return any(group.strip().split(".")[0] == unit for group in groups.split(","))


def _limit(model: ProcessModel, _entries: Catalogue) -> Iterator[Blame]:
    """A limit is a whole number of working days."""
    for element in model.elements.values():
        text = element.properties.get("limit", "").strip()
        if "limit" in element.properties and not (text.isascii() and text.isdigit() and int(text) > 0):
            yield (
                element.id,
                "limit",
                f"时限“{text}”不是正整数（工作日）。",
                f"The limit {text!r} is not a positive number of working days.",
            )


def _statute(model: ProcessModel, entries: Catalogue) -> Iterator[Blame]:
    """No limit is longer than the statute's: that of the item (property `itemCode` of the element or process), else twenty days."""
    for element in model.elements.values():
        days, code = limit_of(element.properties), element.properties.get("itemCode") or model.properties.get("itemCode", "")
        if code and code not in entries.items:
            yield element.id, "item", f"事项目录中没有“{code}”。", f"There is no item {code!r} in the catalogue."
            continue
        statute = _working_days(entries, code)
        if days > statute:
            zh = f"时限 {days} 个工作日超过法定时限 {statute} 个工作日。"
            yield element.id, "statutory-limit", zh, f"The limit of {days} working days exceeds the statute's {statute}."


def _working_days(entries: Catalogue, code: str) -> int:
    text = entries.items[code].statutory_limit if code else ""
    return int(text) if text.isdigit() else GENERAL_LIMIT


def _job_types(model: ProcessModel, _entries: Catalogue) -> Iterator[Blame]:
    """The program itself does what an approval diagram calls; elsewhere a worker outside may fetch jobs of any type."""
    known = registry().types() | {"publish_message"}
    for element in model.elements.values():
        if element.job_type and not element.job_type.startswith("=") and element.job_type not in known:
            zh = f"没有处理作业类型“{element.job_type}”的程序；流程会停在这里等外部工作程序领取。"
            yield (
                element.id,
                "job-type",
                zh,
                f"Nobody here does jobs of type {element.job_type!r}; the flow waits for an outside worker.",
            )


def _milestones(model: ProcessModel, _entries: Catalogue) -> Iterator[Blame]:
    """The longest way through the process stays within the hundred days of a project."""
    path = critical_path(model)
    if path.days > PROJECT_LIMIT:
        names = " → ".join(f"{model.elements[name].name or name}（{limit_of(model.elements[name].properties)}）" for name in path.elements)
        zh = f"最长路径合计 {path.days} 个工作日，超过 {PROJECT_LIMIT} 个：{names}"
        yield "", "milestone-limit", zh, f"The longest way takes {path.days} working days, more than {PROJECT_LIMIT}: {names}"
