"""What the audit trail says, in words: every action by its name, what it was about in one line."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext
from flask_babel.speaklater import LazyString

from webapp.rendering import when

OPERATIONS: dict[str, LazyString] = {
    "variables.set": lazy_gettext("修改变量"),
    "incident.resolved": lazy_gettext("处理异常"),
    "instance.modified": lazy_gettext("调整令牌"),
    "instance.jumped": lazy_gettext("跳转"),
    "instance.suspended": lazy_gettext("暂停"),
    "instance.resumed": lazy_gettext("恢复"),
    "instance.cancelled": lazy_gettext("终止"),
    "instance.migrated": lazy_gettext("迁移到其他版本"),
    "instance.migration_undone": lazy_gettext("撤销迁移"),
    "ad_hoc.activated": lazy_gettext("启动临时环节"),
    "conditions.evaluated": lazy_gettext("重新判断条件"),
    "message.published": lazy_gettext("发送消息"),
    "signal.broadcast": lazy_gettext("广播信号"),
    "batch.created": lazy_gettext("开始批量操作"),
    "batch.paused": lazy_gettext("暂停批量操作"),
    "batch.resumed": lazy_gettext("继续批量操作"),
    "batch.cancelled": lazy_gettext("取消批量操作"),
    "batch.completed": lazy_gettext("批量操作完成"),
    "deployment.created": lazy_gettext("部署"),
    "clock.moved": lazy_gettext("调整业务时间"),
    "clock.driven": lazy_gettext("演示推动业务时间"),
    "calendar.notice_applied": lazy_gettext("导入放假通知"),
    "calendar.notice_undone": lazy_gettext("撤销放假通知"),
    "document_template.saved": lazy_gettext("修改文书模板"),
    "login.blocked": lazy_gettext("输错密码，暂停登录"),
    "policy.entered": lazy_gettext("登记依据文件"),
    "policy.removed": lazy_gettext("删除依据文件"),
    "milestone.corrected": lazy_gettext("更正里程碑日期"),
}
"""What operators and analysts do to the system: the operations log."""
FOLDED = "clock.driven"
"""What nobody did and happens hundreds of times: the log says how often, and lists it to who asks for it."""

WORK: dict[str, LazyString] = {
    "instance.started": lazy_gettext("启动流程"),
    "instance.completed": lazy_gettext("流程办结"),
    "instance.terminated": lazy_gettext("流程终止"),
    "task.claimed": lazy_gettext("签收任务"),
    "task.unclaimed": lazy_gettext("释放任务"),
    "task.assigned": lazy_gettext("指派任务"),
    "task.updated": lazy_gettext("修改任务"),
    "task.completed": lazy_gettext("完成任务"),
    "task.returned": lazy_gettext("退回"),
    "task.withdrawn": lazy_gettext("撤回"),
    "task.sign_added": lazy_gettext("加签"),
    "task.sign_removed": lazy_gettext("减签"),
    "event.reported": lazy_gettext("登记外部事件"),
    "timer.fired": lazy_gettext("定时器到期"),
    "clock.recomputed": lazy_gettext("重新计算时限"),
    "material.read": lazy_gettext("读取材料"),
    "material.reused": lazy_gettext("确认材料复用"),
    "task.due_moved": lazy_gettext("任务期限随放假安排调整"),
    "milestone.registered": lazy_gettext("登记里程碑"),
    "milestone.planned": lazy_gettext("登记里程碑计划"),
    "case.visited": lazy_gettext("登记到窗口办理"),
    "case.false_material": lazy_gettext("认定虚假材料"),
}
"""What happens in the course of the work."""


def action_name(action: str) -> str:
    """The words for an action; the action itself when there are none yet."""
    return str(OPERATIONS.get(action) or WORK.get(action) or action)


def details(action: str, data: Mapping[str, Any]) -> str:
    """What the event was about, in one line; the reason is told apart (`data["reason"]`)."""
    if action == "instance.modified":
        return "；".join(_modification(data))
    if action == "instance.jumped":
        return f"{data.get('from', '')} → {data.get('to', '')}"
    if action in ("clock.moved", "clock.driven") and data.get("to"):
        return str(_("业务时间改为 %(at)s", at=when(data["to"])))
    names = data.get("names") or data.get("resources") or data.get("elements") or []
    parts = [str(data.get(key)) for key in ("name", "processId", "kind", "messageName", "address") if data.get(key)]
    if isinstance(names, list) and names:
        parts.append("、".join(str(name) for name in names[:5]) + (f" … {len(names)}" if len(names) > 5 else ""))
    return " · ".join(parts)


def _modification(data: Mapping[str, Any]) -> list[str]:
    """What a modification did, told by the summary that modify_instance records."""
    lines = []
    if data.get("activated"):
        lines.append(_("新增 %(names)s", names="、".join(data["activated"])))
    for move in data.get("moved", []):
        lines.append(_("移动 %(source)s → %(target)s", source=move.get("from", ""), target=move.get("to", "")))
    if data.get("terminated"):
        gone = [str(each.get("element_id") or each.get("token", "")) for each in data["terminated"]]
        lines.append(_("取消 %(names)s", names="、".join(gone)))
    if data.get("variables"):
        lines.append(_("变量 %(names)s", names="、".join(data["variables"])))
    return lines
