"""Look at the live instances of a case without locking it and without taking anything from the cache: for questions that screens ask."""

from __future__ import annotations

from typing import Protocol

from sqlalchemy.orm import Session

from engine.bpmn import Instance
from engine.changes import StoredState
from engine.commands.environment import CommandEnvironment
from engine.definitions import process_definition, process_model
from engine.errors import Suspended
from engine.store import reads
from engine.store.changes import InstanceRow


class Instances(Protocol):
    """What a question needs of a case; a RootRun answers it too."""

    def row(self, key: int) -> InstanceRow:
        """The row of an instance."""
        ...

    def instance(self, key: int) -> Instance:
        """The live instance."""
        ...


class Look:
    """Instances built from their rows; nothing is ever written back."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._live: dict[int, Instance] = {}

    @classmethod
    def at(cls, session: Session, instance_key: int) -> Look:
        """Look at a case in which something may be done now. Raises NotFound, Suspended."""
        look = cls(session)
        if look.row(instance_key).suspended_at is not None:
            raise Suspended()
        return look

    def row(self, key: int) -> InstanceRow:
        """The row of an instance as it is now."""
        return reads.instance_row(self._session, key)

    def instance(self, key: int) -> Instance:
        """An instance as its rows say."""
        if key not in self._live:
            row = self.row(key)
            definition = process_definition(self._session, row.definition_key)
            state = StoredState(row.header, reads.token_rows(self._session, key), reads.variable_rows(self._session, key))
            environment = CommandEnvironment(self._session, row, definition.deployment_key, "")
            self._live[key] = Instance.load(process_model(self._session, row.definition_key), state, environment)
        return self._live[key]
