"""Diagram texts evaluated for a token: conditions, mappings, names, lists. What does not fit becomes a StepFailed with the expression,
the values it read and the warnings FEEL gave, so that a person can see why.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from engine.bpmn.kernel.failure import StepFailed
from engine.bpmn.kernel.variables import Visible, json_value, outer_scopes, set_variable
from engine.bpmn.vocabulary import Text
from engine.errors import ExpressionError
from engine.feel import compile_expression, to_json

if TYPE_CHECKING:
    from engine.bpmn.kernel.token import Token
    from engine.bpmn.vocabulary import Mapping_

VALUE_ERROR = "EXTRACT_VALUE_ERROR"
MAPPING_ERROR = "IO_MAPPING_ERROR"
CONDITION_ERROR = "CONDITION_ERROR"

Context = Mapping[str, object]


def value(token: Token, text: Text, extra: Context | None = None, kind: str = VALUE_ERROR) -> object:
    """The FEEL value of a text; a static text is its string."""
    if not text.is_feel:
        return text.text
    try:
        expression = compile_expression(text.text)
        return expression.evaluate(Visible(token, extra), token.workflow.process.env.feel)
    except ExpressionError as error:
        raise _failed(token, text, extra, kind, error) from error


def json(token: Token, text: Text, extra: Context | None = None, kind: str = VALUE_ERROR) -> Any:
    """The JSON value of a text."""
    if not text.is_feel:
        return text.text
    found = value(token, text, extra, kind)
    try:
        return to_json(found)
    except ExpressionError as error:
        raise _failed(token, text, extra, kind, error) from error


def _failed(token: Token, text: Text, extra: Context | None, kind: str, error: ExpressionError) -> StepFailed:
    """An expression that broke a limit or cannot be read."""
    details = {"expression": text.text, **{k: v for k, v in error.details.items() if k != "expression"}}
    return StepFailed(kind, str(error), _with_values(token, text, extra, details))


def condition(token: Token, text: Text, extra: Context | None = None) -> bool:
    """A condition: anything but true or false is an incident (Camunda 8)."""
    result = value(token, as_feel(text), extra, CONDITION_ERROR)
    if result is True or result is False:
        return result
    raise mismatch(token, text, result, "布尔值", extra, CONDITION_ERROR)


def as_feel(text: Text) -> Text:
    """The same text as an expression, whether or not it was written with a leading "="."""
    return text if text.is_feel else type(text)(text.text, True)


def text(token: Token, source: Text | None, extra: Context | None = None) -> str | None:
    """A string or null."""
    if source is None or not source.is_feel:
        return None if source is None else source.text
    result = json(token, source, extra)
    if result is None or isinstance(result, str):
        return result
    raise mismatch(token, source, result, "字符串", extra)


def property_text(token: Token, value: str) -> str:
    """A zeebe:property for lists and screens; one that starts with "=" is evaluated for this task or event (our extension), null is ""."""
    return text(token, Text.of(value)) or ""


def required_text(token: Token, source: Text, extra: Context | None = None, kind: str = VALUE_ERROR) -> str:
    """A string that must not be null or empty; numbers are taken as their text (correlation keys may be numbers)."""
    result = json(token, source, extra, kind)
    if isinstance(result, (int, float)) and not isinstance(result, bool):
        return str(result)
    if isinstance(result, str) and result:
        return result
    raise mismatch(token, source, result, "非空字符串", extra, kind)


def names(token: Token, source: Text | None) -> tuple[str, ...]:
    """A list of names: static comma list, FEEL list of strings, a FEEL string (comma list), or null."""
    if source is None:
        return ()
    result = json(token, source)
    if isinstance(result, str):
        result = [part.strip() for part in result.split(",")]
    if result is None:
        return ()
    if isinstance(result, list) and all(isinstance(item, str) for item in result):
        return tuple(item for item in result if item)
    raise mismatch(token, source, result, "字符串列表")


def integer(token: Token, source: Text, extra: Context | None = None) -> int:
    """A whole number."""
    result = json(token, source, extra)
    if isinstance(result, str) and not source.is_feel and result.strip().lstrip("-").isdigit():
        return int(result)
    if isinstance(result, int) and not isinstance(result, bool):
        return result
    raise mismatch(token, source, result, "整数", extra)


def items(token: Token, source: Text) -> list[Any]:
    """A list."""
    result = json(token, as_feel(source))
    if isinstance(result, list):
        return result
    raise mismatch(token, source, result, "列表")


def mismatch(token: Token, source: Text, result: object, wanted: str, extra: Context | None = None, kind: str = VALUE_ERROR) -> StepFailed:
    """The StepFailed for a value of the wrong type, with FEEL's warnings."""
    shown = to_json(result)
    details: dict[str, Any] = {"expression": source.text, "result": shown}
    if source.is_feel or kind == CONDITION_ERROR:
        try:
            run = compile_expression(source.text).run(Visible(token, extra), token.workflow.process.env.feel)
            details["warnings"] = [str(warning) for warning in run.warnings]
            if run.warnings and run.warnings[0].position >= 0:
                details["position"] = run.warnings[0].position
        except ExpressionError as error:
            details["warnings"] = [str(error)]
    message = f"表达式“{source.text}”应得到{wanted}，实际得到 {_short(shown)}。"
    return StepFailed(kind, message, _with_values(token, source, extra, details))


def _with_values(token: Token, source: Text, extra: Context | None, details: dict[str, Any]) -> dict[str, Any]:
    """Add the values of the variables that the expression reads."""
    try:
        return {**details, "values": values_read(token, source, extra)}
    except ExpressionError:
        return details


def values_read(token: Token, source: Text, extra: Context | None = None) -> dict[str, Any]:
    """JSON values of the variables that an expression reads, by name. Raises ExpressionError when it cannot be compiled."""
    values = {}
    for name in sorted(compile_expression(source.text).variables):
        values[name] = to_json(extra[name]) if extra is not None and name in extra else json_value(token, name)
    return values


def _short(shown: object) -> str:
    text_ = "null" if shown is None else str(shown)
    return text_ if len(text_) <= 80 else text_[:77] + "..."


# ---------------------------------------------------------------------------------------------- io mappings
def apply_inputs(token: Token, mappings: tuple[Mapping_, ...]) -> None:
    """Input mappings: all are evaluated (later ones see earlier targets), then the locals are written."""
    made: dict[str, Any] = {}
    for mapping in mappings:
        result = None if mapping.source is None else json(token, mapping.source, made, MAPPING_ERROR)
        _place(made, mapping.target, result, None)
    local = token.local()
    for name, result in made.items():
        local.put(name, result)


def apply_outputs(token: Token, mappings: tuple[Mapping_, ...]) -> None:
    """Output mappings: all are evaluated, then written to the outer scopes. A dotted target changes one entry of a context."""
    made: dict[str, Any] = {}
    for mapping in mappings:
        result = None if mapping.source is None else json(token, mapping.source, made, MAPPING_ERROR)
        _place(made, mapping.target, result, token)
    for name, result in made.items():
        set_variable(outer_scopes(token), name, result)


def _place(made: dict[str, Any], target: str, result: Any, token: Token | None) -> None:
    """Put a value at a dotted path; with `token` the path starts from the variable as it is outside."""
    root, *path = target.split(".")
    if not path:
        made[root] = result
        return
    if root not in made:
        made[root] = None if token is None else _outer_value(token, root)
    if not isinstance(made[root], dict):
        made[root] = {}
    holder = made[root]
    for name in path[:-1]:
        if not isinstance(holder.get(name), dict):
            holder[name] = {}
        holder = holder[name]
    holder[path[-1]] = result


def _outer_value(token: Token, name: str) -> Any:
    for scope in outer_scopes(token):
        if name in scope:
            return scope.json(name)
    return None
