"""Documents from issue to the filed PDF (domain §2.12): fixed facts, wording that staff edit, printing that fails and is retried, 送达."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from io import BytesIO
from typing import Any

import pytest
from pypdf import PdfReader
from sqlalchemy import select

from engine import Engine, clock
from engine.commands import resolve_incident
from engine.commands.run_job import run_job
from engine.errors import Conflict, Forbidden, Invalid, NotFound
from engine.policy import SYSTEM, Actor
from engine.store import models as m
from handlers.catalogue.service import catalogue
from handlers.documents import issuing, production, samples, templates
from handlers.documents import service as documents
from handlers.documents.models import DocumentRow
from handlers.documents.printer import DocumentNotPrinted, Printer, PrinterFailed, TemplateInvalid, drafts, printer
from handlers.materials.files import stored_path
from handlers.projects.service import Project
from tests.handlers.conftest import DAIRY, SCHOOL, WINDOW, Office
from webapp.composition import open_lianban

LAWFUL = [f"W{number:02d}" for number in (*range(1, 27), 34, 35)]
HANDLER, ADMIN = "lijianguo", "admin"
EDITOR = Actor("admin", powers=frozenset({"administer"}))


@pytest.fixture(scope="module")
def project(office: Office) -> Project:
    return office.register()


@pytest.fixture(scope="module")
def press(office: Office) -> Iterator[Engine]:
    """A second process's view of the office: the one that prints."""
    engine = open_lianban(office.engine.settings, printing=True)
    yield engine
    engine.close()


def issue(office: Office, project: Project, kind: str = "W11", **facts: Any) -> documents.Document:
    with office.engine.unit_of_work() as session:
        return documents.issue(
            session, kind, project_id=project.id, case_id=None, item_code="", unit="ZRZYJ", facts=facts, root_key=0, person=HANDLER,
            now=clock.now(),
        )  # fmt: skip


def printed(press: Engine, found: documents.Document) -> documents.DocumentFile | None:
    """Run the printing job of a document as a worker would."""
    with press.reading() as session:
        key = session.scalar(select(m.job.c.key).where(m.job.c.instance_key == found.production_key))
    assert key is not None
    run_job(press.runtime, key)
    with press.reading() as session:
        return documents.file_of(session, found.id)


def text_of(pdf: bytes) -> str:
    return "".join("".join(page.extract_text().split()) for page in PdfReader(BytesIO(pdf)).pages)


# ---------------------------------------------------------------------- every kind
@pytest.mark.parametrize("kind", LAWFUL)
def test_every_kind_is_printed_with_what_it_must_contain(kind: str) -> None:
    """Each shipped wording over its sample case: fonts inside, number, title, body, date, verification code (domain §2.12)."""
    context = samples.sample_context(kind)
    made = printer.print(templates.layouts() | {"body": templates.shipped()[kind]}, context)
    text = text_of(made.pdf)
    assert made.pages == len(PdfReader(BytesIO(made.pdf)).pages) <= 2
    assert samples.SAMPLE_CODE in text and "2022年8月" in text and "＿＿" not in text
    assert (context["document"]["number"] or "") in text
    fonts = [font for page in PdfReader(BytesIO(made.pdf)).pages for font in page["/Resources"]["/Font"].values()]
    names = {str(font.get_object()["/BaseFont"]) for font in fonts}
    assert names and all("+" in name for name in names), "every font is embedded as a subset"
    for words in MUST_SAY.get(kind, ()):
        assert words in text, words


MUST_SAY = {
    "W01": ("查询码", "日照分析报告", "五日内"),
    "W03": ("受理专用章", "20个工作日", "2022年7月28日", "第三十二条"),
    "W04": ("大寒日", "2022年8月18日", "第三十二条第四项"),
    "W05": ("昌吉回族自治州住房和城乡建设局", "六十日", "六个月"),
    "W11": ("专家评审", "10个工作日", "第四十五条"),
    "W12": ("地下管线", "10个工作日", "2022年8月11日", "第四十二条"),
    "W13": ("五日内", "第四十七条"),
    "W14": ("2022年8月16日10时30分", "听证室", "第四十八条"),
    "W19": ("准予行政许可", "第三十八条第一款"),
    "W20": ("不予行政许可", "大寒日", "六十日", "六个月", "第三十八条第二款"),
    "W21": ("建字第652301202200012号", "发证机关"),
    "W25": ("昌吉市工程建设项目联审专班", "2022年7月28日届满"),
    "W24": ("送达人", "签收人", "窗口领取", "刘敏"),
    "W34": ("案卷目录", "共3件"),
    "W35": ("虚假材料", "第七十八条", "警告", "六十日"),
}


def test_every_kind_of_the_law_has_a_wording_of_its_own() -> None:
    assert {kind for kind in catalogue().documents if kind in templates.shipped()} == set(LAWFUL)


# ---------------------------------------------------------------------- from issue to file
def test_the_pdf_follows_the_issue_and_is_filed_once(office: Office, project: Project, press: Engine) -> None:
    found = issue(office, project, 特别程序种类="专家评审", 所需时间="10 个工作日")
    with office.engine.reading() as session:
        assert documents.production(session, found).state == "running" and documents.file_of(session, found.id) is None
        with pytest.raises(Conflict, match="还在生成"):
            documents.open_file(session, SYSTEM, found.id)
    file = printed(press, found)
    assert file is not None and file.pages == 1
    with office.engine.reading() as session:
        _, path = documents.open_file(session, office.actor(SCHOOL), found.id)
        assert documents.production(session, found).state == "done"
        with pytest.raises(NotFound):
            documents.open_file(session, office.actor(DAIRY), found.id)
    text = text_of(path.read_bytes())
    assert found.number in text and "专家评审" in text and documents.grouped(found.verification_code) in text and "昌吉市自然资源局" in text
    assert (file.seal["digest"], file.seal["signature"], file.seal["name"]) == (file.sha256, "", "业务专用章")
    other = {"sha256": "0" * 64, "size": 1, "pages": 9, "templateVersion": 7}
    with office.engine.unit_of_work() as session:
        assert production.file(session, found.id, other, clock.now()) == file, "the first PDF stays"


def test_a_failed_printing_is_an_incident_and_is_retried(office: Office, project: Project, press: Engine) -> None:
    """The wording breaks on this document; number and facts stand, and after the wording is mended the retry prints it."""
    admin = office.actor(ADMIN)
    with office.engine.unit_of_work() as session:
        broken = templates.CheckedText(
            "W25", "{{ required('没有的内容') }}", printer.print({"body": "x", "macros": ""}, samples.sample_context("W25"))
        )
        templates.save(session, admin, broken, based_on=0)
    found = issue(office, project, "W25")
    for _ in range(3):
        with office.engine.unit_of_work() as session:
            session.execute(m.job.update().where(m.job.c.instance_key == found.production_key).values(not_before=None))
        assert printed(press, found) is None
    with office.engine.reading() as session:
        state = documents.production(session, found)
        assert documents.failed_documents(session, [found]) == {found.id}
        assert documents.document(session, SYSTEM, found.id).number == found.number
    assert state.state == "failed" and "没有的内容" in state.reason and state.incident_key is not None
    with press.unit_of_work() as session:
        templates.take_back(session, admin, "W25", 0, based_on=1)
    with press.unit_of_work() as session:
        resolve_incident(session, SYSTEM, state.incident_key)
    with press.reading() as session:
        file = documents.file_of(session, found.id)
    assert file is not None and file.template_version == 2


def test_an_issue_that_is_rolled_back_leaves_no_number_and_no_flow(office: Office, project: Project) -> None:
    with office.engine.reading() as session:
        before = session.scalars(select(m.process_instance.c.key)).all()
    with pytest.raises(RuntimeError), office.engine.unit_of_work() as session:
        lost = documents.issue(
            session,
            "W12",
            project_id=project.id,
            case_id=None,
            item_code="",
            unit="RFB",
            facts={},
            root_key=0,
            person=HANDLER,
            now=clock.now(),
        )
        raise RuntimeError
    with office.engine.reading() as session:
        assert session.scalars(select(m.process_instance.c.key)).all() == before
    with office.engine.unit_of_work() as session:
        kept = documents.issue(
            session,
            "W12",
            project_id=project.id,
            case_id=None,
            item_code="",
            unit="RFB",
            facts={},
            root_key=0,
            person=HANDLER,
            now=clock.now(),
        )
    assert kept.number == lost.number == "昌州人防延〔2022〕1号"


def test_fifty_documents_issued_at_once_have_no_gap_and_no_double(office: Office, project: Project) -> None:
    def one(_: int) -> str | None:
        return issue(office, project, "W04").number

    with ThreadPoolExecutor(10) as pool:
        numbers = list(pool.map(one, range(50)))
    assert sorted(numbers) == sorted(f"昌市自然资补〔2022〕{serial}号" for serial in range(1, 51))


def test_what_is_fixed_at_issue_cannot_be_changed_unnoticed(office: Office, project: Project) -> None:
    found = issue(office, project, 启动理由="需要专家论证", 所需时间=10)
    with office.engine.unit_of_work() as session:
        assert documents.is_unchanged(session, found.id)
        assert documents.verify(session, documents.grouped(found.verification_code).lower()).state == "有效"
        session.get_one(DocumentRow, found.id).facts = {"启动理由": "别的"}
    with office.engine.reading() as session:
        assert not documents.is_unchanged(session, found.id)
        assert documents.verify(session, found.verification_code).state == "记录异常"


# ---------------------------------------------------------------------- the wording is staff's text
@pytest.mark.parametrize(
    ("source", "line", "words"),
    [
        ("甲\n{% if %}", 2, ""),
        ("甲\n乙{{ fact('x' }}", 2, ""),
        ("{{ 1 | nosuchfilter }}", 1, "nosuchfilter"),
        ("{% endfor %}", 1, "endfor"),
    ],
)
def test_a_syntax_error_is_refused_with_its_line(source: str, line: int, words: str) -> None:
    with pytest.raises(TemplateInvalid) as refused:
        templates.check(EDITOR, "W03", source)
    assert refused.value.details["line"] == line and words in refused.value.message()


@pytest.mark.parametrize(
    "source",
    [
        "{{ nobody }}", "{{ ''.__class__.__mro__ }}", "{{ document.__init__.__globals__ }}", "{{ cycler.__init__.__globals__.os }}",
        "{% include 'W03' %}", "<img src='file:///etc/passwd'>", "<img src='http://127.0.0.1:1/x.png'>", "{{ required('没有的内容') }}",
        "<link rel=attachment href='file:///etc/hosts'>", "<a rel=attachment href='file:///etc/hosts'>x</a>",
        "<link rel=stylesheet href='file:///etc/hosts'>", "{{ range(999999999) | list }}",
    ],
)  # fmt: skip
def test_a_wording_reaches_nothing_but_its_facts(source: str) -> None:
    """Rule 6 of the house: staff's text is data; what it cannot have is refused when it is saved."""
    with pytest.raises(DocumentNotPrinted):
        templates.check(EDITOR, "W03", source)


def test_an_endless_or_greedy_wording_is_ended_and_the_next_is_printed() -> None:
    brief = Printer(timeout=1.5)
    with pytest.raises(DocumentNotPrinted, match="没有完成"):
        brief.print(
            {"body": "{% for a in range(9999) %}{% for b in range(9999) %}{% endfor %}{% endfor %}", "macros": ""},
            samples.sample_context("W01"),
        )
    with pytest.raises(DocumentNotPrinted):
        brief.print({"body": "{{ 'x' * 9999999999 }}", "macros": ""}, samples.sample_context("W01"))
    assert Printer.print(replace_timeout(brief), {"body": "<p>好</p>", "macros": ""}, samples.sample_context("W01")).pages == 1
    brief.close()


def test_an_author_waits_for_those_of_others_only_so_long() -> None:
    """Each waiting request holds a thread of the server; issued documents have a printer of their own."""
    busy = Printer(patience=0.01)
    with busy._lock, pytest.raises(PrinterFailed, match="正在打印其他文书"):
        busy.print({"body": "<p>好</p>", "macros": ""}, samples.sample_context("W01"))
    assert drafts is not printer


def replace_timeout(made: Printer) -> Printer:
    """The same process with time enough to load its libraries."""
    made._timeout = 30.0
    return made


def test_values_are_escaped(office: Office, project: Project, press: Engine) -> None:
    found = issue(office, project, 启动理由="<script>alert(1)</script>&<b>粗</b>")
    assert printed(press, found) is not None
    with office.engine.reading() as session:
        _, path = documents.open_file(session, SYSTEM, found.id)
    assert "<script>alert(1)</script>&<b>粗</b>" in text_of(path.read_bytes())


def test_versions_are_kept_and_taken_back(office: Office) -> None:
    admin = office.actor(ADMIN)
    checked = templates.check(admin, "W22", templates.shipped()["W22"].replace("已无法继续办理", "已经不能继续办理"))
    assert "已经不能继续办理" in text_of(checked.sample.pdf)
    with office.engine.unit_of_work() as session:
        saved = templates.save(session, admin, checked, note="措辞", based_on=0)
        assert (saved.version, templates.in_force(session, "W22").source) == (1, checked.source)
        with pytest.raises(Conflict, match="第 1 版"):
            templates.save(session, admin, replace(checked, source="别的"), based_on=0)
        back = templates.take_back(session, admin, "W22", 0, based_on=1)
        assert back.source == templates.shipped()["W22"] and [v.version for v in templates.versions(session, "W22")] == [2, 1, 0]
        with pytest.raises(Conflict, match="没有变化"):
            templates.take_back(session, admin, "W22", 0, based_on=2)
        with pytest.raises(NotFound):
            templates.version(session, "W22", 9)


@pytest.mark.parametrize("username", [SCHOOL, HANDLER, WINDOW])
def test_others_do_not_edit_the_wording(office: Office, username: str) -> None:
    with pytest.raises(Forbidden):
        templates.check(office.actor(username), "W03", "x")
    with pytest.raises(Forbidden), office.engine.unit_of_work() as session:
        templates.take_back(session, office.actor(username), "W03", 0, based_on=0)


# ---------------------------------------------------------------------- service of documents
def handover(**changes: Any) -> documents.receipts.Handover:
    given = {"method": "窗口领取", "served_at": clock.now(), "recipient": "昌吉市教育局", "signed_by": "刘敏"}
    return documents.receipts.Handover(**(given | changes))


def test_a_service_has_its_receipt(office: Office, project: Project) -> None:
    found = issue(office, project)
    with office.engine.unit_of_work() as session:
        receipt = documents.receipts.serve(session, office.actor(WINDOW), found.id, handover())
        kept = documents.receipts.services(session, [found.id])[found.id]
        with pytest.raises(Conflict, match="已经登记"):
            documents.receipts.serve(session, office.actor(WINDOW), found.id, handover())
        with pytest.raises(Conflict, match="回证"):
            documents.receipts.serve(session, office.actor(WINDOW), receipt.id, handover())
    assert receipt.kind == "W24" and receipt.unit == "XZSPJ" and kept.receipt_id == receipt.id and kept.signed_by == "刘敏"
    assert receipt.facts["送达文书"] == [{"文书": found.title, "文号": found.number}]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"method": "托人带去"}, "送达方式"), ({"signed_by": " "}, "签收人"), ({"method": "邮寄送达"}, "邮件号"),
        ({"method": "留置送达"}, "见证人"),
        ({"served_at": timedelta(minutes=5)}, "晚于现在"), ({"served_at": timedelta(days=-2)}, "早于"),
    ],
)  # fmt: skip
def test_an_impossible_service_is_refused(office: Office, project: Project, changes: dict[str, Any], words: str) -> None:
    found = issue(office, project)
    with pytest.raises(Invalid, match=words), office.engine.unit_of_work() as session:
        if isinstance(changes.get("served_at"), timedelta):
            changes = {"served_at": clock.now() + changes["served_at"]}
        documents.receipts.serve(session, office.actor(WINDOW), found.id, handover(**changes))


def test_only_the_window_and_the_body_serve(office: Office, project: Project) -> None:
    found = issue(office, project)
    with office.engine.unit_of_work() as session:
        for username in (SCHOOL, "wanghaiyan"):
            with pytest.raises(Forbidden):
                documents.receipts.serve(session, office.actor(username), found.id, handover())
        assert documents.receipts.serve(session, office.actor(HANDLER), found.id, handover(method="电子送达", signed_by="")).kind == "W24"


def test_a_decision_is_served_by_its_task_only(office: Office, project: Project) -> None:
    found = issue(office, project, "W20", 不予理由="不符合条件")
    with pytest.raises(Conflict, match="任务"), office.engine.unit_of_work() as session:
        documents.receipts.serve(session, office.actor(WINDOW), found.id, handover())


# ---------------------------------------------------------------------- files
def test_a_pdf_lies_under_its_digest(office: Office, project: Project, press: Engine) -> None:
    found = issue(office, project)
    file = printed(press, found)
    assert file is not None
    with stored_path(office.engine.settings.files_dir, file.sha256).open("rb") as stream:
        assert documents.sha256_of(stream, 10_000_000) == file.sha256
    with stored_path(office.engine.settings.files_dir, file.sha256).open("rb") as stream, pytest.raises(Invalid):
        documents.sha256_of(stream, 100)


def test_numbers_and_codes_are_unique(office: Office) -> None:
    with office.engine.reading() as session:
        codes = list(session.scalars(select(DocumentRow.verification_code)))
    assert len(codes) == len(set(codes)) and all(len(code) == issuing.CODE_LENGTH for code in codes)
    for wrong in ("", "ABC", "0" * 12, "O" * 12, "8K3M-Q7RT-2WXA-AAAA"):
        with pytest.raises(Invalid):
            documents.normal_code(wrong)
