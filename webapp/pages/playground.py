"""试算: analysts try an expression, unary tests or a deployed decision and see the result with every reason. Nothing is stored.

The address keeps the tab, the decision and the example; what is typed stays in the analyst's own browser, because real data are tried.
"""

from __future__ import annotations

import json
from typing import Any

from flask import Blueprint, render_template, request
from flask_babel import lazy_gettext

from engine import policy
from engine.commands.environment import feel_environment
from engine.definitions import decision_model
from engine.errors import NotFound
from engine.store import definitions as store
from webapp import playground_screen as screen
from webapp.context import actor, engine, is_fragment
from webapp.playground_screen import EXAMPLES, Question

blueprint = Blueprint("playground", __name__, url_prefix="/playground")

TABS = {"expression": lazy_gettext("表达式"), "tests": lazy_gettext("单元测试"), "decision": lazy_gettext("决策")}


@blueprint.before_request
def analysts_only() -> None:
    """Trying costs computing time and shows how decisions are made: it belongs to those who deploy."""
    policy.require(actor(), "deploy")


@blueprint.get("")
def index() -> str:
    """The page, with the example that the address names already evaluated."""
    tab = _tab(request.args.get("tab", ""))
    if tab == "decision":
        return _decision_page(request.args.get("decision", ""), None)
    name, question = EXAMPLES.get(request.args.get("example", ""), ("", Question(tab)))
    return _expression_page(question, bool(name))


@blueprint.post("")
def evaluate() -> str:
    """Evaluate what was typed: a fragment for the script, the whole page for a browser without scripts."""
    form = request.form
    if _tab(form.get("tab", "")) == "decision":
        return _decision_page(form.get("decision", ""), form.get("context", ""))
    return _expression_page(
        Question(_tab(form.get("tab", "")), form.get("expression", ""), form.get("value", ""), form.get("context", "")), True
    )


def _tab(text: str) -> str:
    return text if text in TABS else "expression"


def _expression_page(question: Question, given: bool) -> str:
    with engine().reading() as session:
        result = screen.evaluate(question, screen.limited(feel_environment(session)))
    if is_fragment():
        return render_template("_playground_result.html", result=result)
    examples = [(code, name) for code, (name, example) in EXAMPLES.items() if example.mode == question.mode]
    return render_template("playground.html", tab=question.mode, tabs=TABS, q=question, result=result, examples=examples, given=given)


def _decision_page(wanted: str, context: str | None) -> str:
    """`context`: what was typed; None fills in an example."""
    with engine().reading() as session:
        rows = store.latest_versions(session, "decision")
        row = next((one for one in rows if one.decision_id == wanted), None)
        if wanted and row is None:
            raise NotFound(what="决策", key=wanted)
        data: dict[str, Any] = {"row": row, "result": None, "inputs": [], "context": context or "", "empty": "{}"}
        if row is not None:
            model = decision_model(session, row)
            data["inputs"], skeleton = screen.needs(model, wanted)
            data["empty"] = _pretty(skeleton)
            data["context"] = _pretty(screen.filled(skeleton)) if context is None else context
            data["result"] = screen.decide(model, wanted, data["context"], screen.limited(feel_environment(session)))
    if is_fragment():
        return render_template("_playground_decision.html", **data)
    choices = sorted((one.name or one.decision_id, one.decision_id) for one in rows)
    return render_template("playground.html", tab="decision", tabs=TABS, choices=choices, given=context is not None, **data)


def _pretty(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2)
