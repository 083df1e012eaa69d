"""BPMN: parse and lint diagrams, run instances. The only part of the engine that knows SpiffWorkflow."""

from engine.bpmn.instance import Instance
from engine.bpmn.interface import Completed, Denied, Environment, Failed, Known, Outcome, Pending, Thrown, TokenInfo
from engine.bpmn.kernel.placing import Activation, Modification, Move, Termination
from engine.bpmn.kernel.signing import Signer
from engine.bpmn.kernel.withdrawal import Withdrawal
from engine.bpmn.lint import lint
from engine.bpmn.model import ElementInfo, MessageStart, ProcessModel, SignalStart, TimerStart
from engine.bpmn.parser import lines, parse

__all__ = [
    "Activation",
    "Completed",
    "Denied",
    "ElementInfo",
    "Environment",
    "Failed",
    "Instance",
    "Known",
    "MessageStart",
    "Modification",
    "Move",
    "Outcome",
    "Pending",
    "ProcessModel",
    "SignalStart",
    "Signer",
    "Termination",
    "Thrown",
    "TimerStart",
    "TokenInfo",
    "Withdrawal",
    "lines",
    "lint",
    "parse",
]
