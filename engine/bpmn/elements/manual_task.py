"""Manual task (bpmn:manualTask; BPMN 2.0.2 §10.3.3).

People work outside the engine, which passes through (Camunda 8): as an undefined task. Whoever wants to be told models a user task.
"""

from __future__ import annotations

from engine.bpmn.kernel.element import Element


class ManualTask(Element):
    """bpmn:manualTask."""
