"""The keyword expressions: if, for, some, every, function (DMN 1.5 §10.3.1.2 rules 43-48, 55-57)."""

from __future__ import annotations

from abc import abstractmethod

from engine.errors import Said
from engine.feel import ast
from engine.feel.names import NameReader


class PhraseReader(NameReader):
    """Reads what begins with a keyword; the parser proper supplies `expression`."""

    @abstractmethod
    def expression(self) -> ast.Node:
        """Any expression; counts nesting."""

    def if_expression(self) -> ast.Node:
        """`if a then b else c`."""
        start = self.take().start
        condition = self.expression()
        self.expect("then")
        then = self.expression()
        self.expect("else")
        return ast.If(start, condition, then, self.expression())

    def iterators(self) -> tuple[ast.Iterator, ...]:
        """`x in a, y in 1..n`."""
        found: list[ast.Iterator] = []
        while not found or self.accept(","):
            position = self.peek().start
            name = self.declared_name("in")
            source = self.expression()
            end = self.expression() if self.accept("..") else None
            self.declare(name)
            found.append(ast.Iterator(position, name, source, end))
        return tuple(found)

    def for_expression(self) -> ast.Node:
        """`for … return …`."""
        start = self.take().start
        iterators = self.iterators()
        self.expect("return")
        return ast.For(start, iterators, self.expression())

    def quantified(self) -> ast.Node:
        """`some … satisfies …`, `every … satisfies …`."""
        token = self.take()
        iterators = self.iterators()
        self.expect("satisfies")
        return ast.Quantified(token.start, token.text == "every", iterators, self.expression())

    def function(self) -> ast.Node:
        """`function(a: number, b) body`; external functions are refused: an expression never reaches other code."""
        start = self.take(2).start
        parameters: list[tuple[str, ast.TypeNode | None]] = []
        while not self.accept(")"):
            if parameters:
                self.expect(",")
            name = self.declared_name(",", ")", ":")
            parameters.append((name, self.type() if self.accept(":") else None))
            self.declare(name)
        if self.peek().text == "external":
            raise self.fail(Said("不支持外部函数", "external functions are not supported"))
        return ast.FunctionNode(start, tuple(parameters), self.expression())
