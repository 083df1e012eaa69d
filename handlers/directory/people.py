"""People as other parts see them, and how they are looked up."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from engine.errors import NotFound
from engine.store.prepared import Prepared, fetch
from handlers.directory.models import MembershipRow, UserRow

Kind = Literal["staff", "investor", "admin", "analyst"]
KINDS: tuple[Kind, ...] = ("staff", "investor", "admin", "analyst")


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


def lock_user(session: Session, username: str) -> None:
    """What somebody does only once takes its turn here: of two clicks the second sees what the first has done."""
    session.execute(select(UserRow.id).where(UserRow.username == username).with_for_update())


def users(session: Session) -> list[User]:
    """Everybody, by kind and name."""
    return [user_of(row) for row in session.scalars(select(UserRow).order_by(UserRow.kind, UserRow.username))]


def users_in_group(session: Session, group: str) -> list[User]:
    """The people of a group `UNIT.role` who are not disabled."""
    unit, _, role = group.partition(".")
    statement = (
        select(UserRow)
        .join(MembershipRow)
        .where(MembershipRow.unit == unit, MembershipRow.role == role, UserRow.disabled.is_(False))
        .order_by(UserRow.id)
    )
    return [user_of(row) for row in session.scalars(statement)]


def display_names(session: Session, usernames: Iterable[str | None]) -> dict[str, str]:
    """Names to show for user names; unknown ones (the system) are left out."""
    wanted = {name for name in usernames if name}
    if not wanted:
        return {}
    statement = select(UserRow.username, UserRow.display_name).where(UserRow.username.in_(wanted))
    return {row.username: row.display_name for row in session.execute(statement)}


def active_staff(session: Session, usernames: frozenset[str]) -> frozenset[str]:
    """Those of the names that belong to people of the offices whose accounts are not disabled."""
    statement = select(UserRow.username).where(UserRow.username.in_(usernames), UserRow.kind != "investor", UserRow.disabled.is_(False))
    return frozenset(session.scalars(statement))


def row_of(session: Session, username: str) -> UserRow:
    """The row of a user name; NotFound when there is none."""
    row = session.scalar(select(UserRow).where(UserRow.username == username))
    if row is None:
        raise NotFound(what="用户", key=username)
    return row


def user_of(row: UserRow) -> User:
    """The person of a row."""
    memberships = tuple((m.unit, m.role) for m in row.memberships)
    kind: Kind = row.kind  # type: ignore[assignment]  # only KINDS are ever stored
    return User(row.id, row.username, row.display_name, kind, row.disabled, memberships, row.organisation)
