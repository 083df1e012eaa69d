"""What a running instance asks of the world: the time, expressions' surroundings, decisions and handlers."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import structlog
from sqlalchemy.orm import Session

from engine import clock
from engine.bpmn import Completed, Denied, Failed, Pending, Thrown
from engine.changes import Binding, JobOpened
from engine.definitions import decision_model
from engine.dmn import DecisionResult
from engine.errors import DecisionNotFound, LianbanError, Refused, Said
from engine.feel import Environment as FeelEnvironment
from engine.jobs.registry import BpmnError, Handler, JobContext, TaskDenied
from engine.policy import SYSTEM
from engine.runtime import calendar_of, runtime_of
from engine.store import definitions
from engine.store.changes import InstanceRow

log = structlog.get_logger(__name__)


def feel_environment(session: Session) -> FeelEnvironment:
    """Expressions see business time, the working calendar and the handlers' functions."""
    runtime = runtime_of(session)
    return FeelEnvironment(now=clock.now, calendar=calendar_of(session), functions=runtime.handlers.functions)


def job_context(session: Session, row: Any, job: Any, username: str, properties: dict[str, str]) -> JobContext:
    """What a handler gets of a job (opened now, or a row of the job table) on the instance `row`; variables and headers are copies."""
    return JobContext(
        session=session,
        type=job.type,
        variables=copy.deepcopy(dict(job.variables)),
        headers=dict(job.headers),
        properties=properties,
        instance_key=row.key,
        root_key=row.root_key,
        token_id=job.token_id,
        element_id=job.element_id,
        process_id=row.process_id,
        business_id=row.business_id,
        owner=row.owner,
        actor=username,
        now=clock.now(),
    )


UNDONE_WITH_SAVEPOINT = ("provided", "after_commit", "published")
"""What a unit of work collects and a failed handler must not leave behind: instances it rescheduled, jobs and messages to send after the
commit, live instances whose rows were rolled back."""


class CommandEnvironment:
    """engine.bpmn's Environment for one instance inside one command's transaction."""

    def __init__(self, session: Session, row: InstanceRow, deployment_key: int, username: str) -> None:
        self._session, self._row, self._deployment_key, self._username = session, row, deployment_key, username
        self._handlers = runtime_of(session).handlers
        self.feel = feel_environment(session)

    def now(self) -> datetime:
        """Business time, aware."""
        return clock.now()

    def decide(
        self, decision_id: str, binding: Binding, version_tag: str | None, context: Mapping[str, Any]
    ) -> tuple[DecisionResult, int | None]:
        """Evaluate a deployed decision; DecisionNotFound when there is none, DecisionError when it cannot be evaluated."""
        row = definitions.bound(self._session, "decision", decision_id, binding, self._deployment_key, version_tag)
        if row is None:
            asked = version_tag or binding
            raise DecisionNotFound(decision=decision_id, reason=Said(f"绑定方式 {asked}", f"binding {asked}"))
        return decision_model(self._session, row).evaluate(decision_id, context, self.feel), row.key

    def perform(self, job: JobOpened) -> Completed | Denied | Pending | Thrown | Failed:
        """Run a transactional handler at once under a savepoint; everything else waits for a worker."""
        handler = self._handlers.get(job.type)
        if handler is None or not handler.transactional:
            return Pending()
        return self._run(handler, job)

    def caught_by_caller(self, code: str) -> bool:
        """Looks at the instances above, under the same root's lock."""
        row, run = self._row, self._session.info.get("root_run")
        if run is None or row.parent_key is None or row.parent_token is None:
            return False
        return bool(run.catches_error(row.parent_key, row.parent_token, code))

    def _run(self, handler: Handler, job: JobOpened) -> Completed | Denied | Thrown | Failed:
        row = self._row
        context = job_context(self._session, row, job, self._username, dict(job.properties))
        info = self._session.info
        before = {name: len(info.setdefault(name, [])) for name in UNDONE_WITH_SAVEPOINT}
        done: Completed | None = None
        try:
            with self._session.begin_nested():
                done = Completed(handler.function(context) or {}, context.corrections)
            return done
        except TaskDenied as error:
            return Denied(error.reason)
        except BpmnError as error:
            return Thrown(error.code, error.message, error.variables)
        except Refused as error:
            if self._username != SYSTEM.username:
                raise
            return Failed(error.message(), {"code": error.code, "jobType": job.type})
        except LianbanError as error:
            return Failed(error.message(), {"code": error.code, "jobType": job.type})
        except Exception as error:  # a handler's own defect must become an incident that a person can retry
            log.exception("handler failed", job_type=job.type, instance=row.key, element=job.element_id)
            return Failed(f"{type(error).__name__}: {error}", {"jobType": job.type})
        finally:
            if done is None:
                for name, length in before.items():
                    del info[name][length:]
