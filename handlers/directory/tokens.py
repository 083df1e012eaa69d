"""API tokens: how a program (a worker, a script of the city's data platform) proves for whom it acts, without that person's password."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from engine import clock
from engine.errors import Invalid, LianbanError, NotFound
from handlers.directory import service as directory
from handlers.directory.models import ApiTokenRow

PREFIX = "lb_"
"""Tokens are found in logs and repositories by it."""


class TokenRefused(LianbanError):
    """访问令牌无效、已吊销或已过期。

    The token is unknown, revoked or expired.
    """

    code = "token_refused"
    status = 401


@dataclass(frozen=True, slots=True)
class ApiToken:
    """A token as lists show it: never the secret itself."""

    id: int
    username: str
    name: str
    created_at: datetime
    expires_at: datetime | None


def add_token(session: Session, username: str, name: str, lifetime: timedelta | None = None) -> str:
    """A new token of the person -> its text, which is shown this once. NotFound: nobody active of that name; Invalid: no purpose given."""
    user = directory.get_user(session, username)
    if user is None or user.disabled:
        raise NotFound(what="用户", key=username)
    if not name.strip():
        raise Invalid(reason="请写明令牌的用途")
    text, now = PREFIX + secrets.token_urlsafe(32), clock.wall_now()
    session.add(
        ApiTokenRow(
            digest=_digest(text),
            username=username,
            name=name.strip()[:100],
            created_at=now,
            expires_at=None if lifetime is None else now + lifetime,
        )
    )
    session.flush()
    return text


def revoke_token(session: Session, token_id: int) -> None:
    """The token is worth nothing from the next request on. NotFound when there is no such token."""
    if session.scalar(select(ApiTokenRow.id).where(ApiTokenRow.id == token_id)) is None:
        raise NotFound(what="令牌", key=token_id)
    session.execute(delete(ApiTokenRow).where(ApiTokenRow.id == token_id))


def tokens(session: Session) -> list[ApiToken]:
    """All tokens, oldest first, expired ones too."""
    return [
        ApiToken(row.id, row.username, row.name, row.created_at, row.expires_at)
        for row in session.scalars(select(ApiTokenRow).order_by(ApiTokenRow.id))
    ]


def holder(session: Session, text: str) -> str:
    """The user name that a token stands for. Raises TokenRefused."""
    row = session.scalar(select(ApiTokenRow).where(ApiTokenRow.digest == _digest(text)))
    if row is None or (row.expires_at is not None and row.expires_at <= clock.wall_now()):
        raise TokenRefused
    return row.username


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
