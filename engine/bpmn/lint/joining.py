"""Unjoined branches: parallel branches that run together into an element that does not join, so that what follows runs several times.

A warning, because a diagram may mean it. Reported when two branches of one parallel split (or of an activity with several unconditional
flows) reach two different incoming flows of an element that is neither a joining gateway nor an end event, with no joining gateway before.
"""

from __future__ import annotations

from engine.bpmn.lint.findings import Report, ScopeView
from engine.bpmn.parser.xml import child_text, local

JOINING = ("parallelGateway", "inclusiveGateway", "complexGateway")
MAX_WORK = 2_000_000
"""Pairs of split and merge, times elements of the scope: a drawn diagram needs some thousands, a generated one must not take minutes."""


def check_joining(report: Report, scope: ScopeView) -> None:
    """Every merge of the scope."""
    joins = frozenset(n for n, node in scope.elements.items() if local(node) in JOINING and len(scope.incoming.get(n, [])) > 1)
    splits = [name for name in scope.elements if _splits(scope, name)]
    merges = [
        n for n, node in scope.elements.items() if len(scope.incoming.get(n, [])) > 1 and n not in joins and local(node) != "endEvent"
    ]
    budget = MAX_WORK // max(1, len(scope.elements))
    for split in splits:
        budget -= len(merges)
        if budget < 0:
            return
        for merge in merges:
            if merge != split and _unjoined(scope, split, merge, joins | {split, merge}):
                name = scope.elements[split].get("name") or split
                report.warn(
                    scope.elements[merge],
                    "unjoined",
                    f"“{name}”之后的并行分支没有汇聚就合到这里，后面会各走一遍。",
                    f"Parallel branches of {name!r} meet here without a join: what follows runs once for each.",
                )
                break


def _splits(scope: ScopeView, name: str) -> bool:
    """All outgoing flows are taken at once."""
    node, flows = scope.elements[name], scope.outgoing.get(name, [])
    if len(flows) < 2 or (local(node).endswith("Gateway") and local(node) != "parallelGateway"):
        return False
    return all(child_text(flow, "conditionExpression") is None for flow in flows)


def _unjoined(scope: ScopeView, split: str, merge: str, barrier: frozenset[str]) -> bool:
    """Two branches come in by two different flows."""
    sources = [flow.get("sourceRef") or "" for flow in scope.incoming[merge]]
    taken: list[set[int]] = []
    for flow in scope.outgoing[split]:
        target = flow.get("targetRef") or ""
        before = {split} if target == merge else scope.reachable({target}, barrier)
        ways = {i for i, source in enumerate(sources) if source in before}
        if ways:
            taken.append(ways)
    return len(taken) > 1 and len(set().union(*taken)) > 1
