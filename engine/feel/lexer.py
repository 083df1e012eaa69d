"""Text -> tokens (DMN 1.5 §10.3.1.2, grammar rules 25-38, 62-69).

A token is a `Token(kind, text, start, end)`; kinds: "num", "str", "name", "op", "end". Names are single words here: the parser
joins words to names with spaces, because that depends on the names in scope.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from engine.errors import ExpressionError, Said

# Grammar rules 28 and 29 (name start and name part characters).
_START = (
    r"?A-Z_a-z\u00C0-\u00D6\u00D8-\u00F6\u00F8-\u02FF\u0370-\u037D\u037F-\u1FFF\u200C-\u200D\u2070-\u218F\u2C00-\u2FEF"
    r"\u3001-\uD7FF\uF900-\uFDCF\uFDF0-\uFFFD\U00010000-\U000EFFFF"
)
_PART = _START + r"0-9\u00B7\u0300-\u036F\u203F-\u2040"
# Grammar rules 62 and 63 (white space, vertical space); a byte-order mark counts as white space.
_SPACE = r"\u0009-\u000D\u0020\u0085\u00A0\u1680\u180E\u2000-\u200B\u2028\u2029\u202F\u205F\u3000\uFEFF"
_TOKEN = re.compile(
    rf"""(?P<space>[{_SPACE}]+|//[^\n\r]*|/\*.*?\*/)
    |(?P<num>(?:[0-9]+(?:\.[0-9]+)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)
    |(?P<name>[{_START}][{_PART}]*)
    |(?P<str>"(?:[^"\\]|\\.)*")
    |(?P<op>\.\.|\*\*|<=|>=|!=|->|[-+*/=<>(){{}}\[\],:.@'])""",
    re.VERBOSE | re.DOTALL,
)
_NAME = re.compile(rf"[{_START}][{_PART}]*")
_ESCAPE = re.compile(r"\\(?:u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{6})|(.))", re.DOTALL)
_SIMPLE_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", '"': '"', "'": "'", "\\": "\\"}
_SURROGATES = re.compile("[\ud800-\udbff][\udc00-\udfff]")
_LONE = re.compile("[\ud800-\udfff]")
_MAX_TEXT = 100_000


class Token(NamedTuple):
    """One token; `start` and `end` are 0-based character positions."""

    kind: str
    text: str
    start: int
    end: int


def syntax_error(text: str, position: int, reason: str) -> ExpressionError:
    """The error of everything that cannot be read; `reason` in both languages."""
    return ExpressionError(expression=text, position=position, reason=reason)


def tokenize(text: str) -> list[Token]:
    """All tokens, closed by an "end" token. Raises ExpressionError on a character that starts no token."""
    if len(text) > _MAX_TEXT:
        raise syntax_error(text[:80] + "…", 0, Said(f"表达式超过 {_MAX_TEXT} 个字符", f"longer than {_MAX_TEXT} characters"))
    tokens: list[Token] = []
    position, size = 0, len(text)
    match = _TOKEN.match
    while position < size:
        found = match(text, position)
        if found is None:
            raise syntax_error(text, position, _lexical_reason(text[position]))
        kind = str(found.lastgroup)
        if kind != "space":
            tokens.append(Token(kind, found.group(), position, found.end()))
        position = found.end()
    tokens.append(Token("end", "", size, size))
    return tokens


def _lexical_reason(character: str) -> str:
    if character == '"':
        return Said("字符串没有结束引号", "unterminated string")
    return Said(f"不认识的字符 {character!r}", f"unexpected character {character!r}")


def unescape(literal: str) -> str:
    """The value of a string literal with its quotes: escapes are rule 36; surrogate pairs become one code point."""
    body = literal[1:-1]
    if "\\" not in body:
        return body
    text = _ESCAPE.sub(_unescape_one, body)
    joined = _SURROGATES.sub(_join_surrogates, text)
    return _LONE.sub("\ufffd", joined)  # half a surrogate pair is no code point and cannot be stored as UTF-8


def _unescape_one(found: re.Match[str]) -> str:
    four, six, simple = found.groups()
    if simple is not None:
        # An unknown escape stays as written, so that "\d" in a pattern needs no doubling.
        return _SIMPLE_ESCAPES.get(simple, "\\" + simple)
    code = int(four or six, 16)
    return chr(code) if code <= 0x10FFFF else found.group()


def _join_surrogates(found: re.Match[str]) -> str:
    high, low = (ord(half) for half in found.group())
    return chr(0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00))


@lru_cache(maxsize=4096)
def is_plain_name(name: str) -> bool:
    """True for a single word that needs no help from the scope to be recognised."""
    return _NAME.fullmatch(name) is not None and name not in KEYWORDS


# Words that end a name made of several words unless the whole name is known.
KEYWORDS = frozenset(
    (
        *("if", "then", "else", "for", "in", "return", "some", "every", "satisfies", "and", "or", "between", "instance"),
        *("function", "external", "true", "false", "null"),
    )
)
