"""Variables of running and ended instances, scope by scope; and setting them."""

from __future__ import annotations

import hashlib
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from typing_extensions import TypedDict

from engine.policy import require_watch
from engine.store.search_sources import SHOWN_VALUE, VARIABLES
from webapp.api.filters import KeyFilter, PageInfo, SearchBody, TextFilter, found_page, page_info
from webapp.api.rendering import key
from webapp.api.types import TENANT, Body, KeyText, ShortText
from webapp.api.v2 import v2
from webapp.context import actor, engine


class SearchOptions(BaseModel):
    """How values are shown."""

    model_config = ConfigDict(extra="forbid")

    truncate_values: bool = Field(True, alias="truncateValues")


class VariableFilter(Body):
    """What to find; `value` is compared with the JSON text."""

    name: TextFilter | None = None
    value: TextFilter | None = None
    tenant_id: ShortText | None = None
    is_truncated: bool | None = None
    scope_key: KeyFilter | None = None
    process_instance_key: KeyFilter | None = None


VariableSort = Literal["value", "name", "tenantId", "scopeKey", "processInstanceKey"]
VariableSearch = SearchBody[VariableFilter, VariableSort]


class Variable(TypedDict):
    """A variable of one scope; `value` is its JSON, cut off after 8,191 characters unless all of it is wanted."""

    value: str
    isTruncated: bool
    name: str
    tenantId: str
    variableKey: KeyText
    scopeKey: KeyText
    processInstanceKey: KeyText
    rootProcessInstanceKey: KeyText | None


class VariablePage(TypedDict):
    """A page of variables."""

    items: list[Variable]
    page: PageInfo


@v2.operation(
    "POST", "/variables/search", tag="variable", body=VariableSearch, query=SearchOptions, body_optional=True, answers={200: VariablePage}
)
def search_variables(body: VariableSearch, query: SearchOptions) -> Any:
    """查找变量 / search variables."""
    require_watch(actor())
    with engine().reading() as session:
        page = found_page(session, VARIABLES, body)
    return {"items": [_variable(row, query.truncate_values) for row in page.rows], "page": page_info(page)}


def _variable(row: Any, truncate: bool) -> Variable:
    value = bytes(row.value).decode()
    cut = truncate and len(value) > SHOWN_VALUE
    return {
        "value": value[:SHOWN_VALUE] if cut else value,
        "isTruncated": cut,
        "name": row.name,
        "tenantId": TENANT,
        "variableKey": variable_key(row.scope_key, row.name),
        "scopeKey": str(row.scope_key),
        "processInstanceKey": str(row.instance_key),
        "rootProcessInstanceKey": key(row.root),
    }


def variable_key(scope_key: int, name: str) -> str:
    """A number that stands for this name in this scope: rows have none of their own."""
    digest = hashlib.sha256(f"{scope_key}:{name}".encode()).digest()
    return str(int.from_bytes(digest[:8]) >> 1)
