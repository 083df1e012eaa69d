"""Who the caller is, as Camunda's clients ask."""

from __future__ import annotations

from typing import Any

from typing_extensions import TypedDict

from handlers.directory import service as directory
from webapp.api.types import TENANT
from webapp.api.v2 import v2
from webapp.context import actor


class Tenant(TypedDict):
    """The one tenant."""

    tenantId: str
    name: str
    description: str | None


class CurrentUser(TypedDict):
    """The person for whom the caller acts."""

    username: str
    displayName: str | None
    email: str | None
    authorizedComponents: list[str]
    tenants: list[Tenant]
    groups: list[str]
    roles: list[str]
    salesPlanType: str | None
    c8Links: dict[str, str]
    canLogout: bool


@v2.operation("GET", "/authentication/me", tag="authentication", answers={200: CurrentUser})
def get_authentication() -> Any:
    """当前用户 / the current user: groups are UNIT.role, roles are powers."""
    who = actor()
    return {
        "username": who.username,
        "displayName": who.display_name or None,
        "email": None,
        "authorizedComponents": ["*"] if directory.is_staff(who) else [],
        "tenants": [{"tenantId": TENANT, "name": "联办", "description": None}],
        "groups": sorted(who.groups),
        "roles": sorted(who.powers),
        "salesPlanType": None,
        "c8Links": {},
        "canLogout": True,
    }
