"""Reading names and types: the part of the parser that knows that FEEL names may hold spaces, symbols and keywords.

A name that is known (a built-in, a variable of the caller, a context key or parameter seen before) wins, longest first (DMN 1.5
§10.3.1.2 rule 27 and §10.3.1.3). Otherwise words that stand side by side form one name, because no other reading is grammatical.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

from engine.errors import ExpressionError, LimitExceeded, Said
from engine.feel import ast
from engine.feel.lexer import KEYWORDS, Token, is_plain_name, syntax_error, tokenize, unescape

KnownNames = dict[str, list[tuple[tuple[str, ...], str]]]  # first word -> (words and symbols, name), longest first
_SYMBOLS = frozenset("./-+*'") | {"**"}
_TYPE_WORDS = 5


def index_names(names: Iterable[str]) -> KnownNames:
    """The names that need help to be recognised, by first word."""
    found: KnownNames = {}
    for name in names:
        add_name(found, name)
    return found


def add_name(known: KnownNames, name: str) -> None:
    """Make one name known; single plain words need it not."""
    if is_plain_name(name) or not name:
        return
    try:
        words = tuple(token.text for token in tokenize(name)[:-1])
    except ExpressionError:
        return  # reachable only as a quoted key
    entries = known.setdefault(words[0], [])
    if (words, name) not in entries:
        entries.append((words, name))
        entries.sort(key=lambda entry: -len(entry[0]))


class NameReader:
    """Token cursor plus everything about names; the base of the parser."""

    def __init__(self, text: str, builtin: KnownNames, known: KnownNames) -> None:
        self.text = text
        self.tokens = tokenize(text)
        self.index = 0
        self.depth = 0
        self.in_range_end = False
        self.builtin = builtin
        self.known = known
        self.local: KnownNames = {}

    # cursor
    def peek(self, ahead: int = 0) -> Token:
        """The token `ahead` of the current one; the end token for ever after."""
        index = self.index + ahead
        return self.tokens[index] if index < len(self.tokens) else self.tokens[-1]

    def take(self, count: int = 1) -> Token:
        """Read `count` tokens; returns the first."""
        token = self.peek()
        self.index = min(self.index + count, len(self.tokens) - 1)
        return token

    def accept(self, text: str) -> bool:
        """Read the token if it is this operator or keyword."""
        token = self.peek()
        if token.text == text and token.kind not in ("str", "end"):
            self.take()
            return True
        return False

    def expect(self, text: str) -> None:
        """Read this operator or keyword or fail."""
        if not self.accept(text):
            raise self.fail(Said(f"缺少 {text}", f"expected {text}"))

    def expect_end(self) -> None:
        """Fail unless everything has been read."""
        if self.peek().kind != "end":
            raise self.fail(Said(f"多余的 {self.peek().text!r}", f"unexpected token {self.peek().text!r}"))

    def fail(self, reason: str, token: Token | None = None) -> ExpressionError:
        """The error at a token (the current one by default)."""
        return syntax_error(self.text, (token or self.peek()).start, reason)

    def too_deep(self) -> ExpressionError:
        """The error of a text that nests too deep or chains too long."""
        return LimitExceeded(expression=self.text, position=self.peek().start, reason=Said("嵌套超过 200 层", "nested deeper than 200"))

    # names
    def declare(self, name: str) -> None:
        """A key, iterator or parameter: known from here on (its reach ends with the text: paths and filters need it later)."""
        add_name(self.local, name)

    def known_name(self) -> str | None:
        """Read the longest known name that starts here, None if there is none."""
        first = self.peek().text
        best: tuple[tuple[str, ...], str] | None = None
        source: KnownNames = self.local
        for names in (self.local, self.known, self.builtin):
            for words, name in names.get(first, ()):
                if best is not None and len(best[0]) >= len(words):
                    break
                if self._matches(words):
                    best, source = (words, name), names
                    break
        if best is None:
            return None
        following = self.peek(len(best[0]))
        if source is self.builtin and following.kind == "name" and following.text not in KEYWORDS:
            return None  # a longer name of the caller that begins like a built-in
        self.take(len(best[0]))
        return best[1]

    def _matches(self, words: tuple[str, ...]) -> bool:
        index = self.index
        if index + len(words) >= len(self.tokens):
            return False
        return all(self.tokens[index + offset].text == word for offset, word in enumerate(words))

    def free_name(self) -> str:
        """One word, or several side by side."""
        words = [self.take().text]
        while self.peek().kind == "name" and self.peek().text not in KEYWORDS and words[0] != "?":
            words.append(self.take().text)
        return " ".join(words)

    def path_name(self) -> str:
        """The name after a dot; keywords are allowed as its first word."""
        if self.peek().kind != "name":
            raise self.fail(Said("点号后面不是名称", "a name is expected after the dot"))
        return self.known_name() or self.free_name()

    def key_name(self) -> str:
        """A context key with its colon."""
        token = self.peek()
        if token.kind == "str":
            self.take()
            self.expect(":")
            return unescape(token.text)
        return self.declared_name(":", consume=True)

    def declared_name(self, *closing: str, consume: bool = True) -> str:
        """A new name up to one of the closing tokens; "in" and ":" after a key are read, others are left."""
        words: list[Token] = []
        while self.peek().text not in closing or not words:
            token = self.peek()
            if token.kind not in ("name", "num") and not (words and token.text in _SYMBOLS):
                raise self.fail(Said("不是名称", "a name is expected"))
            if not words and token.kind != "name":
                raise self.fail(Said("名称不能以数字开头", "a name cannot begin with a digit"))
            words.append(self.take())
        if consume and len(closing) == 1:
            self.take()
        return self._joined(words)

    def _joined(self, words: list[Token]) -> str:
        """The name as written, with white space between words collapsed and none around symbols."""
        name = words[0].text
        for previous, word in pairwise(words):
            gap = word.start > previous.end and word.kind != "op" and previous.kind != "op"
            name += (" " if gap else "") + word.text
        return name

    def argument_name(self) -> str | None:
        """The name of a named argument with its colon, None for a positional one."""
        ahead = 0
        while self.peek(ahead).kind in ("name", "num") or (ahead and self.peek(ahead).text in _SYMBOLS):
            ahead += 1
            if ahead > 16:
                return None
        following = self.peek(ahead)
        if not ahead or following.text != ":" or following.kind != "op":
            return None
        words = [self.peek(offset) for offset in range(ahead)]
        self.take(ahead + 1)
        return self._joined(words)

    # types
    def type(self) -> ast.TypeNode:
        """A type (rules 51-54): a name, `list<…>`, `range<…>`, `context<…>` or `function<…> -> …`."""
        self.depth += 1
        if self.depth > 200:
            raise self.too_deep()
        node = self._type()
        self.depth -= 1
        return node

    def _type(self) -> ast.TypeNode:
        token = self.peek()
        if token.kind != "name":
            raise self.fail(Said("不是类型", "a type is expected"))
        if token.text in ("list", "range", "context", "function") and self.peek(1).text == "<":
            self.take(2)
            return self._generic(token)
        words = [self.take().text]
        while self._continues_type(words):
            words.append(self.take().text)
        name = " ".join(words)
        while self.peek().text == "." and self.peek(1).kind == "name":
            self.take()
            name += "." + self.take().text
        return ast.TypeNode(token.start, name)

    def _continues_type(self, words: list[str]) -> bool:
        token = self.peek()
        if token.kind != "name" or len(words) >= _TYPE_WORDS:
            return False
        phrase = " ".join([*words, token.text])
        return any(known == phrase or known.startswith(phrase + " ") for known in _PHRASES) or (
            token.text not in KEYWORDS and words[0] not in ("date", "time", "days", "years")
        )

    def _generic(self, token: Token) -> ast.TypeNode:
        arguments: list[ast.TypeNode] = []
        fields: list[tuple[str, ast.TypeNode]] = []
        while not self.accept(">"):
            if arguments or fields:
                self.expect(",")
            if token.text == "context":
                name = self.declared_name(":")
                fields.append((name, self.type()))
            else:
                arguments.append(self.type())
        if token.text == "function":
            self.expect("->")
            arguments.append(self.type())
        elif token.text != "context" and len(arguments) != 1:
            raise self.fail(Said("类型参数的个数不对", "wrong number of type arguments"), token)
        return ast.TypeNode(token.start, token.text, tuple(arguments), tuple(fields))


_PHRASES = (
    "date and time",
    "days and time duration",
    "day time duration",
    "years and months duration",
    "year month duration",
)
