"""The server's second look at a submission: recompute what must not be trusted, validate what a person could see, keep nothing else.

1. Lay the submission over the data that the form was shown with; read every value by its component type.
2. Repeat until nothing changes: find what is visible; readonly fields get the server's value, expression fields are computed.
3. Validate the visible fields that are not disabled; what remains of the submission is their data and nothing more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from engine.errors import FormInvalid
from engine.feel import Environment
from engine.forms import choices, expressions, rules
from engine.forms.paths import ABSENT, DataPath, copy, dotted, read, write
from engine.forms.rules import Question
from engine.forms.schema import MULTIPLE, OPTION_TYPES, Field, read_schema
from engine.forms.values import ValueInvalid, as_number, read_value
from engine.forms.walk import MAX_ROWS, Instance, empty_value, initial_value, rows_of, visible

MAX_PASSES = 20  # expression fields that depend on each other settle in one pass per link; a longer chain is a mistake


def validate_submission(
    schema: Mapping[str, Any],
    submission: Mapping[str, Any],
    context: Mapping[str, Any] | None = None,
    env: Environment | None = None,
) -> dict[str, Any]:
    """The data to store, JSON-able. Raises FormInvalid with dotted data paths and Chinese messages.

    `schema`: form-js JSON. `submission`: what the client sent. `context`: the variables that the form was shown with on the server;
    readonly values, `valuesKey` options and initial values come from here and never from the submission.
    """
    return _Validation(read_schema(schema), submission, context or {}, env or Environment()).run()


class _Validation:
    def __init__(self, root: Field, submission: Mapping[str, Any], context: Mapping[str, Any], env: Environment) -> None:
        self.root = root
        self.env = env
        self.submission = copy(dict(submission))
        self.initial: dict[str, Any] = copy(dict(context))
        self.problems: dict[DataPath, str] = {}
        self.errors: dict[str, list[str]] = {}
        self._initialise(root, ())
        self.data: dict[str, Any] = copy(self.initial)
        self._overlay(root, ())

    def run(self) -> dict[str, Any]:
        instances = self._settle()
        result: dict[str, Any] = {}
        for instance in instances:
            self._finish(instance, result)
        if self.errors:
            raise FormInvalid(self.errors)
        return result

    def _initialise(self, field: Field, base: DataPath) -> None:
        """The data before anybody typed: the context's values, else defaults."""
        path = (*base, *field.path)
        value = read(self.initial, path)
        if field.keyed and (value is ABSENT or value is None):
            write(self.initial, path, initial_value(field))
        if field.repeating:
            rows = rows_of(field, value)
            write(self.initial, path, rows)
            for index in range(len(rows)):
                self._each(field, (*path, index), self._initialise)
        else:
            self._each(field, path, self._initialise)

    def _overlay(self, field: Field, base: DataPath) -> None:
        """What the client sent, field by field; keys that the schema does not know are left behind here."""
        path = (*base, *field.path)
        if field.keyed and not field.options.get("disabled"):
            write(self.data, path, self._sent(field, path))
        if field.repeating:
            for index in range(self._overlay_rows(field, path)):
                self._each(field, (*path, index), self._overlay)
        else:
            self._each(field, path, self._overlay)

    @staticmethod
    def _each(field: Field, base: DataPath, step: Callable[[Field, DataPath], None]) -> None:
        for inner in field.children:
            step(inner, base)

    def _sent(self, field: Field, path: DataPath) -> Any:
        value = read(self.submission, path)
        try:
            # never the context's value: a sloppy client must not repeat an earlier round's decision by leaving it out
            return initial_value(field) if value is ABSENT else read_value(field, value)
        except ValueInvalid as error:
            self.problems[path] = str(error)
            return empty_value(field)

    def _overlay_rows(self, field: Field, path: DataPath) -> int:
        sent = read(self.submission, path)
        rows = sent if isinstance(sent, list) else []
        if sent is not ABSENT and sent is not None and not isinstance(sent, list):
            self.problems[path] = "必须是列表"
        if len(rows) > MAX_ROWS:
            self.problems[path] = f"不能超过 {MAX_ROWS} 行"
        if not all(isinstance(row, dict) for row in rows[:MAX_ROWS]):
            self.problems[path] = "有格式不正确的行"
        shown = read(self.initial, path)
        known = shown if isinstance(shown, list) else []
        count = min(len(rows), MAX_ROWS)
        write(self.data, path, [copy(known[index]) if index < len(known) else {} for index in range(count)])
        return count

    def _settle(self) -> list[Instance]:
        instances = visible(self.root, self.data, self.initial, self.env)
        for _ in range(MAX_PASSES):
            changed = sum(self._restore(instance) for instance in instances if instance.field.keyed)
            if not changed:
                break
            instances = visible(self.root, self.data, self.initial, self.env)
        return instances

    def _restore(self, instance: Instance) -> bool:
        """Put the server's value into a readonly or expression field; true if that changed anything."""
        field, current = instance.field, read(self.data, instance.path)
        if field.type == "expression":
            value = expressions.resolve(field.options.get("expression"), instance.scope, self.env)
        elif self._is_readonly(instance):
            value = self._shown(field, instance.path)
            self.problems.pop(instance.path, None)
        else:
            return False
        if choices.same(value, current):
            return False
        write(self.data, instance.path, copy(value))
        return True

    def _shown(self, field: Field, path: DataPath) -> Any:
        """The value that the form was shown with, in the component's type; what does not fit was shown empty."""
        value = read(self.initial, path)
        try:
            return initial_value(field) if value is ABSENT else read_value(field, value)
        except ValueInvalid:
            return empty_value(field)

    def _is_readonly(self, instance: Instance) -> bool:
        readonly = instance.field.options.get("readonly")
        if expressions.is_expression(readonly):
            return expressions.condition(str(readonly), instance.scope, self.env)
        return bool(readonly)

    def _finish(self, instance: Instance, result: dict[str, Any]) -> None:
        field, path = instance.field, instance.path
        if field.options.get("disabled"):
            return
        value = self._stored(field, path)
        question = Question(
            field,
            value,
            expressions.text(field.label, instance.scope, self.env),
            rules.limits_of(field, instance.scope, self.env) if field.keyed else {},
        )
        problem = self.problems.get(path) if field.keyed or field.repeating else None
        found = [f"“{question.label}”{problem}"] if problem else list(self._check(instance, question))
        if field.keyed:
            question, found = self._normalise(question, found)
            write(result, path, copy(question.value))
        elif field.repeating:
            write(result, path, [{} for _ in range(len(value) if isinstance(value, list) else 0)])
        found += rules.broken_rules(question, instance.scope, self.env) if not found else []
        if found:
            self.errors.setdefault(dotted(path) or field.id, []).extend(found)

    def _normalise(self, question: Question, found: list[str]) -> tuple[Question, list[str]]:
        if found:
            return question, found
        value, message = rules.identifier(question, self.env)
        return Question(question.field, value, question.label, question.limits), [message] if message else []

    def _stored(self, field: Field, path: DataPath) -> Any:
        """The value to validate, once more in the component's type: two components may share a path, a default may not fit."""
        value = read(self.data, path) if field.keyed or field.repeating else None
        if not field.keyed:
            return value
        try:
            return read_value(field, None if value is ABSENT else value)
        except ValueInvalid as error:
            self.problems[path] = str(error)
            return empty_value(field)

    def _check(self, instance: Instance, question: Question) -> Iterator[str]:
        field, label = instance.field, question.label
        if field.repeating:
            yield from self._check_rows(question)
        elif field.keyed:
            if field.type in OPTION_TYPES:
                yield from self._check_choice(instance, question)
            if field.type == "datetime" and field.options.get("disallowPassedDates") and self._is_past(question.value):
                yield f"“{label}”不能早于今天"
            yield from rules.messages(question)

    def _check_choice(self, instance: Instance, question: Question) -> Iterator[str]:
        many = instance.field.type in MULTIPLE
        values = question.value if many else [] if question.value is None else [question.value]
        options = choices.options_of(instance.field, instance.scope, self.initial, self.env)
        wrong = [value for value in values if not choices.allowed(value, options)]
        if wrong:
            yield f"“{question.label}”的值“{'、'.join(str(value)[:50] for value in wrong[:5])}”不在可选范围内"

    def _is_past(self, value: Any) -> bool:
        return isinstance(value, str) and len(value) >= 10 and value[:10] < self.env.now().date().isoformat()

    def _check_rows(self, question: Question) -> Iterator[str]:
        count = len(question.value) if isinstance(question.value, list) else 0
        least, most = (as_number(question.field.properties.get(name)) for name in ("minRows", "maxRows"))
        if least is not None and count < least:
            yield f"“{question.label}”至少填写 {least} 行"
        if most is not None and count > most:
            yield f"“{question.label}”最多填写 {most} 行"
