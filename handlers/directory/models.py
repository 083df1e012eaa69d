"""Tables of the directory: units (部门), people, and who has which role where. Groups of the engine are `UNIT.role`."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Boolean, ForeignKey, Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from engine.store.database import Base, Instant


class UnitRow(Base):
    """A department, a utility or an agency. `document_prefix` is the 机关代字 of its document numbers."""

    __tablename__ = "unit"

    code: Mapped[str] = mapped_column(String(20), primary_key=True)
    name: Mapped[str] = mapped_column(String(100))
    short_name: Mapped[str] = mapped_column(String(40), default="")
    number: Mapped[int] = mapped_column(Integer, default=0)
    resident: Mapped[bool] = mapped_column(Boolean, default=True)
    document_prefix: Mapped[str] = mapped_column(String(40), default="")


class UserRow(Base):
    """A person who can log in. `organisation` is the applicant's unit (建设单位) of an investor, "" for staff.

    `failed_logins` and `locked_until` are from before attempts were counted by address (AttemptsRow); nothing reads them any more.
    """

    __tablename__ = "user_account"

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    username: Mapped[str] = mapped_column(String(100), unique=True)
    display_name: Mapped[str] = mapped_column(String(100))
    kind: Mapped[str] = mapped_column(String(20))
    organisation: Mapped[str] = mapped_column(String(200), default="", index=True)
    password_hash: Mapped[str] = mapped_column(Text)
    disabled: Mapped[bool] = mapped_column(Boolean, default=False)
    demo: Mapped[bool] = mapped_column(Boolean, default=False)
    failed_logins: Mapped[int] = mapped_column(Integer, default=0)
    locked_until: Mapped[datetime | None] = mapped_column(Instant)
    created_at: Mapped[datetime] = mapped_column(Instant)
    memberships: Mapped[list[MembershipRow]] = relationship(
        back_populates="user", lazy="selectin", order_by="MembershipRow.id", cascade="all, delete-orphan"
    )


class AttemptsRow(Base):
    """What is remembered of attempts to log in, under a digest of name and address (handlers.directory.attempts): people's names and
    names that nobody has alike, hence the table's name, which is older. Rows go when their time is over.
    """

    __tablename__ = "login_stranger"

    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    failed_logins: Mapped[int] = mapped_column(Integer, default=0)
    locked_until: Mapped[datetime | None] = mapped_column(Instant)
    seen_at: Mapped[datetime] = mapped_column(Instant, index=True)


class MembershipRow(Base):
    """A role of a person in a unit; the first one is the person's primary unit."""

    __tablename__ = "membership"

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user_account.id", ondelete="CASCADE"), index=True)
    unit: Mapped[str] = mapped_column(String(20), index=True)
    role: Mapped[str] = mapped_column(String(40))
    user: Mapped[UserRow] = relationship(back_populates="memberships")


class ApiTokenRow(Base):
    """A key that lets a program act as a person. Only the digest is kept: whoever reads the database cannot use it."""

    __tablename__ = "api_token"

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    username: Mapped[str] = mapped_column(String(100), index=True)
    name: Mapped[str] = mapped_column(String(100))
    created_at: Mapped[datetime] = mapped_column(Instant)
    expires_at: Mapped[datetime | None] = mapped_column(Instant)
