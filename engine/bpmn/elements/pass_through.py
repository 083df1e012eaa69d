"""Undefined and manual tasks: nothing for the engine to do.

Activate, run and complete follow each other at once; io mappings, boundary events, loops and conditional flows work as on any activity.
Upstream's specs of these wait for a person, so they are not the base here.
"""

from __future__ import annotations

from engine.bpmn.kernel.element import Element


class UndefinedTask(Element):
    """bpmn:task."""


class ManualTask(Element):
    """bpmn:manualTask: people work outside the engine, which passes through (Camunda 8)."""
