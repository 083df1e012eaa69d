"""Real server processes over one database: started, killed and started again; and clients that complete tasks over HTTP."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from engine.settings import ROOT, Settings

START_SECONDS = 90  # two cores that run other tests beside these are slow, not wrong


@dataclass
class Program:
    """One process: `lianban serve` (port given) or `lianban worker` (port 0)."""

    settings: Settings
    arguments: list[str]
    port: int
    folder: Path
    process: subprocess.Popen[bytes] | None = None
    deaths: int = 0

    def start(self) -> None:
        environment = os.environ | {
            "LIANBAN_DATABASE_URL": self.settings.database_url,
            "LIANBAN_FILES_DIR": str(self.settings.files_dir),
            "LIANBAN_PORT": str(self.port),
            "LIANBAN_JOBS": "dbos",
            "LIANBAN_TEST_LEDGER": str(self.folder / "ledger"),
            "PYTHONPATH": str(ROOT),
        }
        with (self.folder / "log").open("ab") as log:
            command = [sys.executable, "-m", "tests.crash.program", *self.arguments]
            self.process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log, start_new_session=True)

    def kill(self) -> None:
        """SIGKILL to the process and whatever it has forked."""
        assert self.process is not None
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self.deaths += 1

    def wait_until_ready(self) -> None:
        """Returns when the server answers; fails with its log when it has ended or needs too long."""
        deadline = time.monotonic() + START_SECONDS
        while self.port and time.monotonic() < deadline:
            assert self.process is not None and self.process.poll() is None, self.log()
            try:
                if request(self.port, "GET", "/ready").status == 200:
                    return
            except (OSError, http.client.HTTPException):
                time.sleep(0.05)
        assert not self.port, f"not ready: {self.log()}"

    def log(self) -> str:
        return (self.folder / "log").read_text(encoding="utf-8", errors="replace")[-4000:]


@dataclass
class Answer:
    status: int
    body: str


def request(port: int, method: str, path: str, *, cookie: str = "", data: object = None, timeout: float = 60) -> Answer:
    """One HTTP request on a connection of its own. Raises OSError or HTTPException when the server is dead or dies meanwhile."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)
    headers = {"Accept": "application/json"} | ({"Cookie": cookie} if cookie else {})
    body = None
    if data is not None:
        headers["Content-Type"], body = "application/json", json.dumps({"data": data})
    try:
        connection.request(method, path, body, headers)
        response = connection.getresponse()
        return Answer(response.status, response.read().decode("utf-8", errors="replace"))
    finally:
        connection.close()


@dataclass
class Site:
    """The processes of one installation."""

    settings: Settings
    folder: Path
    webs: list[Program] = field(default_factory=list)
    workers: list[Program] = field(default_factory=list)

    def programs(self) -> list[Program]:
        return self.webs + self.workers


@contextmanager
def running(settings: Settings, folder: Path, *, webs: int, workers: int) -> Iterator[Site]:
    """An installation: with workers the web processes run no jobs. All of it is killed at the end."""
    site = Site(settings, folder)
    for _ in range(webs):
        site.webs.append(Program(settings, ["serve", "--no-jobs"] if workers else ["serve"], _free_port(), folder))
    for _ in range(workers):
        site.workers.append(Program(settings, ["worker"], 0, folder))
    try:
        for program in site.programs():
            program.start()
        for program in site.programs():
            program.wait_until_ready()
        yield site
    finally:
        for program in site.programs():
            if program.process is not None and program.process.poll() is None:
                program.kill()


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])
