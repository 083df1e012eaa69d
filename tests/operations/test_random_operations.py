"""Random diagrams x random operations: no token is lost, none lives twice, what is open belongs to a live token, and it always ends.

Two diagrams families: structured ones, which must always reach their end after any sequence of completing, returning, withdrawing,
signing and moving within a branch; and tangles whose flows go anywhere, where jumps and modifications come too and only the bookkeeping
is checked. Every step is done on an instance in memory and on its twin that is restored from its rows before every step.
"""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import given

from engine.bpmn import Activation, Modification, Move, ProcessModel, Signer, Termination, parse
from engine.bpmn.kernel.signing import SIGN
from engine.errors import Conflict, Invalid, LianbanError, NotFound
from tests.bpmn.diagrams import RichWriter, Writer, process
from tests.bpmn.support import doc
from tests.bpmn.test_random import QUIET, SEEDS, values
from tests.bpmn.test_unstructured import MAX_TOKENS, STEP_LIMIT, Tangle, check, one_operation
from tests.bpmn.twins import Twins

pytestmark = pytest.mark.scaled

OPERATIONS = 8
STEPS = 25


class Case:
    """A pair of twins and what has been done with them."""

    def __init__(self, model: ProcessModel, rnd: random.Random, **options: Any) -> None:
        self.rnd, self.model = rnd, model
        self.twins = Twins(model, values(rnd), **options)
        self.done: list[int] = []

    @property
    def active(self) -> bool:
        return self.twins.live.state == "ACTIVE"

    @property
    def tasks(self) -> list[int]:
        return sorted(self.twins.rows.open["tasks"])

    @property
    def history(self) -> list[Any]:
        return list(self.twins.rows.history)

    def open_element(self, token: int) -> str:
        element: str = self.twins.rows.open["tasks"][token].element_id
        return element

    def attempt(self, method: str, *arguments: Any) -> bool:
        """Do it on both; a refusal must be the same on both and change nothing."""
        refused = [_refusal(instance, method, arguments) for instance in (self.twins.live, self.twins.stored)]
        assert refused[0] == refused[1]
        if refused[0] is None:
            self.twins.save()
            return True
        self.unchanged()
        return False

    def unchanged(self) -> None:
        for instance in (self.twins.live, self.twins.stored):
            changes = instance.take_changes()
            assert not (changes.tokens or changes.history or changes.variables or changes.user_tasks), "a refusal has changed something"

    # ------------------------------------------------------------------ operations
    def complete(self) -> None:
        free = [token for token in self.tasks if not self._signers(token)]
        token = self.rnd.choice(free)
        if "sign" not in self.twins.rows.open["tasks"][token].properties:
            self.done.append(token)
        self.twins.do("complete_user_task", token, {})

    def _signers(self, token: int) -> list[int]:
        tree = self.twins.live._process.tokens[token]
        return [child for child in tree._children if SIGN in self.twins.live._process.tokens[child].internal_data]

    def go_back(self) -> None:
        token = self.rnd.choice(self.tasks)
        if "sign" in self.twins.rows.open["tasks"][token].properties:
            return
        points = self.twins.live.return_points(token, self.history)
        if points:
            point = self.rnd.choice(points)
            assert self.attempt("return_to", token, point.element_id, self.history, "branch") is not bool(point.recalled)
            if point.recalled and self.rnd.random() < 0.3:
                assert self.attempt("return_to", token, point.element_id, self.history, "all")
        self.attempt("return_to", token, "nowhere", self.history)

    def withdraw(self) -> None:
        if self.done:
            self.attempt("withdraw", self.rnd.choice(self.done), self.history)

    def sign(self) -> None:
        token = self.rnd.choice(self.tasks)
        who = [Signer(user=f"u{number}") for number in range(self.rnd.randint(1, 2))]
        self.attempt("add_signs", token, self.rnd.choice(("before", "after")), who)
        signed = [each for each in self.tasks if "sign" in self.twins.rows.open["tasks"][each].properties]
        if signed and self.rnd.random() < 0.4:
            assert self.attempt("remove_sign", self.rnd.choice(signed))

    def restart(self) -> None:
        """A modification that loses nothing: an element is moved onto itself (not a member: that would open a second multi-instance)."""
        token = self.rnd.choice(self.tasks)
        if self.twins.live._process.tokens[token].is_loop_member():
            return
        self.attempt("modify", Modification(moves=(Move(Activation(self.open_element(token)), source_token=token),)))

    def anything(self) -> None:
        """Jumps and modifications to and from anywhere."""
        rnd, elements = self.rnd, sorted(self.model.elements)
        live = [token.token_id for token in self.twins.live.live_tokens()] or [1]
        choice = rnd.random()
        if choice < 0.4:
            self._jump(rnd.choice(live), rnd.choice(elements), rnd.random() < 0.3)
        elif choice < 0.7:
            self.attempt("modify", Modification((Activation(rnd.choice(elements)),)))
        else:
            self.attempt("modify", Modification((Activation(rnd.choice(elements)),), terminations=(Termination(token=rnd.choice(live)),)))

    def _jump(self, token: int, element: str, everything: bool) -> None:
        refused = []
        for instance in (self.twins.live, self.twins.stored):
            try:
                instance.jump(token, Activation(element), everything=everything)
                refused.append("")
            except (Conflict, Invalid, NotFound) as error:
                refused.append(error.message())
        assert refused[0] == refused[1]
        self.unchanged() if refused[0] else self.twins.save()


def _refusal(instance: Any, method: str, arguments: tuple[Any, ...]) -> str | None:
    try:
        getattr(instance, method)(*arguments)
    except LianbanError as error:
        return error.message()
    return None


@given(SEEDS)
@QUIET
def test_structured_diagrams_reach_their_end_whatever_is_done_in_between(seed: int) -> None:
    rnd = random.Random(seed)
    xml = doc(process(Writer(rnd), 2 + seed % 3))
    case = Case(parse(xml, "random.bpmn")[0], rnd)
    operations, steps = OPERATIONS, 0
    while case.active:
        steps += 1
        assert steps < 2_000 and case.tasks, "stuck"
        if operations and rnd.random() < 0.35:
            operations -= 1
            rnd.choice((case.go_back, case.go_back, case.withdraw, case.sign, case.restart))()
        else:
            case.complete()
        once(case)
    assert case.twins.live.state == "COMPLETED"
    assert not case.twins.rows.tokens and not any(case.twins.rows.open.values())
    entered = {event.token_id for event in case.twins.rows.history if event.kind == "entered"}
    ended = [event.token_id for event in case.twins.rows.history if event.kind != "entered"]
    assert sorted(ended) == sorted(entered), "every element instance that came has ended exactly once"


def once(case: Case) -> None:
    """In a structured diagram without loops no element but a multi-instance's members is open twice."""
    members = {token.element_id for token in case.twins.live.live_tokens() if token.element_id.startswith("m")}
    opened = case.twins.rows.open["tasks"].values()
    single = [task.element_id for task in opened if task.element_id not in members and "sign" not in task.properties]
    assert len(single) == len(set(single)), single


@given(SEEDS)
@QUIET
def test_event_rich_diagrams_end_or_wait_for_an_event(seed: int) -> None:
    rnd = random.Random(seed)
    writer = RichWriter(rnd)
    xml = doc(process(writer, 2 + seed % 3, writer.listener("top") if seed % 3 == 0 else ""))
    case = Case(parse(xml, "random.bpmn")[0], rnd)
    operations = OPERATIONS
    for _ in range(STEPS):
        if not case.active or not case.tasks:
            break
        if operations and rnd.random() < 0.35:
            operations -= 1
            rnd.choice((case.go_back, case.withdraw, case.sign, case.restart))()
        else:
            case.complete()
        check(case.twins)
    steps = 0
    while case.active:
        steps += 1
        assert steps < 2_000, "does not end"
        if case.tasks:
            case.complete()
            continue
        assert case.twins.live.next_due_at or case.twins.rows.open["signals"], "stuck"
        if case.twins.live.next_due_at:
            case.twins.host.at = case.twins.host.at.replace(year=case.twins.host.at.year + 1)
            case.twins.do("fire_due", case.twins.host.at)
        else:
            case.twins.do("signal", "S1", {})
    assert not case.twins.rows.tokens and not any(case.twins.rows.open.values())


@given(SEEDS)
@QUIET
def test_tangles_keep_their_books_whatever_is_done(seed: int) -> None:
    rnd = random.Random(seed)
    case = Case(parse(Tangle(rnd).xml, "tangle.bpmn")[0], rnd, step_limit=STEP_LIMIT)
    for _ in range(STEPS):
        if not case.active or len(case.twins.live.live_tokens()) > MAX_TOKENS:
            break
        if case.tasks and rnd.random() < 0.4:
            rnd.choice((case.go_back, case.withdraw, case.sign, case.restart))()
        elif rnd.random() < 0.4:
            case.anything()
        else:
            signed = any(case._signers(token) for token in case.tasks)
            case.complete() if signed else one_operation(case.twins, rnd)
        check(case.twins)
    if case.active:
        case.twins.do("cancel")
    assert not any(case.twins.rows.open.values()) and not case.twins.rows.tokens
