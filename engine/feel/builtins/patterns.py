"""Regular expressions of XPath and XQuery (DMN 1.5 §10.3.4.3 refers to them) on the `regex` package, with a time-out.

Differences that are translated: character class subtraction `[a-z-[aeiou]]`, `\\i` and `\\c` (XML name characters), `$` (end only, unless
flag m), and the replacement language (`$1`, `\\$`, `\\\\`).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any, TypeVar

import regex

from engine.errors import Said
from engine.feel.builtins.registry import invalid
from engine.feel.runtime import Run

R = TypeVar("R")
_MAX_PATTERN = 1_000
_MAX_REPEAT = 1_000
_COUNTS = re.compile(r"\{([0-9]+)(?:,([0-9]*))?\}")
_FLAGS = {"s": regex.DOTALL, "m": regex.MULTILINE, "i": regex.IGNORECASE, "x": regex.VERBOSE}
_NAME_CLASSES = {
    "i": r"\p{L}_:",
    "c": r"\p{L}\p{N}\p{M}_:.\-·",
}
_REFERENCE = re.compile(r"\\(.)|\$([0-9]+)|(.)", re.DOTALL)


@lru_cache(maxsize=512)
def compiled(pattern: str, flags: str) -> regex.Pattern[str] | None:
    """The compiled pattern, None if it or the flags are invalid or too big."""
    if len(pattern) > _MAX_PATTERN or set(flags) - set("smixq") or _repeats_too_much(pattern):
        return None
    options = regex.V1
    for letter in flags:
        options |= _FLAGS.get(letter, 0)
    text = regex.escape(pattern) if "q" in flags else _translate(pattern, "m" in flags)
    try:
        return regex.compile(text, options, cache_pattern=False)
    except (regex.error, OverflowError, RecursionError, ValueError, IndexError):
        return None


def _repeats_too_much(pattern: str) -> bool:
    product = 1
    for found in _COUNTS.finditer(pattern):
        bounds = [bound for bound in found.groups() if bound]
        if any(len(bound) > 6 for bound in bounds):
            return True
        product *= max(1, *(int(bound) for bound in bounds))
        if product > _MAX_REPEAT:
            return True
    return False


def _translate(pattern: str, multiline: bool) -> str:
    pieces: list[str] = []
    depth = index = 0
    while index < len(pattern):
        character = pattern[index]
        pair = pattern[index : index + 2]
        if character == "\\" and len(pair) == 2:
            pieces.append(_escape(pair[1], depth))
            index += 2
            continue
        if depth and pair == "-[":
            pieces.append("--[")
            depth += 1
            index += 2
            continue
        if character == "[":
            # V1 would read a bare "[" inside a class as a nested set; XPath has none there.
            pieces.append("\\[" if depth else "[")
            depth += 0 if depth else 1
            if pattern[index + 1 : index + 2] == "^":
                pieces.append("^")
                index += 1
        elif character == "]" and depth:
            depth -= 1
            pieces.append("]")
        elif character == "$" and not depth and not multiline:
            pieces.append(r"\Z")
        elif depth and pair in ("--", "&&", "||", "~~"):
            pieces.append("\\" + character)
        else:
            pieces.append(character)
        index += 1
    return "".join(pieces)


def _escape(letter: str, depth: int) -> str:
    members = _NAME_CLASSES.get(letter.lower())
    if members is None:
        return "\\" + letter
    if depth:
        return members if letter.islower() else rf"[^{members}]"
    return f"[{members}]" if letter.islower() else f"[^{members}]"


def find_pattern(pattern: str, flags: str | None) -> regex.Pattern[str]:
    """The compiled pattern. Raises FeelNull if it is invalid."""
    found = compiled(pattern, flags or "")
    if found is None:
        raise invalid("正则表达式或标志无效", "invalid regular expression or flags")
    return found


def limited(run: Run, action: Callable[[float], R]) -> R:
    """Run one search with the CPU time that is left. Raises LimitExceeded when it runs away."""
    run.tick(8)
    try:
        return action(run.seconds_left())
    except TimeoutError:
        run.exceed(Said("正则表达式耗时过长", "the regular expression took too long"))


def replacer(run: Run, replacement: str, groups: int) -> Callable[[regex.Match[str]], str]:
    """The function that builds a replacement. Raises FeelNull for a replacement that XPath forbids."""
    parts = _replacement_parts(replacement, groups)
    total = [0]

    def build(found: regex.Match[str]) -> str:
        text = "".join([part if isinstance(part, str) else found.group(part) or "" for part in parts])
        total[0] += len(text)
        run.check_chars(total[0])
        return text

    return build


def _replacement_parts(replacement: str, groups: int) -> list[Any]:
    parts: list[Any] = []
    for found in _REFERENCE.finditer(replacement):
        escaped, number, plain = found.groups()
        if number is not None:
            parts.extend(_group_parts(number, groups))
        elif escaped is not None:
            if escaped not in "\\$":
                raise invalid("替换文本里的 \\ 只能转义 \\ 和 $", "in a replacement only \\\\ and \\$ may be escaped")
            parts.append(escaped)
        elif plain in ("$", "\\"):
            raise invalid("替换文本里的 $ 后面要有组号", "a $ in a replacement needs a group number")
        else:
            parts.append(plain)
    return parts


def _group_parts(number: str, groups: int) -> list[Any]:
    """`$12` is group 12 if there are so many, else group 1 and the digit 2; a missing group is empty (XPath fn:replace)."""
    digits = number[:3]
    while len(digits) > 1 and int(digits) > groups:
        digits = digits[:-1]
    group = int(digits)
    return [group if group <= groups else "", number[len(digits) :]]
