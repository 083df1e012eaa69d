"""Projects that a landed version left unfinished come to their end: first on the diagrams of their time, then beside those of today.

Nothing that anybody decided before is lost on the way.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from itertools import islice
from typing import Any

import orjson
import pytest
from sqlalchemy import Table, select

from engine import Engine, commands
from engine.commands.looking import Look
from engine.policy import SYSTEM
from engine.store import definitions, migrate
from engine.store import models as m
from engine.store.database import Base
from handlers.catalogue.service import read_table
from handlers.documents import service as documents
from handlers.documents.models import DocumentRow
from handlers.driving.service import Driver, deploy_everything
from handlers.projects import service as projects
from tests.upgrade.conftest import Upgraded
from tests.upgrade.support import LANDINGS, crosswise, finish, live_instances, read, revision_in

KEPT = ("audit_event", "element_event", "variable_event", "clock_event", "case_event", "decision_evaluation", "document", "licence")
"""Tables whose rows nobody changes: what happened, and what was issued."""
NEW_PROJECT = "8"
"""Of the demo, but for none of the landed databases: small, several items at once."""


def rows_of(engine: Engine, table: Table) -> set[str]:
    with engine.reading() as session:
        return {repr(tuple(row)) for row in session.execute(select(table))}


def done_tasks(engine: Engine) -> dict[int, tuple[Any, ...]]:
    """Key of a completed task -> who completed it, when, and with which answers."""
    task = m.user_task.c
    with engine.reading() as session:
        found = session.execute(select(task.key, task.completed_by, task.completed_at, task.submission).where(task.state == "COMPLETED"))
        return {row[0]: (row[1], row[2], json.dumps(row[3], sort_keys=True)) for row in found}


def opinions_before(engine: Engine, project_id: int, form_id: str) -> list[dict[str, Any]]:
    """What the units had said in the reviews of a form, oldest first."""
    task = m.user_task.c
    said = select(task.submission).where(task.business_id == str(project_id), task.form_id == form_id, task.state == "COMPLETED")
    with engine.reading() as session:
        return list(session.scalars(said.order_by(task.key)))


def final_opinions(engine: Engine, project_id: int) -> set[tuple[str, str]]:
    """The units and opinions of the joint reviews, as the summaries and decisions saw them."""
    event, instance = m.variable_event.c, m.process_instance.c
    values = select(event.value).join(m.process_instance, instance.key == event.instance_key)
    values = values.where(instance.business_id == str(project_id), instance.process_id == "planning_permit")
    with engine.reading() as session:
        lists = [orjson.loads(value) for value in session.scalars(values.where(event.name == "opinions", event.value.is_not(None)))]
    return {(each["unit"], each["opinion"]) for opinions in lists for each in opinions}


def state_of(engine: Engine, project_id: int) -> tuple[str, str]:
    with engine.reading() as session:
        project = projects.get_project(session, SYSTEM, project_id)
    return project.state, project.outcome


def definitions_of(engine: Engine, keys: Sequence[int]) -> dict[int, int]:
    """Instance key -> the version of the diagram that it runs on."""
    instance = m.process_instance.c
    with engine.reading() as session:
        found = session.execute(select(instance.key, instance.definition_key).where(instance.key.in_(keys)))
        return {row.key: row.definition_key for row in found}


def register(driver: Driver, number: str) -> int:
    row = next(row for row in read_table("demo_projects") if row["number"] == number)
    return driver.register(row["applicant"], {"project": json.loads(row["data"]) | {"xmdm": ""}}).id


def test_there_is_a_database_of_every_landed_schema() -> None:
    """All but the newest migration have landed: when a new one is begun, the version before it needs its dump (docs/upgrading.md)."""
    revisions = sorted(path.name[:4] for path in migrate.MIGRATIONS.glob("versions/[0-9]*.py"))
    found = set()
    for name in LANDINGS:
        with closing(sqlite3.connect(":memory:")) as database:
            database.executescript(read(name)[1])
            found.add(revision_in(database))
    assert found >= set(revisions[:-1])


def test_the_upgraded_schema_is_that_of_the_models_and_every_live_instance_can_be_loaded(upgraded: Upgraded) -> None:
    engine = upgraded.engine
    assert not migrate.pending(engine.runtime.database)
    assert migrate.differences(engine.runtime.database) == []
    keys = live_instances(engine)
    assert len(keys) > 50
    with engine.reading() as session:
        look = Look(session)
        assert {look.instance(key).state for key in keys} == {"ACTIVE"}


@pytest.mark.parametrize(("landing", "database_kind"), crosswise("postgresql", "sqlite"), indirect=True)
def test_papers_issued_before_the_upgrade_are_still_what_was_issued(upgraded: Upgraded) -> None:
    with upgraded.engine.reading() as session:
        codes = list(session.scalars(select(DocumentRow.verification_code)))
        states = [documents.verify(session, code).state for code in codes]
    assert len(states) > 10 and set(states) == {"有效"}


def test_a_joint_acceptance_comes_to_its_end_and_keeps_what_was_said_and_done(upgraded: Upgraded) -> None:
    engine, project = upgraded.engine, upgraded.restored.facts["projects"]["5"]
    before = {name: rows_of(engine, Base.metadata.tables[name]) for name in KEPT}
    done, versions = done_tasks(engine), definitions_of(engine, live_instances(engine))
    said = opinions_before(engine, project, "acceptance_opinion")
    assert len(said) >= 4
    assert "mi_accept" in set(finish(upgraded.driver, project))
    assert state_of(engine, project) == ("completed", "completed")
    for name, rows in before.items():
        assert rows <= rows_of(engine, Base.metadata.tables[name]), name
    now_done = done_tasks(engine)
    assert done == {key: now_done[key] for key in done}
    assert definitions_of(engine, list(versions)) == versions


@pytest.mark.parametrize(("landing", "database_kind"), crosswise("sqlite", "postgresql"), indirect=True)
def test_a_joint_review_half_signed_counts_every_opinion(upgraded: Upgraded) -> None:
    engine, project = upgraded.engine, upgraded.restored.facts["projects"]["4"]
    said = {(each["review"]["unit"], each["review"]["opinion"]) for each in opinions_before(engine, project, "joint_review_opinion")}
    assert len(said) >= 6
    done = list(finish(upgraded.driver, project))
    assert done.index("mi_review") < done.index("t_sum")
    assert state_of(engine, project) == ("completed", "completed")
    assert said <= final_opinions(engine, project)


@pytest.mark.parametrize(("landing", "database_kind"), crosswise("postgresql", "sqlite"), indirect=True)
def test_an_old_project_and_a_new_one_run_beside_each_other_each_on_its_own_diagrams(upgraded: Upgraded) -> None:
    engine, numbers = upgraded.engine, upgraded.restored.facts["projects"]
    versions = definitions_of(engine, live_instances(engine))
    assert state_of(engine, numbers["3"])[0] == "terminated"
    deploy_everything(engine)
    driver = Driver(engine)
    new = register(driver, NEW_PROJECT)
    assert len(list(islice(finish(driver, new), 6))) == 6
    suspended = upgraded.driver.open_tasks(numbers["6"])[0]
    with engine.unit_of_work() as session:
        commands.resume_instance(session, SYSTEM, suspended.root_key)
    assert suspended.element_id in set(finish(upgraded.driver, numbers["6"]))
    assert state_of(engine, numbers["6"]) == ("completed", "completed")
    assert definitions_of(engine, list(versions)) == versions
    with engine.reading() as session:
        newest = {row.process_id: row.key for row in definitions.latest_versions(session, "process")}
        mine = session.execute(select(m.process_instance).where(m.process_instance.c.business_id == str(new))).all()
    assert mine and all(row.definition_key == newest[row.process_id] for row in mine)
