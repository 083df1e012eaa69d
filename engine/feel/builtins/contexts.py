"""Context functions (DMN 1.5 §10.3.4.10, table 82)."""

from __future__ import annotations

from typing import Any

from engine.feel.builtins.registry import builtin, invalid
from engine.feel.runtime import Run
from engine.feel.values import MISSING, Context


@builtin("get value(m: context, key: string) -> Any", "10.3.4.10")
def get_value(_run: Run, context: Context, key: str) -> Any:
    """The value of a key, null if there is none."""
    found = context.read(key)
    return None if found is MISSING else found


@builtin("get value(context: context, key: string) -> Any", "Camunda 8 context functions")
def get_value_named(run: Run, context: Context, key: str) -> Any:
    """The same with Camunda's parameter name."""
    return get_value(run, context, key)


@builtin("get value(context: context, keys: list) -> Any", "Camunda 8 context functions")
def get_value_path(run: Run, context: Context, keys: tuple[Any, ...]) -> Any:
    """The value at a path of keys."""
    value: Any = context
    for key in _keys(keys):
        if type(value) is not Context:
            return None
        value = get_value(run, value, key)
    return value


def _keys(keys: tuple[Any, ...]) -> list[str]:
    if not keys or not all(isinstance(key, str) for key in keys):
        raise invalid("键必须是字符串", "keys must be strings")
    return list(keys)


@builtin("get entries(m: context) -> list", "10.3.4.10")
def get_entries(_run: Run, context: Context) -> tuple[Context, ...]:
    """A list of {key, value}."""
    return tuple(Context({"key": key, "value": value}) for key, value in context.items())


@builtin("get entries(context: context) -> list", "Camunda 8 context functions")
def get_entries_named(run: Run, context: Context) -> tuple[Context, ...]:
    """The same with Camunda's parameter name."""
    return get_entries(run, context)


@builtin("context(entries: list) -> context", "10.3.4.10")
def context_of(run: Run, entries: tuple[Any, ...]) -> Context:
    """From a list of {key, value}; a key may occur once."""
    result: dict[str, Any] = {}
    run.tick(len(entries) // 4 + 1)
    for entry in entries:
        if type(entry) is not Context or "value" not in entry or not isinstance(entry.get("key"), str):
            raise invalid("每一项都要有字符串 key 和 value", "every entry needs a string key and a value")
        if entry["key"] in result:
            raise invalid(f"重复的键 {entry['key']}", f"duplicate key {entry['key']}")
        result[entry["key"]] = entry["value"]
    return Context(result)


@builtin("context put(context: context, key: string, value: any) -> context", "10.3.4.10")
def context_put(run: Run, context: Context, key: str, value: Any) -> Context:
    """The context with one entry set."""
    run.tick(len(context) // 4 + 1)
    run.check_items(len(context) + 1)
    return Context({**context, key: value})


@builtin("context put(context: context, keys: list, value: any) -> context", "10.3.4.10")
def context_put_path(run: Run, context: Context, keys: tuple[Any, ...], value: Any) -> Context:
    """The context with an entry deep inside set; contexts on the way are made where nothing is."""
    path = _keys(keys)
    if len(path) == 1:
        return context_put(run, context, path[0], value)
    run.enter()
    try:
        inner = context.read(path[0])
        if inner is MISSING or inner is None:
            inner = Context({})
        if type(inner) is not Context:
            raise invalid(f"“{path[0]}”不是上下文", f'"{path[0]}" is not a context')
        return context_put(run, context, path[0], context_put_path(run, inner, tuple(path[1:]), value))
    finally:
        run.depth -= 1


@builtin("context merge(contexts...: any) -> context", "10.3.4.10")
def context_merge(run: Run, *args: Any) -> Context:
    """All entries together; of equal keys the last wins."""
    items = args[0] if len(args) == 1 and type(args[0]) is tuple else args
    result: dict[str, Any] = {}
    for item in items:
        if type(item) is not Context:
            raise invalid("列表里有不是上下文的项", "the list has an item that is no context")
        run.tick(len(item) // 4 + 1)
        run.check_items(len(result))
        result.update(item)
    return Context(result)
