"""People and units: log-in with lock-out, accounts, and the Actor that commands are sent as. The only import allowed from outside."""

from __future__ import annotations

import hashlib
import secrets
import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from typing import Any, Literal

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError
from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from engine import Engine, clock
from engine.errors import Conflict, Forbidden, Invalid, LianbanError, NotFound
from engine.policy import Actor, Power
from engine.store.prepared import Prepared, fetch
from handlers.catalogue.service import Catalogue, catalogue
from handlers.directory.models import MembershipRow, UnitRow, UserRow

Kind = Literal["staff", "investor", "admin", "analyst"]
KINDS: tuple[Kind, ...] = ("staff", "investor", "admin", "analyst")

MAX_FAILED_LOGINS = 5
LOCK = timedelta(minutes=15)
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


class AccountLocked(LianbanError):
    """连续输错密码，账号已锁定，请在 {minutes} 分钟后再试。

    Too many wrong passwords: the account is locked, try again in {minutes} minutes.
    """

    code = "account_locked"
    status = 429


class AccountDisabled(LianbanError):
    """账号已停用，请联系系统管理员。

    The account is disabled; ask the administrator.
    """

    code = "account_disabled"
    status = 403


@dataclass(frozen=True, slots=True)
class User:
    """A person as other parts see them. `memberships`: (unit code, role), the primary one first. `organisation`: an investor's company."""

    id: int
    username: str
    display_name: str
    kind: Kind
    disabled: bool
    memberships: tuple[tuple[str, str], ...]
    organisation: str = ""

    @property
    def unit(self) -> str:
        """Code of the primary unit, "" for investors."""
        return self.memberships[0][0] if self.memberships else ""


@dataclass(frozen=True, slots=True)
class DemoUser:
    """One button of the demo's log-in page. `group` is its heading, `description` what the person does."""

    username: str
    display_name: str
    group: str
    description: str


@dataclass(frozen=True, slots=True)
class Unit:
    """A department, utility or agency. `number` is its place in the plan's list (0: not one of the 27 resident units)."""

    code: str
    name: str
    short_name: str
    number: int
    resident: bool
    document_prefix: str


# ---------------------------------------------------------------------- log-in
def log_in(engine: Engine, username: str, password: str) -> User:
    """Check name and password. Raises LoginRefused (the same for an unknown name), AccountLocked after five failures in a row for 15
    minutes, AccountDisabled.

    The attempt is counted in a transaction of its own before the password is looked at: any number of guesses at the same moment are as
    many attempts, and the slow comparison holds no lock that other people's work would wait for.
    """
    with engine.unit_of_work() as session:
        counted = _count_attempt(session, username)
    if isinstance(counted, LianbanError):
        raise counted
    matches = _verify(counted or _nobodys_hash(), password)  # an unknown name takes as long as a wrong password
    if not (counted and matches):
        raise LoginRefused
    with engine.unit_of_work() as session:
        row = _row(session, username)
        row.failed_logins, row.locked_until = 0, None
        if _hasher.check_needs_rehash(counted):
            row.password_hash = _hasher.hash(password)
        user = _user(row)
    if user.disabled:
        raise AccountDisabled
    return user


def _count_attempt(session: Session, username: str) -> str | LianbanError:
    """The password hash to compare with ("" for an unknown name) after counting the attempt as failed, or why there is none."""
    row = session.scalar(select(UserRow).where(UserRow.username == username).with_for_update())
    if row is None:
        return ""
    now = clock.wall_now()
    if row.locked_until is not None and row.locked_until > now:
        return AccountLocked(minutes=-(-int((row.locked_until - now).total_seconds()) // 60))
    row.failed_logins += 1
    if row.failed_logins >= MAX_FAILED_LOGINS:
        row.failed_logins, row.locked_until = 0, now + LOCK
    return row.password_hash


def _verify(hashed: str, password: str) -> bool:
    with _hashing:
        try:
            return _hasher.verify(hashed, password)
        except (VerifyMismatchError, InvalidHashError):
            return False


@lru_cache(maxsize=1)
def _nobodys_hash() -> str:
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
    row = _row(session, username)
    if not _verify(row.password_hash, old):
        raise LoginRefused()
    row.password_hash = _hasher.hash(_strong(new, username))


def reset_password(session: Session, username: str, new: str) -> None:
    """Set a password for somebody (the administrator) and lift a lock."""
    row = _row(session, username)
    row.password_hash = _hasher.hash(_strong(new, username))
    row.failed_logins, row.locked_until = 0, None


def _strong(password: str, username: str) -> str:
    if len(password) < MIN_PASSWORD:
        raise Invalid(reason=f"密码至少 {MIN_PASSWORD} 个字符")
    if username.lower() in password.lower() or len(set(password)) < 5:
        raise Invalid(reason="密码不能包含用户名，也不能只由几个重复的字符组成")
    return password


# ---------------------------------------------------------------------- accounts
def create_user(
    session: Session,
    username: str,
    display_name: str,
    kind: Kind,
    password: str,
    memberships: Iterable[tuple[str, str]] = (),
    organisation: str = "",
) -> User:
    """Add a person. Raises Conflict for a taken name, Invalid for an unknown kind, unit, role or a weak password."""
    return _add(session, username, display_name, kind, _hasher.hash(_strong(password, username)), memberships, organisation)


def create_demo_user(
    session: Session, username: str, display_name: str, kind: Kind, memberships: Iterable[tuple[str, str]] = (), organisation: str = ""
) -> User:
    """Add a person of the demonstration: offered on the log-in page, and without a password that anybody knows."""
    return _add(session, username, display_name, kind, _nobodys_hash(), memberships, organisation, demo=True)


def _add(
    session: Session,
    username: str,
    display_name: str,
    kind: Kind,
    password_hash: str,
    memberships: Iterable[tuple[str, str]],
    organisation: str,
    *,
    demo: bool = False,
) -> User:
    if kind not in KINDS:
        raise Invalid(reason=f"没有“{kind}”这类用户")
    if not username.strip() or not display_name.strip():
        raise Invalid(reason="用户名和姓名不能为空")
    if session.scalar(select(UserRow.id).where(UserRow.username == username)) is not None:
        raise Conflict(reason=f"用户名“{username}”已存在")
    row = UserRow(
        username=username,
        display_name=display_name,
        kind=kind,
        organisation=organisation,
        password_hash=password_hash,
        demo=demo,
        created_at=clock.wall_now(),
        disabled=False,
        failed_logins=0,
        memberships=[_membership(unit, role) for unit, role in memberships],
    )
    session.add(row)
    session.flush()
    return _user(row)


def _membership(unit: str, role: str) -> MembershipRow:
    known = catalogue()
    if unit not in known.units:
        raise Invalid(reason=f"没有部门“{unit}”")
    if role not in known.roles:
        raise Invalid(reason=f"没有角色“{role}”")
    return MembershipRow(unit=unit, role=role)


def disable_user(session: Session, username: str, *, disabled: bool = True) -> None:
    """Shut a person out (or let them in again); what they did stays in the history."""
    _row(session, username).disabled = disabled


def get_user(session: Session, username: str) -> User | None:
    """The person of a user name, disabled ones too; None when there is none. Asked by every request, so it goes past the ORM."""
    session.flush()
    rows = fetch(session.connection(), _PERSON, {"username": username})
    return person(rows) if rows else None


def person(rows: Sequence[Sequence[Any]]) -> User:
    """The person whom rows of PEOPLE tell of, one row for each membership; columns that were added to it come behind and are left out."""
    memberships = tuple((unit, role) for _, _, _, _, _, _, unit, role, *_ in rows if unit is not None)
    key, name, display_name, kind, disabled, organisation, *_ = rows[0]
    return User(key, name, display_name, kind, disabled, memberships, organisation)


_account, _membership_table = UserRow.metadata.tables["user_account"].c, MembershipRow.metadata.tables["membership"].c
PEOPLE = (
    select(
        _account.id,
        _account.username,
        _account.display_name,
        _account.kind,
        _account.disabled,
        _account.organisation,
        _membership_table.unit,
        _membership_table.role,
    )
    .outerjoin_from(UserRow.__table__, MembershipRow.__table__)
    .order_by(_membership_table.id)
)
"""Everybody with their memberships in order, to be joined with what names somebody; read with `person`."""
_PERSON = Prepared(PEOPLE.where(_account.username == bindparam("username")))


def users(session: Session) -> list[User]:
    """Everybody, by kind and name."""
    return [_user(row) for row in session.scalars(select(UserRow).order_by(UserRow.kind, UserRow.username))]


def users_in_group(session: Session, group: str) -> list[User]:
    """The people of a group `UNIT.role` who are not disabled."""
    unit, _, role = group.partition(".")
    statement = (
        select(UserRow)
        .join(MembershipRow)
        .where(MembershipRow.unit == unit, MembershipRow.role == role, UserRow.disabled.is_(False))
        .order_by(UserRow.id)
    )
    return [_user(row) for row in session.scalars(statement)]


def display_names(session: Session, usernames: Iterable[str | None]) -> dict[str, str]:
    """Names to show for user names; unknown ones (the system) are left out."""
    wanted = {name for name in usernames if name}
    if not wanted:
        return {}
    statement = select(UserRow.username, UserRow.display_name).where(UserRow.username.in_(wanted))
    return {row.username: row.display_name for row in session.execute(statement)}


def _row(session: Session, username: str) -> UserRow:
    row = session.scalar(select(UserRow).where(UserRow.username == username))
    if row is None:
        raise NotFound(what="用户", key=username)
    return row


def _user(row: UserRow) -> User:
    memberships = tuple((m.unit, m.role) for m in row.memberships)
    kind: Kind = row.kind  # type: ignore[assignment]  # only KINDS are ever stored
    return User(row.id, row.username, row.display_name, kind, row.disabled, memberships, row.organisation)


# ---------------------------------------------------------------------- acting
_KIND_POWERS: dict[str, frozenset[Power]] = {
    "admin": frozenset({"administer", "operate", "deploy"}),
    "analyst": frozenset({"deploy"}),
}


def actor_for(session: Session, user: User) -> Actor:
    """What a person may do in commands: their groups, the powers of their kind and roles (catalogue), and whom they belong to."""
    return _actor(user, _colleagues(session, user))


def staff_actor(user: User) -> Actor:
    """The same for somebody who is no investor, without asking the database: staff belong to no applicant."""
    assert user.kind != "investor"
    return _actor(user, frozenset())


def _actor(user: User, owns: frozenset[str]) -> Actor:
    if user.disabled:
        raise Forbidden(reason="账号已停用")
    groups = frozenset(f"{unit}.{role}" for unit, role in user.memberships)
    powers = set(_KIND_POWERS.get(user.kind, frozenset()))
    for _unit, role in user.memberships:
        powers |= catalogue().roles[role].powers
    return Actor(user.username, groups, frozenset(powers), owns, user.display_name)


def _colleagues(session: Session, user: User) -> frozenset[str]:
    """The applicants whom an investor belongs to: everybody of the same company."""
    if user.kind != "investor" or not user.organisation:
        return frozenset({user.username} if user.kind == "investor" else ())
    statement = select(UserRow.username).where(UserRow.kind == "investor", UserRow.organisation == user.organisation)
    return frozenset(session.scalars(statement))


def actor_named(session: Session, username: str) -> Actor:
    """The Actor of a user name; NotFound when there is none."""
    return actor_for(session, _user(_row(session, username)))


def active_staff(session: Session, usernames: frozenset[str]) -> frozenset[str]:
    """Those of the names that belong to people of the offices whose accounts are not disabled."""
    statement = select(UserRow.username).where(UserRow.username.in_(usernames), UserRow.kind != "investor", UserRow.disabled.is_(False))
    return frozenset(session.scalars(statement))


def is_staff(actor: Actor) -> bool:
    """Whether the actor works for the offices (or the system) rather than for an applicant."""
    return bool(actor.groups or actor.powers)


# ---------------------------------------------------------------------- units
def import_units(session: Session, source: Catalogue | None = None) -> int:
    """Bring the units of the catalogue into the directory (new ones added, names updated) -> how many there are."""
    known = (source or catalogue()).units
    for unit in known.values():
        row = session.get(UnitRow, unit.code)
        if row is None:
            row = UnitRow(code=unit.code)
            session.add(row)
        row.name, row.short_name, row.number = unit.name, unit.short_name, unit.number
        row.resident, row.document_prefix = unit.resident, unit.document_prefix
    session.flush()
    return len(known)


def units(session: Session) -> list[Unit]:
    """All units, the resident ones first in the plan's order."""
    rows: Sequence[UnitRow] = session.scalars(select(UnitRow).order_by(UnitRow.number == 0, UnitRow.number, UnitRow.code)).all()
    return [Unit(r.code, r.name, r.short_name or r.name, r.number, r.resident, r.document_prefix) for r in rows]


def unit_names(session: Session) -> dict[str, str]:
    """Unit code -> the short name that lists show."""
    return {unit.code: unit.short_name for unit in units(session)}


def known_groups(session: Session) -> frozenset[str]:
    """Every group a diagram may name: each unit with each role of the catalogue."""
    roles = catalogue().roles
    return frozenset(f"{code}.{role}" for code in session.scalars(select(UnitRow.code)) for role in roles)


# ---------------------------------------------------------------------- demo
def demo_users(session: Session) -> list[DemoUser]:
    """The people whom the demo's log-in page offers, grouped by what they are."""
    names = unit_names(session)
    rows = session.scalars(select(UserRow).where(UserRow.demo.is_(True), UserRow.disabled.is_(False)).order_by(UserRow.id))
    return [_demo_user(_user(row), names) for row in rows]


def demo_analyst(session: Session) -> User | None:
    """The analyst of the demonstration, as whom Camunda Modeler deploys there without a log-in; None outside a demo."""
    statement = select(UserRow).where(UserRow.demo.is_(True), UserRow.kind == "analyst", UserRow.disabled.is_(False)).order_by(UserRow.id)
    row = session.scalars(statement).first()
    return None if row is None else _user(row)


def _demo_user(user: User, unit_names_: dict[str, str]) -> DemoUser:
    if user.kind == "investor":
        return DemoUser(user.username, user.display_name, "项目单位", user.organisation)
    if user.kind != "staff":
        return DemoUser(user.username, user.display_name, "系统", "流程分析员" if user.kind == "analyst" else "系统管理员")
    unit, role = user.memberships[0]
    role_name = catalogue().roles[role].name
    group = "政务中心" if role in {"window", "issue_window", "tf_convener", "supervisor", "leader_group"} else role_name
    return DemoUser(user.username, user.display_name, group, f"{unit_names_.get(unit, unit)} {role_name}")
