"""What one evaluation of a decision carries: environment, results so far, the records for the trace, warnings and limits."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from engine import clock
from engine.dmn.model import Where
from engine.errors import LimitExceeded, Said
from engine.feel import Environment

Value = Any  # a FEEL value
MAX_DEPTH = 200  # nested calls of business knowledge models, functions and services; each costs a dozen Python frames
CPU_FACTOR = 10  # a whole graph may use ten times what one expression may


class Scope(Mapping[str, Any]):
    """Names in reach: `own` first, then `parent` (the caller's context, possibly lazy, is the outermost)."""

    __slots__ = ("own", "parent")

    def __init__(self, own: Mapping[str, Any], parent: Mapping[str, Any]) -> None:
        self.own = own
        self.parent = parent

    def __getitem__(self, key: str) -> Any:
        if key in self.own:
            return self.own[key]
        return self.parent[key]

    def __iter__(self) -> Iterator[str]:
        return iter({**dict.fromkeys(self.own), **dict.fromkeys(self.parent)})

    def __len__(self) -> int:
        return len({*self.own, *self.parent})


@dataclass(slots=True)
class MatchedRule:
    """A rule that matched, with its outputs as FEEL values by name."""

    rule_id: str
    index: int
    annotation: str
    outputs: list[tuple[str, Value]]


@dataclass(slots=True)
class Record:
    """The trace of one decision, as FEEL values (turned into JSON only when somebody reads the trace)."""

    decision_id: str
    decision_name: str
    kind: str
    inputs: list[tuple[str, str, Value]] = field(default_factory=list)
    rules: list[MatchedRule] = field(default_factory=list)
    warnings: list[tuple[Where, Said]] = field(default_factory=list)
    output: Value = None


class Session:
    """One evaluation. `results`: values of decisions by (namespace, id); `inputs`: input data given by a service call."""

    __slots__ = ("context", "deadline", "depth", "env", "inputs", "record", "records", "results", "ticks")

    def __init__(self, context: Mapping[str, Any], env: Environment) -> None:
        self.context = context
        self.env = env
        self.results: dict[tuple[str, str], Value] = {}
        self.inputs: dict[tuple[str, str], Value] = {}
        self.records: list[Record] = []
        self.record = Record("", "", "")
        self.depth = 0
        self.ticks = 0
        self.deadline = clock.cpu_seconds() + env.cpu_ms * CPU_FACTOR / 1000

    def inner(self) -> Session:
        """A session for a decision service: same records and limits, own results."""
        session = Session(self.context, self.env)
        session.records, session.record = self.records, self.record
        session.depth, session.deadline = self.depth, self.deadline
        return session

    def warn(self, where: Where, message: Said) -> None:
        """Say why something became null; shown with the trace."""
        if len(self.record.warnings) < 100:
            self.record.warnings.append((where, message))

    def tick(self) -> None:
        """Called once per iteration or call: raises LimitExceeded when the CPU time is used up."""
        self.ticks += 1
        if self.ticks % 64 == 0 and clock.cpu_seconds() > self.deadline:
            limit = self.env.cpu_ms * CPU_FACTOR
            raise LimitExceeded(
                expression=self.record.decision_name,
                position=0,
                reason=Said(f"CPU 时间超过 {limit} 毫秒", f"more than {limit} ms of CPU time"),
            )

    def enter(self) -> None:
        """One call deeper; the caller decreases `depth` afterwards."""
        self.tick()
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise LimitExceeded(
                expression=self.record.decision_name,
                position=0,
                reason=Said(f"调用嵌套超过 {MAX_DEPTH} 层", f"calls nested deeper than {MAX_DEPTH}"),
            )


Code = Callable[[Mapping[str, Any], Session], Value]
