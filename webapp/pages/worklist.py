"""The work list in three panes: filters, tasks, the chosen task. The address bar is its state."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, current_app, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext
from markupsafe import Markup
from werkzeug.wrappers import Response

from engine.errors import LianbanError
from handlers.catalogue.service import catalogue
from handlers.directory import service as directory
from handlers.tasks import service as tasks
from webapp import task_screen
from webapp.context import actor, engine, user
from webapp.languages import language

blueprint = Blueprint("worklist", __name__)

BOXES = {
    "mine": lazy_gettext("我的待办"),
    "unit": lazy_gettext("部门待办"),
    "done": lazy_gettext("已办"),
    "started": lazy_gettext("我发起的"),
}
DUES = {
    "today": (lazy_gettext("今日到期"), "yellow"),
    "yellow": (lazy_gettext("黄灯"), "yellow"),
    "overdue": (lazy_gettext("已超期"), "red"),
}
SORTS = {
    "due": lazy_gettext("按剩余时限"),
    "created": lazy_gettext("按送达时间"),
    "project": lazy_gettext("按项目"),
}
EMPTY = {
    "mine": (lazy_gettext("没有待办"), lazy_gettext("您签收的任务和直接分派给您的任务会出现在这里。先到“部门待办”看看有没有要签收的。")),
    "unit": (lazy_gettext("没有待签收的任务"), lazy_gettext("分派给本单位、还没有人签收的任务会出现在这里，新任务到达时立即提示。")),
    "done": (lazy_gettext("还没有办过的任务"), lazy_gettext("您提交过的任务会留在这里，随时可以查看当时填写的内容。")),
    "started": (lazy_gettext("还没有发起过项目"), lazy_gettext("您登记或代为申报的项目，其办理中的任务会出现在这里。")),
}


@blueprint.get("/")
def home() -> Response:
    """Investors start at their projects, everybody else at the work list."""
    investor = user().kind == "investor" and "projects.index" in current_app.view_functions
    return redirect(url_for("projects.index" if investor else "worklist.index"))


@blueprint.get("/tasks")
def index() -> Response:
    """The list with its filters; `task` in the address opens that task beside it."""
    query = _query()
    with engine().reading() as session:
        page = tasks.work_list(session, actor(), query)
        units = directory.unit_names(session)
    own_units = sorted({unit for unit, _role in user().memberships})
    screen = {
        "query": query,
        "box_label": BOXES[query.box],
        "summary": _("%(n)s 件", n=page.total),
        "boxes": [(code, label, page.counts.get(code, 0)) for code, label in BOXES.items()],
        "dues": [(code, label, colour, page.counts.get(code, 0)) for code, (label, colour) in DUES.items()] if _open(query) else [],
        "stages": [(stage.code, stage.name) for stage in catalogue().stages],
        "units": [(code, units.get(code, code)) for code in own_units],
        "sorts": SORTS.items(),
        "rows": [task_screen.row(row, query.box) for row in page.rows],
        "page": query.page,
        "pages": page.pages,
        "total": page.total,
        "empty_title": _empty(query)[0],
        "empty_hint": _empty(query)[1],
        "selected": _chosen(),
    }
    if request.headers.get("X-Fragment") == "list":
        return make_response(render_template("_list.html", **screen))
    return _with_task(screen)


def _with_task(screen: dict[str, object]) -> Response:
    """The whole page; a task that may not be shown leaves its refusal in the pane and its status on the page."""
    chosen = _chosen()
    if chosen is None:
        return make_response(render_template("worklist.html", **screen))
    filters: dict[str, Any] = {key: value for key, value in request.args.items() if key not in {"task", "tab"}}
    back = url_for("worklist.index", **filters)
    try:
        screen |= task_screen.build(chosen)
    except LianbanError as refusal:
        message = refusal.message(language())
        screen["refusal"] = Markup(
            render_template("_error.html", status=refusal.status, title=_("打不开这项任务"), message=message, back=back)
        )
        return make_response(render_template("worklist.html", back=back, **screen), refusal.status)
    return make_response(render_template("worklist.html", back=back, **screen))


def _chosen() -> int | None:
    """The task that the address names; what cannot be a key is no task."""
    chosen = request.args.get("task", type=int)
    return chosen if chosen is not None and 0 < chosen < 2**63 else None


def _query() -> tasks.WorkListQuery:
    """The filters of the address; unknown values fall back to "all" instead of failing."""
    args = request.args
    box = args.get("box", "mine")
    return tasks.WorkListQuery(
        box=box if box in BOXES else "mine",
        q=args.get("q", "").strip()[:100],
        stage=args.get("stage", ""),
        unit=args.get("unit", ""),
        due=args["due"] if args.get("due") in DUES else "",
        sort=args["sort"] if args.get("sort") in SORTS else "due",
        page=min(max(1, args.get("page", 1, type=int)), 100_000),
    )


def _open(query: tasks.WorkListQuery) -> bool:
    return query.box in {"mine", "unit"}


def _empty(query: tasks.WorkListQuery) -> tuple[str, str]:
    """What an empty list says: with a filter that the filter is the reason, else what would appear here."""
    if query.q or query.stage or query.unit or query.due:
        return _("没有符合条件的任务"), _("换一个词，或者点“我的”下面的分类清除筛选。")
    title, hint = EMPTY[query.box]
    return str(title), str(hint)
