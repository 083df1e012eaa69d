"""Preconditions (前置条件, domain §2.4) of filing, decision and start of work, and what meets them. The only import allowed from outside.

items.csv, column `requires`: JSON edges {needs, when: file|decide|start_work, hard, unless: FEEL, article}. preconditions.csv says what
meets a need: an item of `items` whose result holds today (a licence that ended or lapsed meets nothing), or FEEL `condition`. Expressions
read the flow's variables, `project`, `held` (items whose results hold), `lapsed` (items whose results hold no more), `materials` (names
handed in), `procedures` (special procedures of the case). What an evaluated area spares is not needed (优化营商环境条例 42).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

from sqlalchemy.orm import Session

from engine import clock
from engine.clock import CHINA
from engine.commands.environment import feel_environment
from engine.errors import Refused
from engine.feel import Environment, compile_expression
from engine.store import reads
from handlers.catalogue.service import Catalogue, Item, Need, catalogue
from handlers.clock import service as clocks
from handlers.licences import service as licences
from handlers.materials import service as materials
from handlers.projects import service as projects

When = Literal["file", "decide", "start_work"]
ACTIONS: dict[When, str] = {"file": "申报", "decide": "准予", "start_work": "开工"}


class PreconditionMissing(Refused):
    """“{item}”还不能{action}：{missing}

    "{item}" is not possible yet ({action}): {missing}
    """

    code = "precondition_missing"


@dataclass(frozen=True, slots=True)
class Edge:
    """Item `item` needs `needs` when the action is taken, unless the FEEL text holds. `hard`: refused without it, else only told."""

    item: str
    needs: str
    when: When
    hard: bool
    unless: str
    article: str


@dataclass(frozen=True, slots=True)
class Checked:
    """An edge as it stands: `state` met, spared (the exception holds or an area spares it) or missing; `by` says what meets it."""

    edge: Edge
    name: str
    state: Literal["met", "spared", "missing"]
    by: str = ""


def edges() -> dict[str, tuple[Edge, ...]]:
    """The edges of every item of today's catalogue that has some."""
    return {item.code: found for item in catalogue().items.values() if (found := _edges_of(item))}


def needs() -> Mapping[str, Need]:
    """What satisfies each need of today's catalogue, by its code."""
    return catalogue().needs


@lru_cache(maxsize=1000)
def _edges_of(item: Item) -> tuple[Edge, ...]:
    listed = json.loads(item.requires or "[]")
    return tuple(Edge(item.code, e["needs"], e["when"], e["hard"], e["unless"], e["article"]) for e in listed)


def facts(
    session: Session, project_id: int | str, variables: Mapping[str, Any] | None = None, case_id: int | None = None
) -> dict[str, Any]:
    """What expressions may read of a project: its flows' variables, the newest flow last, `variables`, and the registers."""
    project = projects.find_project(session, str(project_id))
    today = clock.now().astimezone(CHINA).date()
    found: dict[str, Any] = {}
    for row in reads.instances_of_business(session, str(project_id)):
        if row.parent_key is None:
            own = reads.variables(session, row.key)
            own.pop("application", None)  # another flow's application says nothing of this one
            found |= {name: value for name, value in own.items() if value is not None}
    found |= {name: value for name, value in (variables or {}).items() if value is not None}
    registered = project.data | {"code": project.code} if project is not None else {}
    holdings = licences.licences_of(session, project_id)
    held = {one.item_code for one in holdings if one.effective}
    return found | {
        "project": registered,
        "held": sorted(held),
        "lapsed": sorted({one.item_code for one in holdings if not one.effective} - held),
        "spared": sorted(licences.area_results(registered, today)),
        "materials": materials.names_of(session, project_id),
        "procedures": _procedures(session, case_id),
    }


def _procedures(session: Session, case_id: int | None) -> list[str]:
    events = clocks.events_of(session, case_id) if case_id is not None else []
    return [event.procedure for event in events if isinstance(event, clocks.Paused) and event.procedure]


def check(item_code: str, when: When, known: Mapping[str, Any], env: Environment, listed: Catalogue | None = None) -> list[Checked]:
    """Every edge of an item for an action, judged by what is known. `listed`: the project's catalogue (None: today's)."""
    listed = listed or catalogue()
    item = listed.items.get(item_code)
    return [_judge(edge, listed.needs[edge.needs], known, env) for edge in (_edges_of(item) if item else ()) if edge.when == when]


def _judge(edge: Edge, need: Need, known: Mapping[str, Any], env: Environment) -> Checked:
    if edge.unless and _true(edge.unless, known, env):
        return Checked(edge, need.name, "spared", edge.unless)
    by = next((code for code in need.items if code in known["held"]), "")
    if by:
        return Checked(edge, need.name, "met", by)
    spared = next((code for code in need.items if code in known["spared"]), "")
    if spared:
        return Checked(edge, need.name, "spared", spared)
    if need.condition and _true(need.condition, known, env):
        return Checked(edge, need.name, "met", need.condition)
    return Checked(edge, need.name, "missing")


def _true(text: str, known: Mapping[str, Any], env: Environment) -> bool:
    return compile_expression(text).evaluate(known, env) is True


def require(
    session: Session,
    project_id: int | str,
    item_code: str,
    when: When,
    variables: Mapping[str, Any] | None = None,
    case_id: int | None = None,
) -> list[Checked]:
    """Refuse an action without its hard preconditions: PreconditionMissing names each with its article -> all edges otherwise."""
    listed = projects.catalogue_of(session, project_id)
    item = listed.items.get(item_code)
    if item is None or not any(edge.when == when for edge in _edges_of(item)):
        return []
    checked = check(item_code, when, facts(session, project_id, variables, case_id), feel_environment(session), listed)
    missing = [f"缺少{one.name}（{one.edge.article}）" for one in checked if one.state == "missing" and one.edge.hard]
    if missing:
        raise PreconditionMissing(item=item.name, action=ACTIONS[when], missing="；".join(missing))
    return checked
