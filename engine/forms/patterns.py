"""ECMAScript regular expressions of `validate.pattern` on Python's `regex` module, with a time limit.

Differences that matter are translated: `$` matches only at the very end, digits, word characters and boundaries are ASCII, blanks are
Unicode, `[^]` is any character.
"""

from __future__ import annotations

from functools import lru_cache

import regex

TIMEOUT_SECONDS = 0.1
MAX_PATTERN = 2_000
_SPACES = r"\s\u00a0\ufeff\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"


@lru_cache(maxsize=512)
def compiled(pattern: str) -> regex.Pattern[str] | None:
    """The pattern for `search`, None if it is not a valid regular expression."""
    if len(pattern) > MAX_PATTERN:
        return None
    try:
        return regex.compile(_translate(pattern), regex.VERSION0 | regex.ASCII)
    except (regex.error, OverflowError, RecursionError):
        return None


def matches(pattern: str, text: str) -> bool | None:
    """True if the pattern is found in `text` (unanchored, like RegExp.test); None: invalid pattern or it ran too long."""
    found = compiled(pattern)
    if found is None:
        return None
    try:
        return found.search(text, timeout=TIMEOUT_SECONDS) is not None
    except TimeoutError:
        return None


def _translate(pattern: str) -> str:
    out: list[str] = []
    index, in_class = 0, False
    while index < len(pattern):
        piece, step = _piece(pattern, index, in_class)
        if not in_class and pattern[index] == "[" and not piece.endswith("]") and not piece.endswith(")"):
            in_class = True
        elif in_class and pattern[index] == "]":
            in_class = False
        out.append(piece)
        index += step
    return "".join(out)


def _piece(pattern: str, index: int, in_class: bool) -> tuple[str, int]:
    """The translation of what starts at `index`, and its length in the pattern."""
    char = pattern[index]
    if char == "\\":
        return _escape(pattern[index : index + 2], in_class), 2
    if in_class:
        return ("\\[" if char == "[" else char), 1
    if char == "$":
        return r"\Z", 1
    if pattern.startswith("[^]", index):
        return r"[\s\S]", 3
    if pattern.startswith("[]", index):
        return "(?!)", 2
    return char, 1


def _escape(escape: str, in_class: bool) -> str:
    if escape == r"\s":
        return _SPACES if in_class else f"[{_SPACES}]"
    if escape == r"\S" and not in_class:
        return f"[^{_SPACES}]"
    return "/" if escape == r"\/" else escape
