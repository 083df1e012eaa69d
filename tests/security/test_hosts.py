"""The demo's one-click log-in belongs to this machine: a foreign name that resolves to it (DNS rebinding) is refused."""

from __future__ import annotations

from dataclasses import replace

import pytest

from engine import Engine
from webapp import create_app


@pytest.fixture
def demo(people: Engine, monkeypatch: pytest.MonkeyPatch) -> Engine:
    monkeypatch.setattr(people.runtime, "settings", replace(people.settings, demo=True))
    return people


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8080", "localhost.evil.example", "127.0.0.1.nip.example", "evil.example:x"])
def test_a_foreign_name_cannot_log_in_to_the_demo(demo: Engine, host: str) -> None:
    client = create_app(demo).test_client()
    headers = {"Host": host, "Sec-Fetch-Site": "same-origin"}
    answer = client.post("/login/demo", data={"username": "li"}, headers=headers)
    assert answer.status_code in {400, 421}
    assert "Set-Cookie" not in answer.headers


@pytest.mark.parametrize("host", ["localhost", "localhost:8080", "127.0.0.1:8080", "[::1]:8080", "192.168.1.20:8080"])
def test_this_machine_and_addresses_may_open_the_demo(demo: Engine, host: str) -> None:
    assert create_app(demo).test_client().get("/login", headers={"Host": host}).status_code == 200


def test_an_installation_for_real_use_may_have_any_name(people: Engine) -> None:
    assert create_app(people).test_client().get("/login", headers={"Host": "approval.example"}).status_code == 200
