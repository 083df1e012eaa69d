"""One project from its registration to 竣工验收备案, in the browser: the investor, the window and every department at a browser of
their own, at the same time; eleven units review together, one of them sends the plan back, eleven accept together, one asks for 整改.

Whatever a person does here goes through the pages. The database is asked only which tasks are open, and for whom.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from engine import Engine
from tests.e2e import town
from tests.e2e.city import open_tasks
from tests.e2e.conftest import Site
from tests.e2e.filling import Filler
from tests.e2e.people import Person, ProjectPage, all_at_once, event_box
from tests.e2e.town import said
from tests.pdf import pdf as pdf_content

pytestmark = [pytest.mark.browser, pytest.mark.timeout(1200), pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)]

REVIEWERS = (
    "lijianguo",
    "wanghaiyan",
    "dingxiaolan",
    "maimaitijiang",
    "xiewentao",
    "zhangwei",
    "guoxiuying",
    "zhaoxinmin",
    "fengguoqing",
    "lindeming",
    "wuzhiqiang",
)
OBJECTOR, OBJECTOR_UNIT = "xiewentao", "交通运输局"
"""The unit of the eleven that does not agree at first."""
ACCEPTORS = (
    "lijianguo",
    "wanghaiyan",
    "dingxiaolan",
    "zhangwei",
    "lianghuimin",
    "maimaitijiang",
    "guoxiuying",
    "zhaoxinmin",
    "lindeming",
)
FAILED = "dingxiaolan"
"""The member whose acceptance asks for 整改."""
OBJECTION = {"review": {"opinion": "不同意", "clause": "城市道路交叉口设计规程第5.3条", "comment": "主出入口距交叉口不足七十米。"}}
SHORTCOMING = {
    "acceptance": {
        "result": "整改后合格",
        "deadline": "2022-08-15",
        "problems": [{"problem": "疏散指示标志缺失两处", "basis": "建筑防火通用规范", "requirement": "补装并调试"}],
    }
}

ONE_MATERIAL = {"intake": {"materials": [{"name": "申请材料", "submitted": "已提交"}]}}
"""What the window enters after the first time: the list of materials has been filled in at length once."""


class Journey:
    """The project under way: who takes part, and the screens that some of them leave open the whole time."""

    def __init__(self, engine: Engine, site: Site, pdf: Path, axe: Callable[[Page], list[str]]) -> None:
        self.engine, self._site, self.pdf, self._axe = engine, site, pdf, axe
        self._people: dict[str, Person] = {}
        self.investor = Person(site, town.INVESTOR, pdf, password=town.INVESTOR_PASSWORD)
        self.window = Person(site, town.WINDOW, pdf, password=town.WINDOW_PASSWORD)
        self.project = self._register()
        self.owner_view = ProjectPage(site.visit(town.INVESTOR), self.project)
        self.staff_view = ProjectPage(site.visit("chenjing"), self.project)

    def _register(self) -> int:
        page = self.investor.page
        page.goto("/projects")
        page.get_by_role("link", name="登记项目").first.click()
        self.investor.fill({"project": town.PROJECT})
        page.locator("[data-submit-form]").click()
        expect(page.locator("#project-title")).to_contain_text(town.PROJECT["xmmc"])
        return int(page.url.rsplit("/", 1)[1])

    def person(self, username: str) -> Person:
        """Somebody of a department, at a browser of their own."""
        if username not in self._people:
            self._people[username] = Person(self._site, username, self.pdf)
        return self._people[username]

    def visit(self, username: str) -> Page:
        return self._site.visit(username)

    def do(self, username: str, title: str, form: str, over: dict[str, Any] | None = None) -> None:
        self.person(username).do(title, said(form, over))

    def apply(self, title: str, form: str) -> None:
        """The investor files something, the window checks and accepts it."""
        self.investor.do(title, said(form), box="mine")
        self.intake()

    def intake(self, over: dict[str, Any] | None = None) -> None:
        self.window.do("收件核验", said("intake_check", ONE_MATERIAL if over is None else over))

    def report(self, event: str, form: str) -> None:
        self.investor.report(self.project, event, said(form))

    def decide(self, verifier: str, signer: str) -> None:
        """审核, 签发, 送达."""
        self.do(verifier, "审核", "verification")
        self.sign(signer)

    def sign(self, signer: str, title: str = "签发") -> None:
        self.do(signer, title, "decision_sign")
        self.do("yangwentao", "送达", "delivery")

    def together(self, usernames: Iterable[str], title: str, form: str, others: dict[str, dict[str, Any]]) -> list[Person]:
        """Everybody has the task open and filled in, with `others` answering something else -> they are ready to submit."""
        people = [self.person(username) for username in usernames]
        for person in people:
            person.open_task(title)
            person.fill(said(form, others.get(person.username)))
        return people

    def waiting(self, element: str) -> list[str]:
        """The groups that have an open task of this element."""
        return [",".join(task.candidate_groups) for task in open_tasks(self.engine, str(self.project)) if task.element_id == element]

    def expect_accessible(self, *pages: Page) -> None:
        faults = [f"{page.url}: {fault}" for page in pages for fault in self._axe(page)]
        assert not faults, "\n".join(faults)


@pytest.fixture
def journey(engine: Engine, serve: Callable[[Engine], Site], axe: Callable[[Page], list[str]], tmp_path: Path) -> Journey:
    town.found_town(engine)
    pdf = tmp_path / "附件.pdf"
    pdf.write_bytes(pdf_content())
    return Journey(engine, serve(engine), pdf, axe)


def test_from_registration_to_completion(journey: Journey) -> None:
    land_use(journey)
    planning(journey)
    construction(journey)
    acceptance(journey)
    the_end(journey)


def land_use(journey: Journey) -> None:
    """建设用地规划许可, with the land contract reported as an outside event; a second report of it is refused."""
    journey.owner_view.expect_stage("立项用地规划许可", "剩")
    expect(journey.owner_view.page.locator("main")).to_contain_text("需要您做的")
    expect(journey.owner_view.page.locator("main")).not_to_contain_text("现在卡在哪里")
    expect(journey.staff_view.page.locator("main")).to_contain_text("现在卡在哪里")
    stranger = journey.visit(town.OTHER_INVESTOR)
    answer = stranger.goto(f"/projects/{journey.project}")
    assert answer is not None and answer.status == 404
    expect(stranger.locator("h1")).to_be_visible()
    journey.investor.do("填报用地规划许可申请", said("land_use_application"), box="mine")
    other_tab = journey.visit(town.INVESTOR)
    other_tab.goto(f"/projects/{journey.project}")
    journey.investor.open_event(other_tab, "出让合同登记", said("land_contract"))
    journey.report("出让合同登记", "land_contract")
    journey.investor.submit_event(other_tab, "出让合同登记")
    expect(event_box(other_tab, "出让合同登记").locator("[data-form-problems]")).to_contain_text("已经登记")
    journey.intake({})
    journey.do("lijianguo", "签收", "case_claim")
    journey.do("lijianguo", "审查", "review_opinion")
    journey.decide("hanlina", "ayinuer")
    journey.owner_view.expect_stage("立项用地规划许可", "办结")


def planning(journey: Journey) -> None:
    """工程规划许可: eleven units at once, one objects, the plan is changed, only that unit looks again."""
    colleague = journey.visit("luodeming")
    colleague.goto("/tasks?box=unit")
    count = colleague.locator("[data-counts] a").filter(has_text="部门待办").locator(".n")
    expect(count).to_have_text("0")
    journey.apply("填报规划许可申请", "planning_application")
    expect(count).to_have_text("1")
    expect(colleague.locator("[data-news]")).to_have_text("1 条新任务")
    expect(journey.staff_view.unit(OBJECTOR_UNIT)).to_contain_text("未签收")
    people = journey.together(REVIEWERS, "联合审查", "joint_review_opinion", {OBJECTOR: OBJECTION})
    expect(count).to_have_text("0")
    expect(journey.staff_view.unit(OBJECTOR_UNIT)).not_to_contain_text("未签收")
    expect(journey.owner_view.page.locator("aside")).to_contain_text("现在由谁办理")
    journey.expect_accessible(people[0].page, journey.staff_view.page, journey.owner_view.page, colleague)
    address = people[-1].page.url
    other_tab = journey.visit(REVIEWERS[-1])
    other_tab.goto(address)
    Filler(other_tab.locator(".task-form"), journey.pdf).fill(said("joint_review_opinion"))
    all_at_once(people)
    expect(journey.staff_view.flow("工程规划许可")).to_contain_text("汇总联审意见")
    other_tab.locator("[data-submit-form]").click()
    expect(other_tab.locator("[data-form-problems]")).to_contain_text("办结，没有再次提交")
    other_tab.close()
    rework(journey)
    journey.do("lijianguo", "申请启动", "special_request", {"special": {"kind": "公示", "name": "建设工程设计方案批前公示", "limit": 10}})
    journey.do("ayinuer", "批准启动", "special_approval")
    journey.do("lijianguo", "公示", "publicity")
    journey.do("lijianguo", "规划许可审查", "planning_review")
    journey.sign("ayinuer")
    for view in (journey.owner_view, journey.staff_view):
        view.expect_stage("工程建设许可", "办结")
    colleague.close()


def rework(journey: Journey) -> None:
    """The objection: 修改, the investor files the plan again, nobody but the objector is asked again."""
    board = journey.visit("chenjing")
    board.goto(f"/projects/{journey.project}/reviews")
    expect(board.locator("tr.opposed")).to_have_count(1)
    expect(board.locator("tr.opposed")).to_contain_text("主出入口距交叉口不足七十米。")
    journey.expect_accessible(board)
    expect(journey.owner_view.page.locator("main")).not_to_contain_text("不同意")
    changes = {"summary": {"conclusion": "修改", "changes": "主出入口东移，距交叉口不少于七十米。"}}
    journey.do("lijianguo", "汇总联审意见", "joint_review_summary", changes)
    journey.investor.do("修改设计方案", said("planning_application"), box="mine")
    assert journey.waiting("mi_review") == ["JTYSJ.handler"], "only the unit that objected reviews again"
    expect(journey.staff_view.unit(OBJECTOR_UNIT)).to_contain_text("未签收")
    board.reload()
    expect(board.locator("main")).to_contain_text("第 2 轮，只请有意见的单位复审")
    board.close()
    journey.do(OBJECTOR, "联合审查", "joint_review_opinion")
    journey.do("lijianguo", "汇总联审意见", "joint_review_summary")


def construction(journey: Journey) -> None:
    """施工许可: three reviews of the drawings side by side, the contract and the start of the works as outside events."""
    journey.investor.do("填报施工许可申请", said("construction_application"), box="mine")
    journey.investor.do("工资与工伤承诺", said("wage_commitment"), box="mine")
    reviews = {"wangchunyan": "施工图审查", "wanghaiyan": "消防设计审查", "dingxiaolan": "人防审查"}
    forms = {"wangchunyan": "drawing_review", "wanghaiyan": "fire_design_review", "dingxiaolan": "civil_defence_review"}
    for username, title in reviews.items():
        journey.person(username).open_task(title)
        journey.person(username).fill(said(forms[username]))
    all_at_once([journey.person(username) for username in reviews])
    journey.report("施工合同登记", "construction_contract")
    journey.intake()
    journey.do("wanghaiyan", "审查（含质量安全监督）", "construction_review")
    journey.do("gulina", "审核", "verification")
    journey.sign("zhaolei")
    journey.staff_view.expect_stage("施工许可", "办结")
    journey.report("报告开工", "start_report")
    journey.owner_view.expect_stage("竣工验收", "剩")


def acceptance(journey: Journey) -> None:
    """竣工联合验收: eleven members at once, one asks for 整改; the investor reports it done, only that member looks again."""
    journey.apply("填报联合验收申请", "acceptance_application")
    journey.do("wanghaiyan", "安排现场验收", "site_schedule")
    assert len(journey.waiting("mi_accept")) == 11
    people = journey.together(ACCEPTORS, "现场验收与意见", "acceptance_opinion", {FAILED: SHORTCOMING})
    journey.expect_accessible(people[0].page, journey.staff_view.page)
    all_at_once(people)
    for _ in range(2):  # 住建局 is a member for fire safety, for quality and for the archive
        journey.do("wanghaiyan", "现场验收与意见", "acceptance_opinion")
    journey.do("wanghaiyan", "汇总验收意见", "acceptance_summary", {"summary": {"conclusion": "整改"}})
    expect(event_box(journey.owner_view.page, "整改完成")).to_have_count(0)
    journey.do("wanghaiyan", "一次性整改告知", "rectification_notice")
    journey.report("整改完成", "rectification_report")
    assert journey.waiting("mi_accept") == ["RFB.handler"], "only the member that asked for 整改 looks again"
    journey.do(FAILED, "现场验收与意见", "acceptance_opinion")
    journey.do("wanghaiyan", "汇总验收意见", "acceptance_summary")
    journey.sign("zhaolei", "签发联合验收意见")
    journey.apply("申报竣工验收备案", "acceptance_filing")
    journey.do("wanghaiyan", "签收", "case_claim")
    journey.do("wanghaiyan", "审查", "review_opinion")
    journey.decide("gulina", "zhaolei")


def the_end(journey: Journey) -> None:
    """Everything is done, the screens that were open all the time say so, and the documents have their numbers."""
    for view in (journey.owner_view, journey.staff_view):
        for stage in ("立项用地规划许可", "工程建设许可", "施工许可", "竣工验收"):
            view.expect_stage(stage, "办结")
        expect(view.flow("竣工联合验收")).to_contain_text("办结")
        view.expect_untouched()
    page = journey.owner_view.page
    page.goto(f"/projects/{journey.project}")
    expect(page.locator("#project-title")).to_contain_text("办结")
    expect(page.locator("details.event")).to_have_count(0)
    numbers = page.locator("ul.documents a").all_text_contents()
    for pattern in (r"地字第\d{15}号", r"建字第\d{15}号", r"\d{18}", r"昌市建联验〔2022〕\d+号", r"昌市建竣备〔2022〕\d+号"):
        assert any(re.fullmatch(pattern, number) for number in numbers), f"{pattern} is not among {numbers}"
    journey.expect_accessible(page)
    page.locator("details.more summary").click()
    page.locator("ul.documents a").filter(has_text=re.compile(r"^\d{18}$")).click()
    expect(page.locator("main")).to_contain_text(town.PROJECT["xmmc"])
    assert open_tasks(journey.engine, str(journey.project)) == []
