"""Accounts: added, shut, and those that the demonstration offers."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine import clock
from engine.errors import Conflict, Invalid
from handlers.catalogue.service import catalogue
from handlers.directory.models import MembershipRow, UserRow
from handlers.directory.passwords import hashed, nobodys_hash
from handlers.directory.people import KINDS, Kind, User, row_of, user_of
from handlers.directory.units import unit_names


@dataclass(frozen=True, slots=True)
class DemoUser:
    """One button of the demo's log-in page. `group` is its heading, `description` what the person does."""

    username: str
    display_name: str
    group: str
    description: str


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
    return _add(session, username, display_name, kind, hashed(password, username), memberships, organisation)


def create_demo_user(
    session: Session, username: str, display_name: str, kind: Kind, memberships: Iterable[tuple[str, str]] = (), organisation: str = ""
) -> User:
    """Add a person of the demonstration: offered on the log-in page, and without a password that anybody knows."""
    return _add(session, username, display_name, kind, nobodys_hash(), memberships, organisation, demo=True)


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
    return user_of(row)


def _membership(unit: str, role: str) -> MembershipRow:
    known = catalogue()
    if unit not in known.units:
        raise Invalid(reason=f"没有部门“{unit}”")
    if role not in known.roles:
        raise Invalid(reason=f"没有角色“{role}”")
    return MembershipRow(unit=unit, role=role)


def disable_user(session: Session, username: str, *, disabled: bool = True) -> None:
    """Shut a person out (or let them in again); what they did stays in the history."""
    row_of(session, username).disabled = disabled


def demo_users(session: Session) -> list[DemoUser]:
    """The people whom the demo's log-in page offers, grouped by what they are."""
    names = unit_names(session)
    rows = session.scalars(select(UserRow).where(UserRow.demo.is_(True), UserRow.disabled.is_(False)).order_by(UserRow.id))
    return [_demo_user(user_of(row), names) for row in rows]


def demo_analyst(session: Session) -> User | None:
    """The analyst of the demonstration, as whom Camunda Modeler deploys there without a log-in; None outside a demo."""
    statement = select(UserRow).where(UserRow.demo.is_(True), UserRow.kind == "analyst", UserRow.disabled.is_(False)).order_by(UserRow.id)
    row = session.scalars(statement).first()
    return None if row is None else user_of(row)


def _demo_user(user: User, unit_names_: dict[str, str]) -> DemoUser:
    if user.kind == "investor":
        return DemoUser(user.username, user.display_name, "项目单位", user.organisation)
    if user.kind != "staff":
        return DemoUser(user.username, user.display_name, "系统", "流程分析员" if user.kind == "analyst" else "系统管理员")
    unit, role = user.memberships[0]
    role_name = catalogue().roles[role].name
    group = "政务中心" if role in {"window", "issue_window", "tf_convener", "supervisor", "leader_group"} else role_name
    return DemoUser(user.username, user.display_name, group, f"{unit_names_.get(unit, unit)} {role_name}")
