"""The types that requests and answers are made of, with what OpenAPI says about them."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Annotated, Any, NotRequired

from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, WithJsonSchema
from pydantic.alias_generators import to_camel
from typing_extensions import TypedDict

MAX_KEY = 2**63 - 1
TENANT = "<default>"
"""The one tenant there is, by Camunda's name for it."""
KEY_PATTERN = "^[0-9]{1,25}$"


class Body(BaseModel):
    """What a request sends: camelCase on the wire, unknown keys refused, no value converted to another type."""

    model_config = ConfigDict(extra="forbid", strict=True, alias_generator=to_camel, frozen=True)


def _key(text: object) -> int:
    if not isinstance(text, str) or not re.fullmatch(KEY_PATTERN, text, re.ASCII):
        raise ValueError("a key is a string of 1 to 25 digits")
    number = int(text)
    return number if number <= MAX_KEY else -1  # no row has a larger one, and -1 is a number that every database can look for


def _utc(value: datetime) -> datetime:
    try:
        return value.astimezone(UTC)
    except OverflowError:
        raise ValueError("the year is out of range") from None


KeyText = Annotated[str, WithJsonSchema({"type": "string", "pattern": KEY_PATTERN})]
Key = Annotated[int, BeforeValidator(_key), WithJsonSchema({"type": "string", "pattern": KEY_PATTERN})]
"""A key: a string of digits on the wire, a number here."""
Moment = Annotated[AwareDatetime, AfterValidator(_utc)]
Timestamp = Annotated[str, WithJsonSchema({"type": "string", "format": "date-time"})]
Variables = Annotated[dict[str, Any], Field(description="变量名 → 任意 JSON 值 / name -> any JSON value")]
Name = Annotated[str, StringConstraints(min_length=1, max_length=300)]
ShortText = Annotated[str, StringConstraints(max_length=300)]
LongText = Annotated[str, StringConstraints(max_length=10_000)]
Whole = Annotated[int, Field(ge=-(2**31), lt=2**31)]
Milliseconds = Annotated[int, Field(ge=0, le=10 * 365 * 24 * 3600 * 1000)]


def _only_tenant(text: str) -> str:
    if text not in {TENANT, ""}:
        raise ValueError(f"the only tenant is {TENANT}")
    return text


Tenant = Annotated[str, AfterValidator(_only_tenant), WithJsonSchema({"type": "string", "enum": [TENANT]})]
OperationReference = Annotated[int, Field(ge=1, le=MAX_KEY)]
Json = Annotated[Any, WithJsonSchema({})]


class FindingItem(TypedDict):
    """One thing wrong in a deployed file."""

    rule: str
    resourceName: str
    elementId: str
    elementName: str
    line: int
    message: str
    messageEn: str


class Problem(TypedDict):
    """RFC 9457. `detail`: Chinese, then English; `code`: stable, for programs."""

    type: str
    title: str
    status: int
    detail: str
    instance: str
    code: str
    errors: NotRequired[dict[str, list[str]]]
    findings: NotRequired[list[FindingItem]]


class RestException(TypedDict):
    """What Camunda 7 answers instead of a problem."""

    type: str
    message: str
    code: int
    errors: NotRequired[dict[str, list[str]]]
    findings: NotRequired[list[FindingItem]]
