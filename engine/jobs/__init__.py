"""Work that leaves the diagram: handlers (Python functions behind job types) and the job engine behind a small port."""

from engine.jobs.port import JobPort
from engine.jobs.registry import BpmnError, Handler, HandlerRegistry, JobContext

__all__ = ["BpmnError", "Handler", "HandlerRegistry", "JobContext", "JobPort"]
