"""The mark of a demo database: when it was seeded, until when its colleagues have worked, how busy the floor is."""

from typing import Any

from sqlalchemy import Connection

from contact_center.core import installation

NAME = "demo"


def read(tx: Connection) -> dict[str, Any] | None:
    """What was stored, or None if this is no demo database."""
    return installation.read(tx, NAME)


def write(tx: Connection, **values: Any) -> None:
    """Store the mark, keeping the other values of an earlier one."""
    installation.write(tx, NAME, {**(read(tx) or {}), **values})
