"""A real `lianban serve` for the clients: its own process, database and port."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from engine.settings import Settings
from handlers.directory import service as directory
from handlers.directory import tokens
from tests.api.conftest import PASSWORD, add_people
from webapp.composition import open_lianban

START_SECONDS = 120


@dataclass(frozen=True, slots=True)
class Served:
    """Where the server is, and the token of its administrator `ada`. The analyst `liuyang` and the administrator `zhang` have PASSWORD."""

    port: int
    token: str

    @property
    def root(self) -> str:
        return f"http://localhost:{self.port}"


@contextmanager
def served(folder: Path, *, demo: bool = False) -> Iterator[Served]:
    """Start it, wait until it answers, stop it."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    settings = Settings(database_url=f"sqlite:///{folder / 'lianban.db'}", files_dir=folder / "files")
    engine = open_lianban(replace(settings, jobs="inline"))
    engine.migrate()
    add_people(engine)
    with engine.unit_of_work() as session:
        directory.create_user(session, "liuyang", "刘洋", "analyst", PASSWORD)
        directory.create_user(session, "zhang", "张伟", "admin", PASSWORD)
        token = tokens.add_token(session, "ada", "client tests")
    engine.close()
    environment = os.environ | {
        "LIANBAN_DATABASE_URL": settings.database_url,
        "LIANBAN_FILES_DIR": str(settings.files_dir),
        "LIANBAN_PORT": str(port),
        "LIANBAN_DEMO": "1" if demo else "0",
        "PYTHONPATH": os.pathsep.join([str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH", "")]),
    }
    code = "import sys; from webapp.cli import main; sys.exit(main(['serve']))"
    log = (folder / "serve.log").open("wb")
    process = subprocess.Popen([sys.executable, "-c", code], env=environment, stdout=log, stderr=log, start_new_session=True)
    try:
        _wait(process, port, folder / "serve.log")
        yield Served(port, token)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=60)
        log.close()


def _wait(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end:
        assert process.poll() is None, log.read_text(encoding="utf-8")
        try:
            with urlopen(f"http://127.0.0.1:{port}/v2/topology", timeout=5):
                return
        except (URLError, OSError):
            time.sleep(0.1)
    raise AssertionError(log.read_text(encoding="utf-8"))
