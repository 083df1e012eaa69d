"""Small drawn versions of one process, with people who may watch, migrate and operate."""

from __future__ import annotations

from engine import Engine, commands
from engine.policy import SYSTEM
from engine.store import reads
from handlers.directory import service as directory

PROCESS = "permit"
RUNS = f"/definitions/processes/{PROCESS}/runs"
MIGRATE = f"/definitions/processes/{PROCESS}/migrate"
NAMESPACES = (
    'xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:di="http://www.omg.org/spec/BPMN/20100524/DI" '
    'xmlns:dc="http://www.omg.org/spec/DD/20100524/DC" xmlns:ddi="http://www.omg.org/spec/DD/20100524/DI" '
    'xmlns:zeebe="http://camunda.org/schema/zeebe/1.0" xmlns:modeler="http://camunda.org/schema/modeler/1.0" '
    'targetNamespace="http://bpmn.io/schema/bpmn" modeler:executionPlatform="Camunda Cloud" modeler:executionPlatformVersion="8.9.0"'
)


def drawn(*steps: tuple[str, str]) -> bytes:
    """User tasks (id, name) one after the other, with their places on the diagram."""
    ids = ["start", *(id for id, _name in steps), "end"]
    tasks = "".join(
        f'<userTask id="{id}" name="{name}"><extensionElements><zeebe:userTask/></extensionElements></userTask>' for id, name in steps
    )
    flows, shapes, edges = "", "", ""
    for number, id in enumerate(ids):
        wide, high = (36, 36) if id in ("start", "end") else (100, 80)
        x, y = 100 + 160 * number, 100 - high // 2
        shapes += (
            f'<di:BPMNShape id="di_{id}" bpmnElement="{id}"><dc:Bounds x="{x}" y="{y}" width="{wide}" height="{high}"/></di:BPMNShape>'
        )
        if number:
            before = ids[number - 1]
            flows += f'<sequenceFlow id="f_{number}" sourceRef="{before}" targetRef="{id}"/>'
            left = x - 160 + (36 if before == "start" else 100)
            ends = f'<ddi:waypoint x="{left}" y="100"/><ddi:waypoint x="{x}" y="100"/>'
            edges += f'<di:BPMNEdge id="di_f_{number}" bpmnElement="f_{number}">{ends}</di:BPMNEdge>'
    body = f'<startEvent id="start"/>{tasks}<endEvent id="end"/>{flows}'
    plane = f'<di:BPMNDiagram id="d"><di:BPMNPlane id="dp" bpmnElement="{PROCESS}">{shapes}{edges}</di:BPMNPlane></di:BPMNDiagram>'
    process = f'<process id="{PROCESS}" name="小许可" isExecutable="true">{body}</process>'
    return f'<definitions {NAMESPACES} id="defs">{process}{plane}</definitions>'.encode()


OLD = drawn(("apply", "填报"), ("review", "审查"))
NEW = drawn(("apply", "填报"), ("joint_review", "联合审查"), ("sign", "签发"))
"""审查 has another id and name, 签发 is new."""


def deploy(engine: Engine, content: bytes) -> int:
    """Deploy a version -> its key."""
    with engine.unit_of_work() as session:
        return commands.deploy(session, SYSTEM, [(f"{PROCESS}.bpmn", content)]).items[0].key


def start(engine: Engine, count: int, business_id: str | None = None) -> list[int]:
    """So many instances at 填报."""
    keys = []
    for first in range(0, count, 100):
        with engine.unit_of_work() as session:
            for _ in range(min(100, count - first)):
                keys.append(commands.start_instance(session, SYSTEM, PROCESS, {}, business_id=business_id))
    return keys


def complete(engine: Engine, key: int) -> None:
    """Complete the open task of an instance."""
    with engine.unit_of_work() as session:
        (task,) = reads.open_tasks_of_instance(session, key)
        commands.complete_task(session, SYSTEM, task.key, {})


def add_watchers(engine: Engine) -> None:
    """fenxi (analyst: may migrate), yunwei (may do everything), ducha (may look)."""
    with engine.unit_of_work() as session:
        directory.create_demo_user(session, "fenxi", "周分析", "analyst", [])
        directory.create_demo_user(session, "yunwei", "运维员", "admin", [])
        directory.create_demo_user(session, "ducha", "督查员", "staff", [("FGW", "supervisor")])
