"""Collects findings of one DMN file; every rule id of this package is used through here and starts with "dmn-"."""

from __future__ import annotations

from typing import Literal

from engine.dmn.model import Where
from engine.findings import Finding

Severity = Literal["error", "warning", "hint"]


class Findings:
    """A list of findings about `resource`."""

    def __init__(self, resource: str) -> None:
        self.resource = resource
        self.items: list[Finding] = []

    def add(self, rule: str, severity: Severity, where: Where, message: str, message_en: str) -> None:
        """Record one finding; `message` Chinese, `message_en` English."""
        self.items.append(Finding(f"dmn-{rule}", severity, message, message_en, self.resource, where.id, where.name, where.line))

    def error(self, rule: str, where: Where, message: str, message_en: str) -> None:
        """A finding that stops a deployment."""
        self.add(rule, "error", where, message, message_en)

    def warning(self, rule: str, where: Where, message: str, message_en: str) -> None:
        """A finding that is shown."""
        self.add(rule, "warning", where, message, message_en)

    def hint(self, rule: str, where: Where, message: str, message_en: str) -> None:
        """A finding that could not be decided, or advice."""
        self.add(rule, "hint", where, message, message_en)
