"""What every page needs of the current request: the engine, who is logged in, and how to answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

from flask import current_app, g, request

from engine import Engine
from engine.policy import Actor
from handlers.directory.service import User

View = TypeVar("View", bound=Callable[..., Any])


def engine() -> Engine:
    """The engine that this application was built over."""
    return cast(Engine, current_app.extensions["lianban"])


def actor() -> Actor:
    """Who sends the current request, as commands and services want it. Only in views that need a log-in (all but `@public` ones)."""
    return cast(Actor, g.actor)


def user() -> User:
    """The logged-in user. Only in views that need a log-in."""
    return cast(User, g.user)


def public(view: View) -> View:
    """Mark a view that needs no log-in."""
    view.public = True  # type: ignore[attr-defined]  # a mark on the function, read by sessions.require_login
    return view


def is_fragment() -> bool:
    """Whether htmx (or our own script) asks for a part of the page instead of a whole page."""
    return request.headers.get("HX-Request") == "true" or "X-Fragment" in request.headers


def wants_json() -> bool:
    """Whether the caller is a script of ours that sent JSON. Programs of others are told by webapp.api.problems."""
    best = request.accept_mimetypes.best_match(["text/html", "application/json"])
    return request.is_json or (best == "application/json" and not is_fragment())
