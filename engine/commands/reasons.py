"""The reason that a person gives for a change out of the ordinary: kept in the audit trail, so one bound holds for all of them."""

from __future__ import annotations

from engine.errors import Invalid

MAX_REASON = 2_000
"""Characters."""


def checked_reason(reason: str, most: int = MAX_REASON) -> str:
    """The reason without blanks around it, "" for none. Raises Invalid when it has more than `most` characters."""
    if len(reason) > most:
        raise Invalid(reason=f"理由不超过 {most} 字，现在有 {len(reason)} 字")
    return reason.strip()


def required_reason(reason: str, what: str, most: int = MAX_REASON) -> str:
    """The reason for `what` (words for people: 暂停流程), which cannot be done without one. Raises Invalid: none, or too long."""
    said = checked_reason(reason, most)
    if not said:
        raise Invalid(reason=f"{what}必须填写理由")
    return said
