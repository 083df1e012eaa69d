"""The property `returnPolicy` (退回): where it stands and what it says. A mistyped one would silently forbid every return."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.bpmn.lint.findings import Report
from engine.bpmn.parser.extensions import read_properties
from engine.bpmn.parser.xml import is_bpmn, local

if TYPE_CHECKING:
    from lxml.etree import _Element as XmlElement

NAME = "returnPolicy"
PLACES = frozenset(("process", "userTask", "subProcess", "adHocSubProcess", "transaction"))
WORDS = frozenset(("branch", "all"))


def check_return_policy(report: Report, process: XmlElement) -> None:
    """The process and every element in it."""
    for node in process.iter():
        if not is_bpmn(node) or node.get("id") is None:
            continue
        written = read_properties(node).get(NAME)
        if written is not None:
            _check(report, node, written)


def _check(report: Report, node: XmlElement, written: str) -> None:
    words = {word.strip() for word in written.split(",")}
    if local(node) not in PLACES:
        chinese = "returnPolicy 只对用户任务、子流程和流程有效。"
        report.add(node, "return-policy", chinese, "returnPolicy counts on user tasks, subprocesses and processes only.", "warning")
    elif words != {"none"} and not words <= WORDS:
        chinese = f"returnPolicy“{written}”应为 branch、all、branch,all 或 none。"
        report.add(node, "return-policy", chinese, f'returnPolicy "{written}" must be branch, all, branch,all or none.')
