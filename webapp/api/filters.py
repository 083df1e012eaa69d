"""Search requests: filters with Camunda 8's operators, sort, page; and what they mean for engine.store.search."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated, Any, Generic, Literal, Self, TypeVar

from pydantic import Field, StringConstraints, model_validator
from pydantic.alias_generators import to_snake
from sqlalchemy import ColumnElement
from sqlalchemy.orm import Session
from typing_extensions import TypedDict

from engine.store.search import DEFAULT_LIMIT, MAX_LIMIT, MAX_OFFSET, AnyOf, Condition, Operator, Order, Page, PageRequest, Source, search
from webapp.api.types import Body, Key, Moment, ShortText, Whole

T = TypeVar("T")
F = TypeVar("F")
S = TypeVar("S")
Cursor = Annotated[str, StringConstraints(max_length=2000)]


class Operators(Body, Generic[T]):
    """Comparisons with one field; all that are given must hold."""

    eq: T | None = Field(None, alias="$eq")
    neq: T | None = Field(None, alias="$neq")
    exists: bool | None = Field(None, alias="$exists")
    one_of: list[T] | None = Field(None, alias="$in", max_length=1000)
    none_of: list[T] | None = Field(None, alias="$notIn", max_length=1000)


class RangeOperators(Operators[T]):
    """Comparisons with a field that has an order."""

    gt: T | None = Field(None, alias="$gt")
    gte: T | None = Field(None, alias="$gte")
    lt: T | None = Field(None, alias="$lt")
    lte: T | None = Field(None, alias="$lte")


class TextOperators(Operators[ShortText]):
    """Comparisons with a text; `$like` knows the wildcards * and ?."""

    like: ShortText | None = Field(None, alias="$like")


class KeyOperators(Operators[Key]):
    """Comparisons with a key."""


class NumberOperators(RangeOperators[Whole]):
    """Comparisons with a number."""


class TimeOperators(RangeOperators[Moment]):
    """Comparisons with an instant."""


class WordOperators(Operators[T]):
    """Comparisons with one of a few words."""

    like: ShortText | None = Field(None, alias="$like")


TextFilter = ShortText | TextOperators
KeyFilter = Key | KeyOperators
NumberFilter = Whole | NumberOperators
TimeFilter = Moment | TimeOperators

_OPERATORS: dict[str, Operator] = {
    "eq": "eq",
    "neq": "neq",
    "exists": "exists",
    "one_of": "in",
    "none_of": "notIn",
    "gt": "gt",
    "gte": "gte",
    "lt": "lt",
    "lte": "lte",
    "like": "like",
}


class VariableFilter(Body):
    """A variable's name and the JSON text of its value."""

    name: ShortText
    value: TextFilter


class PageBody(Body):
    """Which page: `from` (an offset), or `after` or `before` a cursor of an earlier answer."""

    start: int | None = Field(None, alias="from", ge=0, le=MAX_OFFSET)
    limit: int | None = Field(None, ge=1, le=MAX_LIMIT)
    after: Cursor | None = None
    before: Cursor | None = None

    @model_validator(mode="after")
    def one_way(self) -> Self:
        """An offset and a cursor contradict each other."""
        if sum(value is not None for value in (self.start, self.after, self.before)) > 1:
            raise ValueError("only one of from, after and before")
        return self


class SortBody(Body, Generic[S]):
    """One field to sort by."""

    field: S
    order: Literal["ASC", "DESC", "asc", "desc"] | None = None


class SearchBody(Body, Generic[F, S]):
    """A search: what to find, in which order, which page."""

    filter: F | None = None
    sort: list[SortBody[S]] | None = Field(None, max_length=30)
    page: PageBody | None = None


class PageInfo(TypedDict):
    """Where a page lies; `totalItems` is counted up to 10,000."""

    totalItems: int
    hasMoreTotalItems: bool
    startCursor: str | None
    endCursor: str | None


Adapt = Callable[[Any, list[Condition]], list[Condition]]
"""A filter and the conditions of its fields -> those that the source understands."""


def conditions(filters: Body | None, adapt: Adapt | None = None) -> list[Condition | AnyOf]:
    """What a filter says; the alternatives of `$or` are one condition. `adapt`: for the filter and each alternative."""
    if filters is None:
        return []
    plain = _plain(filters, adapt)
    alternatives = getattr(filters, "any_of", None)
    return [*plain] if alternatives is None else [*plain, AnyOf(tuple(tuple(_plain(one, adapt)) for one in alternatives))]


def _plain(filters: Body, adapt: Adapt | None) -> list[Condition]:
    given = [(name, getattr(filters, name)) for name in type(filters).model_fields if name != "any_of"]
    found = [condition for name, value in given if value is not None for condition in field_conditions(name, value)]
    return found if adapt is None else adapt(filters, found)


def field_conditions(name: str, value: Any) -> list[Condition]:
    """What a filter says of one field: a value, operators, or a list of variables."""
    if isinstance(value, Operators):
        return [Condition(name, _OPERATORS[key], given) for key in _OPERATORS if (given := getattr(value, key, None)) is not None]
    if isinstance(value, list) and value and isinstance(value[0], VariableFilter):
        return [Condition(name, "eq", (one.name, test)) for one in value for test in field_conditions("value", one.value)]
    return [Condition(name, "eq", value)]


def found_page(
    session: Session,
    source: Source,
    body: SearchBody[Any, Any],
    *,
    more: Sequence[Condition | AnyOf] = (),
    adapt: Adapt | None = None,
    visible: ColumnElement[bool] | None = None,
) -> Page:
    """Search as the body says. `more`: further conditions; `adapt`: see `conditions`."""
    wanted = conditions(body.filter, adapt) + list(more)
    orders = [Order(to_snake(sort.field), (sort.order or "ASC").upper() == "DESC") for sort in body.sort or ()]
    page = body.page
    request = PageRequest() if page is None else PageRequest(page.limit or DEFAULT_LIMIT, page.start or 0, page.after, page.before)
    return search(session, source, wanted, orders, request, visible=visible)


def page_info(page: Page) -> PageInfo:
    """The page's place for the answer."""
    return {
        "totalItems": page.total,
        "hasMoreTotalItems": page.has_more_total,
        "startCursor": page.start_cursor,
        "endCursor": page.end_cursor,
    }
