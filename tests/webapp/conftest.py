"""The application over a fresh database with a few people."""

from __future__ import annotations

import pytest
from flask import Flask
from flask.testing import FlaskClient

from engine import Engine
from handlers.directory import service as directory
from webapp import create_app, sessions

PASSWORD = "correct horse 2022"


@pytest.fixture
def people(engine: Engine) -> Engine:
    """li (自然资源局 经办), wang (住建局 经办), muge (an investor's person), and zhao with a password."""
    with engine.unit_of_work() as session:
        directory.import_units(session)
        directory.create_demo_user(session, "li", "李建国", "staff", [("ZRZYJ", "handler")])
        directory.create_demo_user(session, "wang", "王海燕", "staff", [("ZJJ", "handler")])
        directory.create_demo_user(session, "muge", "牧歌", "investor", organisation="天山牧歌乳业有限公司")
        directory.create_user(session, "zhao", "赵敏", "staff", PASSWORD, [("ZRZYJ", "verifier")])
    return engine


@pytest.fixture
def app(people: Engine) -> Flask:
    return create_app(people)


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """A browser that is not logged in."""
    return app.test_client()


def log_in(app: Flask, username: str) -> FlaskClient:
    """A browser of a logged-in person; the session is opened directly, the log-in form has tests of its own."""
    with app.app_context(), app.extensions["lianban"].unit_of_work() as session:
        token = sessions.open_session(session, username, address="127.0.0.1", agent="test")
    client = app.test_client()
    client.set_cookie(sessions.COOKIE, token)
    return client
