"""Static analysis: what an expression reads, and type errors that are certain, with their position."""

from __future__ import annotations

import pytest

from engine.feel import compile_expression, compile_unary_tests, find_type_problems


@pytest.mark.parametrize(
    ("text", "variables", "functions"),
    [
        ("a + b.c", {"a", "b"}, set()),
        ("for x in xs return x + y", {"xs", "y"}, set()),
        ("some x in xs satisfies x > limit", {"xs", "limit"}, set()),
        ("{k: a, l: k + 1}", {"a"}, set()),
        ("function(p) p + q", {"q"}, set()),
        ("count(xs)", {"xs"}, set()),
        ("our rate(xs)", {"xs"}, {"our rate"}),
        ("(for i in 1..3 return partial)[1]", set(), set()),
        ("总投资 > 100 and 类型 = \"政府\"", {"总投资", "类型"}, set()),
        ("{f: function(n) f(n - 1)}", set(), set()),
        ("get or else(a, b)", {"a", "b"}, set()),
    ],
)  # fmt: skip
def test_variables_and_functions_that_are_read(text: str, variables: set[str], functions: set[str]) -> None:
    expression = compile_expression(text)
    assert expression.variables == variables
    assert expression.functions == functions


def test_names_in_a_filter_are_only_possibly_variables() -> None:
    expression = compile_expression("xs[price > limit]")
    assert expression.variables == {"xs"}
    assert expression.possible_variables == {"price", "limit"}


def test_the_input_of_unary_tests_is_no_variable() -> None:
    assert compile_unary_tests("? > limit, < other").variables == {"limit", "other"}


@pytest.mark.parametrize(
    ("text", "position"),
    [
        ('1 + "a"', 2),
        ("x and 1", 6),
        ('if "a" then 1 else 2', 3),
        ('1 < "a"', 2),
        ("[1] < [2]", 4),
        ("-true", 0),
        ('"abc".length', 5),
        ('@"2024-01-01".hour', 13),
        ('@"2024-01-01" + 1', 14),
        ("abs(1, 2)", 0),
        ('abs("a")', 0),
        ("substring(text: \"a\", start position: 1)", 0),
        ("upper case(1)", 0),
        ("1 between \"a\" and 3", 10),
        ("(1)(2)", 1),
        ('[1,2]["a"]', 6),
        ("some x in [1] satisfies 5", 24),
        ("1 + null", 2),
        ("(function(a: number) a + \"x\")(1)", 23),
        ("{a: 1, b: a + \"x\"}", 12),
        ("mean([1]) + upper case(\"a\")", 10),
        ('upper case("a") and true', 0),
    ],
)  # fmt: skip
def test_certain_type_errors(text: str, position: int) -> None:
    problems = find_type_problems(compile_expression(text).node)
    assert [problem.position for problem in problems] == [position]
    assert problems[0].message and problems[0].message_en


@pytest.mark.parametrize(
    "text",
    [
        "a + b",
        "x.y.z",
        "xs[a = 1]",
        "1 = null",
        "null = null",
        '@"2024-01-01" + @"P1D"',
        '@"2024-01-01" - @"2023-01-01" > @"P1D"',
        "count(5)",
        "abs([1])",
        'time(@"2024-01-01")',
        'if x then 1 else "a"',
        '(if x then 1 else "a") + 1',
        "max(1, 2)",
        "{abs: 1}",
        "[1,2][1] + 1",
        "for i in 1..3 return count(partial) + i",
        "before(1, [2..3])",
        "date(d) + duration(p)",
        'number("1", null, ".")',
        "not(x)",
        'string(1) + "a"',
        "x instance of number and true",
        "1 in [1..2] or y",
        "host(1)",
        '@"P1D" / @"PT1H" + 1',
        '2 * @"P1D" + @"PT1H"',
    ],
)
def test_what_may_be_right_is_no_error(text: str) -> None:
    assert find_type_problems(compile_expression(text).node) == ()


def test_known_kinds_of_variables_are_used() -> None:
    node = compile_expression("amount > 10 and name > 10").node
    assert find_type_problems(node) == ()
    assert [problem.position for problem in find_type_problems(node, {"amount": "number", "name": "string"})] == [21]


def test_unary_tests_are_checked_against_the_inputs_kind() -> None:
    node = compile_unary_tests('> 5, < "a"').node
    assert len(find_type_problems(node, {"?": "number"})) == 1
    assert find_type_problems(node) == ()
