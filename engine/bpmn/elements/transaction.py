"""Transaction (bpmn:transaction; BPMN 2.0.2 §10.3.5, §13.4.7; plain BPMN files only).

As an embedded subprocess. A cancel end event inside cancels what is still open in it, runs the compensation handlers of what completed in
it, and then the transaction is left by its cancel boundary event; without one the cancel end event just ends. A hazard (an error that
nobody inside catches) leaves it as any subprocess, uncompensated.
"""

from __future__ import annotations

from engine.bpmn import spiff
from engine.bpmn.elements.subprocess import ScopeElement


class Transaction(ScopeElement, spiff.TransactionSubprocess):
    """bpmn:transaction."""
