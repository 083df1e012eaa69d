"""依据文件 (R001): title, 文号, issuer, date and text of every document that a process implements, and which paragraph. The only import
allowed from outside.

A process refers to a document by naming it in its property `legalBasis` (or a task's), and by its lines of policy_links.csv. The documents
of policies.csv are brought in with the units; others are entered on the page. A document that a deployed process refers to stays.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine import clock
from engine.bpmn import ProcessModel
from engine.clock import CHINA
from engine.definitions import process_model
from engine.errors import Conflict, Invalid, NotFound
from engine.policy import Actor, require
from engine.store import audit, definitions
from handlers.catalogue.service import read_table
from handlers.policies.models import PolicyRow

__all__ = ["Basis", "Policy", "bases_of", "bring_in", "enter", "policies", "remove", "users_of"]

MOST = {"title": 200, "words": 200, "number": 100, "issuer": 200, "summary": 20_000}
BASIS = "legalBasis"
PLANS = ("approval_plan", "agent_plan")
"""The city's own two plans."""


@dataclass(frozen=True, slots=True)
class Policy:
    """A document of the register; `words` are the names by which diagrams refer to it."""

    id: int
    code: str | None
    title: str
    words: tuple[str, ...]
    number: str
    issuer: str
    issued_on: date
    summary: str


@dataclass(frozen=True, slots=True)
class Basis:
    """A document that a process implements, with the paragraphs as the diagram and policy_links.csv name them."""

    policy: Policy
    paragraphs: tuple[str, ...]


@lru_cache(maxsize=1)
def _links() -> dict[tuple[str, str], str]:
    return {(row["process"], row["policy"]): row["paragraph"] for row in read_table("policy_links")}


def bring_in(session: Session) -> int:
    """Enter the documents of policies.csv that are not there yet -> how many were new."""
    known = set(session.scalars(select(PolicyRow.code)))
    rows = [row for row in read_table("policies") if row["code"] not in known]
    for row in rows:
        texts = {name: row[name] for name in ("code", "title", "words", "number", "issuer", "summary")}
        on = date.fromisoformat(row["issued_on"])
        session.add(PolicyRow(**texts, issued_on=on, entered_by="system", entered_at=clock.now()))
    session.flush()
    return len(rows)


def policies(session: Session, q: str = "") -> list[Policy]:
    """The register, the newest document first; `q` narrows it by title, number, issuer or text."""
    statement = select(PolicyRow).order_by(PolicyRow.issued_on.desc(), PolicyRow.id)
    rows = [_policy(row) for row in session.scalars(statement)]
    return [one for one in rows if q in f"{one.title} {one.number} {one.issuer} {one.summary}"]


def enter(session: Session, actor: Actor, *, title: str, words: str, number: str, issuer: str, issued_on: date, summary: str) -> Policy:
    """Enter a document. Forbidden for others than analysts and administrators, Invalid for empty or long texts, Conflict for its title."""
    require(actor, "deploy", "administer")
    given = {"title": title, "words": words or title, "number": number, "issuer": issuer, "summary": summary}
    texts = {name: value.strip() for name, value in given.items()}
    if not texts["title"] or not texts["issuer"]:
        raise Invalid(reason="请填写文件标题和发文机关")
    for name, value in texts.items():
        if len(value) > MOST[name]:
            raise Invalid(reason=f"内容过长：不超过 {MOST[name]} 字")
    if issued_on > clock.now().astimezone(CHINA).date():
        raise Invalid(reason="发文日期不能在今天以后")
    if session.scalar(select(PolicyRow.id).where(PolicyRow.title == texts["title"])) is not None:
        raise Conflict(reason=f"“{texts['title']}”已在依据文件中")
    row = PolicyRow(code=None, **texts, issued_on=issued_on, entered_by=actor.username, entered_at=clock.now())
    session.add(row)
    session.flush()
    audit.record(session, actor, "policy.entered", data={"policy": row.id, "title": row.title})
    return _policy(row)


def remove(session: Session, actor: Actor, policy_id: int) -> None:
    """Take a document out of the register. Conflict, naming the processes, while a deployed one refers to it."""
    require(actor, "deploy", "administer")
    row = session.get(PolicyRow, policy_id, with_for_update=True)
    if row is None:
        raise NotFound(what="依据文件", key=policy_id)
    users = users_of(session, _policy(row))
    if users:
        raise Conflict(reason=f"“{row.title}”是流程{'、'.join(f'“{name}”' for name in users)}的依据，不能删除")
    session.delete(row)
    audit.record(session, actor, "policy.removed", data={"policy": row.id, "title": row.title})
    session.flush()


def users_of(session: Session, policy: Policy) -> list[str]:
    """The names of the deployed processes whose newest version refers to a document."""
    rows = definitions.latest_versions(session, "process")
    return [row.name or row.process_id for row in rows if _paragraphs(policy, row.process_id, process_model(session, row.key))]


def bases_of(session: Session, process_id: str, model: ProcessModel) -> list[Basis]:
    """The documents that a process implements, the city's plans first."""
    found = ((one, _paragraphs(one, process_id, model)) for one in policies(session))
    return sorted((Basis(one, tuple(cited)) for one, cited in found if cited), key=lambda basis: basis.policy.code not in PLANS)


def _paragraphs(policy: Policy, process_id: str, model: ProcessModel) -> list[str]:
    """Where a process refers to a document: its line of policy_links.csv, and each time a legal basis names it, once each."""
    linked = _links().get((process_id, policy.code or ""))
    named = [part for part in _named(model) if any(part.startswith(word) for word in policy.words)]
    return list(dict.fromkeys(([linked] if linked else []) + named))


def _named(model: ProcessModel) -> Iterator[str]:
    """The single references of a diagram: 行政许可法第42条；优化营商环境条例第36条 are two."""
    texts = [model.properties.get(BASIS, "")] + [element.properties.get(BASIS, "") for element in model.elements.values()]
    for text in texts:
        yield from (part.strip() for part in text.replace(";", "；").split("；") if part.strip())


def _policy(row: PolicyRow) -> Policy:
    return Policy(row.id, row.code, row.title, tuple(row.words.split()), row.number, row.issuer, row.issued_on, row.summary)
