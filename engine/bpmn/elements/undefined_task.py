"""Undefined task (bpmn:task; BPMN 2.0.2 §10.3.3).

Nothing for the engine to do: activate, run and complete follow each other at once. Io mappings, listeners, boundary events, loops and
conditional flows work as on any activity. Upstream's spec waits for a person, so it is not the base here.
"""

from __future__ import annotations

from engine.bpmn.kernel.element import Element


class UndefinedTask(Element):
    """bpmn:task."""
