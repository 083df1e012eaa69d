"""Provable deadlocks: a parallel join that waits for flows of which a split ever takes only one.

A parallel join is reported when some exclusive or event-based split lies on every path to it, and whichever branch is taken, at least one
of the join's incoming flows can be reached from no branch but another one. Branches that lead back before the split are looked at like the
others unless they also reach the join. Only certain cases are reported; a diagram without findings may still deadlock.
"""

from __future__ import annotations

from engine.bpmn.lint.findings import Report, ScopeView
from engine.bpmn.parser.xml import local

CHOOSING = ("exclusiveGateway", "eventBasedGateway")
MAX_PAIRS = 2_000
"""Pairs of split and join looked at in one scope: a drawn diagram has a few dozen, a generated one must not take minutes."""


def check_deadlocks(report: Report, scope: ScopeView) -> None:
    """Every parallel join of the scope."""
    splits = [n for n, node in scope.elements.items() if local(node) in CHOOSING and len(scope.outgoing.get(n, [])) > 1]
    budget = MAX_PAIRS
    for join, node in scope.elements.items():
        sources = [flow.get("sourceRef") or "" for flow in scope.incoming.get(join, [])]
        if local(node) != "parallelGateway" or len(sources) < 2:
            continue
        budget -= len(splits) + 1
        if budget < 0:
            return
        for split in splits:
            if _deadlocks(scope, split, join, sources):
                name = scope.elements[split].get("name") or split
                report.add(
                    node,
                    "deadlock",
                    f"并行汇聚在排他分支“{name}”之后：只会有一个分支到达，汇聚永远等不齐。",
                    f"The parallel join follows the exclusive split {split!r}: only one branch arrives, it waits for ever.",
                )
                break
        else:
            _check_self_wait(report, scope, join, sources)


def _deadlocks(scope: ScopeView, split: str, join: str, sources: list[str]) -> bool:
    if join in scope.reachable(set(scope.entries), frozenset({split})):
        return False
    barrier = frozenset({split, join})
    reaches_join = False
    for flow in scope.outgoing[split]:
        target = flow.get("targetRef") or ""
        if target == join:
            region: set[str] = set()
        else:
            region = scope.reachable({target}, barrier)
        fed = sum(1 for source in sources if source in region or (source == split and target == join))
        if fed == len(sources):
            return False
        if fed and _goes_back(scope, region, split):
            return False
        reaches_join = reaches_join or fed > 0
    return reaches_join


def _goes_back(scope: ScopeView, region: set[str], split: str) -> bool:
    return any(split in scope.successors.get(name, ()) for name in region)


def _check_self_wait(report: Report, scope: ScopeView, join: str, sources: list[str]) -> None:
    """A join one of whose flows can only come from behind itself, on the very first round."""
    before = scope.reachable(set(scope.entries), frozenset({join}))
    for source in sources:
        if source not in before and source in scope.reachable({join}):
            report.add(
                scope.elements[join],
                "deadlock",
                f"并行汇聚要等从它自己之后返回的流向（来自“{source}”），第一次就永远等不到。",
                f"The parallel join waits for a flow that comes back from behind itself (from {source!r}).",
            )
            return
