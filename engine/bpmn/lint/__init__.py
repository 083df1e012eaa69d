"""Findings about a diagram, all at once, before anything is stored. Nothing unsupported is dropped silently: it is named here."""

from __future__ import annotations

from engine.bpmn.interface import Known
from engine.bpmn.lint.bindings import check_bindings
from engine.bpmn.lint.deadlock import check_deadlocks
from engine.bpmn.lint.findings import Report, scopes
from engine.bpmn.lint.joining import check_joining
from engine.bpmn.lint.loops import check_loops
from engine.bpmn.lint.names import check_names
from engine.bpmn.lint.positions import check_positions
from engine.bpmn.lint.return_policy import check_return_policy
from engine.bpmn.lint.structure import check_ids, check_scope
from engine.bpmn.parser import parse
from engine.bpmn.parser.xml import BPMN, Refused, read_xml
from engine.errors import DeploymentRefused
from engine.findings import Finding

ORDER = {"error": 0, "warning": 1, "hint": 2}


def lint(xml: bytes, resource: str, known: Known | None = None) -> list[Finding]:
    """Every finding about a file, errors first, then by line. `known` names what exists outside (None: do not check).

    An empty list, or one without errors, means that `parse` will accept the file.
    """
    try:
        root = read_xml(xml, resource)
    except Refused as error:
        return [error.finding]
    report = Report(root, resource, known or Known())
    check_ids(report)
    processes = root.findall(BPMN + "process")
    if not any(process.get("isExecutable", "true") == "true" for process in processes):
        report.add(None, "executable", "文件中没有可执行的流程。", "The file has no executable process.")
    for process in processes:
        if process.get("isExecutable", "true") != "true":
            continue
        if not process.get("id"):
            report.add(process, "id", "流程没有 id。", "The process has no id.")
        for scope in scopes(process):
            check_scope(report, scope)
            check_positions(report, scope)
            check_deadlocks(report, scope)
            check_joining(report, scope)
            check_names(report, scope)
        check_bindings(report, process)
        check_loops(report, process)
        check_return_policy(report, process)
    _check_parse(report, xml)
    return sorted(set(report.found), key=lambda f: (ORDER[f.severity], f.line, f.element_id, f.rule, f.message))


def _check_parse(report: Report, xml: bytes) -> None:
    """What only the parser sees, unless the element has an error already."""
    try:
        parse(xml, report.resource)
    except DeploymentRefused as error:
        blamed = {finding.element_id for finding in report.found if finding.severity == "error"}
        report.found.extend(finding for finding in error.findings if finding.rule == "nesting" or finding.element_id not in blamed)
