"""The gate before the database: how many come in, in which order, and that nobody is left inside or outside for ever."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest
from sqlalchemy import select
from sqlalchemy.exc import TimeoutError as WaitedTooLong

from engine import Engine, runtime
from engine.background import DEAD_AFTER
from engine.commands.workers import Watch, living
from engine.runtime import COMMANDS_AT_ONCE, Gate
from engine.store import models as m


@contextmanager
def _inside(gate: Gate, threads: int = 1) -> Iterator[None]:
    """So many other threads have gone in and stay there."""
    entered, leave = threading.Semaphore(0), threading.Event()

    def stay() -> None:
        with gate:
            entered.release()
            leave.wait(60)

    with ThreadPoolExecutor(threads) as pool:
        for _ in range(threads):
            pool.submit(stay)
        for _ in range(threads):
            assert entered.acquire(timeout=60)
        try:
            yield
        finally:
            leave.set()


def _wait_for_queue(gate: Gate, length: int) -> None:
    pause = threading.Event()
    for _ in range(6_000):
        if len(gate._queue) == length:
            return
        pause.wait(0.01)
    raise AssertionError("nobody queues up")


def test_no_more_than_so_many_threads_are_inside_at_once() -> None:
    gate, inside, most, lock = Gate(3), 0, 0, threading.Lock()

    def work(_number: int) -> None:
        nonlocal inside, most
        for _ in range(50):
            with gate:
                with lock:
                    inside += 1
                    most = max(most, inside)
                with lock:
                    inside -= 1

    with ThreadPoolExecutor(10) as pool:
        list(pool.map(work, range(10)))
    assert (inside, most <= 3) == (0, True)
    with _inside(gate, 3):
        pass  # all three places are free again


def test_first_come_first_served() -> None:
    gate, order = Gate(1), list[int]()

    def enter(number: int) -> None:
        with gate:
            order.append(number)

    with ThreadPoolExecutor(5) as pool, _inside(gate):
        for number in range(5):
            pool.submit(enter, number)
            _wait_for_queue(gate, number + 1)
    assert order == [0, 1, 2, 3, 4]


def test_a_thread_with_many_commands_does_not_keep_the_others_out() -> None:
    """As a batch over a thousand instances does: whoever waits comes after the command that is running, not after the last of them."""
    gate, turns = Gate(1), list[str]()

    def once() -> None:
        with gate:
            turns.append("clerk")

    with ThreadPoolExecutor(1) as pool:
        with gate:
            clerk = pool.submit(once)
            _wait_for_queue(gate, 1)
        for _ in range(100):
            with gate:
                turns.append("batch")
        clerk.result(timeout=60)
    assert turns[0] == "clerk"


def test_a_thread_that_is_inside_may_enter_again() -> None:
    gate = Gate(1)
    with gate, gate, gate:
        pass
    with _inside(gate):
        pass


def test_whoever_waits_too_long_is_told_and_leaves_the_queue(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runtime, "WAIT_SECONDS", 0.05)
    gate = Gate(1)
    with _inside(gate):
        for _ in range(2):
            with pytest.raises(WaitedTooLong), gate:
                raise AssertionError("nobody may come in")
    with gate, ThreadPoolExecutor(1) as pool, pytest.raises(WaitedTooLong):
        pool.submit(gate.__enter__).result()
    with gate:
        pass  # the place did not go to somebody who had left


def test_a_place_that_is_handed_over_at_the_last_moment_is_not_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    """The one who waits gives up just when the other leaves."""
    gate = Gate(1)
    gate.__enter__()

    class Late:
        """A lock whose wait ends without success, after the place was handed over."""

        def __init__(self) -> None:
            self.given = False

        def acquire(self, timeout: float | None = None) -> bool:
            if timeout is not None:
                gate.__exit__()
                assert self.given
            return False

        def release(self) -> None:
            self.given = True

    def wait() -> None:
        monkeypatch.setattr(threading, "Lock", Late)
        with pytest.raises(WaitedTooLong):
            gate._wait()
        monkeypatch.undo()

    wait()
    with _inside(gate):
        pass


@pytest.mark.parametrize("error", [LookupError, KeyboardInterrupt, SystemExit])
def test_an_error_inside_gives_the_place_free(error: type[BaseException]) -> None:
    gate = Gate(1)
    for _ in range(3):
        with pytest.raises(error), gate, gate:
            raise error
    with _inside(gate):
        pass


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_thread_that_dies_inside_gives_the_place_free() -> None:
    gate = Gate(1)

    def die() -> None:
        with gate:
            raise SystemExit

    for _ in range(3):
        thread = threading.Thread(target=die)
        thread.start()
        thread.join()
    with gate:
        pass


def test_a_command_that_cannot_get_a_connection_gives_its_place_free(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise ConnectionError

    for _ in range(COMMANDS_AT_ONCE + 1):
        with monkeypatch.context() as patched, pytest.raises(ConnectionError):
            patched.setattr(engine.runtime.database, "connect", refuse)
            with engine.unit_of_work():
                raise AssertionError("without a connection")
    with engine.unit_of_work(), engine.reading() as session:
        assert session.execute(select(m.signal_wait)).all() == []


def test_commands_inside_commands_of_one_thread_and_what_follows_do_not_wait_for_themselves(engine: Engine) -> None:
    """What follows a commit runs outside the gate, each piece in a unit of work of its own; queries go on inside."""
    done = list[int]()

    def follow(number: int) -> None:
        with engine.unit_of_work() as session, engine.reading() as reader:
            reader.execute(select(m.signal_wait)).all()
            if number < 5:
                session.info["after_commit"].append(lambda: follow(number + 1))
        done.append(number)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(follow, [0] * 8))
    assert sorted(done) == sorted(list(range(6)) * 8)


@pytest.mark.parametrize("database_kind", ["postgresql"], indirect=True)
def test_a_process_shows_that_it_lives_while_all_its_commands_wait(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """For a row that another process has locked, say: it would be buried, and its jobs would be done twice."""
    monkeypatch.setattr(runtime, "WAIT_SECONDS", 0.2)
    with _inside(engine.runtime.writing, COMMANDS_AT_ONCE):
        with pytest.raises(WaitedTooLong), engine.unit_of_work():
            raise AssertionError("the gate is shut")
        watch = Watch(engine.runtime, dead_after=DEAD_AFTER, alone=False)
        watch.beat()
        assert watch.bury() == []
        with engine.reading() as session:
            assert living(session) == 1
