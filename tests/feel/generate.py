"""Random FEEL expressions from a grammar with kinds, so that most of them mean something. Same seed, same text."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

NUMBERS = ["0", "1", "2", "3", "7", "10", "0.5", "1.25", "100", "-1", "a", "b"]
STRINGS = ['""', '"a"', '"foobar"', '"中文"', '"A b"', "s", '"2024-02-29"']
DATES = ['@"2024-02-29"', '@"2023-12-31"', 'date("2024-01-31")', "date(2022, 5, 12)", "d"]
TIMES = ['@"10:20:30"', '@"23:59:59"', 'time("00:00:00")']
MOMENTS = ['@"2024-02-29T10:20:30"', '@"2023-12-31T23:59:59"', 'date and time("2024-01-01T00:00:00")']
DAYS = ['@"P1D"', '@"PT36H"', 'duration("-PT30M")', '@"PT0S"', '@"P10DT1H"']
MONTHS = ['@"P1M"', '@"P1Y2M"', 'duration("-P1Y")']
CONTEXT = {"a": 5, "b": 2.5, "s": "text", "xs": [3, 1, 2], "rows": [{"p": 1, "n": "x"}, {"p": 20, "n": "y"}], "flag": True}

Maker = Callable[["Generator", int], str]


class Generator:
    """Makes expressions of a kind: number, string, boolean, list, date, time, moment, days, months, context, any."""

    def __init__(self, seed: int, strays: tuple[str, ...] = ("null", "missing", '"x"', "1", "[]")) -> None:
        """`strays`: now and then one of these stands where a value of some kind belongs."""
        self.random = Random(seed)
        self.strays = list(strays)

    def pick(self, options: list[str]) -> str:
        return self.random.choice(options)

    def make(self, kind: str, depth: int) -> str:
        if self.random.random() < 0.04 and self.strays:
            return self.pick(self.strays)
        maker = getattr(self, f"_{kind}")
        text: str = maker(max(0, depth))
        return text

    def _number(self, depth: int) -> str:
        if depth == 0:
            return self.pick(NUMBERS)
        n = lambda: self.make("number", depth - 1)
        texts = lambda: self.make("string", depth - 1)
        items = lambda: self.make("list", depth - 1)
        forms: list[Callable[[], str]] = [
            lambda: f"{n()} + {n()}",
            lambda: f"{n()} - {n()}",
            lambda: f"({n()} * {n()})",
            lambda: f"({n()} / {self.pick(['2', '3', '7', '10'])})",
            lambda: f"({n()}) ** 2",
            lambda: f"-({n()})",
            lambda: f"if {self.make('boolean', depth - 1)} then {n()} else {n()}",
            lambda: f"abs({n()})",
            lambda: f"floor({n()})",
            lambda: f"ceiling({n()})",
            lambda: f"decimal({n()}, 2)",
            lambda: f"modulo({n()}, {self.pick(['2', '3', '-5'])})",
            lambda: f"round half up({n()}, 1)",
            lambda: f"string length({texts()})",
            lambda: f"count({items()})",
            lambda: f"sum({items()})",
            lambda: f"min({n()}, {n()})",
            lambda: f"max({items()})",
            lambda: f"({items()})[{self.pick(['1', '2', '-1', '5'])}]",
            lambda: f"({self.make('date', depth - 1)}).{self.pick(['year', 'month', 'day'])}",
            lambda: f"{{x: {n()}, y: x + 1}}.y",
            lambda: f"(function(p) p + {n()})({n()})",
            lambda: f"day of year({self.make('date', depth - 1)})",
        ]
        return self.random.choice(forms)()

    def _string(self, depth: int) -> str:
        if depth == 0:
            return self.pick(STRINGS)
        t = lambda: self.make("string", depth - 1)
        forms: list[Callable[[], str]] = [
            lambda: f"({t()} + {t()})",
            lambda: f"upper case({t()})",
            lambda: f"lower case({t()})",
            lambda: f"substring({t()}, {self.pick(['1', '2', '-1'])})",
            lambda: f"substring({t()}, 1, {self.pick(['0', '1', '2'])})",
            lambda: f'substring before({t()}, "o")',
            lambda: f'substring after({t()}, "o")',
            lambda: f'replace({t()}, "[ao]", "-")',
            lambda: f'string join([{t()}, {t()}], ",")',
            lambda: f"string({self.make('number', 0)})",
            lambda: f"if {self.make('boolean', depth - 1)} then {t()} else {t()}",
            lambda: f"day of week({self.make('date', depth - 1)})",
            lambda: f"string({self.make('days', depth - 1)})",
        ]
        return self.random.choice(forms)()

    def _boolean(self, depth: int) -> str:
        if depth == 0:
            return self.pick(["true", "false", "flag", "1 < 2"])
        d = depth - 1
        b = lambda: self.make("boolean", d)
        kind = self.pick(["number", "string", "date", "days", "months", "moment"])
        pair = lambda: (self.make(kind, d), self.make(kind, d))
        forms: list[Callable[[], str]] = [
            lambda: "({0} {2} {1})".format(*pair(), self.pick(["<", "<=", ">", ">=", "=", "!="])),
            lambda: f"({b()} and {b()})",
            lambda: f"({b()} or {b()})",
            lambda: f"not({b()})",
            lambda: f"({self.make('number', d)} between {self.make('number', 0)} and {self.make('number', 0)})",
            lambda: f"({self.make('number', d)} in [{self.make('number', 0)}..{self.make('number', 0)}])",
            lambda: f"({self.make('number', d)} in ({self.make('number', 0)}, {self.make('number', 0)}))",
            lambda: f"(some v in {self.make('list', d)} satisfies v > {self.make('number', 0)})",
            lambda: f"(every v in {self.make('list', d)} satisfies v >= {self.make('number', 0)})",
            lambda: f"list contains({self.make('list', d)}, {self.make('number', 0)})",
            lambda: f'contains({self.make("string", d)}, "o")',
            lambda: f'starts with({self.make("string", d)}, "f")',
            lambda: f'matches({self.make("string", d)}, "^[a-z]+$")',
            lambda: f"odd({self.make('number', 0)})",
            lambda: f"({self.make('any', d)} instance of {self.pick(['number', 'string', 'boolean', 'date'])})",
            lambda: f"({self.make('list', d)} = {self.make('list', d)})",
            lambda: f"({self.make(kind, d)} = null)",
            lambda: f"before({self.make('number', 0)}, {self.make('number', 0)})",
            lambda: f"overlaps([1..{self.pick(['2', '5'])}], [{self.pick(['2', '3'])}..9])",
        ]
        return self.random.choice(forms)()

    def _list(self, depth: int) -> str:
        if depth == 0:
            return self.pick(["[1,2,3]", "[]", "[5]", "xs", "[3,1,2,2]"])
        d = depth - 1
        items = lambda: self.make("list", d)
        forms: list[Callable[[], str]] = [
            lambda: f"[{self.make('number', d)}, {self.make('number', d)}]",
            lambda: f"for i in {items()} return i * {self.make('number', 0)}",
            lambda: f"for i in 1..{self.pick(['0', '2', '4'])} return i",
            lambda: f"({items()})[item > {self.make('number', 0)}]",
            lambda: "rows[p > 5].p",
            lambda: f"append({items()}, {self.make('number', 0)})",
            lambda: f"concatenate({items()}, {items()})",
            lambda: f"reverse({items()})",
            lambda: f"distinct values({items()})",
            lambda: f"flatten([{items()}, {items()}])",
            lambda: f"sort({items()}, function(x, y) x < y)",
            lambda: f"sublist({items()}, 1)",
            lambda: f"index of({items()}, {self.make('number', 0)})",
            lambda: f"union({items()}, {items()})",
            lambda: f"insert before({items()}, 1, {self.make('number', 0)})",
        ]
        return self.random.choice(forms)()

    def _date(self, depth: int) -> str:
        if depth == 0:
            return self.pick(DATES[:-1])
        forms: list[Callable[[], str]] = [
            lambda: f"({self.make('date', depth - 1)} + {self.pick(DAYS[:1] + MONTHS)})",
            lambda: f"({self.make('date', depth - 1)} - {self.pick(DAYS[:1] + MONTHS)})",
            lambda: f"date({self.make('moment', depth - 1)})",
        ]
        return self.random.choice(forms)()

    def _moment(self, depth: int) -> str:
        if depth == 0:
            return self.pick(MOMENTS)
        forms: list[Callable[[], str]] = [
            lambda: f"({self.make('moment', depth - 1)} + {self.pick(DAYS + MONTHS)})",
            lambda: f"date and time({self.make('date', depth - 1)}, {self.pick(TIMES)})",
        ]
        return self.random.choice(forms)()

    def _days(self, depth: int) -> str:
        if depth == 0:
            return self.pick(DAYS)
        forms: list[Callable[[], str]] = [
            lambda: f"({self.make('days', depth - 1)} + {self.make('days', depth - 1)})",
            lambda: f"({self.make('days', depth - 1)} * {self.pick(['2', '-1', '3'])})",
            lambda: f"({self.make('date', depth - 1)} - {self.make('date', depth - 1)})",
        ]
        return self.random.choice(forms)()

    def _months(self, depth: int) -> str:
        if depth == 0:
            return self.pick(MONTHS)
        forms: list[Callable[[], str]] = [
            lambda: f"({self.make('months', depth - 1)} + {self.make('months', depth - 1)})",
            lambda: f"years and months duration({self.make('date', 0)}, {self.make('date', 0)})",
        ]
        return self.random.choice(forms)()

    def _context(self, depth: int) -> str:
        return f"{{k: {self.make('number', depth - 1)}, l: {self.make('string', depth - 1)}}}"

    def _any(self, depth: int) -> str:
        kinds = ["number", "string", "boolean", "list", "date", "moment", "days", "months", "context"]
        return self.make(self.pick(kinds), depth)

    def mutate(self, text: str) -> str:
        """A text near a valid one: pieces dropped, doubled, swapped or replaced."""
        letters = list(text)
        for _ in range(self.random.randint(1, 3)):
            place = self.random.randrange(len(letters) + 1)
            action = self.random.randrange(4)
            if action == 0 and letters:
                del letters[place % len(letters)]
            elif action == 1:
                letters.insert(place, self.pick(list("()[]{}.,:;\"'@?+-*/<>= \\\n0a中\x00")))
            elif action == 2 and letters:
                size = self.random.randint(1, 8)
                letters[place:place] = letters[place : place + size]
            elif letters:
                letters[place % len(letters)] = chr(self.random.choice([0x41, 0x5D, 0x2E, 0x1F600, 0xD7FF, 0x3002]))
        return "".join(letters)
