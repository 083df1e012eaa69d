"""A DMN file as plain data: boxed expressions and the elements of the decision requirements graph (DMN 1.5 chapters 6-8, 10.2).

Nothing here evaluates; reader.py fills it, compiler.py turns it into closures, lint.py looks at it.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Where:
    """Where something stands in the file: element id, its name or label for people, line."""

    id: str = ""
    name: str = ""
    line: int = 0


@dataclass(frozen=True, slots=True)
class Box:
    """Any boxed expression (DMN 1.5 §10.2.1). `type_ref`: declared type, "" if none."""

    where: Where
    type_ref: str


@dataclass(frozen=True, slots=True)
class Literal(Box):
    """A FEEL expression; "" and "-" are null."""

    text: str


@dataclass(frozen=True, slots=True)
class Variable:
    """An information item: name and declared type."""

    name: str
    type_ref: str = ""
    where: Where = field(default_factory=Where)


@dataclass(frozen=True, slots=True)
class TableInput:
    """An input clause (§8.3.2): `values` is the text of its allowed values ("" = none)."""

    where: Where
    label: str
    expression: Literal
    values: str


@dataclass(frozen=True, slots=True)
class TableOutput:
    """An output clause (§8.3.3); `default` is used when no rule matches."""

    where: Where
    name: str
    label: str
    type_ref: str
    values: str
    default: Literal | None


@dataclass(frozen=True, slots=True)
class Cell:
    """An input entry: the text of its unary tests."""

    where: Where
    text: str


@dataclass(frozen=True, slots=True)
class Rule:
    """One row; `index` counts from 1 as people see it."""

    where: Where
    index: int
    inputs: tuple[Cell, ...]
    outputs: tuple[Literal, ...]
    annotation: str


@dataclass(frozen=True, slots=True)
class Table(Box):
    """A decision table (chapter 8). `hit_policy`: XML value, e.g. "RULE ORDER"; `aggregation`: "", SUM, MIN, MAX or COUNT."""

    hit_policy: str
    aggregation: str
    inputs: tuple[TableInput, ...]
    outputs: tuple[TableOutput, ...]
    rules: tuple[Rule, ...]


@dataclass(frozen=True, slots=True)
class Entry:
    """A context entry; a last entry without variable is the context's result (§10.2.1.4)."""

    variable: Variable | None
    value: Box


@dataclass(frozen=True, slots=True)
class ContextBox(Box):
    """A boxed context (§10.2.1.4)."""

    entries: tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class ListBox(Box):
    """A boxed list (§10.2.1.5)."""

    items: tuple[Box, ...]


@dataclass(frozen=True, slots=True)
class RelationBox(Box):
    """A relation: a list of contexts that share their keys (§10.2.1.6)."""

    columns: tuple[Variable, ...]
    rows: tuple[tuple[Box, ...], ...]


@dataclass(frozen=True, slots=True)
class FunctionBox(Box):
    """A boxed function (§10.2.1.7); only `kind` FEEL is run."""

    kind: str
    parameters: tuple[Variable, ...]
    body: Box


@dataclass(frozen=True, slots=True)
class InvocationBox(Box):
    """A boxed invocation (§10.2.1.3): `called` gives the function, `bindings` its named arguments."""

    called: Box
    bindings: tuple[tuple[Variable, Box], ...]


@dataclass(frozen=True, slots=True)
class ConditionalBox(Box):
    """A boxed conditional (§10.2.1.8)."""

    condition: Box
    then: Box
    otherwise: Box


@dataclass(frozen=True, slots=True)
class FilterBox(Box):
    """A boxed filter (§10.2.1.9)."""

    source: Box
    match: Box


@dataclass(frozen=True, slots=True)
class IteratorBox(Box):
    """A boxed iterator (§10.2.1.10): `kind` is for, some or every."""

    kind: str
    variable: str
    source: Box
    body: Box


@dataclass(frozen=True, slots=True)
class ItemDefinition:
    """A named type (§7.3.2): either `type_ref` or `components`; `allowed` per item, `constraint` on the whole value."""

    where: Where
    name: str
    type_ref: str
    is_collection: bool
    components: tuple[ItemDefinition, ...]
    allowed: str
    constraint: str
    is_function: bool = False


@dataclass(frozen=True, slots=True)
class InputData:
    """An input of the graph (§6.3.3)."""

    where: Where
    variable: Variable


@dataclass(frozen=True, slots=True)
class Decision:
    """A decision (§6.3.2). `requires`/`inputs`/`knowledge`: hrefs of required decisions, input data, knowledge models and services."""

    id: str
    name: str
    where: Where
    variable: Variable
    requires: tuple[str, ...]
    inputs: tuple[str, ...]
    knowledge: tuple[str, ...]
    box: Box | None


@dataclass(frozen=True, slots=True)
class KnowledgeModel:
    """A business knowledge model (§6.3.4): a named function."""

    where: Where
    variable: Variable
    function: FunctionBox | None
    knowledge: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Service:
    """A decision service (§6.3.5): hrefs of its output, encapsulated and input decisions and its input data."""

    where: Where
    variable: Variable
    outputs: tuple[str, ...]
    encapsulated: tuple[str, ...]
    input_decisions: tuple[str, ...]
    input_data: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Import:
    """An import of another model (§6.3.1): its elements are read as `name.element`."""

    where: Where
    name: str
    namespace: str
    location: str
    kind: str


@dataclass(frozen=True, slots=True)
class Definitions:
    """A whole file."""

    id: str
    name: str
    namespace: str
    version: str
    imports: tuple[Import, ...]
    types: tuple[ItemDefinition, ...]
    inputs: dict[str, InputData]
    decisions: dict[str, Decision]
    knowledge: dict[str, KnowledgeModel]
    services: dict[str, Service]
