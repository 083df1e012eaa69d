"""A task that is a job: service and send tasks, script and business rule tasks with a job type, and message throw events.

Activate: as every activity. Run: the job (type, retries, priority, headers, the visible variables) is handed to the host's `perform`.
Done at once: the result is propagated like a user task's and the token completes. Pending: the token stays STARTED until `complete_job`,
`throw_error` or `raise_incident`. A thrown BPMN error goes to the catching event; a failure is the incident JOB_NO_RETRIES, and `retry`
opens a new job.
Cancel: a pending job is closed.
"""

from __future__ import annotations

from engine.bpmn import spiff
from engine.bpmn.interface import Completed, Denied, Failed, Pending
from engine.bpmn.kernel import expressions
from engine.bpmn.kernel.element import Element
from engine.bpmn.kernel.failure import BpmnThrow, StepFailed
from engine.bpmn.kernel.token import Token
from engine.bpmn.kernel.variables import deliver, visible_json
from engine.bpmn.vocabulary import JOB_PRIORITIES, JobDefinition, Text
from engine.changes import JobOpened

DEFAULT_RETRIES = 3


def job_of(token: Token, definition: JobDefinition) -> JobOpened:
    """The job that an element opens now. Raises StepFailed."""
    element = token.task_spec
    return JobOpened(
        token_id=token.id,
        element_id=element.bpmn_id,
        type=expressions.required_text(token, definition.type),
        retries=DEFAULT_RETRIES if definition.retries is None else expressions.integer(token, definition.retries),
        priority=_priority(token, definition.priority),
        headers=dict(definition.headers),
        variables=visible_json(token),
        properties=dict(element.ext.properties),
    )


def _priority(token: Token, source: Text | None) -> int:
    """A whole number of 32 bits, 0 without one."""
    if source is None:
        return 0
    priority = expressions.integer(token, source)
    if priority not in JOB_PRIORITIES:
        raise expressions.mismatch(token, source, priority, "32 位整数")
    return priority


def do_job(token: Token, definition: JobDefinition) -> bool | None:
    """Hand a job to the host: True = done, None = pending. Raises BpmnThrow or StepFailed."""
    job = job_of(token, definition)
    process = token.workflow.process
    outcome = process.env.perform(job)
    if isinstance(outcome, Completed):
        deliver(token, outcome.variables)
        return True
    if isinstance(outcome, Pending):
        process.changes.jobs.append(job)
        token.remember(job=1)
        return None
    if isinstance(outcome, Failed):
        details = {"type": job.type, **outcome.details}
        raise StepFailed("JOB_NO_RETRIES", outcome.message, details)
    if isinstance(outcome, Denied):
        raise StepFailed("JOB_NO_RETRIES", f"只有任务监听器能拒绝：{outcome.reason}", {"type": job.type})
    raise BpmnThrow(outcome.code, outcome.message, outcome.variables)


class JobTask(Element, spiff.ServiceTask):
    """A task that a handler or worker does; without a job type it is passed through (plain BPMN files only)."""

    def perform(self, token: Token) -> bool | None:
        return True if self.ext.job is None else do_job(token, self.ext.job)

    def run_again(self, token: Token) -> None:
        token.close_job()
        super().run_again(token)
