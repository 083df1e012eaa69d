"""Forms that are done once, however often they are sent: the page holds a word of its own; what is sent with it is known by its digest.

A second click or a repeated request then gets what the first has made; the same page sent with anything else in it is another request.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Mapping
from typing import Any

from flask import request
from markupsafe import Markup
from sqlalchemy.orm import Session

from handlers.directory import service as directory
from webapp.context import actor

FIELD = "request"


def fresh_word() -> str:
    """A word for a page that is being shown."""
    return secrets.token_urlsafe(16)


def once_field() -> Markup:
    """The hidden field that makes an ordinary form one that is done once."""
    return Markup('<input type="hidden" name="{}" value="{}">').format(FIELD, fresh_word())


def take_turn(session: Session, sent: Mapping[str, Any] | None = None) -> str:
    """Wait until this person's request before is over -> the digest by which what is sent now is known; "" when its page held no word.

    `sent`: a JSON body; None: the posted form. Before anything that the request decides by is read in the transaction.
    """
    body = request.form.to_dict(flat=False) if sent is None else dict(sent)
    if not body.get(FIELD):
        return ""
    directory.lock_user(session, actor().username)
    said = json.dumps([actor().username, request.path, body], sort_keys=True, default=str)
    return hashlib.sha256(said.encode()).hexdigest()
