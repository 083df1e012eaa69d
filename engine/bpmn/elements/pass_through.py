"""Undefined and manual tasks: nothing for the engine to do.

(Upstream's specs of these wait for a person, so they are not our base.) Activate, run and complete follow each other at once; io mappings, boundary events, loops and conditional flows work as on any activity.
"""

from __future__ import annotations

from engine.bpmn.kernel.element import Element


class UndefinedTask(Element):
    """bpmn:task."""


class ManualTask(Element):
    """bpmn:manualTask: people work outside the engine, which passes through (Camunda 8)."""
