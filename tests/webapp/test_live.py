"""Live pages: the audit trail wakes the listeners, whichever process wrote it."""

from __future__ import annotations

import queue
from collections.abc import Iterator

import pytest
from sqlalchemy.exc import OperationalError

from engine import Engine, clock
from engine.store.models import audit_event
from webapp.live import MAX_LISTENERS, Hub


def _write(engine: Engine, business_id: str | None) -> None:
    now = clock.wall_now()
    with engine.unit_of_work() as session:
        session.execute(audit_event.insert().values(at=now, business_at=now, actor="li", action="task.completed", business_id=business_id))


@pytest.fixture
def hub(engine: Engine) -> Iterator[Hub]:
    hub = Hub(engine, poll_seconds=0.02)
    yield hub
    hub.close()


def test_a_listener_hears_which_projects_changed(engine: Engine, hub: Hub) -> None:
    inbox = hub.listen()
    assert inbox is not None
    _write(engine, "p1")
    assert inbox.get(timeout=5) == ["p1"]
    _write(engine, None)
    assert inbox.get(timeout=5) == [""]


def test_what_happened_before_listening_is_not_told(engine: Engine, hub: Hub) -> None:
    _write(engine, "old")
    inbox = hub.listen()
    assert inbox is not None
    _write(engine, "new")
    assert inbox.get(timeout=5) == ["new"]


def test_every_listener_hears_it_and_none_after_leaving(engine: Engine, hub: Hub) -> None:
    first, second = hub.listen(), hub.listen()
    assert first is not None and second is not None
    hub.leave(second)
    _write(engine, "p1")
    assert first.get(timeout=5) == ["p1"]
    with pytest.raises(queue.Empty):
        second.get(timeout=0.1)


def test_a_nudge_looks_at_once(engine: Engine) -> None:
    slow = Hub(engine, poll_seconds=30)
    inbox = slow.listen()
    assert inbox is not None
    _write(engine, "p1")
    slow.nudge()
    assert inbox.get(timeout=5) == ["p1"]
    slow.close()


def test_a_database_that_fails_for_a_moment_does_not_end_live_pages(engine: Engine, hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    inbox = hub.listen()
    assert inbox is not None
    real, failures = hub._changes, iter([OperationalError("SELECT", {}, OSError("gone"))])

    def fail_once(seen: int) -> tuple[int, list[str]]:
        for failure in failures:
            raise failure
        return real(seen)

    monkeypatch.setattr(hub, "_changes", fail_once)
    _write(engine, "p1")
    assert inbox.get(timeout=5) == ["p1"]


def test_a_process_that_ends_ends_its_live_pages(hub: Hub) -> None:
    inbox = hub.listen()
    assert inbox is not None
    hub.is_ending = lambda: True
    assert inbox.get(timeout=5) is None, "the stream ends"
    assert hub.listen() is None, "nobody may begin to listen"


def test_the_watching_thread_ends_with_its_last_listener(engine: Engine, hub: Hub) -> None:
    inbox = hub.listen()
    assert inbox is not None
    thread = hub._thread
    assert thread is not None
    hub.leave(inbox)
    hub.nudge()
    thread.join(timeout=5)
    assert not thread.is_alive()


def test_a_full_house_is_refused_instead_of_starving_ordinary_requests(hub: Hub) -> None:
    inboxes = [hub.listen(f"person {number}") for number in range(MAX_LISTENERS)]
    assert None not in inboxes
    assert hub.listen() is None
    hub.leave(inboxes[0])  # type: ignore[arg-type]  # asserted above
    assert hub.listen() is not None
