"""Link events (BPMN 2.0.2 §10.5.5): intermediate throw and catch; a sequence flow that is not drawn.

The parser connects every throw with the catch of the same name in the same scope; a token passes both and history names them. Several
throws may lead to one catch; two catches of one name, or a throw without a catch, are refused. A loop over links is a loop.
"""

from __future__ import annotations

from engine.bpmn.vocabulary import Trigger


def is_link(trigger: Trigger | None) -> bool:
    """Is this half of a link?"""
    return trigger is not None and trigger.kind == "link"
