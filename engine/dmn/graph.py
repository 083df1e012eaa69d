"""The decision requirements graph of a file, ready to evaluate: each decision once, its requirements first, with a trace (§6, §10.4).

Names in reach of a decision: what it requires, by variable name (decisions also by id, as Camunda allows), knowledge models and services
as functions, imported elements in a context of the import's name; then everything in the caller's context, because diagrams rarely
draw input data. A knowledge model sees its parameters and the knowledge that it requires, nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from engine.dmn.compiler import Compiler, broken, coerced
from engine.dmn.findings import Findings
from engine.dmn.model import Decision, Definitions, KnowledgeModel, Service
from engine.dmn.requirements import Target, check, find
from engine.dmn.session import Code, Record, Scope, Session, Value
from engine.dmn.trace import kind_of, trace_json
from engine.dmn.types import from_json
from engine.errors import LimitExceeded, NotFound, Said
from engine.feel import Environment, demand_arguments, to_feel
from engine.feel.values import Context, FeelFunction
from engine.findings import Finding

Supply = Callable[[Session], Value]  # gives the value that a required element stands for


@dataclass
class DecisionResult:
    """`value`: FEEL value of the decision. `trace`: JSON-able, one entry per decision in order of evaluation."""

    value: Value
    records: list[Record] = field(repr=False)

    @cached_property
    def trace(self) -> list[dict[str, Any]]:
        """[{decisionId, decisionName, type, inputs: [{id, name, value}], matchedRules: [{ruleId, ruleIndex, outputs: [{name, value}],
        annotation?}], output, warnings?: [{elementId, elementName, message}]}]"""
        return [trace_json(record) for record in self.records]


class DecisionModel:
    """A parsed and compiled DMN file. `decisions`: by id; `findings`: errors first; `drg_id`: id of `definitions`."""

    def __init__(self, definitions: Definitions, imports: Mapping[str, DecisionModel], compiler: Compiler, findings: Findings) -> None:
        self.definitions = definitions
        self.namespace, self.name, self.drg_id = definitions.namespace, definitions.name, definitions.id
        self.decisions = definitions.decisions
        self.imports = imports
        self.compiler = compiler
        self._findings = findings
        self._cyclic = check(definitions, self._files(), findings)
        self._coercions = {id_: compiler.coercion(item.variable.type_ref, item.where) for id_, item in definitions.inputs.items()}
        self._functions = {id_: self._knowledge_code(model) for id_, model in definitions.knowledge.items()}
        self._supplies = {id_: self._decision_supplies(decision) for id_, decision in definitions.decisions.items()}
        self._codes = {id_: self._decision_code(decision) for id_, decision in definitions.decisions.items()}
        for service in definitions.services.values():
            self._check_service(service)

    @property
    def findings(self) -> list[Finding]:
        """What is wrong or doubtful, errors first."""
        order = {"error": 0, "warning": 1, "hint": 2}
        return sorted(self._findings.items, key=lambda finding: order[finding.severity])

    def evaluate(self, decision_id: str, context: Mapping[str, Any], env: Environment | None = None) -> DecisionResult:
        """Evaluate a decision (or a decision service) in a context of process variables.

        Raises NotFound for an unknown id, DecisionError when a table contradicts its hit policy or has error findings,
        LimitExceeded when an expression or the whole graph uses too much.
        """
        session = Session(context, env or Environment())
        try:
            if decision_id in self.definitions.services:
                value = self._service_value(self.definitions.services[decision_id], session)
            elif decision_id in self.decisions:
                value = self.decide(decision_id, session)
            else:
                raise NotFound(what="决策", key=decision_id)
        except RecursionError as error:
            raise LimitExceeded(expression=decision_id, position=0, reason=Said("调用嵌套过深", "calls nested too deep")) from error
        return DecisionResult(value, session.records)

    def decide(self, decision_id: str, session: Session) -> Value:
        """The value of a decision in this session; computed once."""
        key = (self.namespace, decision_id)
        if key not in session.results:
            session.results[key] = self._compute(self.decisions[decision_id], session)
        return session.results[key]

    def _compute(self, decision: Decision, session: Session) -> Value:
        session.enter()
        outer, session.record = session.record, Record(decision.id, decision.name, kind_of(decision.box))
        try:
            own = _supplied(self._supplies[decision.id], session)
            value = self._codes[decision.id](Scope(own, session.context), session)
            session.record.output = value
            session.records.append(session.record)
        finally:
            session.record = outer
            session.depth -= 1
        return value

    # compiling

    def _files(self) -> dict[str, Definitions]:
        return {name: model.definitions for name, model in self.imports.items()}

    def _decision_code(self, decision: Decision) -> Code:
        if decision.box is None or decision.id in self._cyclic:
            return broken(decision.where)
        supplies = self._supplies[decision.id]
        names = frozenset(prefix or name for prefix, name, _ in supplies)
        # who draws the inputs means them to be complete; without drawn inputs the process's variables are meant
        self.compiler.lint.unknown = "warning" if decision.inputs else None
        code = self.compiler.compile(decision.box, names)
        return self.compiler.typed(code, decision.variable.type_ref, decision.where)

    def _knowledge_code(self, model: KnowledgeModel) -> Code:
        name = model.variable.name
        if model.function is None:
            return broken(model.where)
        supplies = self._resolve(model.knowledge)
        names = frozenset({name, *(prefix or inner for prefix, inner, _ in supplies)})
        self.compiler.lint.unknown = "error"  # a knowledge model has nothing but its parameters
        make = self.compiler.function(name, model.function, names)

        def build(_scope: Mapping[str, Any], session: Session) -> Value:
            own: dict[str, Value] = {}
            function = make(Scope(own, {}), session)
            own[name] = function
            own.update(_supplied(supplies, session))
            return function

        return build

    def _decision_supplies(self, decision: Decision) -> list[tuple[str, str, Supply]]:
        return self._resolve((*decision.requires, *decision.inputs, *decision.knowledge))

    def _resolve(self, hrefs: tuple[str, ...]) -> list[tuple[str, str, Supply]]:
        """(import name or "", name, supply) of everything that hrefs point to; unknown ones have a finding already."""
        found = []
        for href in hrefs:
            target = find(self.definitions, self._files(), href)
            if target is not None:
                model = self.imports[target.prefix] if target.prefix else self
                supply = model.supply(target)
                found.append((target.prefix, target.name, supply))
                if target.kind == "decision" and target.id != target.name:
                    found.append((target.prefix, target.id, supply))
        return found

    def supply(self, target: Target) -> Supply:
        """How to get the value of an element of this file."""
        if target.kind == "decision":
            return lambda session: self.decide(target.id, session)
        if target.kind == "input":
            return lambda session: self._input(target, session)
        if target.kind == "knowledge":
            return lambda session: self._functions[target.id]({}, session)
        return lambda session: self._service_function(self.definitions.services[target.id], session)

    def _input(self, target: Target, session: Session) -> Value:
        """The input data's value from a service call, else from the caller's context; checked against its type."""
        key = (self.namespace, target.id)
        item = self.definitions.inputs[target.id]
        if key in session.inputs:
            value = session.inputs[key]
        else:
            holder = session.context.get(target.prefix) if target.prefix else None
            source = holder if isinstance(holder, Mapping) else session.context
            value = to_feel(source.get(target.name))
        value = from_json(item.variable.type_ref, value)
        return coerced(self._coercions[target.id], value, session, item.where)

    # decision services

    def _check_service(self, service: Service) -> None:
        if not service.outputs:
            self._findings.error("missing-output", service.where, "决策服务没有输出决策", "the decision service has no output decision")

    def _targets(self, hrefs: tuple[str, ...]) -> list[tuple[DecisionModel, Target]]:
        targets = [find(self.definitions, self._files(), href) for href in hrefs]
        return [(self.imports[target.prefix] if target.prefix else self, target) for target in targets if target is not None]

    def _service_function(self, service: Service, session: Session) -> FeelFunction:
        """The service as function: input data, then input decisions are its parameters (§10.4)."""
        parameters = self._targets((*service.input_data, *service.input_decisions))

        def call(_run: Any, args: tuple[Value, ...]) -> Value:
            demand_arguments(args, len(parameters))
            inner = session.inner()
            for (model, target), value in zip(parameters, args, strict=True):
                store = inner.results if target.kind == "decision" else inner.inputs
                store[(model.namespace, target.id)] = value
            inner.enter()
            return self._service_value(service, inner)

        return FeelFunction(service.variable.name, tuple(target.name for _, target in parameters), call)

    def _service_value(self, service: Service, session: Session) -> Value:
        """The single output decision's value, else a context of outputs by name. The context may hold the input decisions."""
        for model, target in self._targets(service.input_decisions):
            if target.name in session.context:
                session.results.setdefault((model.namespace, target.id), to_feel(session.context[target.name]))
        outputs = self._targets(service.outputs)
        values = {target.name: model.decide(target.id, session) for model, target in outputs}
        return next(iter(values.values())) if len(values) == 1 else Context(values)


def _supplied(supplies: list[tuple[str, str, Supply]], session: Session) -> dict[str, Value]:
    own: dict[str, Value] = {}
    imported: dict[str, dict[str, Value]] = {}
    for prefix, name, supply in supplies:
        (imported.setdefault(prefix, {}) if prefix else own)[name] = supply(session)
    for prefix, values in imported.items():
        own[prefix] = Context(values)
    return own
