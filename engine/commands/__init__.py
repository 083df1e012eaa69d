"""The commands: one use case a file, `f(session, actor, ...)`; each runs inside a unit of work and never commits."""

from engine.commands.activate_ad_hoc import activate_ad_hoc
from engine.commands.add_sign import Asked, add_sign
from engine.commands.advance import advance
from engine.commands.assign_task import assign_task, update_task
from engine.commands.batches import batch_of_request, batch_progress, cancel_batch, create_batch, pause_batch, resume_batch, run_batch
from engine.commands.calendar_changed import calendar_changed
from engine.commands.cancel_instance import cancel_instance
from engine.commands.change_task import change_task
from engine.commands.claim_task import claim_task, unclaim_task
from engine.commands.complete_task import complete_task
from engine.commands.correlate_subscription import correlate_subscription, event_form, may_report
from engine.commands.deploy import Deployed, Deployment, check_resources, deploy
from engine.commands.evaluate_conditionals import evaluate_conditionals
from engine.commands.evaluate_decision import evaluate_decision
from engine.commands.follow_calendar import follow_calendar, roots_that_count
from engine.commands.jump_to_element import jump_to_element
from engine.commands.migrate_instance import migrate_instance, read_migration
from engine.commands.modify_instance import modify_instance, read_modification
from engine.commands.move_clock import move_clock
from engine.commands.plan_migration import MigrationPlan, Trial, plan_migration, suggest_mapping, try_migration
from engine.commands.publish_message import broadcast_signal, publish_message
from engine.commands.reevaluate_conditions import WaitingCondition, reevaluate_conditions, waiting_conditions
from engine.commands.remove_sign import remove_sign
from engine.commands.reschedule import reschedule
from engine.commands.resolve_incident import resolve_incident
from engine.commands.resume_instance import resume_instance
from engine.commands.return_task import ReturnTarget, return_targets, return_task
from engine.commands.save_draft import save_draft
from engine.commands.set_variables import set_variables
from engine.commands.start_instance import start_instance
from engine.commands.suspend_instance import suspend_instance
from engine.commands.undo_migration import MigrationRecord, Undoable, list_migrations, undo_migration, undoable_of_batch
from engine.commands.withdraw_task import withdraw_task, withdrawable
from engine.commands.work_jobs import activate_jobs, complete_job, extend_job, fail_job, release_job, throw_job_error

__all__ = [
    "Asked",
    "Deployed",
    "Deployment",
    "MigrationPlan",
    "MigrationRecord",
    "ReturnTarget",
    "Trial",
    "Undoable",
    "WaitingCondition",
    "activate_ad_hoc",
    "activate_jobs",
    "add_sign",
    "advance",
    "assign_task",
    "batch_of_request",
    "batch_progress",
    "broadcast_signal",
    "calendar_changed",
    "cancel_batch",
    "cancel_instance",
    "change_task",
    "check_resources",
    "claim_task",
    "complete_job",
    "complete_task",
    "correlate_subscription",
    "create_batch",
    "deploy",
    "evaluate_conditionals",
    "evaluate_decision",
    "event_form",
    "extend_job",
    "fail_job",
    "follow_calendar",
    "jump_to_element",
    "list_migrations",
    "may_report",
    "migrate_instance",
    "modify_instance",
    "move_clock",
    "pause_batch",
    "plan_migration",
    "publish_message",
    "read_migration",
    "read_modification",
    "reevaluate_conditions",
    "release_job",
    "remove_sign",
    "reschedule",
    "resolve_incident",
    "resume_batch",
    "resume_instance",
    "return_targets",
    "return_task",
    "roots_that_count",
    "run_batch",
    "save_draft",
    "set_variables",
    "start_instance",
    "suggest_mapping",
    "suspend_instance",
    "throw_job_error",
    "try_migration",
    "unclaim_task",
    "undo_migration",
    "undoable_of_batch",
    "update_task",
    "waiting_conditions",
    "withdraw_task",
    "withdrawable",
]
