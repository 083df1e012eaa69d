"""Settings from the environment: one frozen dataclass, read once at the composition root and handed down."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings there are. Names of the environment variables: `LIANBAN_` + the field in capitals."""

    database_url: str = f"sqlite:///{ROOT / 'var' / 'lianban.db'}"
    files_dir: Path = ROOT / "var" / "files"
    """Where uploaded materials lie, named by their sha256."""
    host: str = "127.0.0.1"
    port: int = 8080
    public_url: str = "http://localhost:8080"
    """Where people reach this site: the QR codes on documents lead there."""
    trusted_proxies: int = 0
    """Reverse proxies in front: so many of the last X-Forwarded-For and X-Forwarded-Proto are believed. 0: nobody's."""
    workers: int = 1
    """Web processes; more than one needs PostgreSQL."""
    jobs: str = "dbos"
    """Job adapter: "dbos" (servers) or "inline" (tests, one-shot commands)."""
    demo: bool = False
    """Demo log-in page and anonymous deployment from this machine."""
    secret_key: str = ""
    """Signs flash messages and links to documents; sessions are server-side. Empty: made at first start and kept in the database."""
    max_upload_mb: int = 50
    session_idle_minutes: int = 120
    log_json: bool = False

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] = os.environ) -> Settings:
        """Read `LIANBAN_*`; a value of the wrong type raises ValueError naming the variable."""
        values: dict[str, object] = {}
        for name, field in cls.__dataclass_fields__.items():
            raw = environ.get(f"LIANBAN_{name.upper()}")
            if raw is not None:
                values[name] = _convert(f"LIANBAN_{name.upper()}", raw, str(field.type))
        return cls(**values)  # type: ignore[arg-type]  # each value was converted to its field's type above


def _convert(name: str, raw: str, kind: str) -> object:
    if kind == "int":
        if not raw.lstrip("-").isdigit():
            raise ValueError(f"{name} must be a whole number, not {raw!r}")
        return int(raw)
    if kind == "bool":
        if raw.lower() not in {"0", "1", "true", "false", "yes", "no"}:
            raise ValueError(f"{name} must be 0 or 1, not {raw!r}")
        return raw.lower() in {"1", "true", "yes"}
    return Path(raw) if kind == "Path" else raw
