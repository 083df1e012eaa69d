"""Compares what came of a scenario with what should have: one Chinese sentence for each difference."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from engine.feel import compile_expression, to_json

if TYPE_CHECKING:
    from engine.process_tests.run import _Run


def shortfalls(run: _Run) -> list[str]:
    """Everything that is not as `then` says."""
    return [*_state(run), *_path(run), *_variables(run), *_outputs(run)]


def _state(run: _Run) -> Iterator[str]:
    then, live = run.scenario.then, run.live()
    failed = [incident.element_id for incident in run.incidents.values()]
    if live.state != then.state:
        yield f"流程状态是 {live.state}，应为 {then.state}（现在等待：{run.waiting_text()}）"
    if then.incident is not None and then.incident not in failed:
        yield f"{then.incident} 没有异常，应有"
    if failed and then.incident is None:
        yield f"有异常：{run.waiting_text()}"
    if then.waiting is not None and run.waiting() != sorted(then.waiting):
        yield f"在等待 {run.waiting_text()}，应等待 {'、'.join(then.waiting) or '无'}"


def _path(run: _Run) -> Iterator[str]:
    then, trail = run.scenario.then, run.result.trail
    unknown = [name for name in [*then.path, *then.never] if name not in run.model.elements]
    if unknown:
        yield f"图上没有元素 {'、'.join(unknown)}"
    position = 0
    for name in then.path:
        try:
            position = trail.index(name, position) + 1
        except ValueError:
            yield f"路径中没有按次序经过 {name}，实际经过：{'、'.join(trail)}"
            break
    for name in then.never:
        if name in trail:
            yield f"经过了 {name}，不应经过"


def _variables(run: _Run) -> Iterator[str]:
    yield from _values("变量", run.live().variables(), run.scenario.then.variables)


def _values(what: str, have: Mapping[str, Any], wanted: Mapping[str, Any]) -> Iterator[str]:
    for path, value in wanted.items():
        found = to_json(compile_expression(path).evaluate(have))
        if found != value:
            yield f"{what} {path} 是 {found!r}，应为 {value!r}"


def _outputs(run: _Run) -> Iterator[str]:
    then, world = run.scenario.then, run.world
    if then.documents is not None and world.documents != then.documents:
        yield f"出具的文书是 {'、'.join(world.documents) or '无'}，应为 {'、'.join(then.documents) or '无'}"
    for name in then.messages:
        if name not in world.messages:
            yield f"没有发送消息 {name}，发送了：{'、'.join(world.messages) or '无'}"
    for what, seen, expected in (("作业", world.seen, then.jobs), ("调用", run.given_to_calls, then.calls)):
        for element, wanted in expected.items():
            if element not in seen:
                yield f"{element} 没有{what}"
            else:
                yield from _values(f"{element} 的", seen[element], wanted)
