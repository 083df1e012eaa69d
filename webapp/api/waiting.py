"""Requests that wait for something to happen (long polling): they look now and then and cost one indexed read each time.

Whatever this process commits wakes them at once; what other processes do is seen within a second.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from typing import TypeVar, cast

from flask import Flask, current_app, request

from engine import Engine, clock
from engine.errors import LianbanError

T = TypeVar("T")

LOOK_EVERY_SECONDS = 0.5
MAX_WAITING = 48
"""Each holds one of the 128 threads of a web process; ordinary requests and live pages need the rest."""
MAX_SECONDS = 60.0


class TooManyWaiting(LianbanError):
    """等待作业或结果的请求太多，请稍后再试。

    Too many requests are waiting for jobs or results; try again later.
    """

    code = "resource_exhausted"
    status = 503


class Waiting:
    """The waiting requests of one process."""

    def __init__(self, engine: Engine) -> None:
        self._changed = threading.Condition()
        self._places = threading.BoundedSemaphore(MAX_WAITING)
        engine.on_change(lambda _ids: self._wake())

    def _wake(self) -> None:
        with self._changed:
            self._changed.notify_all()

    def until(self, look: Callable[[], T | None], seconds: float) -> T | None:
        """What `look` finds, or None when it found nothing for `seconds` (at most a minute). Raises TooManyWaiting."""
        found = look()
        if found is not None or seconds <= 0:
            return found
        if not self._places.acquire(blocking=False):
            raise TooManyWaiting
        try:
            return self._wait(look, clock.monotonic() + min(seconds, MAX_SECONDS))
        finally:
            self._places.release()

    def _wait(self, look: Callable[[], T | None], end: float) -> T | None:
        while (left := end - clock.monotonic()) > 0:
            with self._changed:
                self._changed.wait(min(left, LOOK_EVERY_SECONDS))
            if caller_is_gone():
                return None
            found = look()
            if found is not None:
                return found
        return None


def caller_is_gone() -> bool:
    """Whether the client has hung up: it must not be given jobs, which nobody would do until their lease ends."""
    connection: socket.socket | None = request.environ.get("gunicorn.socket")
    if connection is None:
        return False
    try:
        return connection.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) == b""
    except BlockingIOError:
        return False
    except OSError:
        return True


def waiting() -> Waiting:
    """The waiting requests of this application."""
    return cast(Waiting, current_app.extensions["lianban.waiting"])


def install(app: Flask) -> None:
    app.extensions["lianban.waiting"] = Waiting(app.extensions["lianban"])
