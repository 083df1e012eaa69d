"""What diagrams call on projects: 赋码, milestones, closing."""

from __future__ import annotations

from datetime import date
from typing import Any

from engine.clock import CHINA
from engine.errors import Invalid
from engine.jobs import HandlerRegistry, JobContext
from handlers.numbering import REGION, check_digit, next_number
from handlers.preconditions import service as preconditions
from handlers.projects import service as projects

registry = HandlerRegistry()

STARTED, PERMIT_TO_START = "started", "ZJ03"
"""开工, and the item whose preconditions of the start of work hold for it."""
LAND = "land"
"""拿地."""
SPREAD, START, SERIALS = 7919, 31, 100_000
"""The five "random" digits: a sequence spread over all numbers (7919 is coprime to 100,000), so that none comes twice."""


@registry.handler(
    "project.assign_code", transactional=True, inputs=("projectId", "project"), headers=("department", "kind"), outputs=("projectCode",)
)
def assign_code(job: JobContext) -> dict[str, Any]:
    """项目代码赋码：按 GB/T 40058-2021 生成项目代码，已有代码的沿用。

    YYMM-652301-DD-TT-NNNNNC: DD from header `department` (default 04 发改), TT from header `kind` (default 01 基本建设), C the ISO/IEC 7064
    MOD 11,10 digit. A code that was given at registration is kept.
    """
    project_id = business_project(job)
    project = job.variables.get("project")
    given = project.get("xmdm") or project.get("code") if isinstance(project, dict) else None
    code = str(given) if given else _new_code(job)
    projects.set_code(job.session, project_id, code)
    return {"projectCode": code}


def _new_code(job: JobContext) -> str:
    month = job.now.astimezone(CHINA).strftime("%y%m")
    department, kind = job.headers.get("department", "04"), job.headers.get("kind", "01")
    while True:
        serial = (next_number(job.session, "project-code") * SPREAD + START) % SERIALS
        digit = check_digit(f"{month}{REGION}{department}{kind}{serial:05d}")
        code = f"{month}-{REGION}-{department}-{kind}-{serial:05d}{digit}"
        if not projects.code_exists(job.session, code):
            return code


@registry.handler("project.record_milestone", transactional=True, inputs=("projectId", "day"), headers=("milestone",))
def record_milestone(job: JobContext) -> None:
    """记录里程碑：今天，或输入 day 给出的日期。

    Header `milestone`: a code of milestones.csv. Input `day` (optional): an ISO date. 开工 is refused while what the
    law asks for before works begin is missing (PreconditionMissing).
    """
    milestone = job.headers.get("milestone")
    if not milestone:
        raise Invalid(reason="任务头缺少 milestone")
    if milestone == STARTED:
        preconditions.require(job.session, business_project(job), PERMIT_TO_START, "start_work", job.variables)
    given = job.variables.get("day")
    day = date.fromisoformat(given[:10]) if isinstance(given, str) and given else projects.local_day(job.now)
    projects.record_milestone(job.session, business_project(job), milestone, day, person=job.actor)


@registry.handler("project.record_milestone.land", transactional=True, inputs=("projectId", "landContract", "landAllocation"))
def record_land(job: JobContext) -> None:
    """记录拿地：出让合同签订或者划拨决定作出之日（执行监听器用）。

    For an execution listener, which has no headers: the day and the number come from the contract or the allocation that was registered.
    """
    day = projects.told_day(LAND, job.variables) or projects.local_day(job.now)
    papers = (job.variables.get(name) for name in ("landContract", "landAllocation"))
    evidence = next((str(paper["number"]) for paper in papers if isinstance(paper, dict) and paper.get("number")), "")
    projects.record_milestone(job.session, business_project(job), LAND, day, evidence=evidence, person=job.actor)


@registry.handler("project.close", transactional=True, inputs=("projectId",), headers=("outcome", "milestone"))
def close(job: JobContext) -> None:
    """项目办结：记录结果并关闭项目。

    Header `outcome`: completed or the reason of a termination. Header `milestone` (optional): a milestone reached by it today.
    """
    project_id = business_project(job)
    projects.close_project(job.session, project_id, job.headers.get("outcome", "completed"), job.now)
    if milestone := job.headers.get("milestone"):
        projects.record_milestone(job.session, project_id, milestone, projects.local_day(job.now), person=job.actor)


def business_project(job: JobContext) -> int:
    """The project of a job: its input `projectId`, else the instance's business id. Invalid when there is none."""
    value = job.variables.get("projectId") or job.business_id
    if value is None or not str(value).isdecimal():
        raise Invalid(reason="没有 projectId")
    return int(str(value))
