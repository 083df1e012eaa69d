"""`lianban serve` and `lianban worker` as they are, with two more job types for the crash tests: run as `python -m tests.crash.program`.

`crash.ledger` does I/O: it appends the case to the file that LIANBAN_TEST_LEDGER names. `crash.number` is transactional: it gives the
case the next number of a sequence without gaps. Deaths are noticed within seconds here, so that tests need not wait for minutes.
"""

from __future__ import annotations

import os
import sys
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

from engine import background
from engine.jobs import HandlerRegistry, JobContext
from handlers.numbering import next_number
from webapp import cli, composition

registry = HandlerRegistry()
_whole_registry = composition.registry


@registry.handler("crash.ledger", transactional=False)
def ledger(job: JobContext) -> dict[str, Any]:
    """记账：把办件写进文件。"""
    with Path(os.environ["LIANBAN_TEST_LEDGER"]).open("a", encoding="ascii") as book:
        book.write(f"{job.variables['caseId']}\n")
    time.sleep(0.05)  # long enough to be killed in the middle: written, but not reported
    return {"booked": True}


@registry.handler("crash.number", transactional=True)
def number(job: JobContext) -> dict[str, Any]:
    """编号：取下一个号。"""
    return {"number": next_number(job.session, "crash")}


def with_our_jobs(**options: Any) -> HandlerRegistry:
    """The domain's handlers and ours."""
    whole = _whole_registry(**options)
    whole.include(registry)
    return whole


if __name__ == "__main__":
    composition.registry = with_our_jobs
    background.SWEEP_SECONDS, background.HEARTBEAT_SECONDS, background.DEAD_AFTER = 1.0, 0.5, timedelta(seconds=3)
    sys.exit(cli.main(sys.argv[1:]))
