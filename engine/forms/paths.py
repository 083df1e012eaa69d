"""Reading and writing nested JSON data by path; a path's parts are keys (str) and row numbers (int, from 0)."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

DataPath = tuple[str | int, ...]
ABSENT: Any = object()


def read(data: Any, path: DataPath) -> Any:
    """The value at `path`, ABSENT if there is none."""
    for part in path:
        if isinstance(part, int):
            if not isinstance(data, list) or part >= len(data):
                return ABSENT
            data = data[part]
        elif isinstance(data, dict) and part in data:
            data = data[part]
        else:
            return ABSENT
    return data


def write(data: dict[str, Any], path: DataPath, value: Any) -> None:
    """Put `value` at `path`, making objects and rows on the way (whatever is not an object or list there is replaced)."""
    node: Any = data
    for part, following in pairwise(path):
        inner = read(node, (part,))
        if not isinstance(inner, list if isinstance(following, int) else dict):
            inner = [] if isinstance(following, int) else {}
            _put(node, part, inner)
        node = inner
    _put(node, path[-1], value)


def _put(node: Any, part: str | int, value: Any) -> None:
    if isinstance(part, int):
        node.extend({} for _ in range(part + 1 - len(node)))
    node[part] = value


def clear(data: dict[str, Any], path: DataPath) -> None:
    """Remove the value at `path` and every object or list that becomes empty by it, as form-js does for hidden fields."""
    for end in range(len(path), 0, -1):
        parent, part = read(data, path[: end - 1]), path[end - 1]
        if isinstance(part, int):
            if isinstance(parent, list) and part < len(parent):
                parent[part] = None
            emptied = isinstance(parent, list) and all(row is None for row in parent)
        else:
            if isinstance(parent, dict):
                parent.pop(part, None)
            emptied = isinstance(parent, dict) and not parent
        if not emptied:
            return


def dotted(path: DataPath) -> str:
    """ "rows.0.name"."""
    return ".".join(str(part) for part in path)


def copy(value: Any) -> Any:
    """A deep copy of JSON data; values that are not JSON are shared."""
    if isinstance(value, dict):
        return {key: copy(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [copy(inner) for inner in value]
    return value
