"""The public face of the engine: open it, send commands inside a unit of work, read, run what is due.

    engine = open_engine(settings, handlers)
    with engine.unit_of_work() as session:
        commands.complete_task(session, actor, task_key, submission)

The names load on first use, so that `engine.feel` or `engine.dmn` alone cost neither a database nor a diagram parser.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from engine.service import Engine, open_engine

__all__ = ["Engine", "open_engine"]


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module 'engine' has no attribute {name!r}")
    from engine import service

    return getattr(service, name)
