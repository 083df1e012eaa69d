"""Migration of running instances to another version, or another process: the mapping between two diagrams, a dry run over all of them, then
a batch."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy import Row
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict

from engine import commands
from engine.commands import Trial
from engine.definitions import process_model
from engine.errors import Invalid, LianbanError
from engine.policy import require
from engine.store import definitions, runs
from webapp import migration_screen, runs_screen
from webapp.context import actor, engine
from webapp.languages import language
from webapp.migration_screen import Choice
from webapp.once import take_turn

blueprint = Blueprint("migration", __name__, url_prefix="/definitions/processes/<identifier>/migrate")


@blueprint.before_request
def may_migrate() -> None:
    require(actor(), "operate", "deploy")


@blueprint.get("")
def show(identifier: str) -> str:
    """The proposed mapping from `version` to `to` (without it the newest other version) of the process `into` (without it the same one),
    for the instances that the address selects."""
    with engine().reading() as session:
        return render_template("migration.html", **_screen(session, identifier, request.args, None))


@blueprint.post("")
def change(identifier: str) -> Any:
    """`step`: plan (the mapping anew), try (a dry run; nothing is changed) or apply (a batch, after which its page is shown)."""
    form, choice = request.form, Choice.of(request.form)
    step = form.get("step", "plan")
    if step == "apply":
        return _apply(identifier, form, choice)
    with engine().reading() as session:
        screen = _screen(session, identifier, form, choice)
        if step == "try" and screen["valid"]:
            trials = _trials(session, screen["row"], screen["target"], choice, screen["keys"])
            screen["trial"] = migration_screen.trial_screen(session, trials)
    fragment = request.headers.get("X-Fragment") == "plan"
    return render_template("_migration_plan.html" if fragment else "migration.html", **screen)


def _apply(identifier: str, form: MultiDict[str, str], choice: Choice) -> Any:
    """Begin the batch. What is refused is said in place, with everything as it was chosen."""
    try:
        with engine().unit_of_work() as session:
            word = take_turn(session)
            key = commands.batch_of_request(session, actor(), word) or _begin(session, identifier, form, choice, word)
    except LianbanError as refusal:
        with engine().reading() as session:
            screen = _screen(session, identifier, form, choice)
            if screen["valid"]:
                trials = _trials(session, screen["row"], screen["target"], choice, screen["keys"])
                screen["trial"] = migration_screen.trial_screen(session, trials)
        return render_template("migration.html", **screen, refusal=refusal.message(language())), refusal.status
    flash(_("迁移已开始。"), "success")
    return redirect(url_for("batches.show", key=key))


def _begin(session: Session, identifier: str, form: MultiDict[str, str], choice: Choice, word: str) -> int:
    row, target, keys = _about(session, identifier, form)
    if target is None:
        raise Invalid(reason="没有可以迁移到的版本")
    if form.get("who") != "all":
        keys = [trial.instance_key for trial in _trials(session, row, target, choice, keys) if trial.ok]
    parameters = choice.parameters(row.key, target.key)
    return commands.create_batch(session, actor(), "migrate", keys, parameters, reason=form.get("reason", ""), request=word)


def _trials(session: Session, row: Row[Any], target: Row[Any], choice: Choice, keys: list[int]) -> list[Trial]:
    return commands.try_migration(session, actor(), row.key, target.key, choice.instructions(), keys)


def _about(session: Session, identifier: str, args: MultiDict[str, str]) -> tuple[Row[Any], Row[Any] | None, list[int]]:
    """(source version, target version, live instances that are selected); everything live when nothing is selected."""
    _rows, row = runs_screen.version_row(session, identifier, args.get("version", type=int))
    into = args.get("into") or identifier
    wanted = args.get("to", type=int) if args.get("were", into) == into else None  # the number of a version of the process chosen before
    others = [other for other in runs_screen.version_row(session, into, None)[0] if other.key != row.key]
    target = next((other for other in others if other.version == wanted), None)
    if target is None and wanted is not None and (into, wanted) != (row.process_id, row.version):
        _rows, target = runs_screen.version_row(session, into, wanted)  # says that there is none
    target = target or next(iter(others), None)
    every = args if "key" in args or "all" in args else MultiDict([*args.items(), ("all", "1")])
    return row, target, runs_screen.selected(session, actor(), row.key, every, live=True)


def _screen(session: Session, identifier: str, args: MultiDict[str, str], given: Choice | None) -> dict[str, Any]:
    """`given`: what was chosen; at first nothing was, and what has the same name is suggested."""
    row, target, keys = _about(session, identifier, args)
    rows, _row = runs_screen.version_row(session, identifier, row.version)
    into = target.process_id if target is not None else identifier
    fields = [(name, value) for name, value in runs_screen.selection_fields(args) if name != "version"]
    narrowed = any(name != "all" for name, _value in fields)
    base = {
        "row": row,
        "target": target,
        "versions": rows,
        "into": into,
        "processes": [(each.process_id, each.name or each.process_id) for each in definitions.latest_versions(session, "process")],
        "targets": list(definitions.versions(session, "process", into)),
        "keys": keys,
        "fields": fields,
        "narrowed": narrowed,
        "reason": args.get("reason", ""),
    }
    if target is None:
        return base | {"valid": False}
    suggested = {} if given is not None else commands.suggest_mapping(session, actor(), row.key, target.key)
    choice = given or Choice(dict(suggested))
    plan = commands.plan_migration(session, actor(), row.key, target.key, choice.instructions())
    tokens = runs.tokens_now(session, row.key)
    return base | {"suggested": len(suggested)} | migration_screen.plan_screen(plan, choice, process_model(session, target.key), tokens)
