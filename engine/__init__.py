"""The public face of the engine: open it, send commands inside a unit of work, read, run what is due.

engine = open_engine(settings, handlers)
with engine.unit_of_work() as session:
    commands.complete_task(session, actor, task_key, submission)
"""

from __future__ import annotations

from engine.service import Engine, open_engine

__all__ = ["Engine", "open_engine"]
