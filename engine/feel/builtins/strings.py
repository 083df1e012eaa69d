"""String functions (DMN 1.5 §10.3.4.3, table 75). Positions count code points, from 1, or from the end when negative."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import regex

from engine.feel.builtins.conversion import whole
from engine.feel.builtins.patterns import find_pattern, limited, replacer
from engine.feel.builtins.registry import builtin, invalid
from engine.feel.runtime import Run


@builtin("substring(string: string, start position: number, length?: number) -> string", "10.3.4.3")
def substring(_run: Run, text: str, start: Decimal, length: Decimal | None = None) -> str:
    """From a position on, at most `length` code points; null outside the string."""
    position = whole(start, "起始位置", "start position")
    if position == 0 or abs(position) > len(text):
        raise invalid("起始位置超出字符串", "start position is outside the string")
    first = position - 1 if position > 0 else len(text) + position
    if length is None:
        return text[first:]
    count = whole(length, "长度", "length")
    if count < 0:
        raise invalid("长度不能是负数", "length is negative")
    return text[first : first + count]


@builtin("string length(string: string) -> number", "10.3.4.3")
def string_length(_run: Run, text: str) -> Decimal:
    """Number of code points."""
    return Decimal(len(text))


@builtin("upper case(string: string) -> string", "10.3.4.3")
def upper_case(_run: Run, text: str) -> str:
    """Unicode upper case."""
    return text.upper()


@builtin("lower case(string: string) -> string", "10.3.4.3")
def lower_case(_run: Run, text: str) -> str:
    """Unicode lower case."""
    return text.lower()


@builtin("substring before(string: string, match: string) -> string", "10.3.4.3")
def substring_before(_run: Run, text: str, match: str) -> str:
    """What stands before the first match; "" without one."""
    before, found, _ = text.partition(match) if match else ("", "", "")
    return before if found else ""


@builtin("substring after(string: string, match: string) -> string", "10.3.4.3")
def substring_after(_run: Run, text: str, match: str) -> str:
    """What stands after the first match; "" without one."""
    return text.partition(match)[2] if match else text


@builtin("replace(input: string, pattern: string, replacement: string, flags?: string) -> string", "10.3.4.3")
def replace(run: Run, text: str, pattern: str, replacement: str, flags: str | None = None) -> str:
    """Every match replaced; `$1` is a group."""
    found = find_pattern(pattern, flags)
    literal = flags is not None and "q" in flags
    build = (lambda _match: replacement) if literal else replacer(run, replacement, found.groups)
    result: str = limited(run, lambda timeout: found.sub(build, text, timeout=timeout))
    run.check_chars(len(result))
    return result


@builtin("contains(string: string, match: string) -> boolean", "10.3.4.3")
def contains(_run: Run, text: str, match: str) -> bool:
    """Does the string hold the match?"""
    return match in text


@builtin("starts with(string: string, match: string) -> boolean", "10.3.4.3")
def starts_with(_run: Run, text: str, match: str) -> bool:
    """Does the string start with the match?"""
    return text.startswith(match)


@builtin("ends with(string: string, match: string) -> boolean", "10.3.4.3")
def ends_with(_run: Run, text: str, match: str) -> bool:
    """Does the string end with the match?"""
    return text.endswith(match)


@builtin("matches(input: string, pattern: string, flags?: string) -> boolean", "10.3.4.3")
def matches(run: Run, text: str, pattern: str, flags: str | None = None) -> bool:
    """Does the pattern match anywhere? (XPath fn:matches is not anchored.)"""
    found = find_pattern(pattern, flags)
    return limited(run, lambda timeout: found.search(text, timeout=timeout) is not None)


@builtin("split(string: string, delimiter: string) -> list", "10.3.4.3")
def split(run: Run, text: str, delimiter: str) -> tuple[str, ...]:
    """The pieces between matches of the delimiter pattern."""
    found = find_pattern(delimiter, None)
    pieces = limited(run, lambda timeout: _pieces(found, text, timeout))
    run.check_items(len(pieces))
    return pieces


def _pieces(pattern: regex.Pattern[str], text: str, timeout: float) -> tuple[str, ...]:
    """Like regex.split but without the groups of the pattern."""
    pieces: list[str] = []
    last = 0
    for found in pattern.finditer(text, timeout=timeout):
        pieces.append(text[last : found.start()])
        last = found.end()
    return (*pieces, text[last:])


@builtin("string join(list: list, delimiter?: string, prefix?: string, suffix?: string) -> string", "10.3.4.3")
def string_join(
    run: Run, items: tuple[Any, ...], delimiter: str | None = None, prefix: str | None = None, suffix: str | None = None
) -> str:
    """The strings of a list joined; nulls are left out. Prefix and suffix are Camunda's addition."""
    texts = [item for item in items if item is not None]
    if not all(isinstance(item, str) for item in texts):
        raise invalid("列表里有不是字符串的项", "the list has an item that is no string")
    between = delimiter or ""
    run.tick(len(texts) // 8 + 1)
    run.check_chars(sum(map(len, texts)) + len(between) * len(texts))
    return (prefix or "") + between.join(texts) + (suffix or "")
