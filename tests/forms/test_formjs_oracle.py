"""Differential test: engine/forms against real form-js 2.0 in jsdom, and engine/feel against feelin on every expression of forms/.

Needs Node and the packages of webapp/package.json (LIANBAN_NODE_MODULES: another folder). With CI=true a missing package is a failure.
Left out on purpose, because a widget cannot produce it or because the server does more: values of the wrong type, values outside the
options (form-js drops them, the server refuses them), our own `properties`, empty dynamic lists (the server keeps []).
"""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from engine.errors import FormInvalid
from engine.feel import compile_expression, compile_unary_tests, to_json
from engine.forms import form_expressions, validate_submission
from tests.forms.schemas import Json, field, form, group, hide, number, rows, select, text

ROOT = Path(__file__).resolve().parents[2]
MODULES = Path(os.environ.get("LIANBAN_NODE_MODULES", ROOT / "webapp" / "node_modules"))
NEEDED = ("jsdom", "@bpmn-io/feelin", "@bpmn-io/form-js-viewer")
RANDOM_CASES = 40  # 600 agreed once; each costs 50 ms


def ask(request: Json) -> Json:
    missing = [name for name in NEEDED if not (MODULES / name).is_dir()] + ([] if shutil.which("node") else ["node"])
    if missing:
        reason = f"{', '.join(missing)} missing for the form-js oracle (npm install in webapp/, or LIANBAN_NODE_MODULES)"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    script = Path(__file__).with_name("formjs_oracle.cjs")
    done = subprocess.run(
        ["node", str(script)],
        input=json.dumps(request).encode(),
        capture_output=True,
        env={**os.environ, "NODE_MODULES": str(MODULES), "TZ": "Asia/Shanghai"},
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()[-2000:]
    answer: Json = json.loads(done.stdout)
    return answer


REQUIRED = {"validate": {"required": True}}
CASES: dict[str, tuple[Json, Json, Json]] = {
    "required text present": (form(text("a", **REQUIRED)), {}, {"a": "x"}),
    "required text empty": (form(text("a", **REQUIRED)), {}, {"a": ""}),
    "required number zero counts": (form(number("a", **REQUIRED)), {}, {"a": 0}),
    "required unchecked checkbox": (form(field("checkbox", "a", **REQUIRED)), {}, {"a": False}),
    "required checked checkbox": (form(field("checkbox", "a", **REQUIRED)), {}, {"a": True}),
    "required empty checklist": (form(field("checklist", "a", values=[{"label": "x", "value": "x"}], **REQUIRED)), {}, {"a": []}),
    "required taglist": (form(field("taglist", "a", values=[{"label": "x", "value": "x"}], **REQUIRED)), {}, {"a": ["x"]}),
    "required select missing": (form(select("a", "x", **REQUIRED)), {}, {"a": None}),
    "required date": (form(field("datetime", "a", subtype="date", **REQUIRED)), {}, {"a": "2022-08-01"}),
    "unknown keys are dropped": (form(text("a")), {"z": 1}, {"a": "x", "y": 2}),
    "disabled is dropped and not validated": (form(text("a", disabled=True, **REQUIRED), text("b")), {}, {"b": "x"}),
    "readonly is submitted and validated": (form(text("a", readonly=True, validate={"maxLength": 2})), {"a": "long"}, {}),
    "hidden is dropped and not validated": (form(text("a"), text("b", **REQUIRED, **hide('a = "x"'))), {}, {"a": "x", "b": ""}),
    "shown is validated": (form(text("a"), text("b", **REQUIRED, **hide('a = "x"'))), {}, {"a": "y", "b": ""}),
    "hidden group hides its children": (form(text("a"), group("g", text("b", **REQUIRED), **hide('a = "x"'))), {}, {"a": "x"}),
    "condition that is null hides": (form(number("a"), text("b", **REQUIRED, **hide("a > 1"))), {}, {"b": ""}),
    "condition on a hidden field": (
        form(text("a"), text("b", **hide('a = "x"')), text("c", **REQUIRED, **hide('b = "y"'))),
        {},
        {"a": "x", "b": "y", "c": ""},
    ),
    "condition on a hidden field in a group": (
        form(group("g", text("a"), text("b", **hide('g.a = "x"')), text("c", **REQUIRED, **hide('g.b = "y"')))),
        {},
        {"g": {"a": "x", "b": "y", "c": ""}},
    ),
    "nested groups": (form(group("g", group("h", text("a"), number("b")))), {}, {"g": {"h": {"a": "x", "b": 2}}}),
    "dotted paths": (form(group("g.h", text("a.b"))), {}, {"g": {"h": {"a": {"b": "x"}}}}),
    "group without path": (form(group("", text("a", **REQUIRED))), {}, {"a": ""}),
    "number limits": (form(number("a", validate={"min": 1, "max": 5})), {}, {"a": 6}),
    "number at its limit": (form(number("a", validate={"min": 1, "max": 5})), {}, {"a": 5}),
    "number zero below min": (form(number("a", validate={"min": 1})), {}, {"a": 0}),
    "null is not below min": (form(number("a", validate={"min": 1})), {}, {"a": None}),
    "min by expression": (form(number("a"), number("b", validate={"min": "=a"})), {}, {"a": 3, "b": 2}),
    "max by expression that is null": (form(number("a"), number("b", validate={"max": "=a"})), {}, {"b": 2}),
    "too many decimals": (form(number("a", decimalDigits=2)), {}, {"a": 1.234}),
    "trailing zeros are no decimals": (form(number("a", decimalDigits=2)), {}, {"a": 1.20}),
    "integer wanted": (form(number("a", decimalDigits=0)), {}, {"a": 1.5}),
    "increment": (form(number("a", increment="0.5")), {}, {"a": 1.7}),
    "increment fits": (form(number("a", increment="0.1")), {}, {"a": 1.7}),
    "number as string": (form(number("a", serializeToString=True, decimalDigits=1)), {}, {"a": "12345678901234567890.5"}),
    "lengths are trimmed": (form(text("a", validate={"minLength": 3})), {}, {"a": " ab "}),
    "length in UTF-16 units": (form(text("a", validate={"maxLength": 1})), {}, {"a": "𠮷"}),
    "maxLength by expression": (form(number("n"), text("a", validate={"maxLength": "=n"})), {}, {"n": 2, "a": "abc"}),
    "pattern is unanchored": (form(text("a", validate={"pattern": "[0-9]{3}"})), {}, {"a": "ab123"}),
    "pattern anchored": (form(text("a", validate={"pattern": "^1[3-9]\\d{9}$"})), {}, {"a": "13800138000"}),
    "pattern digits are ASCII": (form(text("a", validate={"pattern": "^\\d+$"})), {}, {"a": "１２"}),
    "pattern end is the end": (form(field("textarea", "a", validate={"pattern": "^a$"})), {}, {"a": "a\n"}),
    "pattern blank is Unicode": (form(text("a", validate={"pattern": "^\\s$"})), {}, {"a": "\u3000"}),
    "pattern with Chinese class": (form(text("a", validate={"pattern": "^[\\u4e00-\\u9fa5]+$"})), {}, {"a": "昌吉"}),
    "e-mail": (form(text("a", validate={"validationType": "email"})), {}, {"a": "a@b.cn"}),
    "no e-mail": (form(text("a", validate={"validationType": "email"})), {}, {"a": "a@"}),
    "phone wants a country code": (form(text("a", validate={"validationType": "phone"})), {}, {"a": "13800138000"}),
    "phone with country code": (form(text("a", validate={"validationType": "phone"})), {}, {"a": "+8613800138000"}),
    "expression field": (form(number("a"), field("expression", "b", expression="=a * 2", computeOn="change")), {}, {"a": 4}),
    "expression chain": (
        form(
            number("a"),
            field("expression", "b", expression="=a * 2", computeOn="change"),
            field("expression", "c", expression="=b + 1", computeOn="change"),
        ),
        {},
        {"a": 4},
    ),
    "expression before submit": (form(number("a"), field("expression", "b", expression="=a + 1", computeOn="presubmit")), {}, {"a": 4}),
    "hidden expression": (
        form(number("a"), field("expression", "b", expression="=a", computeOn="change", **hide("a = 4"))),
        {},
        {"a": 4},
    ),
    "rows": (form(rows("r", text("a", **REQUIRED))), {}, {"r": [{"a": "x"}, {"a": "y"}]}),
    "row with an error": (form(rows("r", text("a", **REQUIRED))), {}, {"r": [{"a": "x"}, {"a": ""}]}),
    "condition on this row": (
        form(rows("r", number("n"), text("a", **REQUIRED, **hide("this.n = 1")))),
        {},
        {"r": [{"n": 1, "a": ""}, {"n": 2, "a": "x"}]},
    ),
    "condition on the row number": (form(rows("r", text("a", **REQUIRED, **hide("i[1] = 2")))), {}, {"r": [{"a": "x"}, {"a": ""}]}),
    "condition on the parent": (
        form(text("t"), rows("r", text("a", **REQUIRED, **hide('parent.t = "x"')))),
        {},
        {"t": "x", "r": [{"a": ""}]},
    ),
    "rows in rows": (
        form(rows("r", text("a"), rows("s", number("n", validate={"min": "=i[2]"})))),
        {},
        {"r": [{"a": "x", "s": [{"n": 1}, {"n": 1}]}]},
    ),
    "options by expression": (
        form(field("select", "a", valuesExpression='=["x", "y"]', **REQUIRED)),
        {},
        {"a": "y"},
    ),
    "options from the context": (form(field("select", "a", valuesKey="o", **REQUIRED)), {"o": ["x", {"label": "Y", "value": 2}]}, {"a": 2}),
    "default value": (form(text("a", defaultValue="d"), number("b", defaultValue=3)), {}, {}),
    "context fills fields": (form(text("a", **REQUIRED)), {"a": "x"}, {}),
    "condition on the context": (form(text("a", **REQUIRED, **hide('stage = "S1"'))), {"stage": "S1"}, {"a": ""}),
    "text, html and table carry nothing": (
        form({"type": "text", "id": "t", "text": "# x"}, {"type": "table", "id": "u", "dataSource": "=x", "columns": []}, text("a")),
        {"x": [{"b": 1}]},
        {"a": "x"},
    ),
}


def random_case(seed: int) -> tuple[Json, Json, Json]:
    """A form of random components and a submission that its widgets could produce."""
    rng = random.Random(seed)
    components, submission = _random_components(rng, 2)
    return form(*components), {}, submission


def _random_components(rng: random.Random, depth: int) -> tuple[list[Json], Json]:
    components: list[Json] = []
    data: Json = {}
    for index in range(rng.randint(2, 4)):
        key = f"k{index}"
        kind = rng.choice(["text", "number", "select", "checkbox", "checklist", "expression", "group", "rows"][: 8 if depth else 6])
        options = _random_options(rng, kind)
        if kind == "text":
            components.append(text(key, **options))
            data[key] = rng.choice(["", "a", "ab", "abc", " a "])
        elif kind == "number":
            components.append(number(key, decimalDigits=1, **options))
            data[key] = rng.choice([None, 0, 1, 2, 2.5, 2.25])
        elif kind == "select":
            components.append(select(key, "a", "ab", **options))
            data[key] = rng.choice([None, "a", "ab"])
        elif kind == "checkbox":
            components.append(field("checkbox", key, **options))
            data[key] = rng.choice([True, False])
        elif kind == "checklist":
            components.append(field("checklist", key, values=[{"label": "a", "value": "a"}, {"label": "b", "value": "b"}], **options))
            data[key] = rng.choice([[], ["a"], ["a", "b"]])
        elif kind == "expression":
            expression = rng.choice(["=1 + 2", '="a"', "=[1, 2]", "={x: 1}"])
            components.append(field("expression", key, expression=expression, computeOn="change"))
        else:
            inner, inner_data = _random_components(rng, depth - 1)
            make = group if kind == "group" else rows
            components.append(make(key, *inner, conditional=options.get("conditional")))
            data[key] = inner_data if kind == "group" else [inner_data]
    return components, data


def _random_options(rng: random.Random, kind: str) -> Json:
    options: Json = {}
    validate: Json = {}
    if rng.random() < 0.4:
        validate["required"] = True
    if kind == "text" and rng.random() < 0.5:
        validate["minLength"] = 2
    if kind == "number" and rng.random() < 0.5:
        validate["min"] = rng.choice([1, 2, "=k0"])
    if rng.random() < 0.4:
        options["conditional"] = {"hide": rng.choice(['=k0 = "a"', "=this.k1 = 1", '=k2 != "ab"', "=k0", "=not(k1 = 2)", "=count(i) = 1"])}
    return {**options, "validate": validate}


def ours(schema: Json, context: Json, submission: Json) -> Json:
    try:
        return {"errors": False, "data": normal(validate_submission(schema, {**context, **submission}, context))}
    except FormInvalid as problem:
        return {"errors": True, "fields": sorted(problem.errors)}


def normal(value: Any) -> Any:
    """form-js leaves out lists without rows and rows whose fields are all hidden; 1.0 and 1 are one number."""
    if isinstance(value, dict):
        return {key: normal(inner) for key, inner in value.items() if inner != [] and inner != [{}] and inner is not None and inner != {}}
    if isinstance(value, list):
        return [normal(inner) for inner in value if inner is not None and inner != {}]
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else value


def test_same_verdict_and_same_data_as_form_js() -> None:
    cases = {**CASES, **{f"random {seed}": random_case(seed) for seed in range(RANDOM_CASES)}}
    request = [{"schema": schema, "context": context, "submission": submission} for schema, context, submission in cases.values()]
    answers = ask({"cases": request})["cases"]
    differences = []
    for (name, case), theirs in zip(cases.items(), answers, strict=True):
        mine = ours(*case)
        same = mine["errors"] == theirs.get("errors") and (mine["errors"] or mine["data"] == normal(theirs["data"]))
        if not same:
            differences.append(f"{name}: form-js {theirs}, ours {mine}, schema {json.dumps(case[0])}, submission {case[2]}")
    assert differences == [], "\n".join(differences[:5])


def expressions_of_forms() -> list[Json]:
    """Every expression of forms/, with contexts made from its own variables."""
    found = []
    for path in sorted((ROOT / "forms").glob("*.form")):
        schema = json.loads(path.read_text(encoding="utf-8"))
        values = sample_values(schema)
        for expression in form_expressions(schema):
            for filling in range(len(values)):
                found.append(
                    {
                        "form": path.stem,
                        "text": expression.text,
                        "unary": expression.kind == "unary",
                        "context": {**values[filling], "this": values[filling], "parent": None, "i": [1], "value": None},
                    }
                )
    return found


def sample_values(schema: Json) -> list[Json]:
    """Three data sets for a schema: nothing, first options and ones, last options and bigger numbers."""
    return [_fill(schema["components"], "none"), _fill(schema["components"], "first"), _fill(schema["components"], "last")]


def _fill(components: list[Json], mode: str) -> Json:
    data: Json = {}
    for component in components:
        kind = component["type"]
        inner = component.get("components")
        if kind == "dynamiclist":
            data[component["path"]] = [] if mode == "none" else [_fill(inner or [], mode)] * 2
        elif inner is not None:
            filled = _fill(inner, mode)
            _merge(data, {component["path"]: filled} if component.get("path") else filled)
        elif "key" in component:
            data[component["key"]] = _value(component, mode)
    return data


def _merge(data: Json, more: Json) -> None:
    for key, value in more.items():
        if isinstance(value, dict) and isinstance(data.get(key), dict):
            _merge(data[key], value)
        else:
            data[key] = value


def _value(component: Json, mode: str) -> Any:
    if mode == "none":
        return None
    values = [option["value"] for option in component.get("values", [])]
    kind = component["type"]
    if values:
        chosen = values[0 if mode == "first" else -1]
        return [chosen] if kind in ("checklist", "taglist") else chosen
    plain = {"number": 1 if mode == "first" else 1200, "checkbox": mode == "first", "datetime": "2022-08-01", "filepicker": ["f1"]}
    return plain.get(kind, "一" if mode == "first" else "昌吉市")


def test_every_expression_of_every_form_gives_the_same_as_feelin() -> None:
    requests = expressions_of_forms()
    assert requests, "forms/ has no expressions?"
    answers = ask({"expressions": requests})["expressions"]
    differences = []
    for request, theirs in zip(requests, answers, strict=True):
        mine = evaluate(request)
        if isinstance(mine, float) and isinstance(theirs.get("value"), (int, float)):
            same = abs(mine - theirs["value"]) < 1e-9
        else:
            same = "value" in theirs and mine == theirs["value"]
        if not same:
            differences.append(f"{request['form']}: {request['text']} with {request['context']}: feelin {theirs}, ours {mine!r}")
    assert differences == [], f"{len(differences)}:\n" + "\n".join(differences[:5])


def evaluate(request: Json) -> Any:
    if request["unary"]:
        return compile_unary_tests(request["text"]).matches(None, request["context"])
    return to_json(compile_expression(request["text"]).evaluate(request["context"]))
