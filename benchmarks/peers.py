"""Peers on the same machine, per completed user task, saved durably: raw SpiffWorkflow with its serializer's blob in SQLite, and the npm
package bpmn-engine where it is installed beside the web assets (`npm install --no-save bpmn-engine` in webapp/)."""

from __future__ import annotations

import json
import logging
import shutil
import sqlite3
import subprocess
import tempfile
from pathlib import Path

from SpiffWorkflow.bpmn.parser.BpmnParser import BpmnParser
from SpiffWorkflow.bpmn.serializer import BpmnWorkflowSerializer
from SpiffWorkflow.bpmn.workflow import BpmnWorkflow

from benchmarks._measure import Action, Row, in_turn, row
from benchmarks.commands import CLERK, DIAGRAMS, start
from benchmarks.kernel import stock_ready
from engine import commands, open_engine
from engine.policy import SYSTEM
from engine.settings import Settings
from engine.store import models as m

ROUNDS = 100
SCRIPT = Path(__file__).parent / "bpmn_engine.mjs"
WEBAPP = Path(__file__).resolve().parent.parent / "webapp"
PLAIN = (
    '<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" id="d" targetNamespace="bench"><process id="p" isExecutable="true">'
    '<startEvent id="s"/><userTask id="t1"/><userTask id="t2"/><userTask id="t3"/><endEvent id="e"/>'
    '<sequenceFlow id="f1" sourceRef="s" targetRef="t1"/><sequenceFlow id="f2" sourceRef="t1" targetRef="t2"/>'
    '<sequenceFlow id="f3" sourceRef="t2" targetRef="t3"/><sequenceFlow id="f4" sourceRef="t3" targetRef="e"/></process></definitions>'
)


def run() -> list[Row]:
    """Rows of the table in var/bench.json: our service, resident, against each peer that is there."""
    logging.getLogger("spiff").setLevel(logging.CRITICAL)
    with tempfile.TemporaryDirectory() as folder:
        ours, spiff = in_turn(ROUNDS, _service(folder), _spiff(folder))
    rows = [row("complete a user task vs raw SpiffWorkflow + SQLite blob (3 tasks)", ours, spiff, 1.0)]
    node = shutil.which("node")
    if node is not None and (WEBAPP / "node_modules" / "bpmn-engine").is_dir():
        answer = json.loads(subprocess.run([node, SCRIPT], input=PLAIN, capture_output=True, check=True, text=True, cwd=WEBAPP).stdout)
        rows.append(row("complete a user task vs bpmn-engine (node), recovered and saved", ours, answer["stateless"], 1.0))
    return rows


def _service(folder: str) -> Action:
    engine = open_engine(Settings(database_url=f"sqlite:///{folder}/ours.db", jobs="inline"))
    engine.create_schema()
    with engine.unit_of_work() as session:
        commands.deploy(session, SYSTEM, [("sequence.bpmn", (DIAGRAMS / "sequence.bpmn").read_bytes())])
    for _ in range(ROUNDS + 10):
        start(engine)
    with engine.reading() as session:
        keys = list(session.scalars(m.user_task.select().with_only_columns(m.user_task.c.key)))

    def complete(number: int) -> None:
        with engine.unit_of_work() as session:
            commands.complete_task(session, CLERK, keys[number], {"opinion": "同意"})

    return complete


def _spiff(folder: str) -> Action:
    """Read the blob, restore, complete the task, dump, write, commit: what a service around stock SpiffWorkflow does for each request."""
    parser = BpmnParser()
    parser.add_bpmn_str(PLAIN.encode())
    spec = parser.get_spec("p")
    serializer = BpmnWorkflowSerializer(BpmnWorkflowSerializer.configure())
    connection = sqlite3.connect(f"{folder}/spiff.db", isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("CREATE TABLE instance (id INTEGER PRIMARY KEY, body TEXT)")
    for number in range(ROUNDS + 10):
        workflow = BpmnWorkflow(spec)
        workflow.do_engine_steps()
        connection.execute("INSERT INTO instance VALUES (?, ?)", (number, serializer.serialize_json(workflow)))

    def complete(number: int) -> None:
        connection.execute("BEGIN IMMEDIATE")
        (body,) = connection.execute("SELECT body FROM instance WHERE id = ?", (number,)).fetchone()
        workflow = serializer.deserialize_json(body)
        task = stock_ready(workflow)[0]
        task.set_data(opinion="同意")
        task.run()
        workflow.do_engine_steps()
        connection.execute("UPDATE instance SET body = ? WHERE id = ?", (serializer.serialize_json(workflow), number))
        connection.execute("COMMIT")

    return complete
