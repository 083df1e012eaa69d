"""Log-in, and passwords: only their argon2 hashes are kept."""

from __future__ import annotations

import hashlib
import secrets
import threading
from functools import lru_cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError
from sqlalchemy import select
from sqlalchemy.orm import Session

from engine import Engine
from engine.errors import Invalid, LianbanError
from handlers.directory.attempts import count_attempt, forget_attempt, lift
from handlers.directory.models import UserRow
from handlers.directory.people import User, row_of, user_of

MIN_PASSWORD = 10
_hasher = PasswordHasher()
_hashing = threading.BoundedSemaphore(4)
"""argon2 takes 64 MB for each comparison: a flood of log-ins waits in line instead of taking the machine's memory."""


class LoginRefused(LianbanError):
    """用户名或密码不正确。

    The user name or the password is wrong.
    """

    code = "login_refused"
    status = 401


class AccountDisabled(LianbanError):
    """账号已停用，请联系系统管理员。

    The account is disabled; ask the administrator.
    """

    code = "account_disabled"
    status = 403


def log_in(engine: Engine, username: str, password: str, address: str = "") -> User:
    """Check name and password of somebody at a network address. Raises LoginRefused, AccountLocked after too many failures (see
    handlers.directory.attempts; both the same for a name that nobody has), AccountDisabled.

    The attempt is counted in a transaction of its own before the password is looked at: any number of guesses at the same moment are as
    many attempts, and the slow comparison holds no lock that other people's work would wait for.
    """
    with engine.unit_of_work() as session:
        counted = session.scalar(select(UserRow.password_hash).where(UserRow.username == username)) or ""
        refused = count_attempt(session, username, address, exists=bool(counted))
    if refused is not None:
        raise refused
    matches = _verify(counted or nobodys_hash(), password)  # an unknown name takes as long as a wrong password
    if not (counted and matches):
        raise LoginRefused
    with engine.unit_of_work() as session:
        row = row_of(session, username)
        forget_attempt(session, username, address)
        if _hasher.check_needs_rehash(counted):
            row.password_hash = _hasher.hash(password)
        user = user_of(row)
    if user.disabled:
        raise AccountDisabled
    return user


def _verify(hashed: str, password: str) -> bool:
    with _hashing:
        try:
            return _hasher.verify(hashed, password)
        except (VerifyMismatchError, InvalidHashError):
            return False


@lru_cache(maxsize=1)
def nobodys_hash() -> str:
    """The hash of a password that nobody can know: made up at the start of the process and thrown away."""
    return _hasher.hash(secrets.token_urlsafe(32))


def password_stamp(session: Session, username: str) -> str:
    """Changes whenever the password does, and says nothing about it: programs that send name and password each time are compared by it.

    "" for an unknown or disabled person.
    """
    row = session.scalar(select(UserRow).where(UserRow.username == username))
    return "" if row is None or row.disabled else hashlib.sha256(row.password_hash.encode()).hexdigest()


def change_password(session: Session, username: str, old: str, new: str) -> None:
    """Replace the own password. Raises LoginRefused when `old` is wrong, Invalid when `new` is too weak."""
    row = row_of(session, username)
    if not _verify(row.password_hash, old):
        raise LoginRefused()
    row.password_hash = hashed(new, username)


def reset_password(session: Session, username: str, new: str) -> None:
    """Set a password for somebody (the administrator) and lift a lock."""
    row = row_of(session, username)
    row.password_hash = hashed(new, username)
    lift(session, username)


def hashed(password: str, username: str) -> str:
    """The hash of a new password. Raises Invalid when it is too weak."""
    return _hasher.hash(_strong(password, username))


def _strong(password: str, username: str) -> str:
    if len(password) < MIN_PASSWORD:
        raise Invalid(reason=f"密码至少 {MIN_PASSWORD} 个字符")
    if username.lower() in password.lower() or len(set(password)) < 5:
        raise Invalid(reason="密码不能包含用户名，也不能只由几个重复的字符组成")
    return password
