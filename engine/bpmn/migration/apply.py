"""Migrating one live instance: check it against a plan, rewrite its rows, open and close what waits. Changes nothing outside itself.

Kept as it is (Camunda 8.9): element instance keys, variables and their scopes, claimed tasks, pending jobs, incidents and the step they
stopped at, due dates, message and signal subscriptions, the tokens that wait at joins, called instances, loop counters.
After any refusal the caller discards the instance.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import orjson

from engine.bpmn import state as rows
from engine.bpmn.elements.catch_event import CatchingElement, Wait
from engine.bpmn.elements.job_task import job_of
from engine.bpmn.elements.user_task import UserTask
from engine.bpmn.instance import Instance
from engine.bpmn.kernel import listeners
from engine.bpmn.kernel.failure import StepFailed
from engine.bpmn.kernel.process import Process
from engine.bpmn.kernel.signing import SIGN
from engine.bpmn.kernel.token import Token, in_order
from engine.bpmn.migration.joins import Starving, flows_ahead, starving_joins
from engine.bpmn.migration.obstacles import failed_expression, is_waiting_catch, obstacles, refuse
from engine.bpmn.migration.plan import Plan, finding
from engine.bpmn.migration.rewrite import Rewriter
from engine.bpmn.spiff import READY, STARTED, WAITING
from engine.changes import ElementEvent, JobOpened, StoredState, SubscriptionOpened, UserTaskOpened
from engine.findings import Finding

if TYPE_CHECKING:
    from collections.abc import Iterable

    from engine.bpmn.kernel.scope import Scope
    from engine.bpmn.model import ProcessModel


@dataclass(slots=True)
class Migrated:
    """The instance on its new model. Its changes are still to be taken; beside them the store rewrites what the rest says.

    `renamed`: element ids that rows of tasks, jobs, subscriptions and incidents carry -> the new ones; `tasks` and `jobs`: what open ones
    become when they are refreshed; `waits`: name, properties and kind of the message subscriptions that were kept. `side_effects`: the
    migration itself set something in motion that nothing brings back (a step was done, a called instance was cancelled).
    """

    instance: Instance
    renamed: dict[str, str]
    tasks: list[UserTaskOpened] = field(default_factory=list)
    jobs: list[JobOpened] = field(default_factory=list)
    waits: list[SubscriptionOpened] = field(default_factory=list)
    side_effects: bool = False


def migrate(instance: Instance, target: ProcessModel, plan: Plan) -> Migrated:
    """Move a live instance to `target`. Raises MigrationRefused with every finding; the instance is then to be discarded."""
    return _Migration(instance, target, plan).run()


class _Migration:
    def __init__(self, instance: Instance, target: ProcessModel, plan: Plan) -> None:
        self.instance, self.old, self.target, self.plan = instance, instance._process, target, plan
        self.rewriter = Rewriter(instance.model, target, plan.mapping, plan.flows)
        self.wanted = {name for name in plan.mapping.values() if name is not None}

    def run(self) -> Migrated:
        refuse(obstacles(self.instance, self.rewriter, self.plan))
        starved = {self._new_key(join) for join in starving_joins(self.old)}
        self._cancel()
        self._close_catches()
        self._splice()
        process = self._rebuild()
        self._record_renamed(process)
        kept = [token for _, token in sorted(process.tokens.items()) if token.live]
        try:
            self._open_catches(process)
            self._open_branches(process)
            migrated = self._refresh(process, kept)
        except StepFailed as failure:
            raise failed_expression(failure) from failure
        process.run_command(None)
        refuse([*self._starving(process, starved), *self._emptied(process), *self._incidents(process)])
        self._settle(migrated, process)
        return migrated

    # ------------------------------------------------------------------ on the old model
    def _new_key(self, join: Starving) -> tuple[int, str]:
        scope, gateway = join.key
        return scope, self.rewriter.id(gateway) or ""

    def _cancel(self) -> None:
        """Cancel what is mapped to None, outermost first."""
        for token in in_order(dict(self.old.tokens)):
            alive = token.id in self.old.tokens and token.live and not token.task_spec.listens
            if alive and token.task_spec.bpmn_id in self.plan.mapping and self.rewriter.element(token.task_spec) is None:
                token.cancel()

    def _close_catches(self) -> None:
        """Close boundary events and event subprocesses that have no target (or are to wait anew)."""
        for token in in_order(dict(self.old.tokens)):
            if is_waiting_catch(token) and self.rewriter.element(token.task_spec) is None:
                token.workflow.cancel_tree(token, keep_parent=True)

    def _splice(self) -> None:
        """Take out finished branching points whose element is gone: their children hang under what is above them."""
        for token in in_order(dict(self.old.tokens)):
            if not token.live and self.rewriter.element(token.task_spec) is None and token._parent is not None:
                scope = token.workflow
                parent = scope.tasks[token._parent]
                for child_id in sorted(token._children):
                    scope.tasks[child_id].reparent(parent)
                parent._children.pop(token.id, None)
                scope.remove(token)

    # ------------------------------------------------------------------ on the new model
    def _rebuild(self) -> Process:
        """The same tokens on the new model. What the old one recorded goes on being recorded."""
        old = self.old
        tokens = [token for _, token in sorted(old.tokens.items()) if token.id > 0]
        variables = [(0, name, raw) for name, raw in old.variables.raw.items()]
        variables += [(t.id, name, raw) for t in tokens if t.locals is not None for name, raw in t.locals.raw.items()]
        header = orjson.loads(rows.header_row(old))
        header[4] = self.rewriter.scope_notes(old.header_notes) or 0
        stored = StoredState(orjson.dumps(header), [self._row(token) for token in tokens], variables)
        process = rows.restore(self.target.spec, stored, old.env, old.step_limit)
        process.changes, process.changed_names, process.saved_id = old.changes, {}, old.saved_id
        process.dirty = dict(process.tokens)
        return process

    def _row(self, token: Token) -> bytes:
        element = self.rewriter.element(token.task_spec)
        assert element is not None, token.task_spec.name  # `obstacles` refused it, or it was cancelled or spliced out
        row = orjson.loads(rows.token_row(token))
        row[3], row[5] = element.name, self.rewriter.flow(token.task_spec, token.flow, element)
        row[6] = self.rewriter.internal(token) or 0
        return orjson.dumps(row)

    def _record_renamed(self, process: Process) -> None:
        """The history goes on under the new element ids."""
        before = {token_id: token.task_spec.bpmn_id for token_id, token in self.old.tokens.items()}
        for token_id, token in sorted(process.tokens.items()):
            shown = token.live and not is_waiting_catch(token)
            if shown and before[token_id] != token.task_spec.bpmn_id:
                process.changes.history.append(ElementEvent(token_id, "migrated", token.task_spec.bpmn_id, token.scope_id()))

    def _open_catches(self, process: Process) -> None:
        """Open the catch events of the new model that nothing was mapped to."""
        for scope in (process, *list(process.subprocesses.values())):
            for name in scope.spec.event_subprocesses:
                listener = scope.elements()[name]
                is_handler = listener.trigger is not None and listener.trigger.kind == "compensate"
                if name not in self.wanted and not is_handler and not scope.completed:
                    token = Token(scope, listener, scope.task_tree)
                    scope.listeners[token.id] = token
                    listener._update(token)
        for host in in_order(dict(process.tokens)):
            if host._state in (WAITING, READY, STARTED) and not host.task_spec.listens and SIGN not in host.internal_data:
                for name in host.task_spec.boundary:
                    if name not in self.wanted and host.live:
                        event = Token(host.workflow, host.workflow.elements()[name], host)
                        event.task_spec._update(event)

    def _open_branches(self, process: Process) -> None:
        """Put a token on each added branch without which a join would starve."""
        names = self.plan.instructions.branches
        for join in starving_joins(process) if names else []:
            elements = join.scope.elements()
            missing = set(join.missing)
            for name in names:
                ahead = flows_ahead(elements[name], join.gateway) if name in elements else set()
                if ahead & missing:
                    missing -= ahead
                    fresh = Token(join.scope, elements[name], join.scope.task_tree)
                    fresh.task_spec._update(fresh)

    # ------------------------------------------------------------------ what tasks, jobs and waits become
    def _refresh(self, process: Process, kept: list[Token]) -> Migrated:
        migrated = Migrated(Instance(self.target, process), self._renamed())
        for token in kept:
            element = token.task_spec
            if not token.live:
                continue
            if isinstance(element, CatchingElement) and token._state == WAITING:
                kind = element.trigger.kind if element.trigger is not None else ""
                anew = self.plan.instructions.refresh_waits and not token.internal_data.get("fired")
                if anew and kind in ("timer", "message", "signal"):
                    wait_anew(token, element)
                elif kind == "message" and element.trigger is not None:
                    migrated.waits.append(element.subscription(token, element.trigger))
            elif self.plan.instructions.refresh_tasks:
                if isinstance(element, UserTask) and token._state == READY and SIGN not in token.internal_data:
                    migrated.tasks.append(element.prepare(token))
                elif "job" in token.internal_data and listeners.NOTE not in token.internal_data and element.ext.job is not None:
                    migrated.jobs.append(job_of(token, element.ext.job))
        return migrated

    def _renamed(self) -> dict[str, str]:
        """Old element id -> new one, also of the start events that show what an event subprocess awaits."""
        renamed = {old: new for old, new in self.plan.mapping.items() if new is not None and new != old}
        for element in self.instance.model.spec.table:
            target = self.rewriter.element(element)
            if isinstance(element, CatchingElement) and isinstance(target, CatchingElement) and element.listens:
                before, after = element.shown_event().bpmn_id, target.shown_event().bpmn_id
                if before != after:
                    renamed[before] = after
        return renamed

    # ------------------------------------------------------------------ afterwards
    def _settle(self, migrated: Migrated, process: Process) -> None:
        """Forget what has ended already, because an event of the new model occurred at once."""
        open_tokens = {token_id for token_id, token in process.tokens.items() if token.live}
        migrated.tasks = [task for task in migrated.tasks if task.token_id in open_tokens]
        migrated.jobs = [job for job in migrated.jobs if job.token_id in open_tokens]
        migrated.waits = [wait for wait in migrated.waits if wait.token_id in open_tokens]
        changes = process.changes
        done = any(event.kind in ("completed", "merged") for event in changes.history)
        migrated.side_effects = done or bool(changes.calls or changes.cancelled_calls or changes.signals or changes.decisions)

    def _starving(self, process: Process, before: set[tuple[int, str]]) -> list[Finding]:
        found = []
        for join in starving_joins(process):
            if join.key not in before:
                flows = "、".join(sorted(join.missing))
                zh = f"汇聚网关将永远等待流向 {flows}：为新增的分支指定起点，或取消迁移"
                en = f"this join would wait for ever for {flows}: name the first element of the added branch"
                found.append(finding("join-starves", "error", zh, en, id=join.gateway.bpmn_id))
        return found

    def _incidents(self, process: Process) -> list[Finding]:
        """What the new model would run into at once is refused rather than done."""
        found = []
        for raised in process.changes.incidents:
            zh, en = f"迁移会立即引起异常：{raised.message}", f"it would raise an incident: {raised.message}"
            found.append(finding("incident", "error", zh, en, id=raised.element_id))
        return found

    def _emptied(self, process: Process) -> list[Finding]:
        """An instance must not end, nor a scope be left without a token, because of a migration."""
        scopes: Iterable[Scope] = (process, *process.subprocesses.values())
        empty = [scope for scope in scopes if not scope.completed and len(scope.live) == len(scope.listeners)]
        if process.state == "ACTIVE" and not empty:
            return []
        where = next((owner.task_spec.bpmn_id for scope in empty if (owner := scope.owner) is not None), "")
        return [finding("nothing-left", "error", "迁移之后没有任何可以继续的步骤", "nothing would be left to go on with", id=where)]


def wait_anew(token: Token, element: CatchingElement) -> None:
    """Close the subscription of a waiting token and open it from the new model's expressions."""
    process = token.workflow.process
    prepared = element.prepare(token)
    process.unsubscribe(token)
    token.forget("due", "cycle", "since", "signal")
    element.wait(token, prepared if isinstance(prepared, Wait) else Wait({}))
