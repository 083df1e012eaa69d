"""The demonstration: invented people and nine projects, brought to their states by the real commands under the moved business clock.

The only import allowed from outside.
"""

from __future__ import annotations

import io
import json
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any

import orjson
from sqlalchemy import select

from engine import Engine, clock
from engine.clock import CHINA
from handlers.catalogue.service import catalogue, read_table
from handlers.demo.people import add_people
from handlers.driving.service import Driver, Player, Script, deploy_everything, rules_of
from handlers.filing import service as filing
from handlers.materials import service as materials
from handlers.projects import service as projects
from handlers.projects.models import ProjectRow

__all__ = ["DEMO_DATE", "add_people", "load_demo"]

SCRIPTS = Path(__file__).with_name("scripts.json")
DEMO_DATE = datetime(2022, 8, 1, 10, 30, tzinfo=CHINA)
"""Where the business clock stands when the demo is loaded."""
MATERIALS_SHOWN = 4

Report = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class _Milestone:
    """What is entered of a milestone: its planned day, or its actual day with the evidence."""

    person: str
    code: str
    day: date
    evidence: str


@dataclass(slots=True)
class _Part:
    """One project of the demo: its row of demo_projects.csv, its script, its player once it is registered, its next act, when it applies
    for which item beside the main line, and when the window or an agent enters which milestone."""

    row: dict[str, str]
    script: dict[str, Any]
    next_at: datetime | None
    player: Player | None = None
    filings: list[tuple[datetime, str]] = field(default_factory=list)
    milestones: list[tuple[datetime, _Milestone]] = field(default_factory=list)

    def plan(self) -> None:
        """Find out when the next act is: the player's, or an application for an item beside the main line."""
        if self.player is not None:
            times = [self.player.next_time(), *(planned[0][0] for planned in (self.filings, self.milestones) if planned)]
            self.next_at = min((at for at in times if at is not None), default=None)


def load_demo(engine: Engine, report: Report = lambda _line: None) -> bool:
    """Load the demo into an empty database -> True; when projects are there already nothing is touched -> False.

    Nobody's state is written by hand: every step is a command sent by one of the invented people, at the business time it happens.
    """
    with engine.reading() as session:
        if session.scalar(select(ProjectRow.id).limit(1)) is not None:
            return False
    deploy_everything(engine)
    with engine.unit_of_work() as session:
        report(f"{add_people(session)} 位演示用户")
    driver = Driver(engine)
    parts = _parts()
    driver.move_to(min(part.next_at for part in parts if part.next_at is not None))
    while (part := _next(parts)) is not None:
        assert part.next_at is not None
        fired = driver.move_to(part.next_at)
        _advance(driver, part, report)
        for other in parts if fired else [part]:
            other.plan()
    driver.move_to(DEMO_DATE)
    return True


def _parts() -> list[_Part]:
    rows = {row["number"]: row for row in read_table("demo_projects")}
    scripts = orjson.loads(SCRIPTS.read_bytes())
    return [
        _Part(
            rows[script["number"]],
            script,
            _moment(script["at"]),
            filings=[(_moment(at), item) for at, item in script.get("file", [])],
            milestones=[
                (_moment(at), _Milestone(person, code, date.fromisoformat(day), evidence))
                for at, person, code, day, evidence in script.get("milestones", [])
            ],
        )
        for script in scripts
    ]


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=CHINA)


def _next(parts: list[_Part]) -> _Part | None:
    """The part whose turn it is; None when nothing happens any more before the demo's date."""
    soon = [part for part in parts if part.next_at is not None and part.next_at <= DEMO_DATE]
    return min(soon, key=lambda part: part.next_at or DEMO_DATE, default=None)


def _advance(driver: Driver, part: _Part, report: Report) -> None:
    if part.player is not None:
        if part.filings and part.filings[0][0] <= clock.now():
            _file(driver, part.row["applicant"], part.player.project.id, part.filings.pop(0)[1])
            return
        if part.milestones and part.milestones[0][0] <= clock.now():
            _enter(driver, part.player.project.id, part.milestones.pop(0)[1])
            return
        part.player.act()
        return
    row, script = part.row, part.script
    project = driver.register(row["applicant"], {"project": json.loads(row["data"])})
    chance = random.Random(row["number"])
    low, high = script["pace"]
    part.player = Player(driver, Script(rules_of(script["rules"]), chance), project, lambda: chance.uniform(low, high))
    _upload(driver, row["applicant"], project.id)
    report(f"项目 {row['number']} {project.name}")


def _file(driver: Driver, applicant: str, project_id: int, item: str) -> None:
    """The applicant applies for an item of 并行推进."""
    with driver.engine.unit_of_work() as session:
        filing.file_item(session, driver.actor(applicant), project_id, item)


def _enter(driver: Driver, project_id: int, milestone: _Milestone) -> None:
    """The window or an agent plans a milestone, or registers it with its evidence."""
    with driver.engine.unit_of_work() as session:
        actor = driver.actor(milestone.person)
        if milestone.evidence:
            projects.register_milestone(session, actor, project_id, milestone.code, milestone.day, milestone.evidence)
        else:
            projects.plan_milestone(session, actor, project_id, milestone.code, milestone.day)


def _upload(driver: Driver, applicant: str, project_id: int) -> None:
    """A few files of the project, so that the materials' pages have something to show."""
    names = list(dict.fromkeys(m.name for m in catalogue().materials if m.item in ("ZR06", "ZJ03")))[:MATERIALS_SHOWN]
    actor = driver.actor(applicant)
    with driver.engine.unit_of_work() as session:
        for number, name in enumerate(names, 1):
            content = _pdf(f"Demo file {project_id}-{number}")
            materials.store_material(session, actor, project_id, name, f"{name.replace('/', '')}.pdf", io.BytesIO(content))


def _pdf(text: str) -> bytes:
    """A one-page PDF with a line of ASCII text."""
    stream = f"BT /F1 18 Tf 72 760 Td ({text}) Tj ET"
    objects = [
        "<< /Type /Catalog /Pages 2 0 R >>",
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>",
        f"<< /Length {len(stream)} >>\nstream\n{stream}\nendstream",
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    out = "%PDF-1.4\n"
    offsets = []
    for number, body in enumerate(objects, 1):
        offsets.append(len(out))
        out += f"{number} 0 obj\n{body}\nendobj\n"
    table = "".join(f"{offset:010d} 00000 n \n" for offset in offsets)
    out += f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n{table}"
    out += f"trailer << /Size {len(objects) + 1} /Root 1 0 R >>\nstartxref\n{out.index('xref')}\n%%EOF\n"
    return out.encode("ascii")
