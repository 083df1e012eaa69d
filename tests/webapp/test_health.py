"""What monitors ask."""

from __future__ import annotations

from flask.testing import FlaskClient


def test_alive_and_ready_need_no_log_in(client: FlaskClient) -> None:
    assert client.get("/health").get_json() == {"status": "UP"}
    assert client.get("/ready").get_json() == {"status": "UP", "database": "UP"}
