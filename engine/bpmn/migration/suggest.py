"""Suggestions for a mapping: what a plan does not map by itself, because the ids differ, is likely what has the same name and type.

Between two processes few ids agree although people call the steps the same. A suggestion is only that: who plans the migration sees it
chosen and may choose otherwise.
"""

from __future__ import annotations

from collections import defaultdict

from engine.bpmn.migration.plan import Instructions, Plan, make_plan
from engine.bpmn.model import ProcessModel


def suggestions(source: ProcessModel, target: ProcessModel) -> dict[str, str]:
    """Source element id -> the one element of the target that has its name, its type and its place.

    What is inside a subprocess can be suggested only once the subprocess is, so it is looked for level by level.
    """
    chosen: dict[str, str] = {}
    while True:
        plan = make_plan(source, target, Instructions(chosen))
        found = _by_name(plan, target)
        if found:
            faulty = {
                each.element_id for each in make_plan(source, target, Instructions(chosen | found)).findings if each.severity == "error"
            }
            found = {old: new for old, new in found.items() if old not in faulty}
        if not found:
            return chosen
        chosen |= found


def _by_name(plan: Plan, target: ProcessModel) -> dict[str, str]:
    """Pairs of one name and kind of which there is one on either side that nothing corresponds to."""
    old: dict[tuple[str, str], list[str]] = defaultdict(list)
    new: dict[tuple[str, str], list[str]] = defaultdict(list)
    for change in plan.elements:
        if change.source and not change.target:
            old[change.kind, _plain(change.name)].append(change.source)
        elif change.target and not change.source:
            new[change.kind, _plain(target.elements[change.target].name)].append(change.target)
    return {ids[0]: new[key][0] for key, ids in old.items() if key[1] and len(ids) == 1 and len(new.get(key, ())) == 1}


def _plain(name: str | None) -> str:
    """Names are broken into lines to fit their boxes."""
    return "".join((name or "").split())
