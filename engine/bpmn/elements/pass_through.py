"""Undefined and manual tasks: nothing for the engine to do.

Activate, run and complete follow each other at once; io mappings, boundary events, loops and conditional flows work as on any activity.
"""

from __future__ import annotations

from engine.bpmn import spiff
from engine.bpmn.kernel.element import Element


class UndefinedTask(Element, spiff.NoneTask):
    """bpmn:task."""


class ManualTask(Element, spiff.NoneTask):
    """bpmn:manualTask: people work outside the engine, which passes through (Camunda 8)."""
