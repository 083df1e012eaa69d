"""理由: every change out of the ordinary says why; one bound for all of them, told in words and not cut in silence."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from engine import Engine, commands
from engine.errors import Invalid
from tests.operations.support import LINE, OPERATOR, deploy, do, open_task, process, start

LONG = "理" * 2_001
Change = Callable[[Engine, int, str], Any]


def _suspend(engine: Engine, key: int, reason: str) -> None:
    do(engine, commands.suspend_instance, OPERATOR, key, reason)


def _cancel(engine: Engine, key: int, reason: str) -> None:
    do(engine, commands.cancel_instance, OPERATOR, key, reason)


def _jump(engine: Engine, key: int, reason: str) -> None:
    with engine.unit_of_work() as session:
        commands.jump_to_element(session, OPERATOR, open_task(engine, "a").key, "b", reason=reason)


def _batch(engine: Engine, key: int, reason: str) -> None:
    do(engine, commands.create_batch, OPERATOR, "cancel", [key], {}, reason)


def _set_variables(engine: Engine, key: int, reason: str) -> None:
    with engine.unit_of_work() as session:
        commands.set_variables(session, OPERATOR, key, {"x": 1}, reason=reason)


def _resume(engine: Engine, key: int, reason: str) -> None:
    _suspend(engine, key, "特别程序")
    do(engine, commands.resume_instance, OPERATOR, key, reason)


@pytest.mark.parametrize("change", [_suspend, _cancel, _jump, _batch, _set_variables, _resume])
def test_a_reason_that_is_too_long_is_refused_with_the_bound(engine: Engine, change: Change) -> None:
    deploy(engine, process(LINE))
    key = start(engine)
    with pytest.raises(Invalid, match=r"理由不超过 (2000|500) 字，现在有 2001 字"):
        change(engine, key, LONG)


@pytest.mark.parametrize("change", [_suspend, _cancel, _jump, _batch])
def test_without_a_reason_it_is_not_done(engine: Engine, change: Change) -> None:
    deploy(engine, process(LINE))
    key = start(engine)
    with pytest.raises(Invalid, match="必须填写理由"):
        change(engine, key, "  \n")
