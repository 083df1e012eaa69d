"""Work lists, the task screen and what comes next, on a project that is brought into joint review."""

from __future__ import annotations

from datetime import timedelta

import pytest

from engine import clock, commands, policy
from engine.errors import Conflict, Forbidden, NotFound
from engine.store import models as m
from engine.store import reads
from handlers.projects.service import Project
from handlers.tasks import service as tasks
from handlers.tasks.answers import answer_lines, result_of
from handlers.tasks.service import WorkListQuery, task_view, work_list
from tests.handlers.conftest import DAIRY, SCHOOL, Office

PEOPLE = (
    "lijianguo",
    "luodeming",
    "wanghaiyan",
    "guli",
    "liangxuemei",
    "ayinuer",
    "zhangwei",
    "zhouming",
    "admin",
    "liuyang",
    SCHOOL,
    DAIRY,
)


@pytest.fixture(scope="module")
def project(office: Office) -> Project:
    """In joint review: 自然资源局 and 住建局 have agreed, 交通运输局 has objected, 水利局 has signed for it, the others not."""
    project = office.register(xmmc="昌吉市任务测试学校新建工程")
    while not any(t.element_id == "mi_review" for t in office.driver.open_tasks(project.id)):
        open_tasks = office.driver.open_tasks(project.id)
        events = [e for e in office.driver.awaited(project.id) if e.message_name == "land_allocated"]
        if open_tasks:
            office.driver.complete(open_tasks[0], {}, project)
        else:
            office.driver.report(events[0], {}, project)
        office.driver.move_to(clock.now() + timedelta(hours=2))
    members = {t.candidate_groups[0].split(".")[0]: t for t in office.driver.open_tasks(project.id)}
    for unit in ("ZRZYJ", "ZJJ"):
        office.driver.complete(members[unit], {}, project)
    office.driver.complete(members["JTYSJ"], {"review": {"opinion": "不同意", "clause": "距交叉口小于70米"}}, project)
    office.driver.claim(members["SLJ"])
    return project


def boxes(office: Office, username: str, **query: object) -> tasks.WorkListPage:
    with office.engine.reading() as session:
        return work_list(session, office.actor(username), WorkListQuery(**query))  # type: ignore[arg-type]


def member(office: Office, project: Project, unit: str, state: str = "CREATED") -> int:
    with office.engine.reading() as session:
        rows = reads.tasks_of_business(session, str(project.id))
    return next(
        row.key for row in rows if row.element_id == "mi_review" and row.state == state and row.candidate_groups == [f"{unit}.handler"]
    )


def test_candidates_see_it_in_their_units_box_until_somebody_signs(office: Office, project: Project) -> None:
    assert [r.name for r in boxes(office, "guoxiuying", box="unit", q="任务测试").rows] == ["联合审查"]
    assert boxes(office, "zhangwei", box="unit", q="任务测试").total == 0
    assert boxes(office, "zhangwei", box="mine", q="任务测试").total == 1
    done = boxes(office, "lijianguo", box="done", q="任务测试")
    assert "联合审查" in [r.name for r in done.rows] and {r.completed_by for r in done.rows} == {"lijianguo"}


def test_the_applicant_follows_everything_that_is_open(office: Office, project: Project) -> None:
    started = boxes(office, SCHOOL, box="started", q="任务测试")
    assert started.total == len(office.driver.open_tasks(project.id)) > 5
    assert boxes(office, DAIRY, box="started", q="任务测试").total == 0


def test_the_boxes_hold_exactly_what_policy_allows(office: Office, project: Project) -> None:
    """SQL twin: `mine` and `unit` together = the tasks that engine.policy lets this person complete."""
    with office.engine.reading() as session:
        open_rows = session.execute(m.user_task.select().where(m.user_task.c.state == "CREATED")).all()
        facts = {row.key: reads.task_facts(session, row) for row in open_rows}
        assert len(open_rows) > 8
        for username in PEOPLE:
            actor = office.actor(username)
            allowed = {row.key for row in open_rows if policy.refusal(actor, "complete", facts[row.key]) is None}
            if actor.can("represent_owner"):
                allowed = {k for k in allowed if facts[k].assignee != facts[k].owner}  # only owners' tasks it filed itself
            listed = set()
            for box in ("mine", "unit"):
                page = work_list(session, actor, WorkListQuery(box=box))
                for number in range(1, page.pages + 1):
                    listed |= {row.key for row in work_list(session, actor, WorkListQuery(box=box, page=number)).rows}
            assert listed == allowed, username


def test_who_did_an_earlier_part_is_not_offered_the_next(office: Office) -> None:
    """审核不是经办: 韩丽娜 reviews as a handler would; the signer's task is not offered to who did t_permit."""
    project = office.register(xmmc="昌吉市岗位分离测试工程")
    window_task = office.driver.open_tasks(project.id)
    assert window_task
    with office.engine.reading() as session:
        row = session.execute(m.user_task.select().where(m.user_task.c.key == window_task[0].key)).one()
        facts = reads.task_facts(session, row)
    blocked = policy.TaskFacts(
        assignee=None,
        candidate_groups=frozenset({"ZRZYJ.handler"}),
        separate_from=frozenset({"t_permit"}),
        doers={"t_permit": frozenset({"lijianguo"})},
    )
    assert policy.refusal(office.actor("lijianguo"), "claim", blocked)
    assert policy.refusal(office.actor("luodeming"), "claim", blocked) is None
    assert facts.owner == SCHOOL


def test_search_finds_task_project_code_company_and_case_number(office: Office, project: Project) -> None:
    with office.engine.reading() as session:
        view = task_view(session, office.actor("guoxiuying"), member(office, project, "GSGS"))
    assert view.case is not None
    for word in ("任务测试", project.code or "", "昌吉市教育局", view.case.number):
        assert boxes(office, "guoxiuying", box="unit", q=word).total >= 1, word
    assert boxes(office, "guoxiuying", box="unit", q="联合审").total >= 1
    assert boxes(office, "guoxiuying", box="unit", q="没有这样的词").total == 0
    assert boxes(office, "guoxiuying", box="unit", q="%").total == 0


def test_filters_by_stage_unit_and_due(office: Office, project: Project) -> None:
    assert boxes(office, "guoxiuying", box="unit", stage="S2", unit="GSGS", q="任务测试").total == 1
    assert boxes(office, "guoxiuying", box="unit", stage="S3", q="任务测试").total == 0
    assert boxes(office, "guoxiuying", box="unit", unit="ZJJ", q="任务测试").total == 0
    page = boxes(office, "guoxiuying", box="unit")
    by_light = {"yellow": 0, "red": 0, "green": 0}
    for row in page.rows:
        by_light[row.light.colour] += 1
    assert page.counts["yellow"] == by_light["yellow"] and page.counts["overdue"] == by_light["red"]


@pytest.mark.parametrize("sort", ["due", "created", "project"])
def test_every_order_lists_the_same_tasks(office: Office, project: Project, sort: str) -> None:
    page = boxes(office, SCHOOL, box="started", sort=sort)
    assert page.total == boxes(office, SCHOOL, box="started").total
    if sort == "due":
        dues = [row.due_date for row in page.rows if row.due_date is not None]
        assert dues == sorted(dues)


def test_a_page_beyond_the_last_is_the_last(office: Office, project: Project) -> None:
    page = boxes(office, SCHOOL, box="started", page=999)
    assert page.page == page.pages and page.rows


def test_the_task_screen_of_a_member(office: Office, project: Project) -> None:
    with office.engine.reading() as session:
        view = task_view(session, office.actor("guoxiuying"), member(office, project, "GSGS"))
    assert view.can_claim and view.can_complete and not view.can_release and not view.limited
    assert view.schema is not None and view.data["unit"] == "GSGS"
    assert {o.unit_name for o in view.opinions if o.element_id == "mi_review"} == {"自然资源局", "住建局", "交通运输局"}
    objection = next(o for o in view.opinions if o.result == "不同意")
    assert ("依据条款", "距交叉口小于70米") in objection.lines
    assert len(view.others) == 11 and view.project is not None and view.project.id == project.id
    assert view.case is not None and view.case.item_code == "ZR06" and view.required_materials
    assert [s.state for s in view.steps].count("now") == 1 and view.steps[-1].state == "next"
    assert "汇总联审意见" in [s.title for s in view.steps if s.state == "next"]
    assert "mi_review" in view.diagram.active and "t_sum" in view.diagram.coming and "t_apply" in view.diagram.done
    units = next(d for d in view.decisions if d.decision_id == "review_units")
    assert "GSGS" in units.output and units.trace


def test_the_forecast_goes_on_after_a_called_process(office: Office) -> None:
    """收件核验 is in item_intake; what follows its acceptance is drawn in the flow that called it."""
    project = office.register()
    apply = next(t for t in office.driver.open_tasks(project.id) if t.process_id == "land_preapproval")
    office.driver.complete(apply, {}, project)
    check = next(t for t in office.driver.open_tasks(project.id) if t.element_id == "t_check")
    with office.engine.reading() as session:
        before = task_view(session, office.actor("guli"), check.key)
    assert [s.title for s in before.steps if s.state == "now"] == ["收件核验"]
    coming = [s.title for s in before.steps if s.state == "next"]
    assert coming and "送达" not in coming, "what comes nearest, not the end of the flow"


def test_a_draft_is_shown_over_the_variables(office: Office, project: Project) -> None:
    key, actor = member(office, project, "SLJ"), office.actor("zhangwei")
    with office.engine.unit_of_work() as session:
        commands.save_draft(session, actor, key, {"review": {"opinion": "同意", "comment": "写了一半"}})
    with office.engine.reading() as session:
        view = task_view(session, actor, key)
    assert view.draft_at is not None and view.data["review"]["comment"] == "写了一半" and view.can_release


def test_another_department_may_not_open_it(office: Office, project: Project) -> None:
    with office.engine.reading() as session:
        with pytest.raises(Forbidden):
            task_view(session, office.actor("mawenqiang"), member(office, project, "GSGS"))
        with pytest.raises(NotFound):  # applicants do not learn that it exists
            task_view(session, office.actor(DAIRY), member(office, project, "GSGS"))
        with pytest.raises(NotFound):
            task_view(session, office.actor("guoxiuying"), 1)


def test_the_applicant_follows_without_the_offices_words(office: Office, project: Project) -> None:
    with office.engine.reading() as session:
        view = task_view(session, office.actor(SCHOOL), member(office, project, "GSGS"))
    assert view.limited and view.schema is None and view.opinions == [] and view.decisions == [] and view.data == {}
    assert view.steps and not view.can_complete


def test_who_completed_it_sees_what_was_submitted(office: Office, project: Project) -> None:
    with office.engine.reading() as session:
        view = task_view(session, office.actor("xiewentao"), member(office, project, "JTYSJ", "COMPLETED"))
    assert view.data["review"]["opinion"] == "不同意" and not view.can_complete and view.refusal == ""


def test_a_second_submit_is_refused_and_changes_nothing(office: Office, project: Project) -> None:
    key = member(office, project, "JTYSJ", "COMPLETED")
    with office.engine.unit_of_work() as session, pytest.raises(Conflict):
        commands.complete_task(session, office.actor("xiewentao"), key, {"review": {"opinion": "同意"}})


def test_the_analyst_and_the_administrator_do_nobodys_task(office: Office, project: Project) -> None:
    for username in ("liuyang", "admin", "zhouming"):
        with office.engine.unit_of_work() as session, pytest.raises(Forbidden):
            commands.claim_task(session, office.actor(username), member(office, project, "GSGS"))


def test_answers_are_told_with_the_forms_labels() -> None:
    schema = {
        "components": [
            {
                "type": "group",
                "path": "review",
                "components": [
                    {"type": "radio", "key": "opinion", "label": "意见", "values": [{"label": "同意", "value": "yes"}]},
                    {"type": "checkbox", "key": "ok", "label": "齐全"},
                    {"type": "filepicker", "key": "files", "label": "附件"},
                    {
                        "type": "dynamiclist",
                        "path": "rows",
                        "label": "人员",
                        "components": [{"type": "textfield", "key": "name", "label": "姓名"}],
                    },
                    {"type": "textfield", "key": "empty", "label": "空"},
                    {"type": "datetime", "key": "day", "dateLabel": "日期"},
                ],
            }
        ]
    }
    data = {
        "review": {
            "opinion": "yes",
            "ok": False,
            "files": ["files::1", "files::2"],
            "rows": [{"name": "甲"}, {"name": "乙"}],
            "empty": "",
            "day": "2022-08-01",
        }
    }
    assert answer_lines(schema, data) == [
        ("意见", "同意"),
        ("齐全", "否"),
        ("附件", "2 个文件"),
        ("人员", "甲；乙"),
        ("日期", "2022-08-01"),
    ]


@pytest.mark.parametrize(
    ("submission", "result"),
    [({"review": {"opinion": "同意"}}, "同意"), ({"decision": {"decision": "准予", "valid_to": "x"}}, "准予"), ({"a": 1}, ""), (None, "")],
)
def test_the_main_answer(submission: dict[str, object] | None, result: str) -> None:
    assert result_of(submission) == result
