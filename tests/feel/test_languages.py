"""Whatever goes wrong with an expression is said in one language: English throughout, or Chinese throughout but for FEEL's own words."""

from __future__ import annotations

import re
from typing import Any

import pytest

from engine.errors import ExpressionError
from engine.feel import Environment, compile_expression, compile_unary_tests

HAN = re.compile(r"[\u3000-\u303f\u4e00-\u9fff\uff00-\uffef]")
WORD = re.compile(r"[A-Za-z]{2,}")
QUOTED = re.compile("“[^”]*”")
FEEL_WORDS = {
    "null",
    "then",
    "else",
    "return",
    "satisfies",
    "and",
    "FEEL",
    "CPU",
    "JSON",
    "true",
    "false",
    "boolean",
    "number",
    "string",
    "list",
    "context",
    "any",
    "Any",
    "key",
    "value",
}
"""FEEL's own words, which are the same in every language; an expression's words may be said again, too."""
SMALL = Environment(cpu_ms=20, max_depth=20, max_items=50, max_chars=200)
CONTEXT: dict[str, Any] = {"a": 1, "text": "x", "items": [1, 2], "person": {"age": 3}, "nothing": None}

BROKEN = """
1 +|(1|[1, 2|[1..2|{a: 1|{a: 1, a: 2}|if a then 1|if a|for x return 1|for x in|some x in items|every x|function(x)|function(1a) 1
function(x) external {}|a.|a.1|1 1|"open|#|@"x"|@"2022-13-45"|a instance of|a instance of list<|a instance of list<number, string>
between|a between 1|then|abs(n: 1, 2)|{"a" 1}|a in|not(|1e999999999|for 1 in items return 1|1..|a[|a.b.|,|return
a instance of context<a>|a instance of function<number|f(|@|@5|{: 1}
"""
NULL = """
1 + "x"|1 + null|"x" - 1|1 / 0|2 ** 9999999|-"x"|-nothing|a < "x"|a between "x" and 2|"x" in [1..2]|missing|missing + 1
person.height|a.b|nothing.b|"x".b|items[5]|items[-5]|nothing[1]|items["x"]|if 1 then 2 else 3|if nothing then 2 else 3
for x in nothing return x|for x in "a".."b" return x|1 and true|"x" or false|some x in items satisfies 1|a()|unknown function(1)
abs("x")|abs()|abs(1, 2)|abs(m: 1)|date("x")|date(2022, 13, 1)|date(1.5, 1, 1)|time("x")|time(25, 0, 0)|date and time("x")
duration("x")|number("x")|number("1", "x", ".")|number("1", ",", ",")|number("1", " ", "x")|substring("abc", 5)|substring("abc", 0)
substring("abc", 1, -1)|decimal(1, 1.5)|decimal(1, 99999999)|modulo(1, 0)|sqrt(-1)|log(-1)|log(0)|sum(["x"])|mean(["x"])
median(["x"])|mode(["x"])|stddev(["x"])|min([1, "x"])|max([date("2022-01-01"), 1])|sublist([1], 5)|sublist([1], 1, 9)
insert before([1], 5, 1)|remove([1], 9)|list replace([1], 9, 2)|list replace([1], function(i, n) 1, 2)
sort([1, 2], function(x, y) 1)|sort([1, 2], function(x) true)|matches("a", "(")|replace("a", "(", "b")|replace("a", "a", "\\\\x")
split("a", "(")|replace("a", "a", "$x")|context([{}])|context([{key: "a"}])|context([{key: "a", value: 1}, {key: "a", value: 2}])
context put({}, 1, 2)|context put({a: 1}, ["a", "b"], 2)|context merge([1])|get value(1, "a")|string join([1])
@"2022-01-01" < @"10:00:00"|@"10:00:00" < @"10:00:00+08:00"|@"2022-01-01T10:00:00" - @"2022-01-01T10:00:00+08:00"|before(null, 1)
overlaps(1, 2)|start of(1)|(!= 1)|a instance of Unknown|[1..nothing] = 1|3 in [nothing..2]|3 in [1..nothing]|["a"..2]
function(x: number) x|(function(x: number) x)("a")|(function(x) x)()|(function(x) x)(y: 1)|partition([1], 0)|partition([1], 1.5)
from json("{")|extract("a", "(")|upper case(1)|contains("a", 1)|add workdays(date("2022-01-01"), 1)|round up(1, 0.5)
number("1", ",", ".", 4)|list contains(1)|date("2022-01-01").hour|years and months duration(1, 2)|@"2022-01-01@Nowhere/City"
date and time("2022-01-01T10:00:00@Nowhere/City")|time(10, 0, 0, duration("P9D"))|string length(1)|day of week("x")|a in (> "x")
{a: 1} < {a: 2}|person + 1|items * 2|true + false|any(items)|all(["x"])|is defined(missing)|assert(1, false)|assert(1, nothing)
"""
EXCEEDED = """
for x in 1..100 return x|string join(for x in 1..40 return "abcdefghij")|{f: function(n) f(n + 1), r: f(1)}.r
every x in 1..100000000 satisfies x > 0
"""


def texts(catalogue: str) -> list[str]:
    return [text.strip() for line in catalogue.strip().splitlines() for text in line.split("|")]


def check(text: str, chinese: str, english: str) -> None:
    """Fails when one of the two holds words of the other language; the expression itself may be quoted in either."""
    own = set(WORD.findall(text)) | FEEL_WORDS
    assert not HAN.search(english.replace(text, "")), english
    assert HAN.search(chinese), chinese
    stray = [word for word in WORD.findall(QUOTED.sub("", chinese.replace(text, ""))) if word not in own]
    assert not stray, (stray, chinese)


@pytest.mark.parametrize("text", texts(BROKEN))
def test_what_cannot_be_read(text: str) -> None:
    for compiled in (compile_expression, compile_unary_tests):
        try:
            compiled(text)
        except ExpressionError as error:
            check(text, error.message("zh"), error.message("en"))
            break
    else:
        raise AssertionError(f"{text} can be read")


@pytest.mark.parametrize("text", texts(NULL))
def test_what_becomes_null(text: str) -> None:
    try:
        result = compile_expression(text).run(CONTEXT)
    except ExpressionError as error:
        check(text, error.message("zh"), error.message("en"))
        return
    for warning in result.warnings:
        check(text, warning.message, warning.message_en)


def test_most_of_the_catalogue_fails_indeed() -> None:
    silent = []
    for text in texts(NULL):
        try:
            silent += [] if compile_expression(text).run(CONTEXT).warnings else [text]
        except ExpressionError:
            continue
    assert len(silent) <= 12, silent


@pytest.mark.parametrize("text", ["(" * 300 + "1" + ")" * 300, "1" + " + 1" * 300_000, *texts(EXCEEDED)])
def test_what_takes_too_much(text: str) -> None:
    with pytest.raises(ExpressionError) as error:
        compile_expression(text).evaluate(CONTEXT, SMALL)
    check(str(error.value.details["expression"]), error.value.message("zh"), error.value.message("en"))


def test_the_words_of_an_assertion_are_its_authors() -> None:
    with pytest.raises(ExpressionError) as error:
        compile_expression('assert(1, false, "金额 must be given")').evaluate({})
    assert error.value.message("en").endswith("金额 must be given") and error.value.message("zh").endswith("金额 must be given")
