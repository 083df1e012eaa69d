"""Running numbers: no gap, no double, whatever happens at once or fails in between (domain §2.12, GB/T 9704)."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from threading import Barrier, BrokenBarrierError

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum.iso7064 import mod_11_10

from engine.errors import Invalid
from handlers.documents.service import take_number
from handlers.numbering import check_digit, next_number
from tests.handlers.conftest import START, Office


@pytest.mark.parametrize("code", ["2204652301041001042", "2509320193890154406", "2603141124890534694"])
def test_check_digits_of_project_codes(code: str) -> None:
    known = {"2204652301041001042": None, "2509320193890154406": "0", "2603141124890534694": "8"}[code]
    assert known is None or check_digit(code) == known


@given(st.text("0123456789", min_size=1, max_size=40))
def test_a_number_with_its_check_digit_is_valid(digits: str) -> None:
    assert mod_11_10.is_valid(digits + check_digit(digits))


def test_fifty_documents_numbered_at_once_have_no_gap_and_no_double(office: Office) -> None:
    def take(_: int) -> int:
        with office.engine.unit_of_work() as session:
            return next_number(session, "at once")

    with ThreadPoolExecutor(10) as pool:
        assert sorted(pool.map(take, range(50))) == list(range(1, 51))


def test_two_sequences_taken_in_opposite_order_do_not_deadlock(office: Office) -> None:
    both_began = Barrier(2)

    def take(names: tuple[str, str]) -> list[int]:
        with suppress(BrokenBarrierError):
            both_began.wait(timeout=10)
        numbers = []
        for _ in range(15):
            with office.engine.unit_of_work() as session:
                numbers += [next_number(session, name) for name in names]
        return numbers

    with ThreadPoolExecutor(2) as pool:
        one, other = pool.map(take, [("east", "west"), ("west", "east")])
    assert sorted(one + other) == sorted([*range(1, 31), *range(1, 31)])


def test_a_failed_transaction_gives_its_number_back(office: Office) -> None:
    with pytest.raises(RuntimeError), office.engine.unit_of_work() as session:
        assert next_number(session, "given back") == 1
        raise RuntimeError
    with office.engine.unit_of_work() as session:
        assert next_number(session, "given back") == 1


def test_numbers_run_per_body_and_year(office: Office) -> None:
    with office.engine.unit_of_work() as session:

        def take(unit: str, year: int) -> str | None:
            return take_number(session, "{prefix}试〔{year}〕{serial}号", unit, START.replace(year=year))

        assert take("ZRZYJ", 2022) == "昌市自然资试〔2022〕1号"
        assert take("ZRZYJ", 2022) == "昌市自然资试〔2022〕2号"
        assert take("FGW", 2022) == "昌市发改试〔2022〕1号"
        assert take("ZRZYJ", 2023) == "昌市自然资试〔2023〕1号"


def test_permit_numbers_have_their_forms(office: Office) -> None:
    with office.engine.unit_of_work() as session:
        assert take_number(session, "测字第{region}{year}{serial:05d}号", "ZRZYJ", START) == "测字第652301202200001号"
        construction = take_number(session, "{region}{date}{serial:02d}{category}", "ZJJ", START, "02")
    assert construction == "652301202204060102" and len(construction) == 18


def test_a_pattern_with_an_unknown_field_is_refused(office: Office) -> None:
    with office.engine.unit_of_work() as session, pytest.raises(Invalid, match="secret"):
        take_number(session, "{secret}{serial}", "ZJJ", START)


def test_a_kind_without_a_pattern_has_no_number(office: Office) -> None:
    with office.engine.unit_of_work() as session:
        assert take_number(session, "", "ZJJ", START) is None
