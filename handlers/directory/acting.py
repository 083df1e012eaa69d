"""The Actor that a person's commands are sent as: groups and powers from the memberships, and whom an investor's person belongs to."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.errors import Forbidden
from engine.policy import Actor, Power
from handlers.catalogue.service import catalogue
from handlers.directory.models import UserRow
from handlers.directory.people import User, row_of, user_of

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


def is_staff(actor: Actor) -> bool:
    """Whether the actor works for the offices (or the system) rather than for an applicant."""
    return bool(actor.groups or actor.powers)
