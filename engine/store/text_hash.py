"""A number of 31 bits made of a text, the same in Python and in both databases: keys of rows that have none of their own.

A variable is found by its instance, scope and name; clients of Camunda 8 want one number for it. So its key is the instance's key with this
number of its scope and name behind it: the way back needs no table, because the instance is in the key.
"""

from __future__ import annotations

import hashlib
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, cast
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

HASH_BITS = 31


def text_hash(text: str) -> int:
    """The first 31 bits of the MD5 of the text in UTF-8: PostgreSQL has no other digest without extensions. Nothing is secured by it."""
    return int.from_bytes(hashlib.md5(text.encode(), usedforsecurity=False).digest()[:4]) >> 1


def hashed_key(key: int, text: str) -> int:
    """A key below `key`, which must be smaller than 2**32."""
    return (key << HASH_BITS) + text_hash(text)


def hashed_key_column(key: ColumnElement[int], text: ColumnElement[str]) -> ColumnElement[int]:
    """SQL twin of `hashed_key`."""
    return cast(key, BigInteger) * (1 << HASH_BITS) + TextHash(text)


class TextHash(FunctionElement[int]):
    """SQL twin of `text_hash`."""

    name = "text_hash"
    type = BigInteger()
    inherit_cache = True


def teach(connection: Any) -> None:
    """Give a connection of SQLite the function, which it lacks. No index or table depends on it."""
    connection.create_function("text_hash", 1, text_hash, deterministic=True)


@compiles(TextHash, "sqlite")
def _on_sqlite(element: TextHash, compiler: SQLCompiler, **options: Any) -> str:
    return f"text_hash({compiler.process(element.clauses, **options)})"


@compiles(TextHash, "postgresql")
def _on_postgresql(element: TextHash, compiler: SQLCompiler, **options: Any) -> str:
    return f"((('x' || substr(md5({compiler.process(element.clauses, **options)}), 1, 8))::bit(32)::bigint) >> 1)"
