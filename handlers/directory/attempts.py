"""How often somebody has tried to log in: counted by account and address, so that nobody can shut a person out from elsewhere.

Five wrong passwords from one address keep that address from the account for a quarter of an hour. The account as a whole is only slowed
down, after many more, and never for an address from which its person has logged in before. A name that nobody has is counted in the very
same way: being refused tells nobody who has an account. Kept are digests only (people type their passwords as names).
"""

from __future__ import annotations

import hashlib
import ipaddress
from contextlib import suppress
from datetime import datetime, timedelta

from sqlalchemy import delete, or_, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from engine import clock
from engine.errors import LianbanError
from engine.policy import SYSTEM
from engine.store import audit
from handlers.directory.models import AttemptsRow

MAX_FAILED_LOGINS = 5
"""From one address to one account, in a row."""
LOCK = timedelta(minutes=15)
MAX_FAILED_TOGETHER = 100
"""To one account from all addresses that it does not know; forgotten when nobody tries for as long as a lock lasts."""
SLOWED = timedelta(minutes=1)
"""After that one attempt in this time."""
KNOWN_FOR = timedelta(days=90)
"""How long an account knows an address after the last log-in from there."""
_ACCOUNT, _FAILED, _KNOWN = "a", "f", "k"
_OWNER, _CLEARED_AT_ONCE = 31, 100


class AccountLocked(LianbanError):
    """输错密码的次数太多，请在 {minutes} 分钟后再试。

    Too many wrong passwords: try again in {minutes} minutes.
    """

    code = "account_locked"
    status = 429


def count_attempt(session: Session, username: str, address: str, *, exists: bool) -> AccountLocked | None:
    """Count the attempt as failed -> why it may not be made, None when it may. `exists`: the trail is told when somebody is kept out."""
    now = clock.wall_now()
    whole, here = _row(session, _digest(_ACCOUNT, username), now), _row(session, _digest(_FAILED, username, address), now)
    last = session.get(AttemptsRow, _digest(_KNOWN, username, address))
    known = last is not None and last.seen_at >= now - KNOWN_FOR
    until = max((row.locked_until for row in ([here] if known else [here, whole]) if row.locked_until is not None), default=now)
    if until > now:
        return AccountLocked(minutes=-(-int((until - now).total_seconds()) // 60))
    here.failed_logins += 1
    if here.failed_logins >= MAX_FAILED_LOGINS:
        here.failed_logins, here.locked_until = 0, now + LOCK
        _tell(session, username, "address", address, exists)
    if not known:
        whole.failed_logins += 1
    if not known and whole.failed_logins >= MAX_FAILED_TOGETHER:
        whole.locked_until = now + SLOWED
    if not known and whole.failed_logins == MAX_FAILED_TOGETHER:
        _tell(session, username, "account", address, exists)
    _clear(session, now)
    return None


def forget_attempt(session: Session, username: str, address: str) -> None:
    """The password was right: failures from this address are forgotten, and the account knows the address from now on."""
    now = clock.wall_now()
    whole, here = _row(session, _digest(_ACCOUNT, username), now), _row(session, _digest(_FAILED, username, address), now)
    whole.failed_logins = max(whole.failed_logins - 1, 0)
    here.failed_logins, here.locked_until = 0, None
    _row(session, _digest(_KNOWN, username, address), now)


def lift(session: Session, username: str) -> None:
    """Forget everything about the attempts at an account: whoever was kept out may try again."""
    session.execute(delete(AttemptsRow).where(AttemptsRow.digest.startswith(_owner(username))))


def _row(session: Session, digest: str, now: datetime) -> AttemptsRow:
    """The row under a digest, locked; what was counted before the time of a lock counts no more."""
    insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    session.execute(insert(AttemptsRow).values(digest=digest, failed_logins=0, seen_at=now).on_conflict_do_nothing())
    row = session.scalars(
        select(AttemptsRow).where(AttemptsRow.digest == digest).with_for_update().execution_options(populate_existing=True)
    ).one()
    if row.seen_at < now - LOCK:
        row.failed_logins = 0
    row.seen_at = now
    return row


def _clear(session: Session, now: datetime) -> None:
    """Delete some rows whose time is over; at the end of a transaction, because whoever waits for one of them holds others."""
    is_known = AttemptsRow.digest.like("_" * _OWNER + _KNOWN + "%")
    over = or_(AttemptsRow.seen_at < now - KNOWN_FOR, ~is_known & (AttemptsRow.seen_at < now - LOCK))
    gone = select(AttemptsRow.digest).where(over).limit(_CLEARED_AT_ONCE).with_for_update(skip_locked=True)
    session.execute(delete(AttemptsRow).where(AttemptsRow.digest.in_(list(session.scalars(gone)))))


def _digest(kind: str, username: str, address: str = "") -> str:
    """64 characters: whose, of which kind, from where."""
    place = hashlib.sha256(f"{username}\0{_network(address)}".encode()).hexdigest()
    return f"{_owner(username)}{kind}{place[:32]}"


def _owner(username: str) -> str:
    return hashlib.sha256(username.encode()).hexdigest()[:_OWNER]


def _network(address: str) -> str:
    """An IPv4 address; of an IPv6 one the network (/64) that one subscriber has, within which addresses cost nothing (RFC 6177)."""
    with suppress(ValueError):
        parsed = ipaddress.ip_address(address.partition("%")[0])
        if isinstance(parsed, ipaddress.IPv6Address):
            return str(parsed.ipv4_mapped or ipaddress.ip_network((parsed, 64), strict=False))
        return str(parsed)
    return address


def _tell(session: Session, username: str, scope: str, address: str, exists: bool) -> None:
    if exists:
        audit.record(session, SYSTEM, "login.blocked", data={"name": username, "scope": scope, "address": address[:64]})
