"""User task.

Activate: assignee, candidate groups and users, due and follow-up date and priority are evaluated (a wrong type: EXTRACT_VALUE_ERROR);
then boundary events wait, the token is READY and the task is opened.
Complete: only when READY. The submitted variables are propagated, or stay local if there are output mappings. From here on the task is
closed as completed even if an output mapping or an outgoing condition fails: the incident is the engine's, the approval is given.
Signatures that were added (engine.bpmn.kernel.signing) come before that completion, or after it and before the output mappings.
Cancel: the task is closed as not completed.
Task listeners stand before and after these transitions: engine.bpmn.elements.task_listeners.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from engine.bpmn import spiff
from engine.bpmn.elements.task_listeners import (
    CHANGE,
    CORRECTIONS,
    HELD,
    SUBMITTED,
    go_on_changing,
    headers,
    hold,
    run_opening,
    tell_cancelled,
    typed,
)
from engine.bpmn.kernel import expressions
from engine.bpmn.kernel.element import Element
from engine.bpmn.kernel.failure import Parked, Step, StepFailed
from engine.bpmn.kernel.listeners import NOTE, run_listeners
from engine.bpmn.kernel.signing import open_after
from engine.bpmn.kernel.timers import parse_moment
from engine.bpmn.kernel.token import AT, Token
from engine.bpmn.kernel.variables import deliver
from engine.bpmn.spiff import READY
from engine.bpmn.vocabulary import Text
from engine.changes import UserTaskChanged, UserTaskClosed, UserTaskOpened

DEFAULT_PRIORITY = 50
DATE_LENGTH = len("2022-08-01")
LAST_SECOND = timedelta(days=1, seconds=-1)


class UserTask(Element, spiff.UserTask):
    """bpmn:userTask."""

    def prepare(self, token: Token) -> UserTaskOpened:
        assignment, form = self.ext.assignment, self.ext.form
        priority = assignment.priority
        return UserTaskOpened(
            token_id=token.id,
            element_id=self.bpmn_id,
            name=self.bpmn_name or self.bpmn_id,
            assignee=expressions.text(token, assignment.assignee) or None,
            candidate_groups=expressions.names(token, assignment.candidate_groups),
            candidate_users=expressions.names(token, assignment.candidate_users),
            due_date=self.due(token),
            follow_up_date=_moment(token, assignment.follow_up_date),
            priority=DEFAULT_PRIORITY if priority is None else expressions.integer(token, priority),
            form_id=form.form_id if form else None,
            form_binding=form.binding if form else "latest",
            form_version_tag=form.version_tag if form else None,
            external_form=expressions.text(token, form.external) if form else None,
            properties={name: expressions.property_text(token, value) for name, value in self.ext.properties.items()},
            loop_counter=_loop_counter(token),
        )

    def due(self, token: Token) -> datetime | None:
        """When the task is due, evaluated now; None without a schedule. Raises StepFailed."""
        return _moment(token, self.ext.assignment.due_date, end_of_day=True)

    def opening(self, token: Token, prepared: Any) -> bool:
        ext, note = self.ext, token.internal_data.get(NOTE)
        token.internal_data[AT] = int(Step.ACTIVATE)
        if (note is None or note[0] == "creating") and not run_listeners(token, "creating", ext.creating_listeners):
            return False
        return prepared.assignee is None or run_opening(token, ext.assigning_listeners)

    def activate(self, token: Token, prepared: Any) -> bool:
        for name, value in typed(token, token.internal_data.pop(CORRECTIONS, {})).items():
            setattr(prepared, name, value)
        token.workflow.process.changes.user_tasks.append(prepared)
        return True

    def submit(self, token: Token, variables: Mapping[str, Any]) -> None:
        """A person's result; before completing listeners it waits for their consent."""
        if self.ext.completing_listeners:
            token.remember(**{SUBMITTED: dict(variables)})
        else:
            deliver(token, variables)

    def finish(self, token: Token) -> None:
        try:
            super().finish(token)
        except (StepFailed, Parked):
            if "done" not in token.internal_data:
                hold(token)
            raise

    def completing(self, token: Token) -> None:
        if self.ext.completing_listeners and SUBMITTED in token.internal_data:
            corrected = typed(token, token.internal_data.get(CORRECTIONS, {}))
            deliver(token, token.internal_data[SUBMITTED])
            token.forget(SUBMITTED, CORRECTIONS, HELD)
            if corrected:
                token.workflow.process.changes.changed_user_tasks.append(UserTaskChanged(token.id, corrected))
        token.workflow.process.changes.closed_user_tasks.append(UserTaskClosed(token.id, completed=True))
        token.remember(done=1)
        open_after(token)

    def cancelled(self, token: Token) -> None:
        if token._state >= READY and "done" not in token.internal_data:
            token.workflow.process.close_user_task(token.id)
            tell_cancelled(token)

    def retry_change(self, token: Token) -> bool:
        if CHANGE not in token.internal_data:
            return False
        token.close_job()
        go_on_changing(token)
        return True

    def listener_headers(self, token: Token) -> dict[str, str]:
        return headers(token)

    def run_again(self, token: Token) -> None:
        if token._state < READY:
            self._update(token)


def _moment(token: Token, source: Text | None, *, end_of_day: bool = False) -> datetime | None:
    """A date-time for a schedule attribute; null means none, a date its midnight, or its last second when something is due then
    (a period's last day counts whole: 民法典 第二百零三条)."""
    written = expressions.text(token, source)
    if not written:
        return None
    try:
        moment = parse_moment(written, token.workflow.process.env.now().tzinfo)
        return moment + LAST_SECOND if end_of_day and len(written) == DATE_LENGTH else moment
    except ValueError as error:
        shown = source.text if source is not None else ""
        raise StepFailed(
            expressions.VALUE_ERROR, f"“{written}”不是日期或日期时间（ISO 8601）。", {"expression": shown, "result": written}
        ) from error


def _loop_counter(token: Token) -> int | None:
    counter = token.locals.json("loopCounter") if token.locals is not None and token.is_loop_member() else None
    return counter if isinstance(counter, int) else None
