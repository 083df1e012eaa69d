"""XML -> boxed expressions (DMN 1.5 §7.3.4, chapter 8, §10.2.1). What cannot be run becomes an error finding, never nothing."""

from __future__ import annotations

from collections.abc import Callable

from engine.dmn.findings import Findings
from engine.dmn.model import (
    Box,
    ConditionalBox,
    ContextBox,
    Entry,
    FilterBox,
    FunctionBox,
    InvocationBox,
    IteratorBox,
    ListBox,
    Literal,
    RelationBox,
    Variable,
    Where,
)
from engine.dmn.table_reader import read_table
from engine.dmn.xml import Element, child, children, local, text_of

DOCUMENTATION = frozenset({"description", "extensionElements"})
_FEEL_WORDS = frozenset({"", "feel"})


class BoxReader:
    """Reads boxed expressions of one file. `language`: the file's default expression language."""

    def __init__(self, findings: Findings, language: str) -> None:
        self.findings = findings
        self.language = language

    def where(self, element: Element, name: str = "") -> Where:
        """The address of an element; an element without id is addressed by the nearest ancestor that has one."""
        node: Element | None = element
        while node is not None and not node.get("id"):
            node = node.getparent()
        return Where(
            id=str(node.get("id", "")) if node is not None else "",
            name=name or str(element.get("name") or element.get("label") or self._owner_name(element)),
            line=element.sourceline if isinstance(element.sourceline, int) else 0,
        )

    def _owner_name(self, element: Element) -> str:
        node = element.getparent()
        while node is not None and not node.get("name"):
            node = node.getparent()
        return node.get("name", "") if node is not None else ""

    def box_in(self, parent: Element) -> Box | None:
        """The boxed expression that `parent` contains, or None."""
        for element in children(parent):
            if local(element) in _READERS:
                return self.box(element)
        return None

    def box(self, element: Element) -> Box:
        """One boxed expression element."""
        self._check_children(element)
        return _READERS[local(element)](self, element)

    def required_box(self, parent: Element, name: str = "") -> Box:
        """The expression inside child `name` of `parent` (inside `parent` itself without name); missing is an error and null."""
        holder = child(parent, name) if name else parent
        found = self.box_in(holder) if holder is not None else None
        if found is not None:
            return found
        where = self.where(parent)
        self.findings.error(
            "missing-expression", where, f"缺少表达式（{name or local(parent)}）", f"missing expression in {name or local(parent)}"
        )
        return Literal(where, "", "")

    def variable(self, element: Element) -> Variable:
        """An information item: `variable`, `formalParameter`, `parameter` or `column`."""
        return Variable(element.get("name", "").strip(), element.get("typeRef", ""), self.where(element))

    def literal(self, element: Element, name: str = "") -> Literal:
        """A literal expression (or any element with `text` and `expressionLanguage`)."""
        where = self.where(element, name)
        if child(element, "importedValues") is not None:
            self.unsupported(where, "importedValues")
        return Literal(where, element.get("typeRef", ""), self.feel_text(element, where))

    def feel_text(self, element: Element | None, where: Where) -> str:
        """The text of an element that must be FEEL; another expression language is refused with a finding and reads as null."""
        if element is None:
            return ""
        language = element.get("expressionLanguage") or self.language
        text = text_of(element)
        if is_feel(language) or text in ("", "-"):
            return text
        message = f"表达式语言“{language}”不受支持，只能使用 FEEL"
        self.findings.error("expression-language", where, message, f'expression language "{language}" is not supported, use FEEL')
        return ""

    def function(self, element: Element) -> FunctionBox:
        """A `functionDefinition` or `encapsulatedLogic` element."""
        return _function(self, element)

    def unsupported(self, where: Where, what: str) -> None:
        """Record an element that this engine does not run."""
        self.findings.error("unsupported", where, f"不支持的元素“{what}”", f'unsupported element "{what}"')

    def _check_children(self, element: Element) -> None:
        allowed = _KNOWN_CHILDREN[local(element)]
        for part in children(element):
            if local(part) not in allowed and local(part) not in DOCUMENTATION:
                self.unsupported(self.where(part), local(part))


def is_feel(language: str) -> bool:
    """FEEL by word or by any version's FEEL namespace."""
    return language.strip().lower() in _FEEL_WORDS or language.rstrip("/").endswith("/FEEL")


def _context(reader: BoxReader, element: Element) -> Box:
    entries = []
    for part in children(element, "contextEntry"):
        variable = child(part, "variable")
        entries.append(Entry(reader.variable(variable) if variable is not None else None, reader.required_box(part)))
    return ContextBox(reader.where(element), element.get("typeRef", ""), tuple(entries))


def _list(reader: BoxReader, element: Element) -> Box:
    items = tuple(reader.box(part) for part in children(element) if local(part) in _READERS)
    return ListBox(reader.where(element), element.get("typeRef", ""), items)


def _relation(reader: BoxReader, element: Element) -> Box:
    columns = tuple(reader.variable(part) for part in children(element, "column"))
    rows = []
    for row in children(element, "row"):
        cells = tuple(reader.box(part) for part in children(row) if local(part) in _READERS)
        if len(cells) != len(columns):
            message = f"关系表的一行有 {len(cells)} 格，应为 {len(columns)} 格"
            reader.findings.error("row-length", reader.where(row), message, f"row has {len(cells)} cells, expected {len(columns)}")
            continue
        rows.append(cells)
    return RelationBox(reader.where(element), element.get("typeRef", ""), columns, tuple(rows))


def _function(reader: BoxReader, element: Element) -> FunctionBox:
    where, kind = reader.where(element), element.get("kind", "FEEL")
    parameters = tuple(reader.variable(part) for part in children(element, "formalParameter"))
    if kind != "FEEL":
        message = f"{kind} 函数不受支持，只能使用 FEEL 函数"
        reader.findings.error("function-kind", where, message, f"{kind} functions are not supported, use FEEL")
        return FunctionBox(where, "", kind, parameters, Literal(where, "", ""))
    return FunctionBox(where, element.get("typeRef", ""), kind, parameters, reader.required_box(element))


def _invocation(reader: BoxReader, element: Element) -> Box:
    bindings = []
    for part in children(element, "binding"):
        parameter = child(part, "parameter")
        variable = reader.variable(parameter) if parameter is not None else Variable("", "", reader.where(part))
        bindings.append((variable, reader.box_in(part) or Literal(reader.where(part), "", "")))
    return InvocationBox(reader.where(element), element.get("typeRef", ""), reader.required_box(element), tuple(bindings))


def _conditional(reader: BoxReader, element: Element) -> Box:
    parts = (reader.required_box(element, name) for name in ("if", "then", "else"))
    return ConditionalBox(reader.where(element), element.get("typeRef", ""), *parts)


def _filter(reader: BoxReader, element: Element) -> Box:
    source, match = reader.required_box(element, "in"), reader.required_box(element, "match")
    return FilterBox(reader.where(element), element.get("typeRef", ""), source, match)


def _iterator(reader: BoxReader, element: Element) -> Box:
    kind = local(element)
    body = reader.required_box(element, "return" if kind == "for" else "satisfies")
    variable = element.get("iteratorVariable", "").strip()
    where = reader.where(element)
    if not variable:
        reader.findings.error("iterator-variable", where, "缺少循环变量 iteratorVariable", "iteratorVariable is missing")
    return IteratorBox(where, element.get("typeRef", ""), kind, variable, reader.required_box(element, "in"), body)


_READERS: dict[str, Callable[[BoxReader, Element], Box]] = {
    "literalExpression": BoxReader.literal,
    "decisionTable": read_table,
    "context": _context,
    "list": _list,
    "relation": _relation,
    "functionDefinition": _function,
    "invocation": _invocation,
    "conditional": _conditional,
    "filter": _filter,
    "for": _iterator,
    "some": _iterator,
    "every": _iterator,
}
_ANY = frozenset(_READERS)
_KNOWN_CHILDREN: dict[str, frozenset[str]] = {
    "literalExpression": frozenset({"text", "importedValues"}),
    "decisionTable": frozenset({"input", "output", "annotation", "rule"}),
    "context": frozenset({"contextEntry"}),
    "list": _ANY,
    "relation": frozenset({"column", "row"}),
    "functionDefinition": _ANY | {"formalParameter"},
    "invocation": _ANY | {"binding"},
    "conditional": frozenset({"if", "then", "else"}),
    "filter": frozenset({"in", "match"}),
    "for": frozenset({"in", "return"}),
    "some": frozenset({"in", "satisfies"}),
    "every": frozenset({"in", "satisfies"}),
}
EXPRESSIONS = _ANY
