"""Cancel events (BPMN 2.0.2 §10.5.5): cancel end event inside a transaction, cancel boundary event on it. See also
engine.bpmn.elements.transaction and compensation.

The end event cancels what is still open in its scope, starts the compensation handlers of what completed there, and when they are done the
transaction's cancel boundary event goes on in the transaction's place.
"""

from __future__ import annotations

from engine.bpmn.kernel.token import Token
from engine.bpmn.spiff import WAITING


def transaction_cancelled(token: Token) -> bool:
    """The handlers are done: let the cancel boundary event go on, that of the whole loop if the transaction is repeated. False when there
    is none."""
    owner = token.workflow.owner
    for host in () if owner is None else (owner, owner.container()):
        for child_id in sorted(host._children) if host is not None else ():
            child = token.workflow.process.tokens[child_id]
            if child._state == WAITING and child.task_spec.catches("cancel", None, child):
                child.task_spec.occurred(child, {}, repeat=False)
                return True
    return False
