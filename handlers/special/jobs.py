"""What diagrams call for special procedures: draw experts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from engine.errors import Invalid
from engine.jobs import HandlerRegistry, JobContext
from handlers.special import service as special

registry = HandlerRegistry()

ORGANISATION_FIELDS = frozenset({"jsdw", "sjdw", "kcdw", "sgdw", "jldw", "dwmc"})
"""Fields of project and application forms that name the builder, designer, surveyor, contractor, supervisor or another party."""
DEFAULT_EXPERTS = 3
DEFAULT_FIELD = "规划建筑"


@registry.handler(
    "special.draw_experts", transactional=True, inputs=("caseId", "special", "project", "application"), outputs=("expertDraw",)
)
def draw_experts(job: JobContext) -> dict[str, Any]:
    """随机抽取评审专家：与申请人、设计等单位有利害关系的回避，种子和名单记录在案。

    `special.expert_count` (odd, default 3) experts of `special.expert_field`. Returns `expertDraw`: seed, experts, excluded.
    """
    case_id = str(job.variables.get("caseId") or "")
    if not case_id.isdecimal():
        raise Invalid(reason="缺少输入 caseId")
    asked = job.variables.get("special")
    wanted: dict[str, Any] = asked if isinstance(asked, dict) else {}
    count = wanted.get("expert_count")
    parties = [*_organisations(job.variables.get("project")), *_organisations(job.variables.get("application"))]
    found = special.draw(
        job.session,
        int(case_id),
        field=str(wanted.get("expert_field") or DEFAULT_FIELD),
        count=count if isinstance(count, int) else DEFAULT_EXPERTS,
        conflicting=parties,
        person=job.actor,
        now=job.now,
    )
    return {"expertDraw": {"seed": found.seed, "experts": [expert.as_dict() for expert in found.experts], "excluded": list(found.excluded)}}


def _organisations(value: Any) -> Iterator[str]:
    """Every organisation that a form's data name, at any depth."""
    if isinstance(value, dict):
        for name, inner in value.items():
            if name in ORGANISATION_FIELDS and isinstance(inner, str):
                yield inner
            yield from _organisations(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _organisations(inner)
