"""Findings about a diagram, all at once, before anything is stored."""

from __future__ import annotations

from engine.bpmn.interface import Known
from engine.bpmn.parser import parse
from engine.errors import DeploymentRefused
from engine.findings import Finding


def lint(xml: bytes, resource: str, known: Known) -> list[Finding]:
    """Every finding, sorted."""
    try:
        parse(xml, resource)
    except DeploymentRefused as error:
        return list(error.findings)
    return []
