"""Documents on the screens: list, one document with its PDF, verification by anybody, service, case file, the wording and its editor."""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from engine import Engine
from engine.commands.run_job import run_job
from engine.store import models as m
from handlers.directory import service as directory
from handlers.documents import service as documents
from handlers.documents.bundle import BundleBroken
from handlers.projects.models import ProjectRow
from tests.e2e import city
from tests.webapp.conftest import Town, log_in
from webapp.cli import main
from webapp.composition import open_lianban

WINDOW = "xzspj_window"


@pytest.fixture(scope="module", autouse=True)
def press(town: Town) -> Iterator[Engine]:
    """The process that prints, on the town's database."""
    engine = open_lianban(town.engine.settings, printing=True)
    with town.engine.unit_of_work() as session:
        directory.create_demo_user(session, "outsider", "外人", "investor", organisation="外地公司")
        directory.create_demo_user(session, "manager", "管理员", "admin")
    yield engine
    engine.close()


def issued(town: Town, kind: str = "") -> list[documents.Document]:
    with town.engine.reading() as session:
        return [each for each in documents.documents_of(session, town.project) if kind in ("", each.kind)]


def printed(town: Town, press: Engine, kind: str) -> documents.Document:
    """A document of the kind whose PDF is there."""
    found = issued(town, kind)[0]
    _print(press, found)
    return found


def _print(press: Engine, found: documents.Document) -> None:
    with press.reading() as session:
        key = session.scalar(select(m.job.c.key).where(m.job.c.instance_key == found.production_key))
    assert key is not None
    run_job(press.runtime, key)


# ---------------------------------------------------------------------- list and view
def test_a_notice_of_acceptance_is_shown_with_its_pdf_and_its_data(town: Town, press: Engine) -> None:
    notice = issued(town, "W03")[0]
    applicant = town.visit(city.APPLICANT)
    assert "PDF 正在生成" in applicant.get(f"/documents/{notice.id}").text
    assert applicant.get(f"/documents/{notice.id}/pdf").status_code == 409
    _print(press, notice)
    answer = applicant.get(f"/documents/{notice.id}")
    assert f"/documents/{notice.id}/pdf" in answer.text and "frame-src 'self'" in answer.headers["Content-Security-Policy"]
    for words in (
        notice.number or "",
        "受理通知书",
        "昌吉市教育局",
        "2022年8月1日",
        documents.grouped(notice.verification_code),
        "受理专用章",
    ):
        assert words in answer.text, words
    shown = applicant.get(f"/documents/{notice.id}/pdf")
    assert shown.data.startswith(b"%PDF") and shown.headers["X-Frame-Options"] == "SAMEORIGIN"
    assert shown.headers["Content-Disposition"].startswith("inline")
    assert applicant.get(f"/documents/{notice.id}/pdf?download=1").headers["Content-Disposition"].startswith("attachment")


def test_the_project_page_and_its_list_link_the_documents(town: Town) -> None:
    for address in (f"/projects/{town.project}", f"/projects/{town.project}/documents"):
        page = town.visit("zrzyj").get(address).text
        linked = {int(number) for number in re.findall(r'href="/documents/(\d+)"', page)}
        assert linked == {document.id for document in issued(town)}


def test_the_file_is_searched_by_number_title_and_text(town: Town) -> None:
    """R035."""
    clerk, one = town.visit("zrzyj"), issued(town)[0]
    listed = f"/projects/{town.project}/documents"
    for word, expected in ((one.title, True), ((one.number or one.title)[-4:], True), ("没有这样的文书", False)):
        page = clerk.get(listed, query_string={"q": word}).text
        assert (f'href="/documents/{one.id}"' in page) is expected and ("换一个文号" in page) is not expected
    assert town.visit("outsider").get(listed, query_string={"q": one.title}).status_code == 404


def test_strangers_learn_nothing(town: Town) -> None:
    found = issued(town)[0]
    for part in ("", "/pdf", "/bundle"):
        assert town.visit("outsider").get(f"/documents/{found.id}{part}").status_code == 404
        assert town.visit("zrzyj").get(f"/documents/999999{part}").status_code == 404
    assert town.visit("outsider").get(f"/projects/{town.project}/documents").status_code == 404
    assert town.visit("outsider").post(f"/projects/{town.project}/case-file").status_code == 404


def test_what_is_internal_to_the_offices_is_not_shown_to_the_applicant(town: Town) -> None:
    with town.engine.unit_of_work() as session:
        letter = documents.issue(
            session, "W16", project_id=town.project, case_id=None, item_code="", unit="ZRZYJ", facts={}, root_key=0, person="zrzyj",
            now=issued(town)[0].issued_at, addressee="昌吉市水利局",
        )  # fmt: skip
    assert town.visit("zrzyj").get(f"/documents/{letter.id}").status_code == 200
    assert town.visit(city.APPLICANT).get(f"/documents/{letter.id}").status_code == 404
    assert f"/documents/{letter.id}" not in town.visit(city.APPLICANT).get(f"/projects/{town.project}/documents").text


def test_a_service_is_recorded_on_the_page(town: Town) -> None:
    notice = issued(town, "W03")[-1]
    page = town.visit(WINDOW).get(f"/documents/{notice.id}").text
    assert "登记送达" in page and "登记送达" not in town.visit(city.APPLICANT).get(f"/documents/{notice.id}").text
    form = {"method": "窗口领取", "served_at": notice.issued_at.astimezone().isoformat(), "recipient": "昌吉市教育局", "signed_by": "刘敏"}
    assert town.visit(WINDOW).post(f"/documents/{notice.id}/service", data=form | {"served_at": "昨天"}).status_code == 422
    assert town.visit(city.APPLICANT).post(f"/documents/{notice.id}/service", data=form).status_code == 403
    answer = town.visit(WINDOW).post(f"/documents/{notice.id}/service", data=form)
    assert answer.status_code == 302
    receipt = town.visit("zrzyj").get(answer.headers["Location"]).text
    assert "送达回证" in receipt and "刘敏" in receipt
    assert "窗口领取" in town.visit("zrzyj").get(f"/documents/{notice.id}").text


def test_only_who_operates_prints_again(town: Town) -> None:
    found = issued(town, "W01")[0]
    assert town.visit("manager").post(f"/documents/{found.id}/retry").status_code == 409, "nothing failed"


# ---------------------------------------------------------------------- verification by the public
def test_anybody_verifies_a_document_and_a_file(town: Town, press: Engine) -> None:
    found = printed(town, press, "W03")
    public: FlaskClient = town.app.test_client()
    assert public.get("/verify").status_code == 200
    assert (
        public.get(f"/verify?code={documents.grouped(found.verification_code).lower()}")
        .headers["Location"]
        .endswith(found.verification_code)
    )
    page = public.get(f"/verify/{found.verification_code}").text
    for words in (
        found.number or "",
        "受理通知书",
        "昌吉市行政审批局" if found.unit == "XZSPJ" else found.unit_name,
        "2022年8月1日",
        "有效",
    ):
        assert words in page, words
    pdf = town.visit(city.APPLICANT).get(f"/documents/{found.id}/pdf").data

    def compare(content: bytes) -> str:
        return public.post(f"/verify/{found.verification_code}", data={"file": (io.BytesIO(content), "a.pdf")}).text

    assert "一致：这就是" in compare(pdf) and "不一致" in compare(pdf + b" ")
    assert "没有选择文件" in public.post(f"/verify/{found.verification_code}", data={}).text


@pytest.mark.parametrize("code", ["ABCDEFGHJKLM", "x", "%27%20OR%201=1", "8" * 500])
def test_an_unknown_code_says_so(town: Town, code: str) -> None:
    answer = town.app.test_client().get(f"/verify/{code}")
    assert answer.status_code == 404 and "没有查到" in answer.text
    assert town.app.test_client().get(f"/verify?code={code}").status_code in (200, 302)


def test_a_confidential_project_is_not_named(town: Town, press: Engine) -> None:
    found = issued(town, "W03")[0]
    with town.engine.unit_of_work() as session:
        session.get_one(ProjectRow, town.project).confidential = True
    page = town.app.test_client().get(f"/verify/{found.verification_code}").text
    with town.engine.unit_of_work() as session:
        session.get_one(ProjectRow, town.project).confidential = False
    assert found.subject["project"]["name"] not in page and found.subject["project"]["organisation"] not in page and "有效" in page


# ---------------------------------------------------------------------- the case file
def test_the_case_file_is_one_zip_that_can_be_checked(
    town: Town, press: Engine, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    case = next(each.case_id for each in issued(town, "W03"))
    window = town.visit(WINDOW)
    assert window.post(f"/projects/{town.project}/case-file", data={"case": case}).status_code == 409, "not everything is printed"
    for each in issued(town):
        if each.case_id == case:
            _print(press, each)
    assert town.visit(city.APPLICANT).post(f"/projects/{town.project}/case-file", data={"case": case}).status_code == 403
    address = window.post(f"/projects/{town.project}/case-file", data={"case": case}).headers["Location"]
    assert window.get(f"{address}/bundle").status_code == 409
    index = next(each for each in issued(town, "W34"))
    _print(press, index)
    assert town.visit(city.APPLICANT).get(f"{address}/bundle").status_code == 404
    first, again = window.get(f"{address}/bundle"), window.get(f"{address}/bundle")
    assert first.status_code == 200 and first.data == again.data, "the same content is the same zip"
    path = tmp_path / "案卷.zip"
    path.write_bytes(first.data)
    with zipfile.ZipFile(path) as archive:
        manifest = json.loads(archive.read("manifest.json"))
        opinions = json.loads(archive.read("意见/办理意见.json"))
    assert {"案卷目录.pdf", "意见/办理意见.json"} < {member["path"] for member in manifest["members"]}
    assert any(line["环节"] == "收件核验" for line in opinions)
    assert main(["bundle", "verify", str(path)]) == 0
    assert "完好" in capsys.readouterr().out


@pytest.mark.parametrize("damage", ["change", "remove", "add", "cut", "manifest"])
def test_a_damaged_case_file_is_noticed(town: Town, tmp_path: Path, damage: str) -> None:
    index = next(each for each in issued(town, "W34"))
    whole = town.visit(WINDOW).get(f"/documents/{index.id}/bundle").data
    path = tmp_path / "案卷.zip"
    with zipfile.ZipFile(io.BytesIO(whole)) as archive, zipfile.ZipFile(path, "w") as copy:
        for name in archive.namelist():
            if damage == "remove" and name.startswith("意见"):
                continue
            body = archive.read(name)
            if damage == "change" and name == "案卷目录.pdf":
                body += b" "
            if damage == "manifest" and name == "manifest.json":
                body = b"[]"
            copy.writestr(name, body)
        if damage == "add":
            copy.writestr("多出来.txt", "x")
    if damage == "cut":
        path.write_bytes(path.read_bytes()[:-300])
    with pytest.raises(BundleBroken):
        documents.bundle.check_bundle(path)
    assert main(["bundle", "verify", str(path)]) == 1


# ---------------------------------------------------------------------- the wording
def test_the_wording_is_edited_previewed_saved_and_taken_back(town: Town) -> None:
    manager = log_in(town.app, "manager")
    assert "/document-templates/W22" in manager.get("/document-templates").text
    page = manager.get("/document-templates/W22").text
    assert "已无法继续办理" in page and "终止理由" in page
    source = documents.templates.shipped()["W22"].replace("已无法继续办理", "不能继续办理")
    shown = manager.post("/document-templates/W22/preview", data={"source": source})
    assert shown.data.startswith(b"%PDF") and shown.headers["X-Frame-Options"] == "SAMEORIGIN"
    fault = manager.post("/document-templates/W22/preview", data={"source": "一\n二{% if %}"})
    assert fault.status_code == 422 and "第 2 行" in fault.text and fault.headers["X-Frame-Options"] == "SAMEORIGIN"
    kept = manager.post("/document-templates/W22", data={"source": "一\n{{ 没有 }}", "based_on": 0})
    assert kept.status_code == 422 and "{{ 没有 }}" in kept.text, "what was typed is still there"
    assert manager.post("/document-templates/W22", data={"source": source, "based_on": 0, "note": "措辞"}).status_code == 302
    assert manager.post("/document-templates/W22", data={"source": source + " ", "based_on": 0}).status_code == 409
    assert "不能继续办理" in manager.get("/document-templates/W22").text
    assert "已无法继续办理" in manager.get("/document-templates/W22?version=0").text
    assert manager.post("/document-templates/W22/take-back", data={"version": 0, "based_on": 1}).status_code == 302
    assert "已无法继续办理" in manager.get("/document-templates/W22").text
    assert manager.get("/document-templates/W22?version=7").status_code == 404 and manager.get("/document-templates/W99").status_code == 404


def test_others_do_not_reach_the_wording(town: Town) -> None:
    for username in (city.APPLICANT, "zrzyj", WINDOW):
        visitor = town.visit(username)
        assert visitor.get("/document-templates").status_code == 403
        assert visitor.get("/document-templates/W03").status_code == 403
        for part in ("", "/preview", "/take-back"):
            assert visitor.post(f"/document-templates/W03{part}", data={"source": "x", "based_on": 0, "version": 0}).status_code == 403
