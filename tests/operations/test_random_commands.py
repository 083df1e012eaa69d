"""Random commands on the database: whatever is completed, returned, withdrawn, signed, jumped, suspended, resumed and modified, the tables
agree with the instance, refusals change nothing, and the case always ends."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from engine import Engine, commands
from engine.bpmn import Activation, Modification, Move
from engine.commands import Asked
from engine.errors import LianbanError, Suspended
from engine.policy import SYSTEM, Actor
from engine.store import history, reads
from engine.store.models import split_key
from engine.views import visible_variables
from tests.bpmn.diagrams import Writer
from tests.bpmn.diagrams import process as structured
from tests.bpmn.support import multi
from tests.bpmn.test_random import SEEDS, values
from tests.operations.support import OPERATOR, deploy, process, start, tasks

pytestmark = pytest.mark.scaled

EXAMPLES = max(10, settings().max_examples // 20)


class Deployable(Writer):
    """Writes what Camunda 8 takes."""

    def flow(self, source: str, target: str, condition: str = "", id: str = "") -> str:
        return super().flow(source, target, f"={condition}" if condition else "", id)

    def cardinality(self) -> str:
        return multi(f"[{', '.join('1' for _ in range(self.rnd.randint(1, 3)))}]", "member", sequential=self.rnd.choice(("true", "false")))


class Office:
    """One case and the person who does everything in it."""

    def __init__(self, engine: Engine, rnd: random.Random) -> None:
        self.engine, self.rnd = engine, rnd
        deploy(engine, process(structured(Deployable(rnd), 2), returnPolicy="branch,all"))
        self.key = start(engine, "p", values(rnd))
        self.done: list[int] = []
        self.suspended = False

    def open(self) -> list[Any]:
        return [task for task in tasks(self.engine) if task.instance_key == self.key]

    def state(self) -> str:
        with self.engine.reading() as session:
            return str(reads.instance(session, self.key).state)

    def doer(self, task: Any) -> Actor:
        return Actor(task.assignee or "anna", powers=SYSTEM.powers)

    def send(self, command: Any, actor: Actor, *arguments: Any, **named: Any) -> bool:
        """Whether the command was taken; a suspended case takes nothing but its resumption."""
        before = self.picture()
        try:
            with self.engine.unit_of_work() as session:
                command(session, actor, *arguments, **named)
        except LianbanError as error:
            assert self.picture() == before, "a refusal has changed something"
            assert isinstance(error, Suspended) or not self.suspended
            return False
        return True

    def picture(self) -> tuple[Any, ...]:
        with self.engine.reading() as session:
            row = reads.instance(session, self.key)
            return row.version, row.header, reads.token_rows(session, self.key), [task.key for task in self.open()]

    # ------------------------------------------------------------------ commands
    def complete(self) -> None:
        for task in self.rnd.sample(self.open(), len(self.open())):
            if self.send(commands.complete_task, self.doer(task), task.key, {}):
                self.done.append(task.key)
                return
        assert self.suspended, "nothing can be completed"

    def give_back(self) -> None:
        task = self.rnd.choice(self.open())
        if "sign" in task.properties or self.suspended:
            return
        with self.engine.reading() as session:
            targets = commands.return_targets(session, self.doer(task), task.key)
        if targets:
            target = self.rnd.choice(targets)
            mode = self.rnd.choice(target.modes)
            assert self.send(commands.return_task, self.doer(task), task.key, target.element_id, reason="退", mode=mode)

    def withdraw(self) -> None:
        if self.done:
            key = self.rnd.choice(self.done)
            with self.engine.reading() as session:
                row = reads.get_task(session, key)
                possible = commands.withdrawable(session, Actor(row.completed_by or "", powers=SYSTEM.powers), key) is None
            assert self.send(commands.withdraw_task, Actor(row.completed_by or "", powers=SYSTEM.powers), key) is possible

    def sign(self) -> None:
        task = self.rnd.choice(self.open())
        self.send(commands.add_sign, self.doer(task), task.key, self.rnd.choice(("before", "after")), [Asked(user="carl")])
        signed = [each for each in self.open() if "sign" in each.properties]
        if signed and self.rnd.random() < 0.5:
            self.send(commands.remove_sign, OPERATOR, signed[0].key)

    def restart(self) -> None:
        task = self.rnd.choice(self.open())
        if task.element_id.startswith("m") or "sign" in task.properties:
            return
        move = Move(Activation(task.element_id), source_token=split_key(task.key)[1])
        self.send(commands.modify_instance, OPERATOR, self.key, Modification(moves=(move,)))

    def hold(self) -> None:
        command = commands.resume_instance if self.suspended else commands.suspend_instance
        if self.suspended:
            self.suspended = False
            assert self.send(command, OPERATOR, self.key, "恢复")
        else:
            assert self.send(command, OPERATOR, self.key, "暂停")
            self.suspended = True

    def check(self) -> None:
        """Open tasks, live tokens and history tell the same."""
        with self.engine.reading() as session:
            live = {event.token_id for event in reads.element_history(session, self.key) if event.state == "ACTIVE"}
            opened = {split_key(task.key)[1] for task in self.open()}
            assert opened <= live
            entered = [event.token_id for event in history.element_events(session, self.key) if event.kind == "entered"]
            assert len(entered) == len(set(entered))
            for task in self.open()[:1]:
                assert set(values(random.Random(0))) <= set(visible_variables(session, task.key))


@given(SEEDS)
@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck), print_blob=True)
def test_a_case_always_ends_whatever_was_commanded(engine: Engine, seed: int) -> None:
    rnd = random.Random(seed)
    office = Office(engine, rnd)
    commands_left, steps = 8, 0
    while office.state() == "ACTIVE":
        steps += 1
        assert steps < 500, "does not end"
        if commands_left and rnd.random() < 0.5:
            commands_left -= 1
            rnd.choice((office.give_back, office.withdraw, office.sign, office.restart, office.hold))()
        elif office.suspended and not commands_left:
            office.hold()
        else:
            office.complete()
        office.check()
    assert office.state() == "COMPLETED" and office.open() == []
