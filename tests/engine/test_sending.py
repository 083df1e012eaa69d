"""Statements that wait on PostgreSQL for the next query or the commit: order, savepoints, errors; SQLite runs each at once."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any

import pytest
from sqlalchemy import bindparam, delete, func, select, update
from sqlalchemy.exc import IntegrityError, InternalError
from sqlalchemy.orm import Session

from engine import Engine
from engine.store import models as m
from engine.store.prepared import Batch, Prepared, run
from tests.statements import counted

_ADD = Prepared(m.signal_wait.insert())
_RENAME = Prepared(update(m.signal_wait).where(m.signal_wait.c.key == bindparam("wait")), "name")
_REMOVE = Prepared(delete(m.signal_wait).where(m.signal_wait.c.key == bindparam("wait")))
_SET_CLOCK = Prepared(m.business_clock.insert())


def _wait(key: int, name: str = "paid") -> dict[str, Any]:
    return {"key": key, "instance_key": 1, "root_key": 1, "token_id": key, "name": name}


def _add(session: Session, *keys: int) -> None:
    batch = Batch()
    batch.add(_ADD, [_wait(key) for key in keys])
    batch.send(session.connection())


def _names(engine: Engine) -> list[str]:
    with engine.reading() as session:
        return list(session.scalars(select(m.signal_wait.c.name).order_by(m.signal_wait.c.key)))


def test_every_query_sees_what_was_written_before_it(engine: Engine) -> None:
    with engine.unit_of_work() as session:
        _add(session, 1, 2)
        assert session.scalar(select(func.count()).select_from(m.signal_wait)) == 2


def test_statements_on_one_table_keep_their_order(engine: Engine) -> None:
    with engine.unit_of_work() as session:
        _add(session, 1, 2)
        run(session.connection(), _RENAME, {"wait": 1, "name": "first"})
        run(session.connection(), _RENAME, {"wait": 1, "name": "second"})
        run(session.connection(), _REMOVE, {"wait": 2})
    assert _names(engine) == ["second"]


def test_statements_on_several_tables_are_one_statement_on_postgresql(engine: Engine) -> None:
    with counted(engine) as statements, engine.unit_of_work() as session:
        _add(session, 1)
        run(session.connection(), _SET_CLOCK, {"id": 1, "offset_seconds": 0, "calendar_version": 0})
    writing = [text for text in statements if "INSERT" in text]
    assert len(writing) == (2 if engine.runtime.database.dialect.name == "sqlite" else 1), statements
    assert _names(engine) == ["paid"]


def test_more_rows_than_one_statement_takes(engine: Engine) -> None:
    with engine.unit_of_work() as session:
        _add(session, *range(1, 118))
    assert len(_names(engine)) == 117


def test_what_a_refused_savepoint_wrote_is_gone_and_what_came_before_it_stays(engine: Engine) -> None:
    with engine.unit_of_work() as session:
        _add(session, 1)
        with pytest.raises(LookupError), session.begin_nested():
            _add(session, 2)
            raise LookupError
        _add(session, 3)
    assert len(_names(engine)) == 2


def test_an_error_of_a_waiting_statement_rolls_all_of_it_back_and_the_next_command_works(engine: Engine) -> None:
    with engine.unit_of_work() as session:
        _add(session, 1)
    with pytest.raises(IntegrityError), engine.unit_of_work() as session:
        _add(session, 2)
        _add(session, 1)
    assert _names(engine) == ["paid"]
    with engine.unit_of_work() as session:
        _add(session, 2)
    assert _names(engine) == ["paid", "paid"]


def test_what_waits_is_dropped_with_its_transaction(engine: Engine) -> None:
    with pytest.raises(LookupError), engine.unit_of_work() as session:
        _add(session, 1)
        raise LookupError
    with engine.unit_of_work() as session:
        _add(session, 2)
    assert len(_names(engine)) == 1


def test_nothing_that_is_written_while_reading_stays(engine: Engine) -> None:
    """PostgreSQL refuses it outright."""
    refused = nullcontext() if engine.runtime.database.dialect.name == "sqlite" else pytest.raises(InternalError, match="read-only")
    with refused, engine.reading() as session:
        _add(session, 1)
        session.execute(m.signal_wait.insert(), [_wait(2)])
    assert _names(engine) == []
