"""What people and analysts do to a running instance beside completing its tasks: return, take back, add signatures, modify.

The public half of engine.bpmn.kernel.moves, placing and signing; Instance inherits it. `history` is always the whole element history of
the instance, in order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from engine.bpmn.kernel import moves, placing, signing
from engine.bpmn.kernel.ancestry import Ancestry
from engine.bpmn.kernel.withdrawal import Withdrawal, find_untouched, find_withdrawal
from engine.bpmn.kernel.working_days import OpenTask, follow_calendar
from engine.changes import ElementEvent
from engine.errors import Conflict

if TYPE_CHECKING:
    from engine.bpmn.kernel.process import Process
    from engine.bpmn.kernel.token import Token


class Operations:
    """Mixin of Instance: needs its process, `_run` and `_token`."""

    _process: Process

    def _run(self, command: Callable[[], None]) -> None:
        raise NotImplementedError

    def _token(self, token_id: int, state: int | None = None) -> Token:
        raise NotImplementedError

    def _live(self, token_id: int) -> Token:
        token = self._token(token_id)
        if not token.live:
            raise Conflict(reason=f"{token.task_spec.bpmn_id} 已结束（has ended）")
        return token

    # ------------------------------------------------------------------ the working calendar
    def follow_calendar(self, tasks: Mapping[int, OpenTask]) -> dict[int, datetime | None]:
        """The working days changed: see engine.bpmn.kernel.working_days. -> new due dates of the user tasks that moved, by token."""
        moved: dict[int, datetime | None] = {}
        self._run(lambda: moved.update(follow_calendar(self._process, tasks)))
        return moved

    # ------------------------------------------------------------------ conditional events
    def waiting_conditions(self) -> list[tuple[int, str, str]]:
        """(token id, element id, expression) of every conditional event that waits."""
        found = []
        for token_id, token in sorted(self._process.conditions.items()):
            trigger = token.task_spec.trigger
            text = trigger.expression.text if trigger is not None and trigger.expression is not None else ""
            found.append((token_id, token.task_spec.bpmn_id, text))
        return found

    def evaluate_conditions(self) -> None:
        """Look at all of them now, though no variable was written."""
        self._run(self._process.evaluate_conditions)

    # ------------------------------------------------------------------ return and withdraw
    def return_to(self, token_id: int, element_id: str, history: Iterable[ElementEvent], mode: moves.Mode = "all") -> int:
        """Go back from a live token to an earlier element (退回): the id of the fresh token there.

        See engine.bpmn.kernel.moves. Raises Conflict when the element is not behind the token, or when `mode` "branch" would recall others.
        """
        token = self._live(token_id)
        fresh: list[int] = []
        self._run(lambda: fresh.append(moves.return_to(token, element_id, Ancestry(history), mode).id))
        return fresh[0]

    def return_points(self, token_id: int, history: Iterable[ElementEvent]) -> list[moves.ReturnPoint]:
        """The activities a live token can go back to, the last one first."""
        return moves.return_points(self._live(token_id), Ancestry(history))

    def others(self, token_id: int) -> list[int]:
        """The live tokens that are neither around this one nor part of it."""
        return [token.id for token in moves.others(self._live(token_id))]

    def withdrawal(self, token_id: int, history: Iterable[ElementEvent]) -> Withdrawal:
        """What taking back a completed user task would undo; Conflict when something after it has been done already."""
        return find_withdrawal(self._process, token_id, Ancestry(history))

    def untouched(self, history: Iterable[ElementEvent]) -> Withdrawal:
        """What is open in an instance in which nothing has been done yet; Conflict when something has."""
        return find_untouched(self._process, Ancestry(history))

    def withdraw(self, token_id: int, history: Iterable[ElementEvent]) -> int:
        """Take back a completed user task (撤回): the id of the fresh token of the same element. Raises Conflict as `withdrawal`."""
        ancestry = Ancestry(history)
        found = find_withdrawal(self._process, token_id, ancestry)
        fresh: list[int] = []
        self._run(lambda: fresh.append(found.undo(self._process, ancestry).id))
        return fresh[0]

    # ------------------------------------------------------------------ modify
    def modify(self, change: placing.Modification) -> None:
        """Activate, move and terminate element instances. See engine.bpmn.kernel.placing; everything is checked before anything is done."""
        self._run(lambda: placing.modify(self._process, change))

    def jump(self, token_id: int, target: placing.Activation, *, everything: bool = False) -> str:
        """Move one element instance to another element, with `everything` instead of all others too: the element id it came from."""
        token = self._live(token_id)
        source: str = token.task_spec.bpmn_id
        self._run(lambda: placing.jump(token, target, everything=everything))
        return source

    # ------------------------------------------------------------------ signatures
    def add_signs(self, token_id: int, when: signing.When, who: list[signing.Signer]) -> list[int]:
        """Ask others to sign an open user task before or after it is completed (加签): the tokens opened now."""
        token = self._live(token_id)
        opened: list[int] = []
        self._run(lambda: opened.extend(each.id for each in signing.add_signs(token, when, who)))
        return opened

    def remove_sign(self, token_id: int) -> None:
        """Take an added signature away (减签); the task goes on when it was the last."""
        token = self._live(token_id)
        self._run(lambda: signing.remove_sign(token))

    def forget_after(self, token_id: int, user: str | None, group: str | None) -> None:
        """Take back a request to sign afterwards that is not open yet."""
        token = self._live(token_id)
        self._run(lambda: signing.forget_after(token, user, group))
