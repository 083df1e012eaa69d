"""Running numbers without gaps and without doubles: one counter row per sequence, locked until the transaction ends.

A number is taken inside the transaction that uses it, so a refused command gives its number back. Commands that take numbers wait for
each other from the first number to their end, whatever the sequences: two that took numbers of two sequences in opposite order would
otherwise deadlock on PostgreSQL. On SQLite there is one writer at a time anyway.
"""

from __future__ import annotations

from sqlalchemy import Integer, String, func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Mapped, Session, mapped_column
from stdnum.iso7064 import mod_11_10

from engine.store.database import Base

REGION = "652301"
"""The place whose numbers these are: 昌吉市, GB/T 2260."""
NUMBERING_LOCK = 0x6C62_6E75
"""PostgreSQL's advisory lock of whoever takes numbers."""


class NumberSequence(Base):
    """A named counter; `value` is the last number given out."""

    __tablename__ = "number_sequence"

    name: Mapped[str] = mapped_column(String(200), primary_key=True)
    value: Mapped[int] = mapped_column(Integer)


def next_number(session: Session, name: str) -> int:
    """The next number of a sequence, 1 first; the row stays locked until the transaction ends."""
    dialect = session.get_bind().dialect.name
    if dialect == "postgresql":
        session.execute(select(func.pg_advisory_xact_lock(NUMBERING_LOCK)))
    insert = postgresql.insert if dialect == "postgresql" else sqlite.insert
    statement = insert(NumberSequence).values(name=name, value=1)
    statement = statement.on_conflict_do_update(index_elements=["name"], set_={"value": NumberSequence.value + 1})
    return int(session.execute(statement.returning(NumberSequence.value)).scalar_one())


def check_digit(digits: str) -> str:
    """The ISO/IEC 7064 MOD 11,10 check digit over decimal digits (GB/T 17710)."""
    return str(mod_11_10.calc_check_digit(digits))
