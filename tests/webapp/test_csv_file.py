"""Lists for spreadsheets: what people wrote is never computed by whoever opens them."""

from __future__ import annotations

import csv
import io

import pytest
from flask import Flask

from webapp.csv_file import csv_answer


@pytest.mark.parametrize("text", ['=HYPERLINK("http://evil.example")', "+1+1", "-2+3", "@SUM(A1)", "\t=1", "\r=1"])
def test_a_formula_is_text(text: str) -> None:
    with Flask(__name__).test_request_context():
        answer = csv_answer("list.csv", [["理由"], [text]])
    (_heading, (cell,)) = csv.reader(io.StringIO(answer.get_data(as_text=True).removeprefix("\ufeff"), newline=""))
    assert cell == "'" + text


def test_everything_else_stays_as_it_is_and_says_that_it_is_utf_8() -> None:
    with Flask(__name__).test_request_context():
        answer = csv_answer("list.csv", [["事项", 5, None, "a,b"]])
    assert answer.get_data() == '\ufeff事项,5,,"a,b"\r\n'.encode()
    assert answer.headers["Content-Disposition"] == "attachment; filename=list.csv"
