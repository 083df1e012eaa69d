"""A private PostgreSQL cluster for tests, on a free port of this machine."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import psycopg

_numbers = count()


@dataclass(frozen=True, slots=True)
class Cluster:
    """A running server; `url(name)` addresses one of its databases."""

    programs: Path
    data: Path
    port: int
    durable: bool = False

    @classmethod
    def start(cls, folder: Path, *, durable: bool = False) -> Cluster:
        """Make and start a cluster in `folder`; `durable`: commits wait for the disk, as benchmarks must.

        Fails (never skips) with what to install when there is no PostgreSQL.
        """
        found = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda p: int(p.parent.name))
        assert found, "PostgreSQL is missing: run `make setup`, or install the Debian package `postgresql`"
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        cluster = cls(found[-1], folder / "data", port, durable)
        if os.geteuid() == 0:
            shutil.chown(folder, "postgres")
        cluster._run("initdb", "-D", str(cluster.data), "-U", "postgres", "--auth=trust", "-E", "UTF8", "--no-sync", "--no-locale")
        cluster.start_again()
        return cluster

    def start_again(self) -> None:
        """After stop()."""
        folder = self.data.parent
        options = f"-p {self.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={folder} -c max_connections=300"
        options += "" if self.durable else " -c fsync=off"
        self._run("pg_ctl", "-D", str(self.data), "-w", "-l", str(folder / "log"), "-o", options, "start")

    def stop(self) -> None:
        """Stop at once, as a crash would."""
        self._run("pg_ctl", "-D", str(self.data), "-m", "immediate", "stop")

    def url(self, database: str) -> str:
        """SQLAlchemy's address of a database of this cluster."""
        return f"postgresql+psycopg://postgres@127.0.0.1:{self.port}/{database}"

    def create(self, template: str = "template1") -> str:
        """Make a database, a copy of `template` (nobody may be connected to that) -> its name."""
        name = f"lianban_{os.getpid()}_{next(_numbers)}"
        self._execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        return name

    def drop(self, database: str) -> None:
        """Take a database away, whoever is still connected to it."""
        self._execute(f"DROP DATABASE {database} WITH (FORCE)")

    def _execute(self, statement: str) -> None:
        with psycopg.connect(host="127.0.0.1", port=self.port, user="postgres", dbname="postgres", autocommit=True) as connection:
            connection.execute(statement.encode())

    def _run(self, program: str, *arguments: str) -> None:
        user = pwd.getpwnam("postgres").pw_name if os.geteuid() == 0 else None
        command = [str(self.programs / program), *arguments]
        subprocess.run(command, check=True, user=user, stdout=subprocess.DEVNULL, cwd="/", timeout=120)
