"""A lint finding: one thing wrong in a resource that somebody wants to deploy. Shared by bpmn, dmn and forms."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Finding:
    """One problem, addressed so that an analyst finds the box: file, element id and name, line.

    `rule` is the stable rule id that the Modeler plug-in uses too. `message` is Chinese, `message_en` English.
    Errors stop a deployment; warnings and hints are shown.
    """

    rule: str
    severity: Literal["error", "warning", "hint"]
    message: str
    message_en: str
    resource: str = ""
    element_id: str = ""
    element_name: str = ""
    line: int = 0

    def __str__(self) -> str:
        where = f"{self.resource}:{self.line}" if self.line else self.resource
        named = f"{self.element_id}（{self.element_name}）" if self.element_name else self.element_id
        return f"{where} {named} [{self.rule}] {self.message}"
