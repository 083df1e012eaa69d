"""R001: the register of policy documents, which process implements which paragraph, and that a referenced document stays."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy.orm import Session

from engine.bpmn import ProcessModel
from engine.definitions import process_model
from engine.errors import Conflict, Forbidden, Invalid, NotFound
from engine.policy import SYSTEM
from engine.store import definitions
from handlers.policies import service as policies
from tests.handlers.conftest import SCHOOL, WINDOW, Office

PLAN, AGENTS = "昌吉市保障招商引资项目提供审批服务工作方案", "昌吉市招商引资项目全程帮办代办工作方案"
ANALYST = "liuyang"


def named(office: Office, title: str) -> policies.Policy:
    with office.engine.reading() as session:
        return next(one for one in policies.policies(session) if one.title == title)


def enter(office: Office, who: str = ANALYST, **over: object) -> policies.Policy:
    given: dict[str, object] = {
        "title": "昌吉市试行办法",
        "words": "",
        "number": "昌市政〔2022〕7号",
        "issuer": "昌吉市人民政府",
        "summary": "",
    }
    with office.engine.unit_of_work() as session:
        return policies.enter(session, office.actor(who), issued_on=date(2022, 3, 1), **({"summary": ""} | given | over))  # type: ignore[arg-type]


def test_the_two_seed_documents_are_there_with_issuer_and_date(office: Office) -> None:
    for title in (PLAN, AGENTS):
        found = named(office, title)
        assert (found.issuer, found.issued_on) == ("昌吉市人民政府办公室", date(2022, 5, 12)) and found.summary
    with office.engine.unit_of_work() as session:
        assert policies.bring_in(session) == 0, "a second time brings nothing twice"


def test_every_process_has_a_basis_and_every_article_that_it_cites_is_in_the_register(office: Office) -> None:
    with office.engine.reading() as session:
        for row in definitions.latest_versions(session, "process"):
            model = process_model(session, row.key)
            found = policies.bases_of(session, row.process_id, model)
            assert found, row.process_id
        bases = policies.bases_of(session, "construction_permit", model_of(session, "construction_permit"))
    cited = {basis.policy.title: basis.paragraphs for basis in bases}
    assert bases[0].policy.title == PLAN and "建筑法第9条" in cited["中华人民共和国建筑法"]


def model_of(session: Session, process_id: str) -> ProcessModel:
    row = next(r for r in definitions.latest_versions(session, "process") if r.process_id == process_id)
    return process_model(session, row.key)


def test_a_referenced_document_is_not_deleted(office: Office) -> None:
    with pytest.raises(Conflict) as refused, office.engine.unit_of_work() as session:
        policies.remove(session, office.actor(ANALYST), named(office, "中华人民共和国建筑法").id)
    assert "施工许可" in refused.value.message() and named(office, "中华人民共和国建筑法")


def test_one_that_nothing_refers_to_is_entered_found_and_deleted(office: Office) -> None:
    done = enter(office)
    with office.engine.reading() as session:
        assert [one.id for one in policies.policies(session, "〔2022〕7号")] == [done.id]
    with pytest.raises(Conflict):
        enter(office)
    with office.engine.unit_of_work() as session:
        policies.remove(session, office.actor("admin"), done.id)
    with pytest.raises(NotFound), office.engine.unit_of_work() as session:
        policies.remove(session, SYSTEM, done.id)


@pytest.mark.parametrize(("who", "over", "refusal"), [(WINDOW, {}, Forbidden), (SCHOOL, {}, Forbidden), (ANALYST, {"title": " "}, Invalid)])
def test_analysts_and_administrators_keep_the_register(office: Office, who: str, over: dict[str, object], refusal: type[Exception]) -> None:
    with pytest.raises(refusal):
        enter(office, who, **over)
