"""The invented people of the demonstration, from processes/catalogue/users_demo.csv."""

from __future__ import annotations

import csv
from pathlib import Path

from sqlalchemy.orm import Session

from handlers.catalogue.service import FOLDER
from handlers.directory import service as directory

USERS = FOLDER / "users_demo.csv"


def add_people(session: Session, path: Path = USERS) -> int:
    """Add everybody who is not there yet -> how many were added. Nobody of them has a password."""
    added = 0
    with path.open(encoding="utf-8", newline="") as stream:
        for row in csv.DictReader(stream):
            if directory.get_user(session, row["username"]) is not None:
                continue
            memberships = [(row["unit"], role) for role in row["role"].split()] if row["unit"] else []
            kind = next(kind for kind in directory.KINDS if kind == row["kind"])
            directory.create_demo_user(session, row["username"], row["display_name"], kind, memberships, row["organisation"])
            added += 1
    return added
