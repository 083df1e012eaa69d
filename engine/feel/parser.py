"""Tokens -> syntax tree: precedence climbing, no backtracking, so that any text is read in linear time and bounded depth.

Precedence, loosest first (DMN 1.5 §10.3.1.2 rules 1-4, 44-51): for/if/some/every/function, or, and, comparison and `in` and `between`,
+ -, * /, ** (left-associative), unary minus, `instance of`, path/filter/invocation.
"""

from __future__ import annotations

from decimal import Decimal, DecimalException

from engine.errors import ExpressionError, Said
from engine.feel import ast
from engine.feel.lexer import KEYWORDS, Token, unescape
from engine.feel.numbers import CONTEXT
from engine.feel.phrases import PhraseReader
from engine.feel.temporal_text import parse_any

MAX_CHAIN = 500  # operators or postfixes in a row: each nests the tree one level
_BINARY = {
    "or": 1,
    "and": 2,
    "=": 3,
    "!=": 3,
    "<": 3,
    "<=": 3,
    ">": 3,
    ">=": 3,
    "between": 3,
    "in": 3,
    "+": 4,
    "-": 4,
    "*": 5,
    "/": 5,
    "**": 6,
}
_COMPARISONS = ("<=", ">=", "!=", "<", ">", "=")
_LITERALS = {"true": True, "false": False, "null": None}
# A token that can begin an expression; after "[" in `..5[` it tells a filter from an open range end.
_STARTING_OPS = frozenset("([{-@.<>=]") | {"<=", ">=", "!="}
_ENDING_WORDS = frozenset(("and", "or", "then", "else", "return", "satisfies", "in", "between", "instance"))


class Parser(PhraseReader):
    """One parse. `names` are the known names; only those with spaces, symbols or keywords matter."""

    max_depth = 200

    def whole_expression(self) -> ast.Node:
        """The complete text as one expression."""
        node = self.expression()
        self.expect_end()
        return node

    def whole_tests(self) -> ast.UnaryTests:
        """The complete text as unary tests (rules 15-17)."""
        start = self.peek().start
        if self.peek().text == "-" and self.peek(1).kind == "end":
            return ast.UnaryTests(start, (), False)
        negated = self.peek().text == "not" and self.peek(1).text == "(" and self._closes_at_end()
        if negated:
            self.take(2)
        tests = self.tests()
        if negated:
            self.expect(")")
        self.expect_end()
        return ast.UnaryTests(start, tests, negated)

    def _closes_at_end(self) -> bool:
        """True if the parenthesis after `not` closes as the last token: `not(1, 2)` but not `not(a) and b`."""
        depth = 0
        for index in range(self.index + 1, len(self.tokens) - 1):
            token = self.tokens[index]
            if token.kind == "op":
                depth += (token.text == "(") - (token.text == ")")
            if depth == 0:
                return index == len(self.tokens) - 2
        return False

    def tests(self) -> tuple[ast.UnaryTest, ...]:
        """One or more positive unary tests separated by commas."""
        found = [self.test()]
        while self.accept(","):
            found.append(self.test())
        return tuple(found)

    def test(self) -> ast.UnaryTest:
        """One positive unary test."""
        token = self.peek()
        if token.kind == "op" and token.text in _COMPARISONS:
            self.take()
            return ast.UnaryTest(token.start, token.text, self.binary(4))
        return ast.UnaryTest(token.start, "", self.expression())

    def expression(self) -> ast.Node:
        """Any expression; counts nesting."""
        self.depth += 1
        if self.depth > self.max_depth:
            raise self.too_deep()
        node = self.binary(1)
        self.depth -= 1
        return node

    def binary(self, minimum: int) -> ast.Node:
        """Binary operators of at least that precedence."""
        return self.binary_from(self.unary(), minimum)

    def operator(self, token: Token, strength: int, left: ast.Node) -> ast.Node:
        """What follows a binary operator that was just read."""
        if token.text == "between":
            low = self.binary(strength + 1)
            self.expect("and")
            return ast.Between(token.start, left, low, self.binary(strength + 1))
        if token.text == "in":
            return ast.In(token.start, left, self.in_tests())
        return ast.Binary(token.start, token.text, left, self.binary(strength + 1))

    def in_tests(self) -> tuple[ast.UnaryTest, ...]:
        """The right side of `in`: a parenthesised list of tests, or one test (rule 49c)."""
        token = self.peek()
        if token.kind == "op" and token.text in _COMPARISONS:
            return (self.test(),)
        if token.text == "(" and token.kind == "op":
            return self.parenthesised_tests()
        return (ast.UnaryTest(token.start, "", self.binary(4)),)

    def parenthesised_tests(self) -> tuple[ast.UnaryTest, ...]:
        """`(test, test)`, or an expression or range that merely starts with a parenthesis."""
        start = self.peek().start
        if self.peek(1).kind == "op" and self.peek(1).text in _COMPARISONS:
            self.take()
            return self._rest_of_tests([])
        first = self.primary(allow_tests=True)
        if isinstance(first, _OpenTests):
            return self._rest_of_tests([ast.UnaryTest(start, "", first.first)])
        return (ast.UnaryTest(start, "", self.binary_from(self.postfix(first), 4)),)

    def _rest_of_tests(self, found: list[ast.UnaryTest]) -> tuple[ast.UnaryTest, ...]:
        found.append(self.test())
        while self.accept(","):
            found.append(self.test())
        self.expect(")")
        return tuple(found)

    def binary_from(self, left: ast.Node, minimum: int) -> ast.Node:
        """Like `binary`, with the left operand already read."""
        for _ in range(MAX_CHAIN):
            token = self.peek()
            strength = _BINARY.get(token.text, 0) if token.kind != "str" else 0
            if strength < minimum:
                return left
            self.take()
            left = self.operator(token, strength, left)
        raise self.too_deep()

    def unary(self) -> ast.Node:
        """Unary minus (binds tighter than **), `instance of`, postfix."""
        token = self.peek()
        if token.text == "-" and token.kind == "op":
            self.take()
            self.depth += 1
            if self.depth > self.max_depth:
                raise self.too_deep()
            operand = self.unary()
            self.depth -= 1
            if isinstance(operand, ast.Literal) and type(operand.value) is Decimal:
                return ast.Literal(token.start, CONTEXT.minus(operand.value))
            return ast.Negation(token.start, operand)
        node = self.postfix(self.primary())
        while self.peek().text == "instance" and self.peek(1).text == "of":
            position = self.take(2).start
            node = self.postfix(ast.InstanceOf(position, node, self.type()))
        return node

    def postfix(self, node: ast.Node) -> ast.Node:
        """Paths, filters and invocations."""
        for _ in range(MAX_CHAIN):
            token = self.peek()
            if token.kind != "op" or token.text not in ".[(":
                return node
            if token.text == "[" and self.in_range_end and not self._starts_filter():
                return node
            self.take()
            if token.text == ".":
                node = ast.Path(token.start, node, self.path_name())
            elif token.text == "[":
                node = ast.Filter(token.start, node, self.nested_until("]"))
            else:
                node = self.arguments(node)
        raise self.too_deep()

    def _starts_filter(self) -> bool:
        following = self.peek(1)
        if following.kind == "op":
            return following.text in _STARTING_OPS and following.text not in ("]", "=")
        return following.kind != "end" and following.text not in _ENDING_WORDS

    def nested_until(self, closing: str) -> ast.Node:
        """An expression inside brackets: the restrictions of the surroundings do not hold in there."""
        saved = self.in_range_end
        self.in_range_end = False
        node = self.expression()
        self.in_range_end = saved
        self.expect(closing)
        return node

    def arguments(self, function: ast.Node) -> ast.Node:
        """Positional or named arguments after `(`."""
        saved = self.in_range_end
        self.in_range_end = False
        values: list[ast.Node] = []
        names: list[str] = []
        while not self.accept(")"):
            if values:
                self.expect(",")
            name = self.argument_name()
            if (name is not None) != (len(names) == len(values)) and values:
                raise self.fail(Said("不能混用命名参数和位置参数", "named and positional arguments mixed"))
            if name is not None:
                names.append(name)
            values.append(self.expression())
        self.in_range_end = saved
        return ast.Call(function.pos, function, tuple(values), tuple(names) if names else None)

    def primary(self, allow_tests: bool = False) -> ast.Node:
        """Literals, names, brackets and the keyword expressions."""
        token = self.peek()
        if token.kind == "num":
            return self.number()
        if token.kind == "str":
            return ast.Literal(self.take().start, unescape(token.text))
        if token.kind == "name":
            return self.word(token)
        if token.kind == "end":
            raise self.fail(Said("表达式不完整", "unexpected end"))
        return self.bracketed(token, allow_tests)

    def number(self) -> ast.Node:
        """A numeric literal, rounded to 34 digits."""
        token = self.take()
        try:
            return ast.Literal(token.start, CONTEXT.create_decimal(token.text))
        except DecimalException:
            raise self.fail(Said("数字超出范围", "number out of range"), token) from None

    def word(self, token: Token) -> ast.Node:
        """A keyword expression, a literal word or a name."""
        known = self.known_name()
        if known is not None:
            return ast.Name(token.start, known)
        if token.text in _LITERALS:
            self.take()
            return ast.Literal(token.start, _LITERALS[token.text])
        if token.text == "if":
            return self.if_expression()
        if token.text == "for":
            return self.for_expression()
        if token.text in ("some", "every"):
            return self.quantified()
        if token.text == "function" and self.peek(1).text == "(":
            return self.function()
        if token.text in KEYWORDS:
            raise self.fail(Said(f"这里不能用关键字 {token.text}", f"unexpected keyword {token.text}"))
        return ast.Name(token.start, self.free_name())

    def bracketed(self, token: Token, allow_tests: bool) -> ast.Node:
        """What starts with an operator character."""
        if token.text == "(":
            return self.parenthesis(allow_tests)
        if token.text == "[":
            return self.list_or_range()
        if token.text == "]":
            self.take()
            low = self.nested_low()
            return self.range_end(token, low, low_closed=False)
        if token.text == "{":
            return self.context()
        if token.text == "@":
            return self.at_literal()
        raise self.fail(Said(f"这里不能用 {token.text!r}", f"unexpected token {token.text!r}"))

    def nested_low(self) -> ast.Node:
        """The low end of a range that started with `]`."""
        saved = self.in_range_end
        self.in_range_end = False
        node = self.expression()
        self.in_range_end = saved
        return node

    def at_literal(self) -> ast.Node:
        """`@"2024-01-01"`."""
        start = self.take().start
        token = self.take()
        value = parse_any(unescape(token.text)) if token.kind == "str" else None
        if value is None:
            raise self.fail(Said("@ 后面不是日期、时间或时长", "no date, time or duration after @"), token)
        return ast.Literal(start, value)

    def parenthesis(self, allow_tests: bool) -> ast.Node:
        """`(expr)`, `(low..high]`, `(< 5)`; with `allow_tests` also the start of `(test, test)`."""
        opening = self.take()
        token = self.peek()
        if token.kind == "op" and token.text in _COMPARISONS:
            self.take()
            node = self.unary_range(token)
            self.expect(")")
            return node
        saved = self.in_range_end
        self.in_range_end = False
        inner = self.expression()
        self.in_range_end = saved
        if self.peek().text == "..":
            return self.range_end(opening, inner, low_closed=False)
        if allow_tests and self.accept(","):
            return _OpenTests(opening.start, inner)
        self.expect(")")
        return inner

    def unary_range(self, token: Token) -> ast.Node:
        """The inside of `(< 5)`: a range with one end (rule 66)."""
        operand = self.binary(4)
        if token.text in ("=", "!="):
            return ast.UnaryRange(token.start, token.text, operand)
        if token.text in ("<", "<="):
            return ast.RangeNode(token.start, None, operand, False, token.text == "<=")
        return ast.RangeNode(token.start, operand, None, token.text == ">=", False)

    def list_or_range(self) -> ast.Node:
        """`[a, b]` or `[low..high]`."""
        opening = self.take()
        saved = self.in_range_end
        self.in_range_end = False
        items: list[ast.Node] = []
        while not self.accept("]"):
            if items:
                self.expect(",")
            items.append(self.expression())
            if len(items) == 1 and self.peek().text == "..":
                self.in_range_end = saved
                return self.range_end(opening, items[0], low_closed=True)
        self.in_range_end = saved
        return ast.ListNode(opening.start, tuple(items))

    def range_end(self, opening: Token, low: ast.Node, low_closed: bool) -> ast.Node:
        """`..high` and the closing bracket: `]` closed, `)` or `[` open."""
        self.expect("..")
        saved = self.in_range_end
        self.in_range_end = True
        high = self.expression()
        self.in_range_end = saved
        closing = self.take()
        if closing.kind != "op" or closing.text not in ("]", ")", "["):
            raise self.fail(Said("区间没有结束", "unterminated range"), closing)
        return ast.RangeNode(opening.start, low, high, low_closed, closing.text == "]")

    def context(self) -> ast.Node:
        """`{key: expr, "key": expr}`."""
        start = self.take().start
        saved = self.in_range_end
        self.in_range_end = False
        entries: list[tuple[str, ast.Node]] = []
        while not self.accept("}"):
            if entries:
                self.expect(",")
            name = self.key_name()
            entries.append((name, self.expression()))
            self.declare(name)
        self.in_range_end = saved
        keys = [key for key, _ in entries]
        if len(set(keys)) != len(keys):
            raise self.fail(Said("上下文有重复的键", "duplicate context key"))
        return ast.ContextNode(start, tuple(entries))


class _OpenTests(ast.Node):
    """Marker: `(first,` was read and more unary tests follow."""

    __slots__ = ("first",)

    def __init__(self, pos: int, first: ast.Node) -> None:
        super().__init__(pos)
        object.__setattr__(self, "first", first)

    first: ast.Node


__all__ = ["ExpressionError", "Parser"]
