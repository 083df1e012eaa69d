"""Whole projects from registration to 竣工验收备案 through the real commands, with seeded people and reproducible decisions.

The only import allowed from outside.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from engine import Engine, clock
from engine.clock import CHINA
from engine.errors import LianbanError
from engine.policy import SYSTEM
from handlers.catalogue.service import read_table
from handlers.demo.people import add_people
from handlers.driving.service import Act, Driver, Player, Script, Stuck, deploy_everything, read_rules
from handlers.projects import service as projects

DECISIONS = Path(__file__).with_name("decisions.json")
MOST_ACTS = 400
"""A project that has not ended after so many acts goes round in circles."""
MOST_WAITS = 400

Report = Callable[[dict[str, Any]], None]


@dataclass(frozen=True, slots=True)
class Result:
    """How a simulated project ended: `outcome` is completed, terminated or the reason it is stuck; `steps` how many acts it took."""

    ok: bool
    outcome: str
    steps: int


def simulate(engine: Engine, variant: int, seed: int, report: Report = lambda _step: None) -> Result:
    """Drive one project of a variant (1-6) in this (fresh) database to its end; the same seed gives the same run.

    Every step is reported. `ok` is False when the project is stuck or an incident stands.
    """
    chance = random.Random(f"{variant}/{seed}")
    _prepare(engine)
    driver = Driver(engine)
    row = chance.choice(_projects_of(variant))
    driver.move_to(datetime.fromisoformat(f"{row['registered_on']}T11:00:00").replace(tzinfo=CHINA))
    script = Script(read_rules(DECISIONS), chance)
    steps = 0
    try:
        project = driver.register(row["applicant"], {"project": json.loads(row["data"]) | {"xmdm": ""}})
        if project.variant != variant:
            raise Stuck(reason=f"项目类型应为 {variant}，实为 {project.variant}")
        player = Player(driver, script, project)
        for act in _play(player, driver, chance):
            steps += 1
            report({"variant": variant, "seed": seed} | act.as_dict())
        return Result(True, _outcome(engine, project.id), steps)
    except LianbanError as error:
        return Result(False, error.message(), steps)


def _prepare(engine: Engine) -> None:
    deploy_everything(engine)
    with engine.unit_of_work() as session:
        add_people(session)


def _projects_of(variant: int) -> list[dict[str, str]]:
    return [row for row in read_table("demo_projects") if row["variant"] == str(variant)]


def _play(player: Player, driver: Driver, chance: random.Random) -> Any:
    """Acts until no flow of the project lives; time passes between them. Stuck when nothing moves any more."""
    waits = 0
    for _ in range(MOST_ACTS):
        act = player.act()
        if act is not None:
            waits = 0
            yield act
            driver.move_to(clock.now() + timedelta(minutes=chance.randint(20, 600)))
            continue
        if not driver.live_flows(player.project.id):
            return
        waits += 1
        if waits > MOST_WAITS:
            raise Stuck(reason=f"{driver.live_flows(player.project.id)} 不再前进")
        driver.move_to(clock.now() + timedelta(days=1))
    raise Stuck(reason=f"办了 {MOST_ACTS} 步仍未结束")


def _outcome(engine: Engine, project_id: int) -> str:
    with engine.reading() as session:
        project = projects.get_project(session, SYSTEM, project_id)
    if project.state == "active":
        raise Stuck(reason="所有流程都结束了，但项目没有办结")
    return project.outcome


__all__ = ["Act", "Result", "simulate"]
