"""One command's work under one locked root: loads instances, lets them step, writes what changed and follows calls, ends and throws
through the tree of called instances until nothing is left to do."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import orjson
from sqlalchemy.orm import Session

from engine import clock
from engine.bpmn import Instance
from engine.changes import CallStarted, Changes, Undoing, UserTaskOpened
from engine.commands.environment import CommandEnvironment
from engine.commands.message_starts import free_start_key
from engine.commands.messages import insert_message, offer_after_commit
from engine.definitions import bound_key, process_definition, process_model
from engine.errors import LianbanError, Suspended
from engine.policy import Actor
from engine.runtime import runtime_of
from engine.store import audit, reads
from engine.store import changes as store
from engine.store.changes import InstanceRow
from engine.store.task_rows import Completion, OpenedForm


class CallFailed(LianbanError):
    """调用的流程“{process_id}”没有可用版本，或没有空启动事件。

    The called process "{process_id}" has no such version, or no none start event.
    """

    code = "called_process_missing"
    status = 409


@contextmanager
def aside(session: Session) -> Iterator[None]:
    """While another root is started in the middle of a command: what the command collected for its own instances waits for its own end."""
    kept = {name: session.info.pop(name) for name in ("root_run", "provided") if name in session.info}
    try:
        yield
    finally:
        session.info.pop("root_run", None)
        session.info.update(kept)


class RootRun:
    """Open it on a locked root (or a new one), act on instances, then call finish() once; discard it on any exception."""

    def __init__(self, session: Session, actor: Actor) -> None:
        self._session, self._actor, self._runtime = session, actor, runtime_of(session)
        self._rows: dict[int, InstanceRow] = {}
        self._live: dict[int, Instance] = {}
        self._pending: dict[int, None] = {}  # an ordered set
        self._now = clock.now()

    @classmethod
    def locked(cls, session: Session, actor: Actor, instance_key: int, *, suspended_too: bool = False) -> RootRun:
        """Lock the root of `instance_key`; waits a moment while another command works on the same case.

        Raises Suspended while the root is suspended, unless the command says that it may work on it then (`suspended_too`).
        """
        return cls.holding(session, actor, reads.lock_root(session, instance_key), suspended_too=suspended_too)

    @classmethod
    def holding(cls, session: Session, actor: Actor, root: InstanceRow, *others: InstanceRow, suspended_too: bool = False) -> RootRun:
        """The same on a root that is locked already; `others`: rows of its instances that were read under the lock."""
        if root.suspended_at is not None and not suspended_too:
            raise Suspended()
        run = cls(session, actor)
        run._rows = {row.key: row for row in (root, *others)}
        return run

    def forget_suspension(self) -> None:
        """The root was resumed in this very command."""
        for row in self._rows.values():
            row.suspended_at = None

    @classmethod
    def open_in(cls, session: Session, instance_key: int) -> RootRun | None:
        """The run that works on this instance's root in this very transaction, if a command is in the middle of one."""
        run: RootRun | None = session.info.get("root_run")
        if run is None:
            return None
        root_key = reads.instance_row(session, instance_key).root_key
        return run if any(row.root_key == root_key for row in run._rows.values()) else None

    # ------------------------------------------------------------------ instances
    def row(self, key: int) -> InstanceRow:
        """The row of an instance under this root."""
        if key not in self._rows:
            self._rows[key] = reads.instance_row(self._session, key)
        return self._rows[key]

    def instance(self, key: int) -> Instance:
        """The live instance, from the process's cache when its version is current, else built from its rows."""
        self._session.info["root_run"] = self
        self._pending[key] = None
        return self._loaded(key)

    def catches_error(self, key: int, token_id: int, code: str) -> bool:
        """Would an error from this open call be caught by the instance or one above it? Nothing is changed."""
        return self._loaded(key).catches_error(token_id, code)

    def _loaded(self, key: int) -> Instance:
        if key not in self._live:
            row = self.row(key)
            definition = process_definition(self._session, row.definition_key)
            environment = CommandEnvironment(self._session, row, definition.deployment_key, self._actor.username)
            found = self._runtime.instances.take(key, row.version)
            if found is None:
                state = reads.stored_state(self._session, row)
                found = Instance.load(process_model(self._session, row.definition_key), state, environment)
            found.env = environment
            self._live[key] = found
        return self._live[key]

    def start(
        self,
        definition_key: int,
        variables: dict[str, Any],
        *,
        business_id: str | None,
        owner: str | None,
        parent: tuple[InstanceRow, int] | None = None,
        start_element: str | None = None,
        start_at: Sequence[str] = (),
        until: Sequence[str] = (),
        start_key: str | None = None,
        undoing: Undoing | None = None,
    ) -> int:
        """Insert and start an instance (a root, or the child of `parent` = (row, token id)) -> its key. It runs until it waits.

        `start_at`: elements to begin at instead of a start event; `until`: elements whose end terminates it; `start_key`: the correlation
        key that may start only one at a time.
        """
        definition = process_definition(self._session, definition_key)
        parent_row, parent_token = parent if parent is not None else (None, None)
        values = {
            "root_key": parent_row.root_key if parent_row else None,
            "parent_key": parent_row.key if parent_row else None,
            "parent_token": parent_token,
            "definition_key": definition.key,
            "process_id": definition.process_id,
            "business_id": business_id,
            "owner": owner,
            "state": "ACTIVE",
            "version": 0,
            "header": b"",
            "incidents": 0,
            "started_at": self._now,
            "started_by": self._actor.username,
            "start_key": start_key,
        }
        key = store.insert_instance(self._session, values)
        root_key = parent_row.root_key if parent_row else key
        row = InstanceRow(
            key=key,
            root_key=root_key,
            parent_key=parent_row.key if parent_row else None,
            parent_token=parent_token,
            definition_key=definition.key,
            process_id=definition.process_id,
            business_id=business_id,
            owner=owner,
            state="ACTIVE",
            version=0,
            header=b"",
            incidents=0,
            start_key=start_key,
        )
        self._rows[key] = row
        environment = CommandEnvironment(self._session, row, definition.deployment_key, self._actor.username)
        self._session.info["root_run"] = self
        model = process_model(self._session, definition.key)
        if undoing is not None:
            self._live[key] = Instance.undo(model, variables, undoing.records, environment)
        elif start_at:
            self._live[key] = Instance.start_at(model, variables, environment, start_at, until=until)
        else:
            called = parent is not None
            self._live[key] = Instance.start(model, variables, environment, start_element=start_element, called=called, until=until)
        self._pending[key] = None
        return key

    def replace(self, key: int, instance: Instance) -> None:
        """Go on with another live object: the same instance on another process model."""
        self._live[key] = instance
        self._pending[key] = None

    # ------------------------------------------------------------------ writing and following
    def finish(self, completion: Completion | None = None) -> None:
        """Write everything that changed and follow it to other instances under the root, until nothing is pending.

        `completion` names who completed the user task that started this; it applies to the first instance written.
        """
        touched: set[int] = set()
        while self._apply_provided() or self._pending:
            key = next(iter(self._pending), None)
            if key is None:
                continue
            del self._pending[key]
            row, live = self.row(key), self._live[key]
            changes, was_due = live.take_changes(), row.next_due_at
            forms = {task.token_id: self.form(row, task) for task in changes.user_tasks if task.form_id}
            missing = [task for task in changes.user_tasks if task.form_id and forms[task.token_id].key is None]
            store.write(self._session, row, changes, self._now, self._actor.username, completion, forms)
            completion = None
            touched.add(key)
            self._follow(row, changes)
            if row.next_due_at is not None and row.next_due_at != was_due and changes.state == "ACTIVE":
                self._runtime.jobs.enqueue_at(self._session, "advance", row.key, row.next_due_at - clock.offset())
            for task in missing:
                live.raise_incident(task.token_id, "FORM_NOT_FOUND", f"没有部署表单“{task.form_id}”", {"formId": task.form_id})
                self._pending[key] = None
        self._session.info.pop("root_run", None)
        self._publish(touched)

    def provide(self, key: int, values: dict[str, Any], where: dict[str, Any]) -> None:
        """Before this run ends, give values to an instance and those it called that have the variables `where`, and to their timers."""
        self._session.info.setdefault("provided", []).append((key, values, where))

    def _apply_provided(self) -> bool:
        """Give out what was provided (a handler provides while its instance runs, so it waits until here); False when there was nothing."""
        provided = self._session.info.pop("provided", [])
        for key, values, where in provided:
            for each in reads.active_below(self._session, self.row(key).root_key, key):
                if where and not self._has(each, where):
                    continue
                live = self.instance(each)
                if live.state == "ACTIVE":
                    live.refresh_timers(values)
        return bool(provided)

    def _has(self, key: int, where: dict[str, Any]) -> bool:
        """Whether the process scope of an instance has these values; one that is not live is not loaded for it."""
        if key in self._live:
            own = self._live[key].variables()
        else:
            stored = reads.variable_rows(self._session, key)
            own = {name: orjson.loads(value) for scope, name, value in stored if scope == 0 and name in where}
        return all(own.get(name) == value for name, value in where.items())

    def _publish(self, touched: set[int]) -> None:
        info = self._session.info
        for key in touched:
            row = self._rows[key]
            if row.state == "ACTIVE":
                info["published"].append((key, row.version, self._live[key]))
            if row.business_id is not None:
                info["changed"].add(row.business_id)

    def form(self, row: InstanceRow, task: UserTaskOpened) -> OpenedForm:
        """The form version that a task of this instance is bound to."""
        definition = process_definition(self._session, row.definition_key)
        key = bound_key(self._session, "form", task.form_id or "", task.form_binding, definition.deployment_key, task.form_version_tag)
        return OpenedForm(key)

    def _follow(self, row: InstanceRow, changes: Changes) -> None:
        for call in changes.calls:
            self._call(row, call)
        for token in changes.cancelled_calls:
            child = reads.child_of(self._session, row.key, token)
            if child is not None:
                self.instance(child).cancel()
        for job in changes.jobs:
            key = store.write_job(self._session, row, job, self._now)
            if self._runtime.handlers.get(job.type) is not None:
                self._runtime.jobs.enqueue(self._session, "run_job", key)
        for signal in changes.signals:
            self._send_signal(row, signal.name, signal.variables)
        for opened in changes.subscriptions:
            offer_after_commit(self._session, row.process_id, opened.message_name, opened.correlation_key)
        if changes.state != "ACTIVE" or changes.uncaught:
            self._tell_parent(row, changes)

    def _call(self, row: InstanceRow, call: CallStarted) -> None:
        if call.undoing is not None:
            key, parent = call.undoing.definition_key, (row, call.token_id)
            self.start(key, call.variables, business_id=row.business_id, owner=row.owner, parent=parent, undoing=call.undoing)
            return
        definition = process_definition(self._session, row.definition_key)
        called = bound_key(self._session, "process", call.process_id, call.binding, definition.deployment_key, call.version_tag)
        if called is None or not process_model(self._session, called).has_none_start:
            error = CallFailed(process_id=call.process_id)
            self.instance(row.key).raise_incident(
                call.token_id, "CALLED_ELEMENT_ERROR", error.message(), {"processId": call.process_id, "binding": call.binding}
            )
            return
        self.start(
            called,
            call.variables,
            business_id=call.business_id or row.business_id,
            owner=row.owner,
            parent=(row, call.token_id),
        )

    def _tell_parent(self, row: InstanceRow, changes: Changes) -> None:
        if changes.state != "ACTIVE":
            free_start_key(self._session, row)
            audit.record(
                self._session,
                self._actor,
                "instance.completed" if changes.state == "COMPLETED" else "instance.terminated",
                root_key=row.root_key,
                instance_key=row.key,
                business_id=row.business_id,
            )
        if row.parent_key is None or row.parent_token is None:
            return
        parent_row = self.row(row.parent_key)
        if parent_row.state != "ACTIVE":
            return
        parent = self.instance(row.parent_key)
        for thrown in changes.uncaught:
            if not parent.is_calling(row.parent_token):
                return  # an escalation before this one has interrupted the call
            parent.call_failed(row.parent_token, thrown)
        if changes.state == "COMPLETED" and parent.is_calling(row.parent_token):
            undoing = Undoing(row.definition_key, changes.compensation) if changes.compensation else None
            parent.call_completed(row.parent_token, changes.result or {}, undoing)

    def _send_signal(self, row: InstanceRow, name: str, variables: dict[str, Any]) -> None:
        insert_message(self._session, self._actor, "signal", name, "", variables, source_key=row.key)
