"""The life of a case in the status dictionary (domain §4.9) and its number (§4.6)."""

from __future__ import annotations

from datetime import timedelta
from itertools import product

import pytest
from stdnum.iso7064 import mod_11_10

from engine.errors import Conflict, NotFound
from handlers.cases import service as cases
from handlers.cases.refusals import CaseRefused
from handlers.catalogue.service import catalogue
from tests.handlers.conftest import START, Office

ALLOWED = {
    1: {2, 3, 4, 5, 6, 14},
    3: {8, 14, 16},
    6: {2, 7},
    7: {3, 4, 5, 6},
    8: {9, 11, 12, 13, 14, 16},
    9: {10, 14, 16},
    10: {8, 9, 11, 12, 13, 14, 16},
    11: {15},
    12: {15},
    16: {14},
}
PATHS: dict[int, tuple[int, ...]] = {
    1: (), 2: (2,), 3: (3,), 4: (4,), 5: (5,), 6: (6,), 7: (6, 7), 8: (3, 8), 9: (3, 8, 9), 10: (3, 8, 9, 10),
    11: (3, 8, 11), 12: (3, 8, 12), 13: (3, 8, 13), 14: (14,), 15: (3, 8, 11, 15), 16: (3, 16),
}  # fmt: skip
"""How a case gets to each status."""


@pytest.fixture(scope="module")
def project_id(office: Office) -> int:
    return office.register().id


def new_case(office: Office, project_id: int, status: int = 1, item: str = "ZR06") -> int:
    """A case that was brought to a status by real steps, all at START."""
    with office.engine.unit_of_work() as session:
        case = cases.open_case(
            session,
            project_id=project_id,
            item_code=item,
            unit="ZRZYJ",
            applicant="liumin",
            root_key=1,
            person="guli",
            element_id="s_open",
            now=START,
        )
        for step in PATHS[status]:
            cases.set_status(session, case.id, step, person="guli", now=START)
    return case.id


def move(office: Office, case_id: int, status: int, **more: object) -> cases.Case:
    with office.engine.unit_of_work() as session:
        return cases.set_status(session, case_id, status, person="lijianguo", now=START + timedelta(days=1), **more)  # type: ignore[arg-type]


@pytest.mark.parametrize("origin", range(1, 16))
def test_only_the_listed_statuses_follow(office: Office, project_id: int, origin: int) -> None:
    for target in range(1, 17):
        case_id = new_case(office, project_id, origin)
        if target in ALLOWED.get(origin, set()):
            assert move(office, case_id, target).status == target
        else:
            with pytest.raises(CaseRefused, match=r"第|字典"):
                move(office, case_id, target)


@pytest.mark.parametrize(
    ("origin", "target", "article"),
    [
        (3, 3, "已经受理，不能再次受理（行政许可法第三十二条）"),
        (8, 3, "已经受理，不能再次受理（行政许可法第三十二条）"),
        (9, 11, "特别程序期间计时暂停，不能作出决定（行政许可法第四十五条）"),
        (9, 9, "特别程序正在进行，暂停不能重叠（行政许可法第四十五条）"),
        (8, 10, "没有正在进行的特别程序（行政许可法第四十五条）"),
        (1, 11, "尚未受理，不能作出决定（行政许可法第三十八条）"),
        (6, 3, "补正尚未结束（行政许可法第三十二条第一款第五项）"),
        (11, 14, "已经作出决定，不能撤回申请（行政许可法第三十八条）"),
        (13, 16, "已经作出决定，不能撤回申请（行政许可法第三十八条）"),
        (11, 13, "已经作出决定，不能再次决定（行政许可法第三十八条）"),
        (5, 3, "办件已经终结（行政许可法第三十八条）"),
        (13, 15, "不予许可的决定不存在撤销许可（行政许可法第六十九条）"),
    ],
)
def test_a_refused_change_names_its_article(office: Office, project_id: int, origin: int, target: int, article: str) -> None:
    case_id = new_case(office, project_id, origin)
    with pytest.raises(CaseRefused) as refused:
        move(office, case_id, target)
    assert refused.value.message().endswith(f"：{article}")
    with office.engine.reading() as session:
        assert cases.get_case(session, case_id).status == origin


def test_the_catalogue_allows_what_is_listed_here() -> None:
    listed = {(a, b) for a, targets in ALLOWED.items() for b in targets}
    statuses = catalogue().case_statuses
    assert {(a, b) for a, b in product(statuses, statuses) if b in statuses[a].following} == listed


def test_a_refused_withdrawal_goes_back_to_where_the_case_was(office: Office, project_id: int) -> None:
    case_id = new_case(office, project_id, 9)
    move(office, case_id, 16)
    assert move(office, case_id, 9).status == 9


def test_an_agreed_withdrawal_ends_the_case(office: Office, project_id: int) -> None:
    case_id = new_case(office, project_id, 8)
    move(office, case_id, 16)
    assert move(office, case_id, 16).status == 16, "asked for twice"
    assert move(office, case_id, 14).ended


def test_resuming_restores_the_former_status_once(office: Office, project_id: int) -> None:
    case_id = new_case(office, project_id, 10)
    move(office, case_id, 16)
    for _ in range(2):
        with office.engine.unit_of_work() as session:
            assert cases.resume(session, case_id, person="guli", now=START).status == 10


def test_while_a_withdrawal_waits_the_case_goes_on_from_where_it_was(office: Office, project_id: int) -> None:
    case_id = new_case(office, project_id, 8)
    move(office, case_id, 16)
    with pytest.raises(Conflict):
        move(office, case_id, 10)
    assert move(office, case_id, 9).status == 9


def test_every_change_is_an_event_with_unit_person_and_time(office: Office, project_id: int) -> None:
    case_id = new_case(office, project_id)
    move(office, case_id, 3, element_id="s_status3", unit="XZSPJ")
    move(office, case_id, 8)
    with office.engine.reading() as session:
        history = cases.case_history(session, case_id)
    assert [(e.previous, e.status, e.person, e.unit, e.element_id) for e in history] == [
        (None, 1, "guli", "ZRZYJ", "s_open"),
        (1, 3, "lijianguo", "XZSPJ", "s_status3"),
        (3, 8, "lijianguo", "ZRZYJ", ""),
    ]
    assert history[0].status_name == "已接件"


def test_silent_acceptance_counts_from_the_day_of_receipt(office: Office, project_id: int) -> None:
    """行政许可法 第三十二条第四项."""
    case_id = new_case(office, project_id)
    case = move(office, case_id, 3, accepted_at=START)
    assert case.deemed_accepted and case.accepted_at == START


def test_ordinary_acceptance_counts_from_that_day(office: Office, project_id: int) -> None:
    case = move(office, new_case(office, project_id), 3)
    assert not case.deemed_accepted and case.accepted_at == START + timedelta(days=1)


@pytest.mark.parametrize(("granted", "tolerated", "status"), [(True, False, 11), (True, True, 12), (False, False, 13), (False, True, 13)])
def test_decisions(office: Office, project_id: int, granted: bool, tolerated: bool, status: int) -> None:
    case_id = new_case(office, project_id, 8)
    with office.engine.unit_of_work() as session:
        if tolerated:
            cases.mark_tolerance(session, case_id)
        case = cases.decide(session, case_id, granted, "建字第1号", person="ayinuer", now=START + timedelta(days=2))
    assert (case.status, case.document_number, case.ended) == (status, "建字第1号", True)
    assert case.decided_at == START + timedelta(days=2)


def test_no_decision_before_acceptance(office: Office, project_id: int) -> None:
    case_id = new_case(office, project_id, 1)
    with pytest.raises(Conflict), office.engine.unit_of_work() as session:
        cases.decide(session, case_id, True, "建字第1号", person="ayinuer", now=START)
    with office.engine.reading() as session:
        assert cases.get_case(session, case_id).document_number == ""


def test_the_case_number_has_its_parts_and_check_digit(office: Office, project_id: int) -> None:
    case_id = new_case(office, project_id)
    with office.engine.reading() as session:
        case = cases.get_case(session, case_id)
    assert case.number.startswith("65230104ZR0620220406") and len(case.number) == 26
    assert mod_11_10.is_valid("".join(str(int(c, 36)) for c in case.number))


def test_case_numbers_and_query_codes_differ(office: Office, project_id: int) -> None:
    ids = [new_case(office, project_id) for _ in range(5)]
    with office.engine.reading() as session:
        found = [cases.get_case(session, case_id) for case_id in ids]
    assert len({case.number for case in found}) == 5
    assert not set("".join(case.query_code for case in found)) & set("0O1I")


def test_an_unknown_case_or_item_is_not_found(office: Office, project_id: int) -> None:
    with office.engine.reading() as session, pytest.raises(NotFound):
        cases.get_case(session, 999_999)
    with pytest.raises(NotFound):
        move(office, 999_999, 3)
