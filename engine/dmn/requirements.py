"""Requirements of the graph: what an href points to, what nobody defined, and cycles (DMN 1.5 §6.2, §6.3)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from engine.dmn.findings import Findings
from engine.dmn.model import Decision, Definitions, InputData, KnowledgeModel, Service, Where


@dataclass(frozen=True, slots=True)
class Target:
    """What an href means. `prefix`: import name, "" for this file; `kind`: input, decision, knowledge or service; `name`: variable name."""

    prefix: str
    kind: str
    id: str
    name: str


def find(definitions: Definitions, imports: Mapping[str, Definitions], href: str) -> Target | None:
    """The target of "#id" or "namespace#id"; None if there is none. `imports`: imported files by import name."""
    namespace, _, identifier = href.rpartition("#")
    if not namespace or namespace == definitions.namespace:
        return _in(definitions, "", identifier)
    for name, imported in imports.items():
        if imported.namespace == namespace:
            return _in(imported, name, identifier)
    return None


def _in(definitions: Definitions, prefix: str, identifier: str) -> Target | None:
    kinds: dict[str, Mapping[str, Decision | InputData | KnowledgeModel | Service]] = {
        "decision": definitions.decisions,
        "input": definitions.inputs,
        "knowledge": definitions.knowledge,
        "service": definitions.services,
    }
    for kind, elements in kinds.items():
        if identifier in elements:
            return Target(prefix, kind, identifier, elements[identifier].variable.name)
    return None


def check(definitions: Definitions, imports: Mapping[str, Definitions], findings: Findings) -> frozenset[str]:
    """Report hrefs that lead nowhere and cycles. Returns the ids of the elements that are in a cycle."""
    links: dict[str, tuple[str, ...]] = {}
    places: dict[str, Where] = {}
    for decision in definitions.decisions.values():
        links[decision.id] = (*decision.requires, *decision.inputs, *decision.knowledge)
        places[decision.id] = decision.where
    for id_, model in definitions.knowledge.items():
        links[id_], places[id_] = model.knowledge, model.where
    for id_, service in definitions.services.items():
        hrefs = (*service.outputs, *service.encapsulated, *service.input_decisions, *service.input_data)
        _check_hrefs(definitions, imports, hrefs, service.where, findings)
        places[id_] = service.where
    for id_, hrefs in links.items():
        _check_hrefs(definitions, imports, hrefs, places[id_], findings)
    local = {id_: [href[1:] for href in hrefs if href.startswith("#") and href[1:] in links] for id_, hrefs in links.items()}
    cyclic = frozenset(id_ for id_ in local if _reaches(local, id_))
    for id_ in sorted(cyclic):
        findings.error("cycle", places[id_], f"“{places[id_].name}”的依赖形成循环", f'"{places[id_].name}" requires itself through a cycle')
    return cyclic


def _check_hrefs(
    definitions: Definitions, imports: Mapping[str, Definitions], hrefs: Iterable[str], where: Where, findings: Findings
) -> None:
    for href in hrefs:
        if find(definitions, imports, href) is None:
            findings.error("unknown-requirement", where, f"引用“{href}”没有对应的元素", f'reference "{href}" leads nowhere')


def _reaches(links: Mapping[str, list[str]], start: str) -> bool:
    """True if following the links from `start` comes back to it."""
    pending, seen = list(links[start]), set()
    while pending:
        current = pending.pop()
        if current == start:
            return True
        if current not in seen:
            seen.add(current)
            pending.extend(links[current])
    return False
