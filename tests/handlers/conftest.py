"""An office: the real catalogue, diagrams and people over a fresh database of each kind, shared by the tests of a module."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import count

import pytest

from engine import Engine, clock
from engine.policy import Actor
from handlers.demo.people import add_people
from handlers.directory import service as directory
from handlers.driving.service import Driver, answer, deploy_everything, merged
from handlers.projects import service as projects
from tests.snapshots import Snapshots
from webapp.composition import open_lianban

START = datetime(2022, 4, 6, 11, 0, tzinfo=clock.CHINA)
SCHOOL, WINDOW, DAIRY = "liumin", "guli", "baixiaofeng"
_numbers = count()


@dataclass
class Office:
    """The opened engine with the demo's people, and a driver that acts for them."""

    engine: Engine
    driver: Driver

    def actor(self, username: str) -> Actor:
        return self.driver.actor(username)

    def registration(self, **fields: object) -> dict[str, object]:
        """A valid registration as of today, with some fields changed."""
        with self.engine.reading():
            today = clock.now().date()
        return merged(answer("project_registration", today=today), {"project": fields})

    def register(self, username: str = SCHOOL, **fields: object) -> projects.Project:
        return self.driver.register(username, self.registration(**fields))


def staff_office(engine: Engine) -> None:
    """The deployed content and the demo's people, on the morning of START."""
    deploy_everything(engine)
    with engine.unit_of_work() as session:
        add_people(session)
    Driver(engine).move_to(START)


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def office(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, snapshots: Snapshots) -> Iterator[Office]:
    folder = tmp_path_factory.mktemp("office")
    with snapshots.opened(request.param, request, folder, staff_office, open_lianban, max_upload_mb=1) as (engine, _nothing):
        yield Office(engine, Driver(engine))


@pytest.fixture
def known_user(office: Office) -> Iterator[str]:
    """A person with a password, new for every test."""
    name = f"user{next(_numbers)}"
    with office.engine.unit_of_work() as session:
        directory.create_user(session, name, "赵敏", "staff", "correct horse 2022", [("ZRZYJ", "verifier")])
    yield name
