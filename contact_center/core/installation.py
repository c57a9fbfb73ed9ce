"""Small facts about this installation that are no settings, e.g. that its data are a demo."""

from typing import Any

from sqlalchemy import Connection, select
from sqlalchemy.orm import Mapped, mapped_column

from contact_center.core.schema import Base
from contact_center.core.upsert import insert_for, upsert


class InstallationFact(Base):
    """One named fact."""

    __tablename__ = "installation_facts"

    name: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[dict[str, Any]]


def read(tx: Connection, name: str) -> dict[str, Any] | None:
    """A fact, or None if it was never written."""
    found: dict[str, Any] | None = tx.execute(
        select(InstallationFact.value).where(InstallationFact.name == name)
    ).scalar_one_or_none()
    return found


def write(tx: Connection, name: str, value: dict[str, Any]) -> None:
    """Write a fact over what was there."""
    upsert(tx, InstallationFact, key=("name",), values={"name": name, "value": value})


def once(tx: Connection, name: str, value: dict[str, Any]) -> dict[str, Any]:
    """A fact that never changes: `value` becomes it if nobody wrote it before."""
    tx.execute(
        insert_for(tx, InstallationFact).on_conflict_do_nothing(index_elements=["name"]), {"name": name, "value": value}
    )
    return read(tx, name) or value
