"""The Actor that a person's commands are sent as: groups and powers from the memberships, and whom an investor's person belongs to."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.errors import Forbidden
from engine.policy import Actor, Power
from handlers.catalogue.service import catalogue
from handlers.directory.models import UserRow
from handlers.directory.people import User, get_user, row_of, user_of
from handlers.directory.units import unit_names

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
    return actor_for(session, user_of(row_of(session, username)))


def called(session: Session, reader: Actor | None, username: str) -> str:
    """What to call somebody whom a message speaks of, as far as its reader may know: people of the offices read name and office, an
    applicant reads the names of the own company and the office of everybody else; the user name of whoever is no person."""
    user = get_user(session, username)
    if user is None:
        return username
    office = unit_names(session).get(user.unit, user.organisation)
    if reader is not None and (is_staff(reader) or username in reader.owns | {reader.username}):
        return f"{user.display_name}（{office}）" if office else user.display_name
    return office if user.kind != "investor" and office else "其他人员"


def is_staff(actor: Actor) -> bool:
    """Whether the actor works for the offices (or the system) rather than for an applicant."""
    return bool(actor.groups or actor.powers)
