"""The web shell: HTTP only. Its composition root is `create_app` (webapp.application).

The names load on first use, so that a command of the command line costs only what it needs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from webapp.application import SMALL_BODY_BYTES, create_app

__all__ = ["SMALL_BODY_BYTES", "create_app"]


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module 'webapp' has no attribute {name!r}")
    from webapp import application

    return getattr(application, name)
