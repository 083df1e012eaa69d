"""Alt+K goes anywhere: places, one's tasks, projects and processes by a few typed words, found by queries that ask who looks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from flask import Blueprint, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from engine.policy import may_watch
from engine.store import definitions as store
from engine.store.search import Condition, search
from engine.store.search_sources import PROCESS_INSTANCES
from handlers.directory import service as directory
from handlers.projects import service as projects
from handlers.tasks import service as tasks
from webapp import navigation
from webapp.context import actor, engine

blueprint = Blueprint("go", __name__, url_prefix="/go")

MAX_DIGITS = 19
"""Every number of fewer digits fits a database key."""
MOST = 6
"""Hits of one kind that are shown: whoever needs more types another word."""


@dataclass(frozen=True, slots=True)
class Hit:
    """One place to go: `kind` in words, `detail` tells equal names apart."""

    kind: str
    name: str
    detail: str
    url: str


@blueprint.get("")
def find() -> str:
    """The hits for `q` as a fragment; without words the places and what is due next."""
    words = request.args.get("q", "").strip()[:100]
    with engine().reading() as session:
        finders = (_tasks, _projects, _processes, _instance)
        hits = [*_places(words), *(hit for finder in finders for hit in finder(session, words))]
    return render_template("_go.html", hits=hits, words=words)


def _places(words: str) -> Iterator[Hit]:
    for address, label, _here in navigation.places():
        if words.lower() in str(label).lower():
            yield Hit(_("页面"), str(label), "", address)


def _tasks(session: Session, words: str) -> Iterator[Hit]:
    """One's own first, then those of the office."""
    found = {row.key: row for box in ("mine", "unit") for row in tasks.work_list(session, actor(), tasks.WorkListQuery(box, q=words)).rows}
    for row in list(found.values())[:MOST]:
        yield Hit(_("任务"), row.name, row.project_name or row.process_name, url_for("worklist.index", task=row.key))


def _projects(session: Session, words: str) -> Iterator[Hit]:
    if not words:
        return
    for line in projects.list_projects(session, actor(), q=words).rows[:MOST]:
        project = line.project
        yield Hit(_("项目"), project.name, project.code or "", url_for("projects.show", project_id=project.id))


def _processes(session: Session, words: str) -> Iterator[Hit]:
    if not words or not directory.is_staff(actor()):
        return
    rows = [r for r in store.latest_versions(session, "process") if words.lower() in f"{r.process_id} {r.name}".lower()]
    for row in rows[:MOST]:
        yield Hit(_("流程"), row.name or row.process_id, row.process_id, url_for("definitions.process", identifier=row.process_id))


def _instance(session: Session, words: str) -> Iterator[Hit]:
    """A process instance by its whole number, for those who may watch."""
    if not (may_watch(actor()) and words.isascii() and words.isdecimal() and len(words) < MAX_DIGITS):
        return
    for row in search(session, PROCESS_INSTANCES, [Condition("process_instance_key", "eq", int(words))]).rows:
        yield Hit(_("流程实例"), row.definition_name or row.process_id, str(row.key), url_for("instances.show", key=row.key))
