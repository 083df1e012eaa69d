"""A kill -9 leaves something to take over, and the next process says so; a clean stop does not, even with live pages open."""

from __future__ import annotations

import http.client
import signal
from pathlib import Path

import pytest
from sqlalchemy import select

from engine import Engine
from engine.settings import Settings
from engine.store import models as m
from tests.crash.cases import log_in, prepare
from tests.crash.running import running
from tests.crash.test_kill import wait_for
from webapp import composition

TAKEN_OVER = "took over from processes that died"


def workers(engine: Engine) -> set[str]:
    with engine.reading() as session:
        return set(session.scalars(select(m.job_worker.c.id)))


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
def test_a_kill_is_taken_over_and_a_clean_stop_leaves_nothing_to_take_over(database_url: str, tmp_path: Path) -> None:
    engine = composition.open_lianban(Settings(database_url=database_url, jobs="dbos", files_dir=tmp_path / "files"))
    prepare(engine)
    cookie = next(iter(log_in(engine).values()))
    with running(engine.settings, tmp_path, webs=1, workers=0) as site:
        (program,) = site.webs
        wait_for(lambda: workers(engine), "a heartbeat")
        assert TAKEN_OVER not in program.log()
        dead = workers(engine)
        program.kill()
        program.start()
        program.wait_until_ready()
        wait_for(lambda: TAKEN_OVER in program.log() and workers(engine) and not workers(engine) & dead, "the taking over")
        page = http.client.HTTPConnection("127.0.0.1", program.port, timeout=60)
        page.request("GET", "/live", headers={"Cookie": cookie})
        assert page.getresponse().status == 200
        assert program.process is not None
        program.process.send_signal(signal.SIGTERM)
        assert program.process.wait(timeout=60) == 0
        assert workers(engine) == set()
        page.close()
    engine.close()
