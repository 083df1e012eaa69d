"""Variables of running and ended instances, scope by scope; and setting them."""

from __future__ import annotations

from functools import partial
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from typing_extensions import TypedDict

from engine.store.search_sources import SHOWN_VALUE, VARIABLES
from webapp.api.filters import KeyFilter, SearchBody, TextFilter
from webapp.api.listing import Items, Listing, PageOf, each
from webapp.api.rendering import key
from webapp.api.types import TENANT, Body, KeyText, ShortText
from webapp.api.v2 import v2


class SearchOptions(BaseModel):
    """How values are shown."""

    model_config = ConfigDict(extra="forbid")

    truncate_values: bool = Field(True, alias="truncateValues")


class VariablesFilter(Body):
    """What to find; `value` is compared with the JSON text."""

    name: TextFilter | None = None
    value: TextFilter | None = None
    tenant_id: ShortText | None = None
    is_truncated: bool | None = None
    variable_key: KeyFilter | None = None
    scope_key: KeyFilter | None = None
    process_instance_key: KeyFilter | None = None


VariableSort = Literal["value", "name", "tenantId", "variableKey", "scopeKey", "processInstanceKey"]
VariableSearch = SearchBody[VariablesFilter, VariableSort]


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


class WholeVariable(TypedDict):
    """A variable of one scope; `value` is its JSON."""

    value: str
    name: str
    tenantId: str
    variableKey: KeyText
    scopeKey: KeyText
    processInstanceKey: KeyText
    rootProcessInstanceKey: KeyText | None


def _shown(row: Any, *, truncate: bool) -> Variable:
    whole = _whole(row)
    cut = truncate and len(whole["value"]) > SHOWN_VALUE
    return {**whole, "value": whole["value"][:SHOWN_VALUE] if cut else whole["value"], "isTruncated": cut}


def _whole(row: Any) -> WholeVariable:
    return {
        "value": bytes(row.value).decode(),
        "name": row.name,
        "tenantId": TENANT,
        "variableKey": str(row.variable_key),
        "scopeKey": str(row.scope_key),
        "processInstanceKey": str(row.instance_key),
        "rootProcessInstanceKey": key(row.root),
    }


VARIABLE = Listing(VARIABLES, what="变量", key="variable_key", items=each(_whole))


def shown(truncate: bool) -> Items:
    """Variables as lists show them."""
    return each(partial(_shown, truncate=truncate))


@v2.operation(
    "POST",
    "/variables/search",
    tag="variable",
    body=VariableSearch,
    query=SearchOptions,
    body_optional=True,
    answers={200: PageOf[Variable]},
)
def search_variables(body: VariableSearch, query: SearchOptions) -> Any:
    """查找变量 / search variables."""
    return VARIABLE.page(body, items=shown(query.truncate_values))


@v2.operation("GET", "/variables/<key:variable_key>", tag="variable", answers={200: WholeVariable})
def get_variable(variable_key: int) -> Any:
    """一个变量 / one variable with its whole value."""
    return VARIABLE.one(variable_key)
