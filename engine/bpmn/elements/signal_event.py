"""Signal events (BPMN 2.0.2 §10.5.5): start of a process, intermediate catch and throw, end, boundary and event subprocess start.

Throw: every catch event of the instance that waits for this name fires at once, before the thrower goes on; other instances get it after
the commit. The content is the throwing event's local variables (its input mappings).
Catch: as many events as wait; not interrupting: again and again. A thrower that is cancelled by what it threw does nothing more.
"""

from __future__ import annotations

from engine.bpmn.kernel import expressions
from engine.bpmn.kernel.token import Token
from engine.bpmn.kernel.variables import local_json
from engine.bpmn.vocabulary import Text


def throw_signal(token: Token, name: Text) -> None:
    """Raises StepFailed when the name is not a text."""
    token.workflow.process.throw_signal(expressions.required_text(token, name), local_json(token))
