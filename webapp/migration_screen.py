"""What the migration screen shows of a plan and of a dry run: lines of the mapping, reasons with how many instances they stop."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict

from engine.bpmn import ProcessModel
from engine.bpmn.migration import ElementChange, Instructions
from engine.bpmn.migration.plan import WAIT_STATES
from engine.commands import MigrationPlan, Trial
from engine.findings import Finding
from webapp import runs_screen

PREFIX = "map:"
CANCEL = "-"
"""The choice of an element whose tokens end with the migration; "" leaves it as proposed."""
MAX_CHOICES = 2_000
EXAMPLES = 20

STATUS = {
    "same": (lazy_gettext("相同"), "grey"),
    "changed": (lazy_gettext("有改动"), "yellow"),
    "removed": (lazy_gettext("已删除"), "red"),
    "retyped": (lazy_gettext("类型改变"), "red"),
    "moved": (lazy_gettext("换了位置"), "red"),
}
ASPECTS = {
    "name": lazy_gettext("名称"),
    "form": lazy_gettext("表单"),
    "assignment": lazy_gettext("办理人"),
    "job": lazy_gettext("作业"),
    "decision": lazy_gettext("决策"),
    "script": lazy_gettext("计算"),
    "call": lazy_gettext("调用的流程"),
    "mappings": lazy_gettext("输入输出"),
    "listeners": lazy_gettext("监听"),
    "loop": lazy_gettext("循环"),
    "trigger": lazy_gettext("等待的事件"),
    "properties": lazy_gettext("属性"),
    "flows": lazy_gettext("去向"),
}


@dataclass(frozen=True, slots=True)
class Choice:
    """What the analyst has chosen in the form."""

    mapping: dict[str, str | None] = field(default_factory=dict)
    branches: tuple[str, ...] = ()
    refresh_tasks: bool = False
    refresh_waits: bool = False

    @classmethod
    def of(cls, form: MultiDict[str, str]) -> Choice:
        """From the form's fields; what is left as proposed is no choice."""
        chosen = [(name.removeprefix(PREFIX), value) for name, value in form.items() if name.startswith(PREFIX) and value][:MAX_CHOICES]
        return cls(
            {element: None if value == CANCEL else value for element, value in chosen},
            tuple(form.getlist("branch")[:MAX_CHOICES]),
            form.get("refresh_tasks") == "1",
            form.get("refresh_waits") == "1",
        )

    def instructions(self) -> Instructions:
        return Instructions(self.mapping, self.branches, refresh_tasks=self.refresh_tasks, refresh_waits=self.refresh_waits)

    def parameters(self, source_key: int, target_key: int) -> dict[str, Any]:
        """As a batch keeps them."""
        return {
            "sourceKey": source_key,
            "targetKey": target_key,
            "mapping": self.mapping,
            "branches": list(self.branches),
            "refreshTasks": self.refresh_tasks,
            "refreshWaits": self.refresh_waits,
        }


def plan_screen(plan: MigrationPlan, choice: Choice, new: ProcessModel, tokens: dict[str, int]) -> dict[str, Any]:
    """For the template: the lines of the mapping (what needs a look first), what is new, other findings, and JSON for the diagrams."""
    findings: dict[str, list[Finding]] = {}
    for finding in plan.plan.findings:
        findings.setdefault(finding.element_id, []).append(finding)
    lines = [
        _line(change, plan, choice, new, tokens, findings.pop(change.source, []))
        for change in plan.plan.elements
        if change.source and _matters(change, tokens, choice, findings)
    ]
    added = [change.target for change in plan.plan.elements if change.status == "added"]
    return {
        "lines": sorted(lines, key=lambda line: line["rank"]),
        "branches": [(id, new.elements[id].name or id, id in choice.branches) for id in plan.plan.new_branches],
        "loose": [finding for rest in findings.values() for finding in rest if finding.severity == "error"],
        "valid": plan.plan.valid,
        "choice": choice,
        "diagrams": {
            "pairs": [
                {"source": each.source, "target": each.target, "status": each.status}
                for each in plan.plan.elements
                if each.target and each.source
            ],
            "gone": [each.source for each in plan.plan.elements if each.source and not each.target],
            "added": added,
            "tokens": tokens,
        },
    }


def _matters(change: ElementChange, tokens: dict[str, int], choice: Choice, findings: dict[str, list[Finding]]) -> bool:
    """Elements where tokens stand or that wait; and whatever somebody has chosen or the plan complains about."""
    waits = change.kind in WAIT_STATES or change.kind == "boundaryEvent"
    return waits or change.source in tokens or change.source in choice.mapping or change.source in findings


def _line(
    change: ElementChange, plan: MigrationPlan, choice: Choice, new: ProcessModel, tokens: dict[str, int], findings: list[Finding]
) -> dict[str, Any]:
    here = tokens.get(change.source, 0)
    cancelled = choice.mapping.get(change.source, "") is None
    proposed = "" if change.source in choice.mapping else change.target
    others = [id for id in plan.counterparts.get(change.source, ()) if id != proposed]
    blocked = bool(here) and not change.target and not cancelled
    wrong = any(finding.severity == "error" for finding in findings)
    same = change.status == "same" and not findings and not cancelled and change.source not in choice.mapping
    return {
        "id": change.source,
        "name": change.name or change.source,
        "tokens": here,
        "status": STATUS[change.status] if not cancelled else (_("取消"), "yellow"),
        "aspects": [str(ASPECTS[aspect]) for aspect in change.aspects],
        "proposed": (proposed, new.elements[proposed].name or proposed) if proposed else None,
        "others": [(id, new.elements[id].name or id) for id in others],
        "chosen": CANCEL if cancelled else choice.mapping.get(change.source) or "",
        "findings": [finding for finding in findings if finding.rule != "unmapped" or here],
        "blocked": blocked,
        "same": same,
        "rank": (not wrong, not blocked, same, -here),
    }


def trial_screen(session: Session, trials: Sequence[Trial]) -> dict[str, Any]:
    """The outcome of a dry run: how many can be migrated, and for each reason how many cannot, with examples."""
    reasons: dict[tuple[str, str, str], dict[str, Any]] = {}
    for trial in trials:
        # several tokens of one instance may be in the same way: people count instances
        for finding in {(each.rule, each.element_id, each.message): each for each in trial.findings}.values():
            reason = reasons.setdefault(
                (finding.rule, finding.element_id, finding.message), {"finding": finding, "count": 0, "examples": []}
            )
            reason["count"] += 1
            if len(reason["examples"]) < EXAMPLES:
                reason["examples"].append(trial)
    shown = [trial.business_id for reason in reasons.values() for trial in reason["examples"]]
    return {
        "total": len(trials),
        "ok": sum(trial.ok for trial in trials),
        "reasons": sorted(reasons.values(), key=lambda reason: -reason["count"]),
        "projects": runs_screen.projects_of(session, shown),
    }
