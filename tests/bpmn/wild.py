"""Random structured diagrams with everything a host takes part in: jobs, listeners, calls, messages, thrown errors and escalations."""

from __future__ import annotations

from tests.bpmn.diagrams import Block, RichWriter
from tests.bpmn.support import ERROR, ESCALATION, MESSAGE, SIGNAL, boundary, el, event_sub, timer, zeebe

CANCEL = "<cancelEventDefinition/>"
JOB = zeebe('<zeebe:taskDefinition type="work"/>')
CALL = zeebe('<zeebe:calledElement processId="q" propagateAllChildVariables="false"/>')
LISTENERS = zeebe(
    '<zeebe:executionListeners><zeebe:executionListener eventType="start" type="work"/>'
    '<zeebe:executionListener eventType="end" type="work"/></zeebe:executionListeners><zeebe:taskListeners>'
    + "".join(f'<zeebe:taskListener eventType="{e}" type="work"/>' for e in ("creating", "updating", "completing", "canceling"))
    + "</zeebe:taskListeners>"
)


class WildWriter(RichWriter):
    """Writes a random block; conditions are still bare variables."""

    kinds = (
        *RichWriter.kinds,
        "job",
        "many_jobs",
        "call",
        "message",
        "adhoc",
        "escalate",
        "fail",
        "transact",
        "gate",
        "listened",
        "caught",
    )

    def _job(self, _depth: int) -> Block:
        id = self.id("j")
        return el("serviceTask", id, JOB), id, id

    def _many_jobs(self, _depth: int) -> Block:
        id = self.id("mj")
        return el("serviceTask", id, JOB + self.cardinality()), id, id

    def _call(self, _depth: int) -> Block:
        id = self.id("ca")
        return el("callActivity", id, CALL + (self.cardinality() if self.rnd.random() < 0.3 else "")), id, id

    def _message(self, _depth: int) -> Block:
        id = self.id("me")
        return el("receiveTask", id, messageRef="M1"), id, id

    def _listened(self, _depth: int) -> Block:
        id = self.id("li")
        return el("userTask", id, LISTENERS + (self.cardinality() if self.rnd.random() < 0.3 else "")), id, id

    def _adhoc(self, depth: int) -> Block:
        id, first, second = self.id("ah"), self.block(depth - 1), self.block(depth - 1)
        done = "<completionCondition>v1</completionCondition>" if self.rnd.random() < 0.5 else ""
        return el("adHocSubProcess", id, first[0] + second[0] + done), id, id

    def _around(self, prefix: str, depth: int, throwing: str, definition: str, interrupting: bool, tag: str = "subProcess") -> Block:
        """A subprocess whose inside may throw, with a boundary event that catches it; both ways meet again."""
        id, block = self.id(prefix), self.block(depth - 1)
        inner = el("startEvent", f"{id}st") + block[0] + el("exclusiveGateway", f"{id}x", default=f"{id}d") + throwing.replace("ID", id)
        inner += el("endEvent", f"{id}en") + self.flow(f"{id}st", block[1]) + self.flow(block[2], f"{id}x")
        inner += self.flow(f"{id}x", f"{id}t", f"v{self.rnd.randint(0, 4)}") + self.flow(f"{id}x", f"{id}en", id=f"{id}d")
        xml = (
            el(tag, id, inner)
            + boundary(f"{id}b", id, definition, interrupting)
            + el("userTask", f"{id}h")
            + el("exclusiveGateway", f"{id}j")
        )
        if not interrupting:
            return (
                xml + el("endEvent", f"{id}he") + self.flow(f"{id}b", f"{id}h") + self.flow(f"{id}h", f"{id}he") + self.flow(id, f"{id}j"),
                id,
                f"{id}j",
            )
        return xml + self.flow(f"{id}b", f"{id}h") + self.flow(f"{id}h", f"{id}j") + self.flow(id, f"{id}j"), id, f"{id}j"

    def _escalate(self, depth: int) -> Block:
        return self._around("es", depth, el("endEvent", "IDt", ESCALATION), ESCALATION, self.rnd.random() < 0.5)

    def _fail(self, depth: int) -> Block:
        return self._around("fa", depth, el("endEvent", "IDt", ERROR), ERROR, True)

    def _transact(self, depth: int) -> Block:
        return self._around("tx", depth, el("endEvent", "IDt", CANCEL), CANCEL, True, "transaction")

    def _caught(self, depth: int) -> Block:
        """A subprocess with an event subprocess for errors, which a worker may throw inside."""
        id, block, job = self.id("cg"), self.block(depth - 1), self.id("j")
        handler = event_sub(f"{id}e", ERROR, el("userTask", f"{id}u") + self.flow(f"{id}e_s", f"{id}u") + self.flow(f"{id}u", f"{id}e_e"))
        inner = el("startEvent", f"{id}st") + el("serviceTask", job, JOB) + block[0] + el("endEvent", f"{id}en") + handler
        inner += self.flow(f"{id}st", job) + self.flow(job, block[1]) + self.flow(block[2], f"{id}en")
        return el("subProcess", id, inner), id, id

    def _gate(self, _depth: int) -> Block:
        id = self.id("eg")
        xml = el("eventBasedGateway", id) + el("exclusiveGateway", f"{id}j")
        for number, definition in enumerate((SIGNAL, timer("PT2H"), MESSAGE)):
            xml += el("intermediateCatchEvent", f"{id}c{number}", definition)
            xml += self.flow(id, f"{id}c{number}") + self.flow(f"{id}c{number}", f"{id}j")
        return xml, id, f"{id}j"
