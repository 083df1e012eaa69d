"""The scenario file: what is given, what happens, what should have come of it. docs/howto/test-a-process.md explains it to analysts.

Checked by pydantic, so that a misspelt key is refused by name and place.
"""

from __future__ import annotations

import json
from datetime import datetime
from math import isfinite
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from engine.clock import CHINA
from engine.errors import Invalid

MAX_SCENARIOS = 500
MAX_STEPS = 1_000
MAX_BYTES = 2_000_000
MAX_SHARED = 5_000_000
"""Bytes of what the file gives, times its scenarios: each of them gets its own."""
MAX_INTEGER = 2**63 - 1
FIRST, LAST = datetime(1950, 1, 1, tzinfo=CHINA), datetime(2100, 1, 1, tzinfo=CHINA)
"""Between these the clock of a scenario may stand: the working calendar knows no other years."""

Json = dict[str, Any]


class ScenarioInvalid(Invalid):
    """测试文件有误：{reason}

    The scenario file is not valid: {reason}
    """

    code = "scenario_invalid"


def _listed(value: Any) -> Any:
    return value if isinstance(value, list) else [value]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Answer(_Part):
    """What a handler, worker or called process answers: variables, or a BPMN error, or nothing yet."""

    variables: Json = {}
    error: str | None = None
    message: str = ""
    wait: bool = False


Answers = Annotated[list[Answer], BeforeValidator(_listed), Field(min_length=1)]
"""One answer, or one for each time it is asked; the last one serves for all further times."""


def _in_range(moment: datetime) -> datetime:
    if not FIRST <= moment <= LAST:
        raise ValueError(f"时刻应在 {FIRST.year} 年到 {LAST.year} 年之间")
    return moment


class Given(_Part):
    """The world of a scenario. `jobs` and `calls` are found by element id, then by job type or process id."""

    now: Annotated[AwareDatetime, AfterValidator(_in_range)] = datetime(2022, 5, 23, 10, tzinfo=CHINA)
    start: str | None = None
    variables: Json = {}
    jobs: dict[str, Answers] = {}
    calls: dict[str, Answers] = {}
    decisions: Json = {}


class Step(_Part):
    """One thing that happens: exactly one of the first seven keys."""

    complete: str | None = None
    """a user task's element id"""
    job: str | None = None
    """the element id of a pending job that its worker finishes"""
    call: str | None = None
    """the element id of an open call that its process ends"""
    message: str | None = None
    signal: str | None = None
    clock: str | None = None
    """how far the clock moves (P5D, 5 工作日 as "5 workdays") or the moment it moves to"""
    retry: str | None = None
    """the element id of an incident that is resolved"""

    with_: Json = Field(default={}, alias="with")
    """what was typed or came: laid over the form's example when there is one"""
    error: str | None = None
    """with `job` or `call`: it ends by this BPMN error"""
    where: Json = {}
    """with `complete`: only the tasks whose visible variables (dotted paths) have these values"""
    every: bool = False
    """with `complete`: all open tasks of the element, not only the first"""

    @model_validator(mode="after")
    def one_thing(self) -> Step:
        if len(self.happenings()) != 1:
            raise ValueError("一步只写一件事：complete、job、call、message、signal、clock 或 retry")
        return self

    def happenings(self) -> list[tuple[str, str]]:
        """The keys that say what happens, with their values."""
        return [(name, value) for name in KINDS if (value := getattr(self, name)) is not None]


KINDS = ("complete", "job", "call", "message", "signal", "clock", "retry")


class Then(_Part):
    """What should have come of it. `path`: elements in the order they were gone through (others may lie
    between); `never`: not gone through; `jobs`, `calls`: element id -> FEEL over what its job or called
    process was given the last time -> value."""

    path: list[str] = []
    never: list[str] = []
    variables: Json = {}
    documents: list[str] | None = None
    messages: list[str] = []
    jobs: dict[str, Json] = {}
    calls: dict[str, Json] = {}
    waiting: list[str] | None = None
    incident: str | None = None
    state: Literal["ACTIVE", "COMPLETED", "TERMINATED"] = "COMPLETED"


class Scenario(_Part):
    """One run of the process."""

    name: str
    given: Given = Given()
    steps: Annotated[list[Step], Field(max_length=MAX_STEPS)] = []
    then: Then = Then()


class ScenarioFile(_Part):
    """A file beside a diagram. `given` holds for all scenarios; what a scenario gives itself is laid over it."""

    process: str
    given: Json = {}
    scenarios: Annotated[list[Json], Field(min_length=1, max_length=MAX_SCENARIOS)]


def read_scenarios(content: bytes) -> tuple[str, list[Scenario]]:
    """(process id, scenarios) of a file. Raises ScenarioInvalid, which names every place that is wrong."""
    if len(content) > MAX_BYTES:
        raise ScenarioInvalid(reason=f"文件超过 {MAX_BYTES // 1_000_000} MB")
    try:
        file = ScenarioFile.model_validate_json(content)
        _check_numbers([file.given, file.scenarios])
        if len(json.dumps(file.given)) * len(file.scenarios) > MAX_SHARED:
            raise ScenarioInvalid(reason="共用的 given 太大，请写到用得着的情形里")
        scenarios = [_scenario(file.given, raw) for raw in file.scenarios]
    except ValidationError as error:
        raise ScenarioInvalid(reason="；".join(_place(problem) for problem in error.errors()[:10])) from error
    double = {s.name for s in scenarios if [other.name for other in scenarios].count(s.name) > 1}
    if double:
        raise ScenarioInvalid(reason=f"情形重名：{'、'.join(sorted(double))}")
    return file.process, scenarios


def _check_numbers(value: Any) -> None:
    """No number that a case could not have either. Raises ScenarioInvalid; pydantic has refused deep nesting."""
    if isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            _check_numbers(item)
    elif (isinstance(value, int) and abs(value) > MAX_INTEGER) or (isinstance(value, float) and not isfinite(value)):
        raise ScenarioInvalid(reason="数字太大，或者不是数字")


def _scenario(common: Json, raw: Json) -> Scenario:
    own = raw.get("given", {})
    merged = {**common, **own} if isinstance(own, dict) else own
    for name in ("variables", "jobs", "calls", "decisions"):
        if isinstance(own, dict) and isinstance(own.get(name, {}), dict) and isinstance(common.get(name), dict):
            merged[name] = {**common[name], **own.get(name, {})}
    return Scenario.model_validate({**raw, "given": merged})


def _place(problem: Any) -> str:
    where = ".".join(str(part) for part in problem["loc"])
    return f"{where or '文件'}：{problem['msg']}"
