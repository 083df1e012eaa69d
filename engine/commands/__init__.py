"""The commands: one use case a file, `f(session, actor, ...)`; each runs inside a unit of work and never commits."""

from engine.commands.advance import advance
from engine.commands.calendar_changed import calendar_changed
from engine.commands.cancel_instance import cancel_instance
from engine.commands.claim_task import claim_task, unclaim_task
from engine.commands.complete_task import complete_task
from engine.commands.correlate_subscription import correlate_subscription, event_form, may_report
from engine.commands.deploy import Deployed, Deployment, check_resources, deploy
from engine.commands.evaluate_decision import evaluate_decision
from engine.commands.move_clock import move_clock
from engine.commands.publish_message import broadcast_signal, publish_message
from engine.commands.reschedule import reschedule
from engine.commands.resolve_incident import resolve_incident
from engine.commands.save_draft import save_draft
from engine.commands.start_instance import start_instance
from engine.commands.work_jobs import activate_jobs, complete_job, extend_job, fail_job, throw_job_error

__all__ = [
    "Deployed",
    "Deployment",
    "activate_jobs",
    "advance",
    "broadcast_signal",
    "calendar_changed",
    "cancel_instance",
    "check_resources",
    "claim_task",
    "complete_job",
    "complete_task",
    "correlate_subscription",
    "deploy",
    "evaluate_decision",
    "event_form",
    "extend_job",
    "fail_job",
    "may_report",
    "move_clock",
    "publish_message",
    "reschedule",
    "resolve_incident",
    "save_draft",
    "start_instance",
    "throw_job_error",
    "unclaim_task",
]
