"""BPMN: parse and lint diagrams, run instances. The only part of the engine that knows SpiffWorkflow."""

from engine.bpmn.instance import Instance
from engine.bpmn.interface import Completed, Environment, Failed, Known, Outcome, Pending, Thrown, TokenInfo
from engine.bpmn.lint import lint
from engine.bpmn.model import ElementInfo, MessageStart, ProcessModel, SignalStart, TimerStart
from engine.bpmn.parser import lines, parse

__all__ = [
    "Completed",
    "ElementInfo",
    "Environment",
    "Failed",
    "Instance",
    "Known",
    "MessageStart",
    "Outcome",
    "Pending",
    "ProcessModel",
    "SignalStart",
    "Thrown",
    "TimerStart",
    "TokenInfo",
    "lines",
    "lint",
    "parse",
]
