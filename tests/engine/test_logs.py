"""The log shows what happened and where, never what people have typed."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
import structlog

from engine import logs

log = structlog.get_logger(__name__)


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    yield
    logs.configure(as_json=False)


def _fail() -> None:
    identity_number = "652301199001011234"
    assert identity_number
    raise ValueError("broken")


@pytest.mark.parametrize("as_json", [False, True])
def test_traceback_without_values(as_json: bool, capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure(as_json=as_json)
    try:
        _fail()
    except ValueError:
        log.exception("作业失败", job=7)
    written = capsys.readouterr()
    assert written.out == "" and "ValueError: broken" in written.err and "in _fail" in written.err
    assert "652301199001011234" not in written.err
    if as_json:
        event = json.loads(written.err)
        assert (event["event"], event["level"], event["job"]) == ("作业失败", "error", 7)
