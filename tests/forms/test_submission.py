"""Server-side semantics of a submission (form-js 2.0 semantics plus what the server refuses)."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from engine.errors import FormInvalid
from engine.feel import Environment
from engine.forms import validate_submission
from tests.forms.schemas import Json, field, form, group, hide, number, rows, select, text

ENV = Environment(now=lambda: datetime(2022, 8, 1, 9, 0, tzinfo=ZoneInfo("Asia/Shanghai")))
REQUIRED = {"validate": {"required": True}}


def errors(schema: Json, submission: Json, context: Json | None = None) -> dict[str, list[str]]:
    with pytest.raises(FormInvalid) as caught:
        validate_submission(schema, submission, context, ENV)
    return caught.value.errors


def clean(schema: Json, submission: Json, context: Json | None = None) -> Json:
    return validate_submission(schema, submission, context, ENV)


def test_errors_name_the_field_by_label_and_dotted_path() -> None:
    schema = form(group("application", number("ztze", "总投资额(万元)", validate={"required": True, "min": 1})))
    assert errors(schema, {}) == {"application.ztze": ["请填写“总投资额(万元)”"]}
    assert errors(schema, {"application": {"ztze": 0}}) == {"application.ztze": ["“总投资额(万元)”不能小于 1"]}


def test_rows_are_addressed_by_number() -> None:
    schema = form(rows("rows", text("name", "名称", **REQUIRED)))
    assert errors(schema, {"rows": [{"name": "a"}, {}]}) == {"rows.1.name": ["请填写“名称”"]}


def test_unknown_keys_are_dropped_at_every_level() -> None:
    schema = form(group("g", text("a")), rows("r", text("b")))
    submission = {"g": {"a": "x", "evil": 1}, "r": [{"b": "y", "evil": 1}], "evil": 1}
    assert clean(schema, submission) == {"g": {"a": "x"}, "r": [{"b": "y"}]}


def test_readonly_value_comes_from_the_server() -> None:
    schema = form(text("code", readonly=True), text("name"))
    assert clean(schema, {"code": "forged", "name": "n"}, {"code": "2204"}) == {"code": "2204", "name": "n"}


def test_readonly_by_expression_depends_on_the_submission() -> None:
    schema = form(field("checkbox", "locked"), text("code", readonly="=locked"))
    assert clean(schema, {"locked": True, "code": "forged"}, {"code": "2204"})["code"] == "2204"
    assert clean(schema, {"locked": False, "code": "new"}, {"code": "2204"})["code"] == "new"


def test_readonly_inside_rows_is_restored_by_row() -> None:
    schema = form(rows("r", text("unit", readonly=True), text("opinion")))
    sent = {"r": [{"unit": "X", "opinion": "同意"}, {"unit": "Y", "opinion": "不同意"}]}
    stored = clean(schema, sent, {"r": [{"unit": "ZJJ"}, {"unit": "SLJ"}]})
    assert [row["unit"] for row in stored["r"]] == ["ZJJ", "SLJ"]


def test_disabled_is_never_taken() -> None:
    assert clean(form(text("a", disabled=True, **REQUIRED)), {"a": "x"}, {"a": "y"}) == {}


def test_expression_is_recomputed_and_never_trusted() -> None:
    schema = form(number("a"), number("b"), field("expression", "total", expression="=a + b", computeOn="change"))
    assert clean(schema, {"a": 1, "b": 2, "total": 999})["total"] == 3


def test_expression_chain_settles() -> None:
    chain = [field("expression", f"e{n}", expression=f"={'a' if n == 0 else f'e{n - 1}'} + 1", computeOn="change") for n in range(10)]
    assert clean(form(number("a"), *reversed(chain)), {"a": 1})["e9"] == 11


def test_missing_key_never_repeats_what_the_context_has() -> None:
    schema = form(group("decision", select("decision", "准予", "不予", **REQUIRED)))
    assert "decision.decision" in errors(schema, {"decision": {}}, {"decision": {"decision": "准予"}})


def test_hidden_required_field_is_not_asked_for() -> None:
    schema = form(select("result", "受理", "补正"), text("reason", **REQUIRED, **hide('result = "受理"')))
    assert clean(schema, {"result": "受理", "reason": "x"}) == {"result": "受理"}
    assert errors(schema, {"result": "补正"}) == {"reason": ["请填写“reason”"]}


@pytest.mark.parametrize(
    ("component", "value"),
    [
        (select("a", "x", "y"), "z"),
        (select("a", 1, 2), True),
        (field("radio", "a", values=[{"label": "x", "value": "x"}]), "X"),
        (field("checklist", "a", values=[{"label": "x", "value": "x"}]), ["x", "z"]),
        (field("taglist", "a", valuesExpression='=["x"]'), ["z"]),
        (field("select", "a", valuesKey="options"), "z"),
    ],
)
def test_value_outside_the_options_is_refused(component: Json, value: Any) -> None:
    found = errors(form(component), {"a": value, "options": ["z"]}, {"options": ["x"]})
    assert "不在可选范围内" in found["a"][0]


def test_options_from_the_context_cannot_be_sent_along() -> None:
    assert clean(form(field("select", "a", valuesKey="o")), {"a": "x", "o": ["y"]}, {"o": ["x"]}) == {"a": "x"}


@pytest.mark.parametrize(
    ("component", "value", "part"),
    [
        (number("a"), "abc", "必须是数字"),
        (number("a"), True, "必须是数字"),
        (number("a"), "1e99999", "必须是数字"),
        (number("a"), float("inf"), "必须是数字"),
        (text("a"), {"x": 1}, "必须是文字"),
        (text("a"), "a\x00b", "控制字符"),
        (text("a"), "x" * 100_001, "不能超过"),
        (field("checkbox", "a"), "on", "只能是"),
        (field("checklist", "a", values=[]), "x", "选项的列表"),
        (field("datetime", "a", subtype="date"), "2022-02-30", "有效的日期"),
        (field("datetime", "a", subtype="date"), "２０２２-02-03", "有效的日期"),
        (field("datetime", "a", subtype="time"), "25:00", "有效的时间"),
        (field("datetime", "a", subtype="datetime"), "2022-02-03", "有效的日期时间"),
        (field("filepicker", "a"), [1], "文件"),
        (field("filepicker", "a"), ["f1", "f2"], "只能上传一个"),
        (rows("a", text("b")), "x", "必须是列表"),
        (rows("a", text("b")), [1], "不正确的行"),
        (rows("a", text("b")), [{}] * 2_001, "不能超过"),
    ],
)
def test_what_no_widget_produces_is_refused(component: Json, value: Any, part: str) -> None:
    assert part in errors(form(component), {"a": value})["a"][0]


@pytest.mark.parametrize("value", ["2022-08-01T09:30", "2022-08-01T09:30:00Z", "2022-08-01T09:30+08:00"])
def test_datetime_formats(value: str) -> None:
    assert clean(form(field("datetime", "a", subtype="datetime")), {"a": value}) == {"a": value}


def test_disallow_passed_dates_uses_the_business_clock() -> None:
    schema = form(field("datetime", "a", subtype="date", disallowPassedDates=True))
    assert clean(schema, {"a": "2022-08-01"}) == {"a": "2022-08-01"}
    assert errors(schema, {"a": "2022-07-31"}) == {"a": ["“a”不能早于今天"]}


def test_numbers_keep_their_kind() -> None:
    schema = form(number("a"), number("b", serializeToString=True))
    assert clean(schema, {"a": "12", "b": 12}) == {"a": 12, "b": "12"}


def test_required_by_expression() -> None:
    schema = form(select("s", "同意", "有条件同意"), text("t", validate={"required": '=s = "有条件同意"'}))
    assert clean(schema, {"s": "同意"}) == {"s": "同意", "t": ""}
    assert "t" in errors(schema, {"s": "有条件同意"})


def test_rule_across_fields_sees_the_whole_submission() -> None:
    rule = {"rule": "=g.total = g.a + g.b", "message": "“合计”必须等于两项之和"}
    schema = form(group("g", number("a"), number("b"), number("total", "合计", properties=rule)))
    assert clean(schema, {"g": {"a": 1, "b": 2, "total": 3}})
    assert errors(schema, {"g": {"a": 1, "b": 2, "total": 4}}) == {"g.total": ["“合计”必须等于两项之和"]}


def test_rule_in_a_row_sees_this_row_and_its_own_value() -> None:
    schema = form(rows("r", number("low"), number("high", "上限", properties={"rule": "=value >= this.low", "message": "不能低于下限"})))
    assert errors(schema, {"r": [{"low": 1, "high": 2}, {"low": 3, "high": 2}]}) == {"r.1.high": ["“上限”：不能低于下限"]}


def test_rule_that_is_null_does_not_refuse() -> None:
    assert clean(form(number("a"), number("b", properties={"rule": "=a < b", "message": "x"})), {"b": 1}) == {"a": None, "b": 1}


def test_several_rules() -> None:
    rules = {"rule": "=value > 0", "message": "大于0", "rule2": "=value < 10", "message2": "小于10"}
    assert errors(form(number("a", properties=rules)), {"a": 11}) == {"a": ["“a”：小于10"]}


def test_rule_on_a_list() -> None:
    schema = form(rows("r", number("n"), label="资金来源", properties={"rule": "=sum(r.n) = 100", "message": "比例之和必须为 100"}))
    assert errors(schema, {"r": [{"n": 60}, {"n": 30}]}) == {"r": ["“资金来源”：比例之和必须为 100"]}


def test_number_of_rows() -> None:
    schema = form(rows("r", text("a"), label="单位", properties={"minRows": "2", "maxRows": "3"}))
    assert errors(schema, {"r": [{}]}) == {"r": ["“单位”至少填写 2 行"]}
    assert errors(schema, {"r": [{}] * 4}) == {"r": ["“单位”最多填写 3 行"]}
    assert clean(schema, {"r": [{}, {}]}) == {"r": [{"a": ""}, {"a": ""}]}


def test_empty_list_is_kept() -> None:
    assert clean(form(rows("r", text("a"))), {"r": []}) == {"r": []}


def test_pattern_message_of_the_author_names_the_field() -> None:
    schema = form(text("a", "手机", validate={"pattern": "^1\\d{10}$", "patternErrorMessage": "须为 11 位"}))
    assert errors(schema, {"a": "12"}) == {"a": ["“手机”：须为 11 位"]}


def test_pattern_that_runs_away_is_stopped() -> None:
    found = errors(form(text("a", validate={"pattern": "^(a|a)*$"})), {"a": "a" * 5_000 + "b"})
    assert found == {"a": ["“a”格式不正确"]}


def test_label_may_be_a_template() -> None:
    assert errors(form(text("a", "{{unit}}的意见", **REQUIRED)), {}, {"unit": "住建局"}) == {"a": ["请填写“住建局的意见”"]}


def test_submission_and_context_are_not_changed() -> None:
    submission, context = {"r": [{"a": "x"}]}, {"r": [{"b": 1}]}
    clean(form(rows("r", text("a"))), submission, context)
    assert (submission, context) == ({"r": [{"a": "x"}]}, {"r": [{"b": 1}]})


def test_increment_of_any_size_is_exact() -> None:
    assert clean(form(number("a", increment="1e-300")), {"a": "1e300"})
    assert (
        "整数倍"
        in errors(form(number("a", increment="0.1", serializeToString=True)), {"a": "12345678901234567890123456789012345678.15"})["a"][0]
    )
