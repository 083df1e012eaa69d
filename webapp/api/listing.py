"""What clients list: one `Listing` for each kind of row. It searches as a request says, hides what the caller may not see, and gives the
JSON of what was found; the operations of webapp.api.v2 say only where, who may and with which fields."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Generic, TypeVar

from sqlalchemy import ColumnElement
from sqlalchemy.orm import Session
from typing_extensions import TypedDict

from engine.errors import NotFound
from engine.policy import Actor, require_watch
from engine.store.search import AnyOf, Condition, Source, first
from webapp.api.filters import PageInfo, SearchBody, found_page, page_info
from webapp.context import actor, engine

T = TypeVar("T")
Items = Callable[[Session, Sequence[Any]], list[Any]]
Wanted = Sequence[Condition | AnyOf]


class PageOf(TypedDict, Generic[T]):
    """A page of what was found."""

    items: list[T]
    page: PageInfo


def each(item: Callable[[Any], T]) -> Callable[[Session, Sequence[Any]], list[T]]:
    """Items that are made of their row alone."""
    return lambda _session, rows: [item(row) for row in rows]


@dataclass(frozen=True, slots=True)
class Listing:
    """One kind of row. `what`: its name for people; `key`: the field that is its key; `items`: the JSON of rows; `allowed`: raises
    Forbidden for callers who have no business here; `visible`: which rows a caller may see, where that differs; `adapt`: what the
    fields of a filter mean, where they are not simply those of the source; `extended`: the source with the fields that a
    certain search needs beside its own."""

    source: Source
    what: str
    key: str
    items: Items
    allowed: Callable[[Actor], None] = require_watch
    visible: Callable[[Actor], ColumnElement[bool]] | None = None
    adapt: Callable[[Session, Any, list[Condition]], list[Condition]] | None = None
    extended: Callable[[Session, SearchBody[Any, Any]], Source] | None = None

    def page(self, body: SearchBody[Any, Any], *, more: Wanted = (), items: Items | None = None) -> Any:
        """The page that the body asks for. `more`: further conditions; `items`: another JSON of the rows."""
        self.allowed(actor())
        with engine().reading() as session:
            return self.page_in(session, body, more=more, items=items)

    def page_in(self, session: Session, body: SearchBody[Any, Any], *, more: Wanted = (), items: Items | None = None) -> Any:
        """The same in a session that is open, for who was found to be allowed."""
        source = self.source if self.extended is None else self.extended(session, body)
        adapt = None if self.adapt is None else partial(self.adapt, session)
        page = found_page(session, source, body, more=more, adapt=adapt, visible=self._visible())
        return {"items": (items or self.items)(session, page.rows), "page": page_info(page)}

    def one(self, key: int) -> Any:
        """The row with this key. Raises NotFound, also when the caller may not see it."""
        self.allowed(actor())
        with engine().reading() as session:
            return self.items(session, [self.row(session, key)])[0]

    def row(self, session: Session, key: int) -> Any:
        """The row itself. Raises NotFound."""
        row = first(session, self.source, [Condition(self.key, "eq", key)], visible=self._visible())
        if row is None:
            raise NotFound(what=self.what, key=key)
        return row

    def _visible(self) -> ColumnElement[bool] | None:
        return None if self.visible is None else self.visible(actor())


def anybody(_actor: Actor) -> None:
    """Everybody may ask; what they find is what `visible` leaves."""
