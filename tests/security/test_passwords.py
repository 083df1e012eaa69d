"""Guessing passwords: counted before they are compared, without holding up other people's work."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from argon2 import PasswordHasher
from sqlalchemy import func, select

from engine import Engine
from engine.errors import LianbanError
from handlers.directory import passwords
from handlers.directory import service as directory
from handlers.directory.models import StrangerRow
from tests.webapp.conftest import PASSWORD


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
        (row,) = session.scalars(select(StrangerRow))
        assert "passw0rd" not in row.digest
        row.seen_at -= passwords.LOCK * 2
    _attempts(people, "another", 1)
    with people.reading() as session:
        assert session.scalar(select(func.count()).select_from(StrangerRow)) == 1
