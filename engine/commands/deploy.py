"""Deploy diagrams, decisions and forms together: all of them or nothing, every finding at once, no new version without new content."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import orjson
from sqlalchemy import insert
from sqlalchemy.orm import Session

from engine import clock
from engine.bpmn import Known, ProcessModel, lines, lint, parse
from engine.bpmn.lint.size import check_size
from engine.commands.start_timers import arm_start_timers
from engine.dmn import DecisionModel, parse_dmn
from engine.errors import DeploymentRefused, Invalid
from engine.findings import Finding
from engine.forms import lint_form
from engine.policy import Actor, require
from engine.runtime import runtime_of
from engine.store import audit, definitions
from engine.store import models as m
from engine.store.changes import forget_subscriptions_of_definition
from engine.store.definitions import Kind
from engine.store.upserting import insert_row

MAX_RESOURCE_BYTES = 5_000_000
MAX_RESOURCES = 500


@dataclass(frozen=True, slots=True)
class Deployed:
    """One definition of a deployment. `new` is False when the content was unchanged and the earlier version serves."""

    kind: Kind
    id: str
    name: str
    version: int
    key: int
    resource_name: str
    new: bool
    drg_id: str = ""
    drg_name: str = ""


@dataclass(slots=True)
class Deployment:
    """What was deployed; `findings` are the warnings and hints that did not stop it."""

    key: int
    items: list[Deployed] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)

    def of_kind(self, kind: Kind) -> list[Deployed]:
        return [item for item in self.items if item.kind == kind]


@dataclass(slots=True)
class Resources:
    """The parsed files of one deployment, by file name."""

    bpmn: dict[str, bytes] = field(default_factory=dict)
    decisions: dict[str, tuple[bytes, DecisionModel]] = field(default_factory=dict)
    forms: dict[str, tuple[bytes, dict[str, Any]]] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)


def deploy(session: Session, actor: Actor, resources: Sequence[tuple[str, bytes]], *, name: str = "") -> Deployment:
    """Deploy files as (name, content) -> what they became. Needs the power `deploy`.

    Raises DeploymentRefused with every finding when one of them is an error, Invalid for a wrong kind or size of file.
    """
    require(actor, "deploy")
    parsed, models = check_resources(session, resources)
    errors = [f for f in parsed.findings if f.severity == "error"]
    if errors:
        raise DeploymentRefused(errors + [f for f in parsed.findings if f.severity != "error"])
    values = {"name": name, "deployed_at": clock.now(), "deployed_by": actor.username}
    session.info["deployed"] = True
    key = insert_row(session, m.deployment, values)
    deployment = Deployment(key, findings=parsed.findings)
    _Writer(session, deployment).write(parsed, models)
    audit.record(session, actor, "deployment.created", data={"deploymentKey": str(key), "resources": [n for n, _ in resources]})
    return deployment


def check_resources(session: Session, resources: Sequence[tuple[str, bytes]]) -> tuple[Resources, dict[str, list[ProcessModel]]]:
    """Parse and lint without storing anything: what `lianban lint` shows. The models are empty when there are errors."""
    parsed = _read(resources)
    known = _known(session, parsed)
    rules = runtime_of(session).house_rules
    for resource, content in parsed.bpmn.items():
        parsed.findings += lint(content, resource, known) + _by_house_rules(rules, content, resource)
    models: dict[str, list[ProcessModel]] = {}
    if not any(f.severity == "error" for f in parsed.findings):
        models = {resource: parse(content, resource) for resource, content in parsed.bpmn.items()}
    parsed.findings.sort(key=lambda f: ({"error": 0, "warning": 1, "hint": 2}[f.severity], f.resource, f.line))
    return parsed, models


def _by_house_rules(rules: Callable[[ProcessModel], list[Finding]], content: bytes, resource: str) -> list[Finding]:
    """What the domain says of a diagram, with the lines that the rules, which see no XML, cannot know."""
    try:
        found = [finding for model in parse(content, resource) for finding in rules(model)]
    except DeploymentRefused:
        return []  # lint has said why; the rules look at processes that can be read
    where = lines(content)
    return [replace(finding, line=where.get(finding.element_id, 0)) for finding in found]


def _read(resources: Sequence[tuple[str, bytes]]) -> Resources:
    if not resources or len(resources) > MAX_RESOURCES:
        raise Invalid(reason=f"一次部署需要 1 至 {MAX_RESOURCES} 个文件")
    parsed = Resources()
    for resource, content in resources:
        if len(content) > MAX_RESOURCE_BYTES:
            raise Invalid(reason=f"文件“{resource}”超过 {MAX_RESOURCE_BYTES // 1_000_000} MB")
        if resource.endswith(".bpmn"):
            _read_bpmn(parsed, resource, content)
        elif resource.endswith(".dmn"):
            _read_dmn(parsed, resource, content)
        elif resource.endswith(".form"):
            _read_form(parsed, resource, content)
        else:
            raise Invalid(reason=f"文件“{resource}”不是 .bpmn、.dmn 或 .form")
    return parsed


def _read_bpmn(parsed: Resources, resource: str, content: bytes) -> None:
    finding = check_size(content, resource)
    if finding is not None:
        parsed.findings.append(finding)
        return
    parsed.bpmn[resource] = content


def _read_dmn(parsed: Resources, resource: str, content: bytes) -> None:
    try:
        model = parse_dmn(content, resource)
    except DeploymentRefused as refused:
        parsed.findings += refused.findings
        return
    parsed.findings += model.findings
    parsed.decisions[resource] = (content, model)


def _read_form(parsed: Resources, resource: str, content: bytes) -> None:
    try:
        schema = orjson.loads(content)
    except orjson.JSONDecodeError as error:
        parsed.findings.append(Finding("form-json", "error", f"表单不是有效的 JSON：{error}", f"not valid JSON: {error}", resource))
        return
    if not isinstance(schema, dict) or not isinstance(schema.get("id"), str):
        parsed.findings.append(Finding("form-id", "error", "表单缺少 id", "the form has no id", resource))
        return
    parsed.findings += lint_form(schema, resource)
    parsed.forms[resource] = (content, schema)


def _known(session: Session, parsed: Resources) -> Known:
    decisions = {d for _, model in parsed.decisions.values() for d in model.decisions}
    runtime = runtime_of(session)
    return Known(
        process_ids=definitions.identifiers(session, "process") | _process_ids(parsed.bpmn),
        decision_ids=definitions.identifiers(session, "decision") | decisions,
        form_ids=definitions.identifiers(session, "form") | {schema["id"] for _, schema in parsed.forms.values()},
        job_types=None,
        groups=runtime.known_groups(session),
    )


def _process_ids(bpmn: dict[str, bytes]) -> set[str]:
    found: set[str] = set()
    for resource, content in bpmn.items():
        try:
            found |= {model.process_id for model in parse(content, resource)}
        except DeploymentRefused:
            continue  # lint reports the file's own findings; here only names are collected
    return found


class _Writer:
    """Stores the files of a deployment and gives versions to what is new."""

    def __init__(self, session: Session, deployment: Deployment) -> None:
        self._session, self._deployment = session, deployment
        self._resources: dict[str, int] = {}

    def write(self, parsed: Resources, models: dict[str, list[ProcessModel]]) -> None:
        for resource, (content, schema) in parsed.forms.items():
            tag = schema.get("versionTag")
            self._item("form", schema["id"], resource, content, {"body": content.decode(), "version_tag": tag}, None)
        for resource, (content, decisions) in parsed.decisions.items():
            for identifier, decision in decisions.decisions.items():
                extra = {"name": decision.name, "drg_id": decisions.drg_id, "drg_name": decisions.name}
                self._item("decision", identifier, resource, content, extra, content)
        for resource, found in models.items():
            content = parsed.bpmn[resource]
            for model in found:
                self._process(model, resource, content)

    def _process(self, model: ProcessModel, resource: str, content: bytes) -> None:
        extra = {"name": model.name, "version_tag": model.version_tag}
        item = self._item("process", model.process_id, resource, content, extra, content)
        if not item.new:
            return
        forget_subscriptions_of_definition(self._session, model.process_id)
        starts = [("message", s.element_id, s.message_name) for s in model.message_starts]
        starts += [("signal", s.element_id, s.signal_name) for s in model.signal_starts]
        rows = [{"definition_key": item.key, "element_id": e, "kind": k, "name": n} for k, e, n in starts]
        if rows:
            self._session.execute(insert(m.start_subscription), rows)
        arm_start_timers(self._session, item.key, model)

    def _item(self, kind: Kind, identifier: str, resource: str, content: bytes, extra: dict[str, Any], stored: bytes | None) -> Deployed:
        digest = hashlib.sha256(content).hexdigest()
        old = definitions.latest(self._session, kind, identifier)
        if old is not None and old.digest == digest and old.resource_name == resource:
            item = Deployed(kind, identifier, extra.get("name", identifier), old.version, old.key, resource, False, *_drg(extra))
        else:
            version = old.version + 1 if old is not None else 1
            values = {
                definitions.KINDS[kind].id_column: identifier,
                "version": version,
                "resource_name": resource,
                "deployment_key": self._deployment.key,
                "digest": digest,
                **extra,
            }
            if stored is not None:
                values["resource_key"] = self._resource(resource, digest, stored)
            key = insert_row(self._session, definitions.KINDS[kind].table, values)
            item = Deployed(kind, identifier, extra.get("name", identifier), version, key, resource, True, *_drg(extra))
        self._session.execute(
            m.deployment_item.insert().values(deployment_key=self._deployment.key, kind=kind, id=identifier, definition_key=item.key)
        )
        self._deployment.items.append(item)
        return item

    def _resource(self, name: str, digest: str, content: bytes) -> int:
        """The key of the stored file: one row, however many processes or decisions it holds."""
        if name not in self._resources:
            values = {"deployment_key": self._deployment.key, "name": name, "digest": digest, "content": content}
            self._resources[name] = insert_row(self._session, m.resource, values)
        return self._resources[name]


def _drg(extra: dict[str, Any]) -> tuple[str, str]:
    return extra.get("drg_id", ""), extra.get("drg_name", "")
