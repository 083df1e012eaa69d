"""bundle: check a case file (案卷包) that left the platform: every member there, none extra, each with its sha256. Needs no database."""

from __future__ import annotations

import argparse
from pathlib import Path

from handlers.documents import service as documents
from webapp.cli.opening import Commands, command


def add_commands(commands: Commands) -> None:
    parser = command(commands, "bundle", verify, "核对案卷包 / check a case file")
    parts = parser.add_subparsers(dest="bundle_command", metavar="verify", required=True)
    check = command(
        parts, "verify", verify, "核对案卷包的清单和每个文件的摘要，不需要数据库 / manifest and sha256 of every member, without a database"
    )
    check.add_argument("file", type=Path, metavar="FILE", help="案卷包 zip / the case file")


def verify(arguments: argparse.Namespace) -> int:
    """Raises BundleBroken (exit code 1) naming what is missing, extra or changed."""
    found = documents.bundle.check_bundle(arguments.file)
    print(f"完好 / intact: {found.title}，{found.members} 件 / members，{found.made_at}")
    print(f"manifest SHA-256 {found.digest}")
    return 0
