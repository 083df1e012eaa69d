"""Unstructured random diagrams x random operations: nothing raises, nothing hangs, no token is lost or lives twice, every element instance
ends at most once, what is open belongs to a live token, and an instance restored before every step equals its twin in memory."""

from __future__ import annotations

import random
from datetime import timedelta

import pytest
from hypothesis import given

from engine.bpmn import lint, parse
from tests.bpmn.diagrams import RichWriter, both
from tests.bpmn.support import COMPENSATE, ERROR, ESCALATION, SIGNAL, TERMINATE, boundary, chain, doc, el, event_sub, timer, user
from tests.bpmn.test_random import QUIET, SEEDS, values
from tests.bpmn.twins import Twins

pytestmark = pytest.mark.scaled

KINDS = (
    *("userTask",) * 4,
    "task",
    "scriptTask",
    "exclusiveGateway",
    "parallelGateway",
    "inclusiveGateway",
    "subProcess",
    "endEvent",
    "intermediateThrowEvent",
    "intermediateCatchEvent",
)
STEPS, STEP_LIMIT, MAX_TOKENS = 30, 200, 300


def condition(name: str) -> str:
    return f"<conditionalEventDefinition><condition>{name}</condition></conditionalEventDefinition>"


class Tangle:
    """Writes a diagram whose flows go anywhere."""

    def __init__(self, rnd: random.Random) -> None:
        self.rnd, self.writer = rnd, RichWriter(rnd)
        self.kinds = {f"n{i}": rnd.choice(KINDS) for i in range(rnd.randint(4, 12))}
        self.flows: list[str] = []
        self.outgoing: dict[str, list[str]] = {}
        self.add("st")
        for name, kind in self.kinds.items():
            for _ in range(0 if kind == "endEvent" else rnd.choice((1, 1, 1, 2, 2, 3))):
                self.add(name)
        nodes = "".join(self.node(name, kind) for name, kind in self.kinds.items())
        self.xml = doc(el("startEvent", "st") + nodes + "".join(self.flows) + self.listeners())

    def add(self, source: str) -> None:
        """A flow from an element to anywhere."""
        chooses = self.kinds.get(source) in ("exclusiveGateway", "inclusiveGateway")
        name = f"g{len(self.flows)}"
        target = self.rnd.choice(list(self.kinds))
        self.flows.append(self.writer.flow(source, target, f"v{self.rnd.randint(0, 4)}" if chooses else "", name))
        self.outgoing.setdefault(source, []).append(name)

    def node(self, name: str, kind: str) -> str:
        rnd = self.rnd
        if kind == "scriptTask":
            return both(name, "pass", "append(log, 1)", "count")
        attributes, inner = {}, ""
        if kind in ("exclusiveGateway", "inclusiveGateway") and rnd.random() < 0.8:
            attributes["default"] = self.outgoing[name][-1]
        if kind == "subProcess":
            inner = self.writer.inside(name, rnd.randint(0, 2), self.writer.listener(f"{name}l") if rnd.random() < 0.3 else "")
        elif kind == "endEvent" and rnd.random() < 0.4:
            inner = rnd.choice((TERMINATE, ERROR, SIGNAL, ESCALATION, COMPENSATE))
        elif kind == "intermediateThrowEvent" and rnd.random() < 0.7:
            inner = rnd.choice((SIGNAL, ESCALATION, COMPENSATE))
        elif kind == "intermediateCatchEvent":
            inner = rnd.choice((SIGNAL, timer("PT1H"), condition("v1")))
        if kind not in ("userTask", "subProcess"):
            return el(kind, name, inner, **attributes)
        inner = (self.writer.cardinality() if rnd.random() < 0.25 else "") + inner
        return el(kind, name, inner) + (self.boundary(name) if rnd.random() < 0.35 else "")

    def boundary(self, host: str) -> str:
        triggers = (SIGNAL, timer("PT1H"), timer("R3/PT1H", "timeCycle"), ERROR, ESCALATION, condition("v2"))
        self.add(f"b{host}")
        return boundary(f"b{host}", host, self.rnd.choice(triggers), self.rnd.random() < 0.5)

    def listeners(self) -> str:
        written = self.writer.listener("top") if self.rnd.random() < 0.3 else ""
        if self.rnd.random() < 0.3:
            trigger = self.rnd.choice((ERROR, ESCALATION, timer("PT3H")))
            written += event_sub("err", trigger, user("tu") + chain("err_s", "tu", "err_e"))
        return written


def one_operation(twins: Twins, rnd: random.Random) -> None:
    tasks, incidents, choice = sorted(twins.rows.open["tasks"]), sorted(twins.rows.open["incidents"]), rnd.random()
    if choice < 0.1:
        twins.do("signal", "S1", {})
    elif choice < 0.2:
        twins.host.at += timedelta(hours=1)
        twins.do("fire_due", twins.host.at)
    elif choice < 0.3:
        twins.do("set_variables", {f"v{rnd.randint(0, 4)}": rnd.random() < 0.5})
    elif choice < 0.4 and incidents:
        twins.do("retry", rnd.choice(incidents))
    elif tasks:
        twins.do("complete_user_task", rnd.choice(tasks), {})


def check(twins: Twins) -> None:
    live = {token.token_id for token in twins.live.live_tokens()}
    for kind in ("tasks", "incidents", "signals", "messages"):
        assert set(twins.rows.open[kind]) <= live, kind
    entered = [e.token_id for e in twins.rows.history if e.kind == "entered"]
    ended = [e.token_id for e in twins.rows.history if e.kind != "entered"]
    assert len(set(entered)) == len(entered) and len(set(ended)) == len(ended)
    assert set(ended) <= set(entered)
    assert set(entered) - set(ended) <= live, "entered, not ended and not live"
    assert not live & set(ended), "ended and still live"


@given(SEEDS)
@QUIET
def test_random_operations_on_unstructured_diagrams(seed: int) -> None:
    rnd = random.Random(seed)
    xml = Tangle(rnd).xml
    lint(xml, "tangle.bpmn")
    twins = Twins(parse(xml, "tangle.bpmn")[0], values(rnd), step_limit=STEP_LIMIT)
    for _ in range(STEPS):
        if twins.live.state != "ACTIVE" or len(twins.live.live_tokens()) > MAX_TOKENS:
            break
        one_operation(twins, rnd)
    check(twins)
    if twins.live.state == "ACTIVE":
        twins.do("cancel")
    assert not any(twins.rows.open.values()) and not twins.rows.tokens
