"""Documents: shown as printed, to those who may see the project."""

from __future__ import annotations

import re

from handlers.directory import service as directory
from handlers.documents import service as documents
from tests.e2e import city
from tests.webapp.conftest import Town


def issued(town: Town) -> list[documents.Document]:
    with town.engine.reading() as session:
        return documents.documents_of(session, town.project)


def test_a_notice_of_acceptance_names_number_applicant_item_and_date(town: Town) -> None:
    notice = next(document for document in issued(town) if document.kind == "W03")
    page = town.visit(city.APPLICANT).get(f"/documents/{notice.id}").text
    assert notice.number is not None
    for words in (notice.number, "受理通知书", "昌吉市教育局", "决定予以受理", "2022年8月1日", "查询码"):
        assert words in page, words


def test_the_project_page_links_its_documents(town: Town) -> None:
    page = town.visit("zrzyj").get(f"/projects/{town.project}").text
    linked = {int(number) for number in re.findall(r'href="/documents/(\d+)"', page)}
    assert linked == {document.id for document in issued(town)}


def test_strangers_learn_nothing(town: Town) -> None:
    with town.engine.unit_of_work() as session:
        if directory.get_user(session, "outsider") is None:
            directory.create_demo_user(session, "outsider", "外人", "investor", organisation="外地公司")
    assert town.visit("outsider").get(f"/documents/{issued(town)[0].id}").status_code == 404
    assert town.visit("zrzyj").get("/documents/999999").status_code == 404
