"""Checks a case's clock events against the law and against each other, and brings them into the form the arithmetic needs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

from handlers.clock.events import Accepted, ClockRefused, Closed, Decided, Event, Extended, Paused, PauseKind, Received, Resumed, Served


@dataclass(frozen=True, slots=True)
class Pause:
    """Days after `begin` up to and including `until` are excluded; None: still paused."""

    begin: date
    until: date | None
    kind: PauseKind
    planned: date | None
    procedure: str = ""
    legal: bool = True
    document: str = ""


@dataclass(slots=True)
class History:
    """The events in order, checked."""

    received: date | None = None
    accepted: date | None = None
    deemed: bool = False
    decided: date | None = None
    served: date | None = None
    closed: date | None = None
    extension: Extended | None = None
    pauses: list[Pause] = field(default_factory=list)

    @property
    def ended(self) -> date | None:
        """The day on which counting ended: decided, or closed without a decision."""
        return self.decided or self.closed

    @property
    def basis(self) -> date | None:
        """The day from which the window's five days run (许可法 32): the receipt, or the day on which all corrections were in."""
        ends = [pause.until for pause in self.pauses if pause.kind == "correction" and pause.until is not None]
        return ends[-1] if ends else self.received

    @property
    def open_pause(self) -> Pause | None:
        """The pause that lasts; None when the clock counts."""
        return self.pauses[-1] if self.pauses and self.pauses[-1].until is None else None

    def statutory(self) -> History:
        """This history for the statutory limit: without the pauses that only the city's own count leaves out."""
        return replace(self, pauses=[pause for pause in self.pauses if pause.legal])

    def excluded(self, after: date, until: date) -> Iterator[tuple[date, date]]:
        """The excluded stretches (begin, end] inside (after, until]; an open pause lasts until `until`."""
        for pause in self.pauses:
            begin, end = max(pause.begin, after), min(pause.until or until, until)
            if end > begin:
                yield begin, end

    def closed_as_planned(self) -> History | None:
        """This history with its open pause ended on the planned day; None when no end was planned."""
        if not self.pauses or self.pauses[-1].until is not None:
            return self
        last = self.pauses[-1]
        if last.planned is None:
            return None
        closed = replace(last, until=max(last.planned, last.begin))
        return replace(self, pauses=[*self.pauses[:-1], closed])


def read_history(events: Sequence[Event]) -> History:
    """The history of events given in the order they happened. Raises ClockRefused naming the article."""
    history = History()
    last: date | None = None
    for event in events:
        if last is not None and event.on < last and not isinstance(event, Accepted):
            raise ClockRefused(reason=f"{event.on} 早于前一事件 {last}", article="事件按时间先后记录")
        _apply(history, event)
        last = max(event.on, last) if last is not None else event.on
    return history


def _apply(history: History, event: Event) -> None:
    if history.closed is not None:
        raise ClockRefused(reason="办件已经终结", article="行政许可法第三十八条")
    if isinstance(event, Served):
        _serve(history, event)
        return
    if history.decided is not None:
        raise ClockRefused(reason="决定以后不再计时", article="行政许可法第三十八条")
    if isinstance(event, Closed):
        history.closed = event.on
    elif isinstance(event, Received):
        _once(history.received, "收件")
        history.received = event.on
    elif isinstance(event, Accepted):
        _accept(history, event)
    elif isinstance(event, Paused):
        _pause(history, event)
    elif isinstance(event, Resumed):
        _resume(history, event)
    elif isinstance(event, Extended):
        _extend(history, event)
    elif isinstance(event, Decided):
        _decide(history, event)


def _once(value: date | None, what: str, article: str = "行政许可法第三十二条") -> None:
    if value is not None:
        raise ClockRefused(reason=f"{what}只能有一次，已记录于 {value}", article=article)


def _accept(history: History, event: Accepted) -> None:
    _once(history.accepted, "受理")
    if _paused(history):
        raise ClockRefused(reason="补正尚未结束，不能受理", article="行政许可法第三十二条第一款第五项")
    basis = history.basis
    if event.deemed and basis is not None and event.on != basis:
        raise ClockRefused(reason="逾期未告知的，自收到申请材料之日起即为受理", article="行政许可法第三十二条第一款第四项")
    if basis is not None and event.on < basis:
        raise ClockRefused(reason=f"受理日 {event.on} 早于收齐材料之日 {basis}", article="行政许可法第三十二条第一款第五项")
    history.accepted, history.deemed = event.on, event.deemed


def _paused(history: History) -> bool:
    return history.open_pause is not None


def _pause(history: History, event: Paused) -> None:
    if _paused(history):
        raise ClockRefused(reason="已经处于暂停", article="行政许可法第四十五条")
    if event.kind == "special" and history.accepted is None:
        raise ClockRefused(reason="受理以前没有特别程序", article="行政许可法第四十五条")
    if event.kind == "correction" and history.accepted is not None:
        raise ClockRefused(reason="受理以后不再要求补正", article="行政许可法第三十二条第一款第四项")
    if event.planned is not None and event.planned < event.on:
        raise ClockRefused(reason="预计结束早于开始", article="行政许可法第四十五条")
    history.pauses.append(Pause(event.on, None, event.kind, event.planned, event.procedure, event.legal, event.document))


def _resume(history: History, event: Resumed) -> None:
    if not _paused(history):
        raise ClockRefused(reason="没有处于暂停", article="行政许可法第四十五条")
    history.pauses[-1] = replace(history.pauses[-1], until=event.on)


def _extend(history: History, event: Extended) -> None:
    if history.accepted is None:
        raise ClockRefused(reason="尚未受理，不能延期", article="行政许可法第四十二条")
    if history.extension is not None:
        raise ClockRefused(reason="只能延长一次", article="行政许可法第四十二条")
    if event.days < 1 or not event.approved_by or not event.document:
        raise ClockRefused(reason="延期须有天数、批准人和告知文书", article="行政许可法第四十二条")
    history.extension = event


def _decide(history: History, event: Decided) -> None:
    if history.accepted is None:
        raise ClockRefused(reason="尚未受理，不能作出决定", article="行政许可法第三十八条")
    if _paused(history):
        raise ClockRefused(reason="暂停期间不能作出决定", article="行政许可法第四十五条")
    history.decided = event.on


def _serve(history: History, event: Served) -> None:
    if history.decided is None:
        raise ClockRefused(reason="尚未作出决定，不能送达", article="行政许可法第四十四条")
    _once(history.served, "送达", "行政许可法第四十四条")
    history.served = event.on
