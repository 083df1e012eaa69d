"""Joint reviews side by side: which units take part in a round, what each said, who has not answered (联审会商台)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row
from sqlalchemy.orm import Session

from engine.definitions import form_schema, process_definition
from engine.errors import Forbidden
from engine.policy import Actor
from engine.store import reads
from handlers.directory import service as directory
from handlers.projects import service as projects
from handlers.tasks.service import TaskRow, answer_lines, task_rows

AGREED = ("同意", "无意见", "合格", "不涉及", "通过")
OPPOSED = ("不同意", "不合格", "不通过")
HIDDEN_KINDS = frozenset({"radio", "select", "checkbox", "dynamiclist", "filepicker"})
"""Fields that are no column of the board: the result and who gave it are shown beside it; a ticked box becomes a mark."""


@dataclass(frozen=True, slots=True)
class ReviewLine:
    """One unit in a round. `answers`: (label, text) of its form; `marks`: labels of its ticked boxes; empty while it has not answered."""

    unit: str
    unit_name: str
    person: str
    result: str
    answers: list[tuple[str, str]]
    created_at: datetime
    claimed_at: datetime | None
    completed_at: datetime | None
    task: TaskRow
    rounds: int
    marks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Review:
    """The members of one step of one flow, the latest answer of each unit. `labels`: the columns that anybody filled in."""

    root_key: int
    element_id: str
    title: str
    process_name: str
    legal_basis: str
    lines: list[ReviewLine]
    labels: list[str]
    round: int
    started_at: datetime
    due: datetime | None
    open: bool

    @property
    def answered(self) -> int:
        return sum(line.completed_at is not None for line in self.lines)

    @property
    def opposed(self) -> list[ReviewLine]:
        """The units whose answer stands against it."""
        return [line for line in self.lines if line.result.startswith(OPPOSED)]

    @property
    def conditional(self) -> list[ReviewLine]:
        """The units that agree under conditions or after changes."""
        return [line for line in self.lines if line.result and not line.result.startswith(AGREED) and not line.result.startswith(OPPOSED)]


def reviews(session: Session, actor: Actor, project_id: int | str) -> list[Review]:
    """Every step of the project at which several units were asked at once, the latest first.

    NotFound without access to the project, Forbidden for applicants: they learn the outcome, not each office's words.
    """
    project = projects.get_project(session, actor, project_id)
    if not directory.is_staff(actor):
        raise Forbidden(reason="各单位的内部意见供部门人员查阅，结论会通知项目单位")
    raw = [row for row in reads.tasks_of_business(session, str(project.id)) if row.properties.get("role") == "member"]
    shown = {row.key: row for row in task_rows(session, raw)}
    groups: dict[tuple[int, str], list[Row[Any]]] = {}
    for row in raw:
        if row.state != "CANCELED":
            groups.setdefault((row.root_key, row.element_id), []).append(row)
    found = [_review(session, rows, shown) for rows in groups.values()]
    return sorted(found, key=lambda review: review.started_at, reverse=True)


def _review(session: Session, rows: Sequence[Row[Any]], shown: dict[int, TaskRow]) -> Review:
    by_member: dict[tuple[str, str], list[Row[Any]]] = {}
    for row in sorted(rows, key=lambda r: (r.created_at, r.key)):
        by_member.setdefault((shown[row.key].unit or str(row.key), shown[row.key].label), []).append(row)
    lines = [_line(session, asked, shown) for asked in by_member.values()]
    given = {label for line in lines for label, _text in line.answers}
    first, last = rows[0], max(rows, key=lambda r: (r.created_at, r.key))
    dues = [row.due_date for row in rows if row.state == "CREATED" and row.due_date is not None]
    return Review(
        root_key=first.root_key,
        element_id=first.element_id,
        title=first.name,
        process_name=process_definition(session, reads.instance(session, first.root_key).definition_key).name,
        legal_basis=last.properties.get("legalBasis", ""),
        lines=lines,
        labels=[label for label in _columns(_schema(session, last)) if label in given],
        round=max(line.rounds for line in lines),
        started_at=last.created_at,
        due=min(dues, default=None),
        open=any(row.state == "CREATED" for row in rows),
    )


def _line(session: Session, asked: Sequence[Row[Any]], shown: dict[int, TaskRow]) -> ReviewLine:
    """The unit's latest task counts: in a later round only those who objected are asked again."""
    row = asked[-1]
    task = shown[row.key]
    schema = _schema(session, row) if row.submission else {}
    answers = answer_lines(schema, row.submission or {})
    ticked = {label for label, text in answers if text == "是"}
    return ReviewLine(
        unit=task.unit,
        unit_name=task.unit_name,
        person=task.assignee_name,
        result=task.result,
        answers=answers,
        created_at=row.created_at,
        claimed_at=row.claimed_at,
        completed_at=row.completed_at,
        task=task,
        rounds=len(asked),
        marks=tuple(label.partition("（")[0] for label in _labels(schema, frozenset({"checkbox"})) if label in ticked),
    )


def _schema(session: Session, row: Row[Any]) -> Mapping[str, Any]:
    return form_schema(session, row.form_key) if row.form_key is not None else {}


def _columns(schema: Mapping[str, Any]) -> list[str]:
    """Labels of the fields in which people write, in the form's order."""
    every = _labels(schema, None)
    hidden = set(_labels(schema, HIDDEN_KINDS))
    return [label for label in every if label not in hidden]


def _labels(schema: Mapping[str, Any], kinds: frozenset[str] | None) -> list[str]:
    """Labels of the keyed fields of some kinds (None: of all), each once, in the form's order."""
    found: list[str] = []
    for component in schema.get("components", []):
        wanted = kinds is None or component.get("type") in kinds
        if wanted and component.get("label") and (component.get("key") or component.get("type") == "dynamiclist"):
            found.append(component["label"])
        if component.get("type") in ("group", "default"):
            found += _labels(component, kinds)
    return list(dict.fromkeys(found))
