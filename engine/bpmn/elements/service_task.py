"""Service task (bpmn:serviceTask; BPMN 2.0.2 §10.3.3).

A job (engine.bpmn.elements.job_task): its life, results, errors, incidents and cancellation are described there. Without a job type it is
passed through in plain BPMN files; lint refuses that.
"""

from __future__ import annotations

from engine.bpmn.elements.job_task import JobTask


class ServiceTask(JobTask):
    """bpmn:serviceTask."""
