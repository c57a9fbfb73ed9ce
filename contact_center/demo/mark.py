"""The mark of a demo database: when it was seeded, until when its colleagues have worked, how busy the floor is.

`seeded_at` is missing until the first page can be shown; `history` tells how far the past is written.
"""

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from contact_center.core import installation
from contact_center.demo.month import Scale, Stretch

NAME = "demo"


def read(tx: Connection) -> dict[str, Any] | None:
    """What was stored, or None if this is no demo database."""
    return installation.read(tx, NAME)


def write(tx: Connection, **values: Any) -> None:
    """Store the mark, keeping the other values of an earlier one."""
    installation.write(tx, NAME, {**(read(tx) or {}), **values})


def may_delete(path: Path) -> bool:
    """Whether an SQLite file is a demo's, or nobody's: read as it is, of whatever version."""
    if not path.exists():
        return True
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        try:
            if connection.execute("SELECT 1 FROM installation_facts WHERE name = ?", (NAME,)).fetchone():
                return True
            return connection.execute("SELECT 1 FROM users").fetchone() is None
        except sqlite3.OperationalError:
            # Without these tables it was never used by this product; nothing says that it is ours either.
            return connection.execute("SELECT 1 FROM sqlite_master").fetchone() is None


def begun(now: datetime, scale: Scale, parts: Sequence[Stretch]) -> dict[str, Any]:
    """The mark of a demo that is just being made."""
    merged: list[int] = []
    history = {"written": 0, "of": scale.tickets - scale.today, "merged": merged, "done": len(parts) == 1}
    # As they are now: a later version may share the month out in another way.
    stretches = [{**asdict(part), "begin": part.begin.isoformat(), "end": part.end.isoformat()} for part in parts]
    told = {"begun_at": now.isoformat(), "scale": asdict(scale), "stretches": stretches, "history": history}
    # Its line has a call plan.
    return {**told, "menu": True}


def month(mark: dict[str, Any]) -> list[Stretch]:
    """The stretches of a demo, oldest first; the last one is the day on which it was made."""
    return [
        Stretch(**{**part, "begin": datetime.fromisoformat(part["begin"]), "end": datetime.fromisoformat(part["end"])})
        for part in mark["stretches"]
    ]
