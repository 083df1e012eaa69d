"""Work lists and the task screen. The only import allowed from outside."""

from handlers.tasks.answers import answer_lines, result_of
from handlers.tasks.forecast import ComingStep, coming
from handlers.tasks.moves import Moves, Signature, group_name
from handlers.tasks.view import DecisionTrace, DiagramState, Opinion, Step, TaskView, decisions, diagram_state, require_known, task_view
from handlers.tasks.worklist import BOXES, TaskRow, WorkListPage, WorkListQuery, task_rows, work_list

__all__ = [
    "BOXES",
    "ComingStep",
    "DecisionTrace",
    "DiagramState",
    "Moves",
    "Opinion",
    "Signature",
    "Step",
    "TaskRow",
    "TaskView",
    "WorkListPage",
    "WorkListQuery",
    "answer_lines",
    "coming",
    "decisions",
    "diagram_state",
    "group_name",
    "require_known",
    "result_of",
    "task_rows",
    "task_view",
    "work_list",
]
