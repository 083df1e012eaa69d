"""Boxed expressions -> Python closures, once per file (DMN 1.5 §10.2.1). Syntax errors and wrong types become findings on the way.

A closure takes the names in reach and the session, and returns a FEEL value. `names` (compile time) are the names that are in reach:
FEEL needs them to read names of several words.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from engine.dmn.findings import Findings
from engine.dmn.lint import Lint
from engine.dmn.model import (
    Box,
    ConditionalBox,
    ContextBox,
    FilterBox,
    FunctionBox,
    InvocationBox,
    IteratorBox,
    ListBox,
    Literal,
    RelationBox,
    Table,
    Variable,
    Where,
)
from engine.dmn.session import Code, Scope, Session, Value
from engine.dmn.table import compile_table
from engine.dmn.types import ANY, Coerce, Mismatch, TypeTable
from engine.errors import DecisionError, ExpressionError, Said
from engine.feel import Expression, compile_expression, demand_arguments
from engine.feel.values import Context, FeelFunction, Range

Names = frozenset[str]


class Compiler:
    """Compiles the expressions of one file; `lint` is shown everything that compiles."""

    def __init__(self, types: TypeTable, findings: Findings, lint: Lint) -> None:
        self.types = types
        self.findings = findings
        self.lint = lint
        # what the reader refused (another language, a Java function) must fail when it is used, not read as null
        self.refused = {(found.element_id, found.line) for found in findings.items if found.severity == "error"}
        self.component_names = types.component_names()

    def compile(self, box: Box, names: Names) -> Code:
        """The closure of a boxed expression; its declared type is checked."""
        code = _COMPILERS[type(box)](self, box, names)
        return self.typed(code, box.type_ref, box.where)

    def typed(self, code: Code, type_ref: str, where: Where) -> Code:
        """`code` with its result coerced to `type_ref`: what does not conform is null, with a warning (§10.3.2.9.4)."""
        if type_ref in ANY:
            return code
        coerce = self.coercion(type_ref, where)

        def run(scope: Mapping[str, Any], session: Session) -> Value:
            return coerced(coerce, code(scope, session), session, where)

        return run

    def coercion(self, type_ref: str, where: Where) -> Coerce:
        """The coercion to a type; a type that nobody defined is reported."""
        if not self.types.known(type_ref):
            self.types.unknown(where, type_ref)
        return self.types.coercion(type_ref)

    def expression(self, literal: Literal, names: Names) -> Expression | None:
        """The compiled FEEL of a literal expression; None if it is empty or wrong (then a finding says so)."""
        if literal.text in ("", "-"):
            return None
        known = names | self.component_names
        try:
            found = compile_expression(literal.text, known)
        except ExpressionError as error:
            self.findings.error("syntax", literal.where, error.message("zh"), error.message("en"))
            return None
        self.lint.expression(literal, found, names)
        return found

    def literal(self, box: Literal, names: Names) -> Code:
        """A FEEL expression."""
        expression, where = self.expression(box, names), box.where
        if (where.id, where.line) in self.refused:
            return broken(where)
        if expression is None:
            return _null if box.text in ("", "-") else broken(where)

        def run(scope: Mapping[str, Any], session: Session) -> Value:
            found = expression.run(scope, session.env)
            for warning in found.warnings:
                session.warn(where, Said(warning.message, warning.message_en))
            return found.value

        return run

    def parameters(self, variables: tuple[Variable, ...]) -> list[tuple[str, Coerce]]:
        """Names and coercions of formal parameters."""
        return [(variable.name, self.coercion(variable.type_ref, variable.where)) for variable in variables]

    def function(self, name: str, box: FunctionBox, names: Names) -> Code:
        """The closure that makes the function value; the function sees the scope in which it was made."""
        parameters = self.parameters(box.parameters)
        body = self.compile(box.body, names | {variable.name for variable in box.parameters})
        names_only = tuple(parameter for parameter, _ in parameters)

        def make(scope: Mapping[str, Any], session: Session) -> Value:
            def call(_run: Any, args: tuple[Value, ...]) -> Value:
                demand_arguments(args, len(parameters))
                own = {
                    parameter: coerced(coerce, value, session, box.where)
                    for (parameter, coerce), value in zip(parameters, args, strict=True)
                }
                session.enter()
                try:
                    return body(Scope(own, scope), session)
                finally:
                    session.depth -= 1

            return FeelFunction(name, names_only, call)

        return make


def coerced(coerce: Coerce, value: Value, session: Session, where: Where) -> Value:
    """The coerced value, or null and a warning."""
    try:
        return coerce(value, session.env)
    except Mismatch as error:
        session.warn(where, error.about(where.name))
        return None


def broken(where: Where) -> Code:
    """The closure of something that has an error finding: running it fails with the place."""

    def run(_scope: Mapping[str, Any], _session: Session) -> Value:
        raise DecisionError(
            decision=where.name,
            reason=Said(
                f"{where.id}（第 {where.line} 行）有错误，见部署检查",
                f"{where.id} (line {where.line}) has errors, see the findings of the deployment",
            ),
        )

    return run


def _null(_scope: Mapping[str, Any], _session: Session) -> Value:
    return None


def _context(compiler: Compiler, box: ContextBox, names: Names) -> Code:
    entries: list[tuple[str, Code]] = []
    result: Code | None = None
    for entry in box.entries:
        if entry.variable is None or not entry.variable.name:
            result = compiler.compile(entry.value, names)
            continue
        name = entry.variable.name
        if isinstance(entry.value, FunctionBox):  # a function may call itself by its entry's name
            code = compiler.function(name, entry.value, names | {name})
        else:
            code = compiler.typed(compiler.compile(entry.value, names), entry.variable.type_ref, entry.variable.where)
        entries.append((name, code))
        names = names | {name}

    def run(scope: Mapping[str, Any], session: Session) -> Value:
        own: dict[str, Value] = {}
        inner = Scope(own, scope)
        for name, code in entries:
            own[name] = code(inner, session)
        return Context(own) if result is None else result(inner, session)

    return run


def _list(compiler: Compiler, box: ListBox, names: Names) -> Code:
    codes = [compiler.compile(item, names) for item in box.items]
    return lambda scope, session: tuple([code(scope, session) for code in codes])


def _relation(compiler: Compiler, box: RelationBox, names: Names) -> Code:
    columns = [column.name for column in box.columns]
    rows = [
        [compiler.typed(compiler.compile(cell, names), column.type_ref, cell.where) for cell, column in zip(row, box.columns, strict=True)]
        for row in box.rows
    ]

    def run(scope: Mapping[str, Any], session: Session) -> Value:
        return tuple([Context({name: code(scope, session) for name, code in zip(columns, row, strict=True)}) for row in rows])

    return run


def _function(compiler: Compiler, box: FunctionBox, names: Names) -> Code:
    return compiler.function("", box, names)


def _invocation(compiler: Compiler, box: InvocationBox, names: Names) -> Code:
    """Bindings are evaluated, then FEEL itself calls the function with named arguments."""
    bindings = [(f"__binding{n}", variable, compiler.compile(value, names)) for n, (variable, value) in enumerate(box.bindings)]
    called = compiler.compile(box.called, names)
    text = f"__called({', '.join(f'{variable.name}: {slot}' for slot, variable, _ in bindings)})"
    known = frozenset({variable.name for _, variable, _ in bindings})
    if isinstance(box.called, Literal):  # by its own name, so that built-ins work too
        text = text.replace("__called", box.called.text, 1)
        known |= names
    call = compiler.literal(Literal(box.where, "", text), known | {slot for slot, _, _ in bindings} | {"__called"})

    def run(scope: Mapping[str, Any], session: Session) -> Value:
        own = {slot: code(scope, session) for slot, _, code in bindings}
        if not isinstance(box.called, Literal):
            own["__called"] = called(scope, session)
        return call(Scope(own, scope), session)

    return run


def _conditional(compiler: Compiler, box: ConditionalBox, names: Names) -> Code:
    condition, then, otherwise = (compiler.compile(part, names) for part in (box.condition, box.then, box.otherwise))
    return lambda scope, session: (then if condition(scope, session) is True else otherwise)(scope, session)


def _filter(compiler: Compiler, box: FilterBox, names: Names) -> Code:
    source, match = compiler.compile(box.source, names), compiler.compile(box.match, names | {"item"})

    def keep(item: Value, scope: Mapping[str, Any], session: Session) -> bool:
        session.tick()
        own = {**item, "item": item} if isinstance(item, Context) else {"item": item}
        return match(Scope(own, scope), session) is True

    def run(scope: Mapping[str, Any], session: Session) -> Value:
        items = source(scope, session)
        if items is None:
            return None
        items = items if isinstance(items, tuple) else (items,)
        return tuple([item for item in items if keep(item, scope, session)])

    return run


def _iterator(compiler: Compiler, box: IteratorBox, names: Names) -> Code:
    source = compiler.compile(box.source, names)
    inner_names = names | {box.variable} | ({"partial"} if box.kind == "for" else frozenset())
    body = compiler.compile(box.body, inner_names)

    def items(scope: Mapping[str, Any], session: Session) -> tuple[Value, ...] | None:
        found = source(scope, session)
        if isinstance(found, Range):
            found = _RANGE.evaluate({"source": found}, session.env)
        if found is None:
            session.warn(box.where, Said("循环的集合为空值", "the collection of the loop is null"))
            return None
        return found if isinstance(found, tuple) else (found,)

    def loop(scope: Mapping[str, Any], session: Session) -> Value:
        found = items(scope, session)
        done: list[Value] = []
        for item in found or ():
            session.tick()
            done.append(body(Scope({box.variable: item, "partial": tuple(done)}, scope), session))
        return None if found is None else tuple(done)

    def quantify(scope: Mapping[str, Any], session: Session) -> Value:
        found = items(scope, session)
        if found is None:
            return None
        decisive, unknown = box.kind == "some", False
        for item in found:
            session.tick()
            value = body(Scope({box.variable: item}, scope), session)
            if value is decisive:
                return decisive
            unknown = unknown or not isinstance(value, bool)
        return None if unknown else not decisive

    return loop if box.kind == "for" else quantify


_RANGE = compile_expression("for element in source return element")
_COMPILERS: dict[type[Box], Callable[[Compiler, Any, Names], Code]] = {
    Literal: Compiler.literal,
    Table: compile_table,
    ContextBox: _context,
    ListBox: _list,
    RelationBox: _relation,
    FunctionBox: _function,
    InvocationBox: _invocation,
    ConditionalBox: _conditional,
    FilterBox: _filter,
    IteratorBox: _iterator,
}
