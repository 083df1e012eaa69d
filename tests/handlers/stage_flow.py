"""A stage's flow (P10 to P50) from its start to its end by the real diagrams, for scenario tests; a clerk's moves are those of Item."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from engine import commands
from engine.policy import SYSTEM
from tests.handlers.conftest import Office
from tests.handlers.item_flow import Item, at, hold_preconditions


@dataclass(frozen=True)
class Flow:
    """How to bring a flow to its review and through it. A name with a colon is an outside event; every open task of a name is done."""

    process: str
    item: str
    unit: str
    before: tuple[str, ...]
    review: tuple[str, ...]
    missing: str
    """A material that the window may tolerate."""


FLOWS = {
    flow.process: flow
    for flow in (
        Flow("project_initiation", "FG03", "FGW", ("t_feasibility",), ("mi_consult", "t_feasibility_review", "t_verify"), "资金来源证明"),
        Flow(
            "land_preapproval",
            "ZR01",
            "ZRZYJ",
            ("t_apply",),
            ("t_plan", "t_farm", "t_use", "mi_consult", "t_site", "t_sum"),
            "节地评价报告",
        ),
        Flow(
            "planning_permit",
            "ZR06",
            "ZRZYJ",
            ("t_apply",),
            ("mi_review", "t_sum", "t_request", "t_approve", "t_publicity", "t_permit"),
            "日照分析报告",
        ),
        Flow(
            "construction_permit",
            "ZJ03",
            "ZJJ",
            ("t_apply", "t_wage", "construction_contract_registered:", "t_drawing", "t_fire", "t_civil_defence"),
            ("t_review", "t_verify"),
            "农民工工资专户和工伤保险承诺",
        ),
        Flow("completion_acceptance", "ZJ05", "ZJJ", ("t_apply",), ("t_schedule", "mi_accept", "t_sum"), "竣工图"),
    )
}


BEGINNINGS = {"project_initiation": "br_mode", "land_preapproval": "br_need"}
"""The element behind the message start event."""


class StageItem(Item):
    """A case of a stage's flow; its root is the flow itself."""

    def __init__(
        self,
        office: Office,
        flow: Flow,
        received: str = "2022-05-11T10:30",
        fields: dict[str, Any] | None = None,
        **answers: dict[str, Any],
    ) -> None:
        self.office, self.code, self.unit, self.flow = office, flow.item, flow.unit, flow
        office.driver.move_to(at("2022-05-09T10:00"))
        initial = {"tl13": True} if flow.process in ("project_initiation", "land_preapproval") else {}
        self.project = office.register(**(initial if fields is None else fields))
        office.driver.move_to(at(received))
        hold_preconditions(office, self.project, flow.item)
        variables = {
            "projectId": str(self.project.id),
            "project": self.project.data if initial else self.project.data | {"tzly": "企业投资"},
            "applicant": self.project.applicant,
        }
        with office.engine.unit_of_work() as session:
            self.root = commands.start_instance(
                session,
                SYSTEM,
                flow.process,
                variables,
                business_id=str(self.project.id),
                owner=self.project.applicant,
                start_at=(BEGINNINGS.get(flow.process, "t_apply"),),
            )
        self.work(*flow.before, **answers)

    def work(self, *steps: str, **answers: dict[str, Any]) -> StageItem:
        """Do every open task of each name in turn."""
        for step in steps:
            if step.endswith(":"):
                self.report(step.removesuffix(":"))
            for task in [task for task in self.tasks() if task.element_id == step]:
                self.office.driver.complete(task, answers.get(step, {}), self.project)
        return self

    def reviewed(self) -> StageItem:
        """Through the review, up to the signature."""
        return self.work(*self.flow.review)

    def sign(self, decision: str = "准予") -> StageItem:
        denial = {"deny_reason": "申请内容与批准的详细规划不符，不符合法定条件，依法不予许可。"} if decision == "不予" else {}
        return self.work("t_sign", t_sign={"decision": {"decision": decision, **denial}})
