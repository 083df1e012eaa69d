"""Camunda's number of an error message, by which clients group incidents and find the instances that have the same one."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.store import models as m
from engine.store.search import Condition

_TESTS: dict[str, Callable[[int, Any], bool]] = {
    "eq": operator.eq,
    "neq": operator.ne,
    "gt": operator.gt,
    "gte": operator.ge,
    "lt": operator.lt,
    "lte": operator.le,
    "in": lambda number, values: number in values,
    "notIn": lambda number, values: number not in values,
    "exists": lambda _number, wanted: bool(wanted),
}


def error_hash(message: str) -> int:
    """Java's `String.hashCode`: a signed number of 32 bits over the UTF-16 units of the text."""
    number = 0
    units = message.encode("utf-16-le", "surrogatepass")
    for at in range(0, len(units), 2):
        number = (number * 31 + int.from_bytes(units[at : at + 2], "little")) & 0xFFFFFFFF
    return number - (1 << 32) if number >= 1 << 31 else number


def messages_with_hash(session: Session, tests: Sequence[Condition]) -> list[str]:
    """The messages of open incidents whose number fulfils every test."""
    messages = session.scalars(select(m.incident.c.message).where(m.incident.c.state == "ACTIVE").distinct())
    return [text for text in messages if all(_TESTS[test.operator](error_hash(text), test.value) for test in tests)]
