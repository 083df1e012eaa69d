"""What every command of one process shares: database, handlers, job port, calendar, and the caches of models and live instances."""

from __future__ import annotations

import threading
from collections import OrderedDict, deque
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from sqlalchemy import Engine as Database
from sqlalchemy import Row
from sqlalchemy.exc import TimeoutError as WaitedTooLong
from sqlalchemy.orm import Session

from engine import clock
from engine.jobs.port import JobPort
from engine.jobs.registry import HandlerRegistry
from engine.settings import Settings
from engine.store.database import open_readers

if TYPE_CHECKING:
    from engine.bpmn import Instance, ProcessModel
    from engine.findings import Finding
    from engine.workcalendar import WorkCalendar

WAIT_SECONDS = 30
COMMANDS_AT_ONCE = 4
GLANCES_AT_ONCE = 2
K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class LruCache(Generic[K, V]):
    """A small thread-safe cache of immutable things, least recently used out first."""

    def __init__(self, size: int) -> None:
        self._size, self._items, self._lock = size, OrderedDict[K, V](), threading.Lock()

    def get(self, key: K, build: Callable[[], V]) -> V:
        """The value for `key`, built when absent (outside the lock: two threads may build it, one result stays)."""
        with self._lock:
            if key in self._items:
                self._items.move_to_end(key)
                return self._items[key]
        value = build()
        with self._lock:
            self._items[key] = value
            while len(self._items) > self._size:
                self._items.popitem(last=False)
        return value

    def clear(self) -> None:
        with self._lock:
            self._items.clear()


class InstanceCache:
    """Live instances under the version of their row. An instance is taken out while a command works on it and put back after the
    commit, so a failed command simply loses it; a version that another process has moved on is never used."""

    def __init__(self, size: int) -> None:
        self._size, self._items, self._lock = size, OrderedDict[int, tuple[int, "Instance"]](), threading.Lock()

    def take(self, key: int, version: int) -> Instance | None:
        with self._lock:
            found = self._items.pop(key, None)
        return found[1] if found is not None and found[0] == version else None

    def put(self, key: int, version: int, instance: Instance) -> None:
        with self._lock:
            old = self._items.get(key)
            if old is None or old[0] < version:
                self._items[key] = (version, instance)
                self._items.move_to_end(key)
            while len(self._items) > self._size:
                self._items.popitem(last=False)

    def clear(self) -> None:
        with self._lock:
            self._items.clear()


class Gate:
    """Lets so many threads of one process in at once; the others wait here, first come first served. A thread may enter again while it is
    inside.

    Fifty threads at work at once only fight over the interpreter's lock, and each needs a connection that is opened for it and closed
    behind it. SQLite itself lets a waiting writer sleep and look again now and then: the unlucky ones would wait for seconds, and the
    file would lie idle in between. Raises SQLAlchemy's TimeoutError to whoever has waited for WAIT_SECONDS.
    """

    def __init__(self, at_once: int) -> None:
        self._free, self._here = at_once, threading.local()
        self._lock, self._queue = threading.Lock(), deque[threading.Lock]()

    def __enter__(self) -> None:
        depth: int = getattr(self._here, "depth", 0)
        if depth == 0:
            self._wait()
        self._here.depth = depth + 1

    def __exit__(self, *_: object) -> None:
        self._here.depth -= 1
        if self._here.depth == 0:
            self._let_in()

    def _wait(self) -> None:
        with self._lock:
            if self._free:
                self._free -= 1
                return
            place = threading.Lock()
            place.acquire()
            self._queue.append(place)
        let_in = False
        try:
            let_in = place.acquire(timeout=WAIT_SECONDS)
        finally:
            if not let_in:
                self._leave(place)
        if not let_in:
            raise WaitedTooLong(f"other threads have kept the database busy for {WAIT_SECONDS} seconds")

    def _let_in(self) -> None:
        """Whoever has waited for longest takes the place over: one who comes by at this moment, the same thread again perhaps, does not get
        ahead, or a thread with a thousand commands would keep the others out."""
        with self._lock:
            if self._queue:
                self._queue.popleft().release()
            else:
                self._free += 1

    def _leave(self, place: threading.Lock) -> None:
        with self._lock:
            if place in self._queue:
                self._queue.remove(place)
                return
        self._let_in()  # it was let in at this very moment


class Turns:
    """Where the commands of one process wait for each other, each for its process instance. On PostgreSQL the row's lock would do, but the
    database hands it on before the command that had it has published its live instance: the next one would build it from its rows again.
    Only a convenience: whoever waits too long goes on to the row's lock."""

    def __init__(self) -> None:
        self._lock, self._waiting = threading.Lock(), dict[int, tuple[threading.Lock, list[None]]]()

    def enter(self, key: int) -> Callable[[], None]:
        """Wait for the turn -> what ends it."""
        with self._lock:
            turn, users = self._waiting.setdefault(key, (threading.Lock(), []))
            users.append(None)
        mine = turn.acquire(timeout=WAIT_SECONDS)

        def leave() -> None:
            if mine:
                turn.release()
            with self._lock:
                users.pop()
                if not users:
                    del self._waiting[key]

        return leave


@dataclass(slots=True)
class Runtime:
    """Shared by all units of work of this process. `publish` is told the root keys and business ids after each commit (live pages).
    `calendar_source` reads the calendar anew when its version in the database is another than `calendar_version`. Each of `sweeps` is
    called with every sweep, for what a crash may have left undone in the domain. `leased`: the keys of the jobs this process is running."""

    settings: Settings
    database: Database
    handlers: HandlerRegistry
    jobs: JobPort
    calendar: WorkCalendar | None = None
    calendar_version: int = 0
    calendar_source: Callable[[Session], WorkCalendar] | None = None
    known_groups: Callable[[Session], frozenset[str] | None] = lambda _session: None
    active_staff: Callable[[Session, frozenset[str]], frozenset[str]] = lambda _session, usernames: usernames
    house_rules: Callable[[ProcessModel], list[Finding]] = lambda _model: []
    sweeps: list[Callable[[], object]] = field(default_factory=list)
    publish: list[Callable[[frozenset[str]], None]] = field(default_factory=list)
    definitions: LruCache[int, Row[Any]] = field(default_factory=lambda: LruCache(1024))
    bindings: LruCache[tuple[int, str, str], int | None] = field(default_factory=lambda: LruCache(4096))
    versions: LruCache[tuple[str, int], int] = field(default_factory=lambda: LruCache(1024))
    models: LruCache[int, Any] = field(default_factory=lambda: LruCache(256))
    decisions: LruCache[int, Any] = field(default_factory=lambda: LruCache(256))
    forms: LruCache[int, Any] = field(default_factory=lambda: LruCache(512))
    leased: set[int] = field(default_factory=set)
    instances: InstanceCache = field(default_factory=lambda: InstanceCache(2000))
    turns: Turns | None = field(init=False)
    """For databases whose writers do not wait for each other anyway."""

    readers: Database = field(init=False)
    """The same database for queries (see store.database)."""

    writing: Gate = field(init=False)
    """Entered by whoever writes: SQLite has one writer at a time."""

    glancing: Gate = field(default_factory=lambda: Gate(GLANCES_AT_ONCE))
    """Entered for a single query; nobody enters anything else inside."""

    def __post_init__(self) -> None:
        self.readers = open_readers(self.database)
        self.turns = None if self.database.dialect.name == "sqlite" else Turns()
        self.writing = Gate(1 if self.database.dialect.name == "sqlite" else COMMANDS_AT_ONCE)

    def forget_definitions(self) -> None:
        """Empty the caches of what is deployed."""
        for cache in (self.definitions, self.bindings, self.versions, self.models, self.decisions, self.forms):
            cache.clear()


def runtime_of(session: Session) -> Runtime:
    """The runtime a unit of work belongs to."""
    runtime = session.info["runtime"]
    assert isinstance(runtime, Runtime)
    return runtime


def calendar_of(session: Session) -> WorkCalendar | None:
    """The working calendar as this transaction sees it; None when the engine was opened without one."""
    clock.offset()  # whoever has read the clock knows the calendar's version, too
    return runtime_of(session).calendar
