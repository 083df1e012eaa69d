"""Why one live instance cannot follow a plan: every reason at once, each with the element it concerns."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from engine.bpmn.elements.task_listeners import ALL_RUN
from engine.bpmn.kernel import listeners
from engine.bpmn.kernel.failure import StepFailed
from engine.bpmn.kernel.scope import PLACES
from engine.bpmn.kernel.token import Token
from engine.bpmn.migration.plan import Plan, finding
from engine.bpmn.migration.rewrite import Rewriter
from engine.bpmn.spiff import FUTURE, WAITING
from engine.errors import Conflict
from engine.findings import Finding

if TYPE_CHECKING:
    from engine.bpmn.instance import Instance


class MigrationRefused(Conflict):
    """实例不能迁移：{reason}

    The instance cannot be migrated: {reason}
    """

    code = "migration_refused"

    def __init__(self, findings: list[Finding]) -> None:
        """`findings`: every reason, in the order of the tokens."""
        self.findings = findings
        super().__init__(reason="；".join(f.message for f in findings), reason_en="; ".join(f.message_en for f in findings))


def refuse(findings: Iterable[Finding]) -> None:
    """Raise MigrationRefused if there is anything."""
    reasons = [each for each in findings if each.severity == "error"]
    if reasons:
        raise MigrationRefused(reasons)


def failed_expression(failure: StepFailed) -> MigrationRefused:
    """An expression of the new model cannot be evaluated with this instance's variables."""
    return MigrationRefused([finding("expression", "error", failure.message, failure.message)])


def is_waiting_catch(token: Token) -> bool:
    """A boundary event or event subprocess that has not occurred."""
    return token.live and token.task_spec.listens and token._state in (FUTURE, WAITING)


def obstacles(instance: Instance, rewriter: Rewriter, plan: Plan) -> Iterator[Finding]:
    """Everything that stands in the way, the plan's own errors first."""
    yield from plan.findings
    process = instance._process
    if process.state != "ACTIVE":
        yield finding("ended", "error", "流程实例已结束", "the process instance has ended")
        return
    yield from _lost_compensation(rewriter, process.header_notes, "")
    for _, token in sorted(process.tokens.items()):
        if token.id > 0 and token.live and not is_waiting_catch(token) and not _is_cancelled(token, plan):
            yield from _obstacles_at(token, rewriter, plan)
    yield from _crowded_joins(instance, rewriter, plan)


def _is_cancelled(token: Token, plan: Plan) -> bool:
    """The token, or something around it, is cancelled by the plan."""
    current: Token | None = token
    while current is not None:
        name = current.task_spec.bpmn_id
        if name in plan.mapping and plan.mapping[name] is None:
            return True
        current = current.container() or current.workflow.owner
    return False


def _obstacles_at(token: Token, rewriter: Rewriter, plan: Plan) -> Iterator[Finding]:
    element = token.task_spec
    name = element.bpmn_id
    target = rewriter.element(element)
    if target is None:
        label = element.bpmn_name or name
        zh = f"停在“{label}”（{name}），新版本没有对应的元素：请指定对应元素，或明确取消"
        yield finding("unmapped", "error", zh, f"it stands at {name}, which has no target: map or cancel it", id=name)
        return
    if PLACES in token.internal_data:
        zh = f"“{name}”正在被退回重新进入，请先处理其中的异常或作业"
        yield finding("re-entering", "error", zh, f"{name} is being entered again: finish that first", id=name)
    note = token.internal_data.get(listeners.NOTE)
    if note is not None and ALL_RUN > note[1] >= len(getattr(target.ext, f"{note[0]}_listeners")):
        zh = f"“{name}”正在等待的监听器在新版本中不存在"
        yield finding("listener", "error", zh, f"the pending listener of {name} does not exist in the target", id=name)
    for wanted in token.internal_data.get("todo", []):
        if rewriter.id(wanted) is None:
            zh = f"临时子流程“{name}”里尚待进行的 {wanted} 没有对应元素"
            yield finding("unmapped", "error", zh, f"{wanted}, still to do in {name}, has no target", id=wanted)
    yield from _lost_compensation(rewriter, token.internal_data.get("notes", {}), name)


def _lost_compensation(rewriter: Rewriter, notes: dict[str, list[object]], owner: str) -> Iterator[Finding]:
    for name in rewriter.lost_handlers(notes):
        zh = f"已完成的“{name}”可以补偿，但新版本没有对应的元素：请指定对应元素，或明确取消"
        yield finding("compensation", "error", zh, f"the compensation of {name} would be lost: map or cancel it", id=name or owner)


def _crowded_joins(instance: Instance, rewriter: Rewriter, plan: Plan) -> Iterator[Finding]:
    """Every token that waits at a join needs its own incoming flow in the target."""
    process = instance._process
    for scope in (process, *process.subprocesses.values()):
        for name, waiting in sorted(scope.arrivals.items()):
            tokens = [token for _, token in sorted(waiting.items()) if not _is_cancelled(token, plan)]
            target = rewriter.element(scope.elements()[name])
            if not tokens or target is None:
                continue
            flows: dict[int, int | None] = {}
            for token in tokens:
                place = rewriter.flow(token.task_spec, token.flow, target)
                taken = place is not None and flows.get(place, token.flow) != token.flow
                if place is None or taken:
                    flow_id = token.task_spec.incoming[token.flow] if token.flow is not None else ""
                    zh = f"汇聚网关“{name}”处的令牌来自流向 {flow_id}，在新版本中找不到唯一对应的流向"
                    en = f"the flow {flow_id} by which a token came to {name} has no counterpart"
                    yield finding("join-flow", "error", zh, en, id=name)
                else:
                    flows[place] = token.flow
            if len(target.incoming) < len(scope.elements()[name].incoming):
                zh = f"汇聚网关“{name}”的流入变少，已有令牌在此等待"
                yield finding("join-flow", "error", zh, f"{name} has fewer incoming flows and tokens wait there", id=name)
