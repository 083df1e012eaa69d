"""Two copies of one process instance: one lives in memory, the other is stored and rebuilt from its rows before every step."""

from __future__ import annotations

from typing import Any

from engine.bpmn import Instance, ProcessModel
from tests.bpmn.support import NOON, Host, Rows


def picture(instance: Instance) -> dict[str, Any]:
    """Everything observable of an instance."""
    tokens = instance.live_tokens()
    return {
        "state": instance.state,
        "tokens": tokens,
        "variables": {0: instance.variables(), **{t.token_id: instance.variables(t.token_id) for t in tokens}},
        "due": instance.next_due_at,
    }


class Twins:
    """Both do the same; after every step everything about them is equal, and a restored one has nothing to store."""

    def __init__(
        self,
        model: ProcessModel,
        variables: dict[str, Any],
        host: Host | None = None,
        *,
        step_limit: int | None = None,
        **start: Any,
    ) -> None:
        self.limits: dict[str, Any] = {} if step_limit is None else {"step_limit": step_limit}
        self.model, self.host, self.rows, self.twin_rows = model, host or Host(at=NOON), Rows(), Rows()
        self.live = Instance.start(model, variables, self.host, **self.limits, **start)
        self.stored = Instance.start(model, variables, self.host, **self.limits, **start)
        self.save()

    def save(self) -> None:
        """Store both, rebuild the stored one, compare."""
        self.rows.apply(self.stored.take_changes())
        self.twin_rows.apply(self.live.take_changes())
        assert self.rows.history == self.twin_rows.history
        assert self.rows.open == self.twin_rows.open
        if self.live.state == "ACTIVE":
            self.stored = Instance.load(self.model, self.rows.stored(), self.host, **self.limits)
            assert picture(self.stored) == picture(self.live)
            again = Rows()
            again.apply(self.stored.take_changes())
            assert not again.tokens and not again.variables and not again.history
        assert (self.rows.header, self.rows.tokens) == (self.twin_rows.header, self.twin_rows.tokens)
        assert self.rows.variables == self.twin_rows.variables

    def do(self, method: str, *arguments: Any) -> Any:
        """One command on both -> its result."""
        results = [getattr(instance, method)(*arguments) for instance in (self.live, self.stored)]
        assert results[0] == results[1]
        for rows in (self.rows, self.twin_rows):
            if method in ("complete_job", "throw_error"):
                rows.open["jobs"].pop(arguments[0], None)
            elif method == "call_completed" or (method == "call_failed" and arguments[1].kind == "error"):
                rows.open["calls"].pop(arguments[0])
        self.save()
        return results[0]

    def unchanged(self) -> None:
        """Nothing was changed since the last step."""
        for instance in (self.live, self.stored):
            changes = instance.take_changes()
            assert not changes.tokens and not changes.removed_tokens and not changes.history and not changes.variables
            assert not changes.jobs and not changes.user_tasks and not changes.incidents
