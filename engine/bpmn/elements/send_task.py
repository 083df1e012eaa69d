"""Send task (bpmn:sendTask; BPMN 2.0.2 §10.3.3).

A job like a service task; the engine brings the job type `publish_message` for it (inputs messageName, correlationKey, messageVariables),
whose message is delivered after the commit.
"""

from __future__ import annotations

from engine.bpmn.elements.job_task import JobTask


class SendTask(JobTask):
    """bpmn:sendTask."""
