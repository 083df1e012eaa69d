"""`lianban clock due`: the vectors A-N of the domain specification §3.6, one by one and many at once, and every kind of bad question."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest

from webapp.cli import main

VECTORS: list[tuple[str, dict[str, Any], str]] = [
    ("A", {"accepted": "2022-05-12", "days": 20}, "2022-06-10"),
    ("A national", {"accepted": "2022-05-12", "days": 20, "calendar": "national"}, "2022-06-10"),
    ("B", {"accepted": "2022-06-24", "days": 20}, "2022-07-27"),
    ("B national", {"accepted": "2022-06-24", "days": 20, "calendar": "national"}, "2022-07-22"),
    ("C", {"accepted": "2022-05-03", "days": 2}, "2022-05-07"),
    ("C national", {"accepted": "2022-05-03", "days": 2, "calendar": "national"}, "2022-05-06"),
    ("D", {"accepted": "2022-04-29", "days": 5}, "2022-05-11"),
    ("D national", {"accepted": "2022-04-29", "days": 5, "calendar": "national"}, "2022-05-10"),
    ("E", {"accepted": "2022-09-29", "days": 5}, "2022-10-11"),
    ("E national", {"accepted": "2022-09-29", "days": 5, "calendar": "national"}, "2022-10-11"),
    ("F without its pause", {"accepted": "2022-05-23", "days": 20}, "2022-06-21"),
    ("F", {"accepted": "2022-05-23", "days": 20, "pauses": [["2022-06-01", "2022-06-15"]]}, "2022-07-04"),
    (
        "F with the pause split",
        {"accepted": "2022-05-23", "days": 20, "pauses": [["2022-06-08", "2022-06-15"], ["2022-06-01", "2022-06-08"]]},
        "2022-07-04",
    ),
    ("G", {"accepted": "2022-05-23", "days": 30, "pauses": [["2022-06-01", "2022-06-15"]]}, "2022-07-21"),
    ("H 45", {"accepted": "2022-05-12", "days": 45}, "2022-07-20"),
    ("H 60", {"accepted": "2022-05-12", "days": 60}, "2022-08-10"),
    ("I", {"accepted": "2022-05-12", "days": 100}, "2022-10-11"),
    ("I national", {"accepted": "2022-05-12", "days": 100, "calendar": "national"}, "2022-10-08"),
    ("J", {"accepted": "2025-06-03", "days": 7}, "2025-06-17"),
    ("J national", {"accepted": "2025-06-03", "days": 7, "calendar": "national"}, "2025-06-12"),
    ("K", {"accepted": "2022-10-08", "days": 3}, "2022-10-11"),
    ("L: the 20th elapsed day", {"accepted": "2022-05-12", "days": 20, "unit": "wd", "pauses": []}, "2022-06-10"),
    ("M", {"accepted": "2026-02-10", "days": 20, "calendar": "national"}, "2026-03-16"),
    (
        "calendar days end on a working day (民法典203)",
        {"accepted": "2022-04-01", "days": 30, "unit": "cd", "calendar": "national"},
        "2022-05-05",
    ),
    ("null means left out", {"accepted": "2022-05-12", "days": 20, "unit": None, "pauses": None, "calendar": None}, "2022-06-10"),
]
VECTOR_N = {"accepted": "2026-12-21", "days": 20}


@pytest.fixture(autouse=True)
def nothing_is_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A database address that would leave a file if it were opened."""
    monkeypatch.setenv("LIANBAN_DATABASE_URL", f"sqlite:///{tmp_path / 'opened.db'}")
    yield
    assert not (tmp_path / "opened.db").exists()


def many(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], lines: bytes) -> tuple[int, list[dict[str, Any]]]:
    """`lianban clock due --jsonl` with these lines on its standard input -> exit code, answers."""
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(lines)))
    code = main(["clock", "due", "--jsonl"])
    return code, [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_vectors_a_to_n_at_once(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    questions = [question for _, question, _ in VECTORS] + [VECTOR_N, VECTOR_N | {"calendar": "national"}]
    code, answers = many(monkeypatch, capsys, "\n".join(json.dumps(question) for question in questions).encode())
    assert code == 0
    told = [(name, answer) for (name, _, _), answer in zip(VECTORS, answers, strict=False)]
    assert told == [(name, {"due": due, "provisional": False}) for name, _, due in VECTORS]
    assert len(answers) == len(questions)
    for answer in answers[-2:]:
        assert answer["due"].startswith("2027-")
        assert answer["provisional"] is True


@pytest.mark.parametrize(("name", "question", "due"), VECTORS)
def test_vectors_one_by_one(name: str, question: dict[str, Any], due: str, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["clock", "due", "--accepted", question["accepted"], "--days", str(question["days"])]
    for option in ("unit", "calendar"):
        arguments += [f"--{option}", question[option]] if question.get(option) else []
    for begin, end in question.get("pauses") or []:
        arguments += ["--pause", f"{begin}:{end}"]
    assert main(arguments) == 0
    assert json.loads(capsys.readouterr().out) == {"due": due, "provisional": False}, name


BAD = [
    (b"not json", "JSON"),
    (b"\xff\xfe", "JSON"),
    (b"[" * 100_000, "JSON"),
    (b"[]", "字段"),
    (b'"2022-05-12"', "字段"),
    (b'{"accepted": "2022-05-12"}', "days"),
    (b'{"days": 20}', "accepted"),
    (b'{"accepted": "2022-02-30", "days": 20}', "没有 2022-02-30 这一天"),
    (b'{"accepted": "2022-5-12", "days": 20}', "accepted"),
    (b'{"accepted": "20220512", "days": 20}', "accepted"),
    (b'{"accepted": 20220512, "days": 20}', "accepted"),
    (b'{"accepted": "2022-05-12", "days": 0}', "days"),
    (b'{"accepted": "2022-05-12", "days": -1}', "days"),
    (b'{"accepted": "2022-05-12", "days": 1.5}', "days"),
    (b'{"accepted": "2022-05-12", "days": true}', "days"),
    (b'{"accepted": "2022-05-12", "days": "20"}', "days"),
    (b'{"accepted": "2022-05-12", "days": 1e99}', "days"),
    (b'{"accepted": "2022-05-12", "days": 20, "unit": "h"}', "unit"),
    (b'{"accepted": "2022-05-12", "days": 20, "unit": ["wd"]}', "unit"),
    (b'{"accepted": "2022-05-12", "days": 20, "calendar": "mars"}', "calendar"),
    (b'{"accepted": "2022-05-12", "days": 20, "calendar": ["national"]}', "calendar"),
    (b'{"accepted": "2022-05-12", "days": 20, "pause": [["2022-06-01", "2022-06-15"]]}', "pauses"),
    (b'{"accepted": "2022-05-12", "days": 20, "pauses": [["2022-06-01"]]}', "[起, 止]"),
    (b'{"accepted": "2022-05-12", "days": 20, "pauses": "2022-06-01:2022-06-15"}', "[起, 止]"),
    (b'{"accepted": "2022-05-12", "days": 20, "pauses": [["2022-06-01", null]]}', "pause"),
    # an end before its begin, two pauses at once, a pause before the acceptance: refused with the rule
    (b'{"accepted": "2022-05-12", "days": 20, "pauses": [["2022-06-15", "2022-06-01"]]}', "先后"),
    (b'{"accepted": "2022-05-12", "days": 20, "pauses": [["2022-06-01", "2022-06-15"], ["2022-06-10", "2022-06-20"]]}', "先后"),
    (b'{"accepted": "2022-05-12", "days": 20, "pauses": [["2022-05-01", "2022-05-20"]]}', "先后"),
    (b'{"accepted": "1200-05-12", "days": 20}', "1950"),
    (b'{"accepted": "2099-12-12", "days": 9999}', "2100"),
    (b'{"accepted": "9999-12-12", "days": 9999, "unit": "cd"}', "2100"),
    (b'{"accepted": "2022-05-12", "days": 20, "pauses": [["9999-06-01", "9999-06-15"]]}', "2100"),
]


def test_a_bad_line_is_answered_with_its_error_and_the_others_still_with_their_date(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    good = b'{"accepted": "2022-05-12", "days": 20}'
    for line, words in BAD:
        code, answers = many(monkeypatch, capsys, b"\n".join([good, line, b"", good]))
        assert len(answers) == 3, line
        assert answers[0] == answers[2] == {"due": "2022-06-10", "provisional": False}
        assert code == 1, line
        assert set(answers[1]) == {"error"}, line
        assert words in answers[1]["error"], (line, answers[1])


def test_nothing_in_is_nothing_out(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert many(monkeypatch, capsys, b"\n\n") == (0, [])


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "--accepted"),
        (["--accepted", "2022-05-12"], "--days"),
        (["--accepted", "tomorrow", "--days", "3"], "accepted"),
        (["--accepted", "2022-05-12", "--days", "3", "--pause", "2022-06-01"], "[起, 止]"),
        (["--accepted", "2022-05-12", "--days", "3", "--pause", "2022-06-10:2022-06-01"], "先后"),
    ],
)
def test_a_bad_question_is_refused_and_explained(arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["clock", "due", *arguments]) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert words in said.err
