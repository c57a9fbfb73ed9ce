"""Scorecards as they are kept: a name, and one version of the questions for each time they were changed."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import ValidationError
from sqlalchemy import Connection, func, insert, select, update

from contact_center.core.errors import Conflict, Invalid, NotFound
from contact_center.core.upsert import insert_once
from tickets.quality.models import Scorecard, ScorecardVersion
from tickets.quality.scorecards import Definition


@dataclass(frozen=True)
class Version:
    """One version of a scorecard, ready to score with."""

    id: int
    scorecard_id: int
    name: str
    number: int
    definition: Definition


def create(
    tx: Connection, name: str, definition: Definition, *, user_id: int | None, now: datetime, description: str = ""
) -> int:
    """Add a scorecard with its first version; Conflict if the name is in use."""
    name = " ".join(name.split())
    if not name:
        raise Invalid("Give the scorecard a name.", field="name")
    values = {"name": name[:120], "description": description.strip(), "active": True, "created_at": now}
    scorecard_id = insert_once(tx, Scorecard, key=["name"], values=values)
    if scorecard_id is None:
        raise Conflict("There is already a scorecard called {name}.", name=name)
    _add(tx, scorecard_id, 1, definition, user_id=user_id, now=now)
    return scorecard_id


def revise(tx: Connection, scorecard_id: int, definition: Definition, *, user_id: int | None, now: datetime) -> int:
    """Change the questions: a new version, whose number is returned; the same questions make none."""
    last = current(tx, scorecard_id)
    if last.definition == definition:
        return last.number
    _add(tx, scorecard_id, last.number + 1, definition, user_id=user_id, now=now)
    return last.number + 1


def set_active(tx: Connection, scorecard_id: int, active: bool) -> None:
    """Offer a scorecard for new evaluations, or no longer."""
    changed = tx.execute(update(Scorecard).where(Scorecard.id == scorecard_id).values(active=active))
    if not changed.rowcount:
        raise NotFound("There is no such scorecard.")


def current(tx: Connection, scorecard_id: int) -> Version:
    """The newest version of a scorecard."""
    newest = select(func.max(ScorecardVersion.number)).where(ScorecardVersion.scorecard_id == scorecard_id)
    row = tx.execute(
        _VERSIONS.where(
            ScorecardVersion.scorecard_id == scorecard_id, ScorecardVersion.number == newest.scalar_subquery()
        )
    ).first()
    if row is None:
        raise NotFound("There is no such scorecard.")
    return _version(row._mapping)


def version(tx: Connection, version_id: int) -> Version:
    """One version by its id."""
    row = tx.execute(_VERSIONS.where(ScorecardVersion.id == version_id)).first()
    if row is None:
        raise NotFound("There is no such scorecard.")
    return _version(row._mapping)


def parse(document: Any) -> Definition:
    """A definition from JSON; Invalid names the first mistake and its place."""
    try:
        return Definition.model_validate(document)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise Invalid("{place}: {mistake}", field="definition", place=place, mistake=first["msg"]) from error


_VERSIONS = select(
    ScorecardVersion.id,
    ScorecardVersion.scorecard_id,
    Scorecard.name,
    ScorecardVersion.number,
    ScorecardVersion.definition,
).join(Scorecard, Scorecard.id == ScorecardVersion.scorecard_id)


def _version(row: Mapping[Any, Any]) -> Version:
    definition = Definition.model_validate(row["definition"])
    return Version(row["id"], row["scorecard_id"], row["name"], row["number"], definition)


def _add(
    tx: Connection, scorecard_id: int, number: int, definition: Definition, *, user_id: int | None, now: datetime
) -> None:
    tx.execute(
        insert(ScorecardVersion),
        {
            "scorecard_id": scorecard_id,
            "number": number,
            "definition": definition.model_dump(mode="json"),
            "created_by_id": user_id,
            "created_at": now,
        },
    )
