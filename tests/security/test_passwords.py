"""Guessing passwords: counted before they are compared, without holding up other people's work."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from argon2 import PasswordHasher
from sqlalchemy import func, select

from engine import Engine, clock
from engine.errors import LianbanError
from engine.store.models import audit_event
from handlers.directory import attempts, passwords
from handlers.directory import service as directory
from handlers.directory.models import AttemptsRow
from tests.webapp.conftest import PASSWORD, log_in
from webapp import create_app


def _codes(engine: Engine, passwords: list[str]) -> list[str]:
    def attempt(password: str) -> str:
        try:
            directory.log_in(engine, "zhao", password)
        except LianbanError as refusal:
            return refusal.code
        return "in"

    with ThreadPoolExecutor(len(passwords)) as pool:
        return list(pool.map(attempt, passwords))


def test_guesses_at_the_same_moment_are_as_many_attempts(people: Engine) -> None:
    codes = _codes(people, ["wrong"] * 10)
    assert (codes.count("login_refused"), codes.count("account_locked")) == (5, 5)


def test_a_right_password_forgets_the_failures(people: Engine) -> None:
    for _ in range(3):
        assert _codes(people, ["wrong"] * 4) == ["login_refused"] * 4
        assert _codes(people, [PASSWORD]) == ["in"]


def test_nothing_is_locked_while_a_password_is_compared(people: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    real: Callable[[str, str], bool] = passwords._verify

    def write_meanwhile(hashed: str, password: str) -> bool:
        with people.unit_of_work() as session:  # waits for ever on SQLite if the log-in holds the writer's lock
            directory.create_demo_user(session, "meanwhile", "同时", "investor")
        return real(hashed, password)

    monkeypatch.setattr(passwords, "_verify", write_meanwhile)
    assert directory.log_in(people, "zhao", PASSWORD).username == "zhao"


@pytest.mark.parametrize("password", ["nobody has this password", "", "li", "demo"])
def test_a_demo_account_has_no_password_that_anybody_knows(people: Engine, password: str) -> None:
    with pytest.raises(directory.LoginRefused):
        directory.log_in(people, "li", password)


def test_a_disabled_person_is_told_only_with_the_right_password(people: Engine) -> None:
    with people.unit_of_work() as session:
        directory.disable_user(session, "zhao")
    assert _codes(people, ["wrong"]) == ["login_refused"]
    assert _codes(people, [PASSWORD]) == ["account_disabled"]


def test_a_stolen_hash_costs_64_mb_for_every_guess(shipped_hasher: PasswordHasher) -> None:
    """RFC 9106 section 4, the second recommended option: t=3, m=64 MiB, p=4, argon2id."""
    assert shipped_hasher.type.name == "ID"
    assert (shipped_hasher.time_cost, shipped_hasher.memory_cost, shipped_hasher.parallelism) == (3, 65536, 4)


def _attempts(engine: Engine, username: str, count: int) -> list[str]:
    found = []
    for _ in range(count):
        try:
            directory.log_in(engine, username, "wrong password")
        except LianbanError as refusal:
            found.append(refusal.message())
    return found


def test_a_lock_does_not_tell_who_has_an_account(people: Engine) -> None:
    assert _attempts(people, "zhao", 7) == _attempts(people, "nobody-of-that-name", 7)


def test_guesses_at_a_name_that_nobody_has_are_forgotten_after_the_time_of_the_lock(people: Engine) -> None:
    _attempts(people, "passw0rd typed as a name", 3)
    with people.unit_of_work() as session:
        for row in session.scalars(select(AttemptsRow)):
            assert "passw0rd" not in row.digest
            row.seen_at -= attempts.LOCK * 2
    _attempts(people, "another", 1)
    with people.reading() as session:
        rows = session.scalar(select(func.count()).select_from(AttemptsRow))
    assert rows == 2, "the other name's, together and from its address"


HOME, OFFICE, ELSEWHERE = "198.51.100.7", "203.0.113.9", "192.0.2.66"


def _try(engine: Engine, password: str, address: str, username: str = "zhao") -> str:
    try:
        directory.log_in(engine, username, password, address)
    except LianbanError as refusal:
        return refusal.code
    return "in"


def test_wrong_passwords_from_elsewhere_keep_nobody_out(people: Engine) -> None:
    assert [_try(people, "wrong", ELSEWHERE) for _ in range(6)] == ["login_refused"] * 5 + ["account_locked"]
    assert _try(people, PASSWORD, ELSEWHERE) == "account_locked", "whoever guessed it here is kept out all the same"
    assert _try(people, PASSWORD, OFFICE) == "in"


def _flood(engine: Engine, monkeypatch: pytest.MonkeyPatch, username: str = "zhao") -> None:
    """Wrong passwords from many addresses."""
    monkeypatch.setattr(attempts, "MAX_FAILED_TOGETHER", 8)
    for number in range(8):
        assert _try(engine, "wrong", f"192.0.2.{number}", username) == "login_refused"


@pytest.mark.parametrize("username", ["zhao", "nobody-of-that-name"])
def test_many_addresses_slow_an_account_down_whether_there_is_one_or_not(
    people: Engine, monkeypatch: pytest.MonkeyPatch, username: str
) -> None:
    _flood(people, monkeypatch, username)
    assert _try(people, "wrong", ELSEWHERE, username) == "account_locked"
    later = clock.wall_now() + attempts.SLOWED
    monkeypatch.setattr(clock, "wall_now", lambda: later)
    assert _try(people, "wrong", ELSEWHERE, username) == "login_refused", "one attempt a minute"
    assert _try(people, "wrong", OFFICE, username) == "account_locked"
    quiet = later + attempts.LOCK + attempts.SLOWED
    monkeypatch.setattr(clock, "wall_now", lambda: quiet)
    assert [_try(people, "wrong", address, username) for address in (HOME, OFFICE)] == ["login_refused"] * 2, "forgotten after a quiet time"


def test_a_flood_keeps_nobody_from_where_they_have_logged_in_before(people: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    assert _try(people, PASSWORD, OFFICE) == "in"
    _flood(people, monkeypatch)
    assert _try(people, PASSWORD, HOME) == "account_locked"
    assert _try(people, PASSWORD, OFFICE) == "in"
    assert [_try(people, "wrong", OFFICE) for _ in range(6)] == ["login_refused"] * 5 + ["account_locked"], "guesses there are counted, too"


def test_an_address_is_forgotten_after_a_while(people: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    assert _try(people, PASSWORD, OFFICE) == "in"
    later = clock.wall_now() + attempts.KNOWN_FOR + attempts.LOCK
    monkeypatch.setattr(clock, "wall_now", lambda: later)
    _flood(people, monkeypatch)
    assert _try(people, PASSWORD, OFFICE) == "account_locked"


def test_a_live_session_goes_on_and_others_may_log_in(people: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    app = create_app(people)
    browser = log_in(app, "zhao")
    _flood(people, monkeypatch)
    assert browser.get("/account").status_code == 200
    assert _try(people, PASSWORD, HOME, "zhao") == "account_locked"
    with people.unit_of_work() as session:
        directory.reset_password(session, "zhao", PASSWORD)
    assert _try(people, PASSWORD, HOME) == "in", "the administrator lets everybody try again"


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("::ffff:192.0.2.1", "192.0.2.1", True),
        ("192.0.2.1", "192.0.2.2", False),
    ],
)
def test_addresses_of_one_ipv6_network_are_one(people: Engine, one: str, other: str, same: bool) -> None:
    for _ in range(attempts.MAX_FAILED_LOGINS):
        _try(people, "wrong", one)
    assert (_try(people, "wrong", other) == "account_locked") is same


def test_whoever_is_kept_out_is_in_the_log_and_a_name_that_nobody_has_is_not(people: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attempts, "MAX_FAILED_TOGETHER", 8)
    for username in ("zhao", "passw0rd typed as a name"):
        for address in [ELSEWHERE] * 7 + [HOME, OFFICE] * 2:
            _try(people, "wrong", address, username)
    with people.reading() as session:
        told = session.scalars(select(audit_event.c.data).where(audit_event.c.action == "login.blocked").order_by(audit_event.c.id)).all()
    assert [(data["name"], data["scope"]) for data in told] == [("zhao", "address"), ("zhao", "account")]
    assert told[0]["address"] == ELSEWHERE
