"""What can happen to a case's clock, and the limit it counts against. Append-only facts: the clock is computed from them, never stored."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal

from engine.errors import Conflict

Unit = Literal["wd", "cd"]
PauseKind = Literal["correction", "special"]


class ClockRefused(Conflict):
    """计时事件无效：{reason}（{article}）

    The clock event is not valid: {reason} ({article})
    """

    code = "clock_refused"


@dataclass(frozen=True, slots=True)
class Limit:
    """`days` working (wd) or calendar days (cd, 自然日); e.g. 20 wd by 行政许可法 42(1), 60 cd by 环境影响评价法 22."""

    days: int
    unit: Unit = "wd"


@dataclass(frozen=True, slots=True)
class Received:
    """收件. The clock date of a receipt outside office hours is the next working day; the caller has decided that."""

    on: date


@dataclass(frozen=True, slots=True)
class Accepted:
    """受理. `deemed`: nobody told the applicant anything for five working days, so it counts from the receipt (许可法 32(四))."""

    on: date
    deemed: bool = False


@dataclass(frozen=True, slots=True)
class Paused:
    """Counting stops after this day: 补正 (correction) or 特别程序 (special; 许可法 45), told in writing by `document`.

    `planned` is the day on which it is expected to end, if any was told. `procedure` names it (听证, 专家评审, 公示 ...); `legal` is False
    for a link that only the city's own count leaves out (公示, 技术修改 ...): the statutory limit goes on during it.
    """

    on: date
    kind: PauseKind = "special"
    document: str = ""
    planned: date | None = None
    procedure: str = ""
    legal: bool = True


@dataclass(frozen=True, slots=True)
class Resumed:
    """The pause ends with this day; the day itself is still excluded."""

    on: date


@dataclass(frozen=True, slots=True)
class Extended:
    """延期, once, before expiry, approved by the head of the body, told with the reason by `document` (许可法 42)."""

    on: date
    days: int
    approved_by: str
    document: str


@dataclass(frozen=True, slots=True)
class Decided:
    """The decision stops the clock."""

    on: date


@dataclass(frozen=True, slots=True)
class Served:
    """The decision reached the applicant: within ten working days (许可法 44)."""

    on: date


@dataclass(frozen=True, slots=True)
class Closed:
    """The case ended without a decision: not accepted, given up, withdrawn or terminated (`reason`)."""

    on: date
    reason: str = ""


Event = Received | Accepted | Paused | Resumed | Extended | Decided | Served | Closed
