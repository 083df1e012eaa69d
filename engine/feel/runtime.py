"""What one evaluation carries: the environment, limits, warnings and the frames that hold local names.

Compiled closures take a frame. The root frame *is* the `Run`; iterations, filters, functions and contexts push `Frame`s.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, NoReturn, Protocol

from engine import clock
from engine.errors import LimitExceeded, Said

Value = Any  # a FEEL value: None, bool, Decimal, str, tuple (list), Context, Range, FeelFunction or a temporal value
TICKS_PER_CHECK = 256
MAX_WARNINGS = 100


class Calendar(Protocol):
    """The working days that `add workdays` and `count workdays` use (engine/workcalendar.py provides one)."""

    def add_workdays(self, d: date, n: int) -> date:
        """The n-th working day after `d` (before, when n is negative)."""

    def count_workdays(self, after: date, until: date) -> int:
        """How many working days x have after < x <= until."""


@dataclass(frozen=True, slots=True)
class Environment:
    """What an expression may know besides its variables, and how much it may use. Sharing one instance is cheap and safe.

    `functions`: name -> Python callable that takes FEEL values (positional) and returns a JSON-ish or FEEL value.
    `cpu_ms`: CPU milliseconds of this thread; `max_depth`: nested function calls; `max_items` / `max_chars`: size of
    any list, context or string that is built.
    """

    now: Callable[[], datetime] = clock.now
    calendar: Calendar | None = None
    functions: Mapping[str, Callable[..., Any]] = field(default_factory=dict)
    cpu_ms: int = 100
    max_depth: int = 200
    max_items: int = 100_000
    max_chars: int = 1_000_000


DEFAULT_ENVIRONMENT = Environment()


@dataclass(frozen=True, slots=True)
class Warning_:
    """Why a value became null. `position`: 0-based character in the expression; -1 if unknown."""

    code: str
    message: str
    message_en: str
    position: int = -1

    def __str__(self) -> str:
        return self.message


class FeelNull(Exception):
    """Raised by operations and built-ins when the result is null for a reason worth telling; never leaves the package."""

    def __init__(self, message: str, message_en: str, code: str = "invalid_value") -> None:
        self.warning_message, self.message_en, self.code = message, message_en, code
        super().__init__(message_en)


def demand_arguments(args: tuple[Any, ...], count: int) -> None:
    """A defined function takes as many arguments as it has parameters (§10.3.2.13.1). Raises FeelNull."""
    if len(args) != count:
        raise FeelNull(f"函数需要 {count} 个参数", f"the function takes {count} arguments", "wrong_arguments")


class Frame:
    """Local names: `values` maps a name to a FEEL value. A filter's frame holds its element in `values["item"]`."""

    __slots__ = ("parent", "run", "values")

    def __init__(self, values: Any, parent: Frame | Run, run: Run) -> None:
        self.values = values
        self.parent = parent
        self.run = run


class Run:
    """One evaluation. It is also the root frame: `values` is the context as the caller gave it (read lazily)."""

    # Class attributes are the initial values: most runs never touch them, and a run must cost next to nothing.
    ticks = TICKS_PER_CHECK
    deadline = -1.0
    depth = 0
    muted = False
    warnings: list[Warning_] | None = None

    def __init__(self, values: Mapping[str, Any], env: Environment, text: str) -> None:
        self.values = values
        self.env = env
        self.text = text

    @property
    def run(self) -> Run:
        """Every frame knows its run."""
        return self

    def warn(self, code: str, message: str, message_en: str, position: int = -1) -> None:
        """Record why something was null; at most 100 a run (a filter over many items would repeat itself)."""
        if self.muted:
            return
        if self.warnings is None:
            self.warnings = []
        if len(self.warnings) < MAX_WARNINGS:
            self.warnings.append(Warning_(code, message, message_en, position))

    def tick(self, amount: int = 1) -> None:
        """Called for every step of a loop (or `amount` cheap steps); looks at the CPU clock now and then.

        Raises LimitExceeded when the CPU time is used up.
        """
        self.ticks -= amount
        if self.ticks <= 0:
            self._check_time()

    def _check_time(self) -> None:
        self.ticks = TICKS_PER_CHECK
        used = clock.cpu_seconds()
        if self.deadline < 0:
            self.deadline = used + self.env.cpu_ms / 1000
        elif used > self.deadline:
            self.exceed(Said(f"CPU 时间超过 {self.env.cpu_ms} 毫秒", f"more than {self.env.cpu_ms} ms of CPU time"))

    def seconds_left(self) -> float:
        """CPU seconds this run may still use (at least a millisecond), for the time-out of regular expressions."""
        if self.deadline < 0:
            self._check_time()
        return max(0.001, self.deadline - clock.cpu_seconds())

    def check_items(self, count: int) -> None:
        """Refuse lists and contexts that grow too long."""
        if count > self.env.max_items:
            self.exceed(Said(f"列表超过 {self.env.max_items} 项", f"a list of more than {self.env.max_items} items"))

    def check_chars(self, count: int) -> None:
        """Refuse strings that grow too long."""
        if count > self.env.max_chars:
            self.exceed(Said(f"字符串超过 {self.env.max_chars} 个字符", f"a string of more than {self.env.max_chars} characters"))

    def enter(self) -> None:
        """One function call deeper; the caller decreases `depth` afterwards."""
        self.depth += 1
        self.tick()
        if self.depth > self.env.max_depth:
            self.exceed(Said(f"函数调用嵌套超过 {self.env.max_depth} 层", f"function calls nested deeper than {self.env.max_depth}"))

    def exceed(self, reason: str) -> NoReturn:
        """Stop the evaluation: a limit is used up."""
        raise LimitExceeded(expression=self.text, position=0, reason=reason)


AnyFrame = Frame | Run
Code = Callable[[Any], Any]  # compiled closure: frame -> FEEL value
