"""Simple JUEL expressions (the `${...}` of Camunda 7) as FEEL.

Translated: names and paths, numbers, strings, true, false, null, arithmetic, comparison, `&&` `||` `!`, `empty`, `a ? b : c`, indexes, and
`execution.getVariable("x")`. Anything that calls a method or a bean has no counterpart: Untranslatable says what it was.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

TOKEN = re.compile(
    r"""\s*(?:(?P<number>\d+(?:\.\d+)?)|(?P<string>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')|(?P<name>[^\W\d]\w*)"""
    r"""|(?P<mark>&&|\|\||[=!<>]=|[-+*/%<>!?:().,\[\]]))"""
)
WORDS = {"eq": "==", "ne": "!=", "lt": "<", "gt": ">", "le": "<=", "ge": ">=", "and": "&&", "or": "||", "not": "!", "div": "/", "mod": "%"}
COUNTERS = {
    "nrOfInstances": "numberOfInstances",
    "nrOfActiveInstances": "numberOfActiveInstances",
    "nrOfCompletedInstances": "numberOfCompletedInstances",
}
"""Multi-instance variables have other names in Camunda 8; `loopCounter` counts from 1 there, from 0 in Camunda 7."""
BINARY = {"||": (1, "or"), "&&": (2, "and"), "==": (3, "="), "!=": (3, "!=")}
BINARY |= (
    {mark: (4, mark) for mark in ("<", ">", "<=", ">=")}
    | {mark: (5, mark) for mark in "+-"}
    | {"*": (6, "*"), "/": (6, "/"), "%": (6, "%")}
)
MAX_LENGTH = 5_000
MAX_DEPTH = 60


class Untranslatable(Exception):
    """No FEEL says the same; the message (Chinese) says why."""


@dataclass(frozen=True, slots=True)
class Feel:
    """A piece of FEEL. `level`: binding strength of its outermost operator, 9 for what needs no parentheses."""

    text: str
    level: int = 9

    def within(self, level: int) -> str:
        return f"({self.text})" if self.level < level else self.text


def to_feel(source: str) -> str:
    """A text with `${...}` or `#{...}` in it as FEEL without "="; a text without any stays a FEEL string. Raises Untranslatable."""
    if len(source) > MAX_LENGTH:
        raise Untranslatable("表达式太长")
    parts = _pieces(source.strip())
    if len(parts) == 1:
        kind, text = parts[0]
        return _Parser(text).whole().text if kind == "expression" else _quoted(text)
    return " + ".join(_quoted(text) if kind == "text" else f"string({_Parser(text).whole().text})" for kind, text in parts)


def is_expression(source: str | None) -> bool:
    """Whether a text holds `${` or `#{`."""
    return source is not None and ("${" in source or "#{" in source)


def _pieces(source: str) -> list[tuple[str, str]]:
    """("text" | "expression", content) in order."""
    found = re.split(r"[$#]\{([^{}]*)\}", source)
    pieces = [("expression" if index % 2 else "text", part) for index, part in enumerate(found) if part or index % 2]
    if any("${" in part or "#{" in part for kind, part in pieces if kind == "text"):
        raise Untranslatable("括号不成对或嵌套")
    return pieces or [("text", "")]


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


class _Parser:
    """Precedence climbing over the tokens of one expression."""

    def __init__(self, source: str) -> None:
        self.source, self.tokens, self.position, self.depth = source, _tokens(source), 0, 0

    def whole(self) -> Feel:
        result = self.conditional()
        if self.peek() is not None:
            raise Untranslatable(f"不认识“{self.peek()}”")
        return result

    def peek(self) -> str | None:
        return self.tokens[self.position] if self.position < len(self.tokens) else None

    def take(self, wanted: str | None = None) -> str:
        token = self.peek()
        if token is None or (wanted is not None and token != wanted):
            raise Untranslatable(f"应为“{wanted}”" if wanted else "表达式不完整")
        self.position += 1
        return token

    def conditional(self) -> Feel:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise Untranslatable("嵌套太深")
        condition = self.binary(1)
        if self.peek() == "?":
            self.take()
            first = self.conditional()
            self.take(":")
            condition = Feel(f"if {condition.text} then {first.text} else {self.conditional().text}", 0)
        self.depth -= 1
        return condition

    def binary(self, least: int) -> Feel:
        left = self.unary()
        while (mark := self.peek()) in BINARY and BINARY[str(mark)][0] >= least:
            level, sign = BINARY[self.take()]
            right = self.binary(level + 1)
            if sign == "%":
                left = Feel(f"modulo({left.text}, {right.text})")
            else:
                left = Feel(f"{left.within(level)} {sign} {right.within(level + 1)}", level)
        return left

    def unary(self) -> Feel:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise Untranslatable("嵌套太深")
        token = self.peek()
        if token == "!":
            self.take()
            result = Feel(f"not({self.unary().text})")
        elif token == "-":
            self.take()
            result = Feel(f"-{self.unary().within(7)}", 7)
        elif token == "empty":
            self.take()
            inner = self.unary().within(8)
            result = Feel(f'({inner} = null or {inner} = "" or {inner} = [])')
        else:
            result = self.postfix()
        self.depth -= 1
        return result

    def postfix(self) -> Feel:
        result = self.primary()
        while self.peek() in (".", "["):
            if self.take() == ".":
                result = Feel(f"{result.within(8)}.{self.name()}", 8)
            else:
                index = self.conditional()
                self.take("]")
                result = Feel(f"{result.within(8)}[{_index(index)}]", 8)
            if self.peek() == "(":
                raise Untranslatable(f"调用了方法：{self.source.strip()}")
        return result

    def name(self) -> str:
        token = self.take()
        if not token[:1].isalpha() and token[:1] != "_":
            raise Untranslatable(f"“{token}”不是名称")
        return token

    def primary(self) -> Feel:
        token = self.take()
        if token == "(":
            inner = self.conditional()
            self.take(")")
            return inner
        if token[0] in "\"'":
            return Feel(_quoted(re.sub(r"\\(.)", r"\1", token[1:-1])))
        if token[0].isdigit():
            return Feel(token)
        if not (token[0].isalpha() or token[0] == "_"):
            raise Untranslatable(f"不认识“{token}”")
        if token == "execution":
            return self.execution()
        if self.peek() == "(":
            raise Untranslatable(f"调用了函数 {token}")
        if token == "loopCounter":
            return Feel("loopCounter - 1", 5)
        return Feel(COUNTERS.get(token, token), 8)

    def execution(self) -> Feel:
        """`execution.getVariable("x")` reads a variable; the rest of the execution has no counterpart."""
        self.take(".")
        method = self.take()
        if method != "getVariable":
            raise Untranslatable(f"execution.{method} 没有对应的写法")
        self.take("(")
        name = self.take()
        self.take(")")
        if not re.fullmatch(r"""["'][^\W\d]\w*["']""", name):
            raise Untranslatable("变量名必须是固定的文本")
        return Feel(name[1:-1], 8)


def _index(index: Feel) -> str:
    """FEEL counts from 1; a text as index is the key of a context."""
    if index.text.startswith('"'):
        raise Untranslatable("按键取值请改写为路径")
    return str(int(index.text) + 1) if index.text.isdigit() else f"{index.within(5)} + 1"


def _tokens(source: str) -> list[str]:
    tokens: list[str] = []
    position, end = 0, len(source.rstrip())
    while position < end:
        match = TOKEN.match(source, position)
        if match is None:
            raise Untranslatable(f"不认识“{source[position:].strip()[:20]}”")
        position = match.end()
        text = match.group().strip()
        tokens.append(WORDS.get(text, text) if match.group("name") else text)
    return tokens
