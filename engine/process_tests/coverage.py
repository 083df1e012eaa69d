"""Path coverage of a diagram: which flow nodes were gone through and which sequence flows were taken."""

from __future__ import annotations

from dataclasses import dataclass, field

from engine.bpmn import ProcessModel


@dataclass
class Coverage:
    """Counts how often each element and flow of a process was gone through, over any number of scenarios."""

    model: ProcessModel
    visits: dict[str, int] = field(default_factory=dict)

    def visit(self, part: str) -> None:
        """An element was gone through, or a flow taken."""
        self.visits[part] = self.visits.get(part, 0) + 1

    @property
    def parts(self) -> list[str]:
        """Every flow node and sequence flow of the diagram."""
        return [*self.model.elements, *(flow for flows in self.model.flows.values() for flow, _target in flows)]

    @property
    def missed(self) -> list[str]:
        """What no scenario went through."""
        return [part for part in self.parts if part not in self.visits]

    @property
    def percent(self) -> float:
        """Share of the parts that were gone through, 0 to 100; never rounded up to 100."""
        total, missed = len(self.parts), len(self.missed)
        return 100.0 if not missed else min(99.9, round(100 * (total - missed) / total, 1))
