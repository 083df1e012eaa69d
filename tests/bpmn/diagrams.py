"""Random structured diagrams. `Writer` stays inside what stock SpiffWorkflow does right; `RichWriter` adds what only the kernel can."""

from __future__ import annotations

import random
from itertools import pairwise

from tests.bpmn.support import SIGNAL, el, event_sub, io, quoted, timer, zeebe

Block = tuple[str, str, str]
"""xml, id of the first element, id of the last"""


def both(id: str, python: str, feel: str, result: str) -> str:
    """A script in both dialects."""
    extension = zeebe(f'<zeebe:script expression="={quoted(feel)}" resultVariable="{result}"/>')
    return el("scriptTask", id, extension + f"<script>{python}</script>")


class Writer:
    """Writes a random block. Conditions are bare variables, so both dialects read them alike."""

    kinds: tuple[str, ...] = ("seq", "seq", "and", "and", "xor", "or", "sub", "mi", "bnd")

    def __init__(self, rnd: random.Random) -> None:
        self.rnd, self.count = rnd, 0

    def id(self, prefix: str) -> str:
        self.count += 1
        return f"{prefix}{self.count}"

    def flow(self, source: str, target: str, condition: str = "", id: str = "") -> str:
        inner = f"<conditionExpression>{condition}</conditionExpression>" if condition else ""
        return f'<sequenceFlow id="{id or self.id("f")}" sourceRef="{source}" targetRef="{target}">{inner}</sequenceFlow>'

    def block(self, depth: int, kind: str = "") -> Block:
        kind = kind or self.rnd.choice(("user", "user", "script", *(self.kinds if depth > 0 else ())))
        block: Block = getattr(self, f"_{kind}")(depth)
        return block

    def _user(self, _depth: int) -> Block:
        id = self.id("u")
        return el("userTask", id), id, id

    def _script(self, _depth: int) -> Block:
        id = self.id("s")
        return both(id, f'log("{id}")', f'append(log, "{id}")', "log"), id, id

    def _seq(self, depth: int) -> Block:
        blocks = [self.block(depth - 1) for _ in range(self.rnd.randint(2, 3))]
        flows = (self.flow(a[2], b[1]) for a, b in pairwise(blocks))
        return "".join(b[0] for b in blocks) + "".join(flows), blocks[0][1], blocks[-1][2]

    def _and(self, depth: int) -> Block:
        return self._split(depth, "parallel")

    def _xor(self, depth: int) -> Block:
        return self._split(depth, "exclusive")

    def _or(self, depth: int) -> Block:
        return self._split(depth, "inclusive")

    def _split(self, depth: int, gateway: str) -> Block:
        fork, join = self.id("gf"), self.id("gj")
        blocks = [self.block(depth - 1) for _ in range(self.rnd.randint(2, 3))]
        out = [b[0] for b in blocks]
        for number, block in enumerate(blocks):
            if gateway == "parallel":
                out.append(self.flow(fork, block[1]))
            elif number == len(blocks) - 1:
                out.append(self.flow(fork, block[1], id=f"{fork}d"))
            else:
                out.append(self.flow(fork, block[1], f"v{self.rnd.randint(0, 4)}"))
            out.append(self.flow(block[2], join))
        default = {} if gateway == "parallel" else {"default": f"{fork}d"}
        return el(f"{gateway}Gateway", fork, **default) + el(f"{gateway}Gateway", join) + "".join(out), fork, join

    def _mi(self, _depth: int) -> Block:
        id = self.id("m")
        return el("userTask", id, self.cardinality()), id, id

    def cardinality(self) -> str:
        sequential = self.rnd.choice(("true", "false"))
        count = f"<loopCardinality>{self.rnd.randint(1, 3)}</loopCardinality>"
        return f'<multiInstanceLoopCharacteristics isSequential="{sequential}">{count}</multiInstanceLoopCharacteristics>'

    def inside(self, id: str, depth: int, extra: str = "") -> str:
        block = self.block(depth)
        ends = el("startEvent", f"{id}st") + el("endEvent", f"{id}en")
        return extra + ends + block[0] + self.flow(f"{id}st", block[1]) + self.flow(block[2], f"{id}en")

    def _sub(self, depth: int) -> Block:
        id = self.id("p")
        return el("subProcess", id, self.inside(id, depth - 1)), id, id

    def _bnd(self, depth: int) -> Block:
        """A subprocess with a non-interrupting signal boundary event."""
        id, handler = self.id("w"), self.id("h")
        xml = el("subProcess", id, self.inside(id, depth - 1))
        xml += el("boundaryEvent", f"{id}b", SIGNAL, attachedToRef=id, cancelActivity="false")
        xml += both(handler, f'log("{handler}")', f'append(log, "{handler}")', "log") + el("endEvent", f"{id}be")
        return xml + self.flow(f"{id}b", handler) + self.flow(handler, f"{id}be"), id, id


class RichWriter(Writer):
    """Adds loops, interrupting boundary events, event subprocesses, timers, compensation and multi-instance subprocesses."""

    kinds = (*Writer.kinds, "loop", "interrupt", "deadline", "listen", "many", "undo", "io")

    def _loop(self, depth: int) -> Block:
        id, body = self.id("q"), self.block(depth - 1)
        xml = el("exclusiveGateway", f"{id}a") + both(f"{id}s", "pass", f"if n{id} = null then 1 else n{id} + 1", f"n{id}")
        xml += el("exclusiveGateway", f"{id}z", default=f"{id}d") + el("task", f"{id}o") + body[0]
        xml += self.flow(f"{id}a", body[1]) + self.flow(body[2], f"{id}s") + self.flow(f"{id}s", f"{id}z")
        return xml + self.flow(f"{id}z", f"{id}a", f"n{id} &lt; 3") + self.flow(f"{id}z", f"{id}o", id=f"{id}d"), f"{id}a", f"{id}o"

    def _guarded(self, depth: int, definition: str) -> Block:
        id = self.id("g")
        xml = el("subProcess", id, self.inside(id, depth - 1)) + el("boundaryEvent", f"{id}b", definition, attachedToRef=id)
        xml += el("userTask", f"{id}h") + el("exclusiveGateway", f"{id}x") + self.flow(id, f"{id}x")
        return xml + self.flow(f"{id}b", f"{id}h") + self.flow(f"{id}h", f"{id}x"), id, f"{id}x"

    def _interrupt(self, depth: int) -> Block:
        return self._guarded(depth, SIGNAL)

    def _deadline(self, depth: int) -> Block:
        return self._guarded(depth, timer("PT1H"))

    def _listen(self, depth: int) -> Block:
        id = self.id("e")
        return el("subProcess", id, self.inside(id, depth - 1, self.listener(f"{id}ev"))), id, id

    def listener(self, id: str) -> str:
        handler = el("userTask", f"{id}u") + self.flow(f"{id}_s", f"{id}u") + self.flow(f"{id}u", f"{id}_e")
        return event_sub(id, SIGNAL, handler, self.rnd.random() < 0.5)

    def _many(self, depth: int) -> Block:
        id = self.id("k")
        return el("subProcess", id, self.cardinality() + self.inside(id, depth - 1)), id, id

    def _io(self, depth: int) -> Block:
        id = self.id("i")
        return el("subProcess", id, zeebe(io({f"l{id}": "{a: 1}"}, {f"o{id}": f"l{id}"})) + self.inside(id, depth - 1)), id, id

    def _undo(self, depth: int) -> Block:
        id = self.id("c")
        undoable = el("userTask", f"{id}c") + el("boundaryEvent", f"{id}cb", "<compensateEventDefinition/>", attachedToRef=f"{id}c")
        undoable += el("userTask", f"{id}h", isForCompensation="true")
        undoable += f'<association id="{id}as" sourceRef="{id}cb" targetRef="{id}h"/>'
        block = self.block(depth - 1)
        inner = undoable + el("startEvent", f"{id}st") + el("endEvent", f"{id}en") + block[0] + self.flow(f"{id}st", f"{id}c")
        inner += self.flow(f"{id}c", block[1]) + self.flow(block[2], f"{id}en")
        throw = el("intermediateThrowEvent", f"{id}t", "<compensateEventDefinition/>")
        return el("subProcess", id, inner) + throw + self.flow(id, f"{id}t"), id, f"{id}t"


def process(writer: Writer, depth: int, extra: str = "") -> str:
    """The body of a whole process."""
    block = writer.block(depth, "seq")
    ends = el("startEvent", "st") + el("endEvent", "en")
    return ends + block[0] + writer.flow("st", block[1]) + writer.flow(block[2], "en") + extra
