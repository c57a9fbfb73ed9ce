"""Teams: who works together, for reports and quality."""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import Connection, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from contact_center.accounts.audit import record
from contact_center.accounts.models import Team, TeamMember
from contact_center.core.errors import Conflict, Invalid, NotFound
from contact_center.core.upsert import insert_once

LONGEST_NAME = 80


def create(tx: Connection, name: str, *, now: datetime, by_user_id: int | None) -> int:
    """Add a team; Conflict if the name is in use."""
    wanted = _name(name)
    team_id = insert_once(tx, Team, key=["name"], values={"name": wanted})
    if team_id is None:
        raise Conflict("There is already a team called {name}.", name=wanted)
    record(tx, "team.created", f"team:{team_id}", now=now, user_id=by_user_id, details={"name": wanted})
    return team_id


def rename(tx: Connection, team_id: int, name: str, *, now: datetime, by_user_id: int | None) -> None:
    """Give a team another name; Conflict if it is in use."""
    wanted = _name(name)
    try:
        with tx.begin_nested():
            done = tx.execute(update(Team).where(Team.id == team_id).values(name=wanted))
    except IntegrityError as error:
        raise Conflict("There is already a team called {name}.", name=wanted) from error
    if done.rowcount == 0:
        raise NotFound("There is no such team.")
    record(tx, "team.changed", f"team:{team_id}", now=now, user_id=by_user_id, details={"name": wanted})


def remove(tx: Connection, team_id: int, *, now: datetime, by_user_id: int | None) -> None:
    """Dissolve a team; its members stay users."""
    tx.execute(delete(TeamMember).where(TeamMember.team_id == team_id))
    if tx.execute(delete(Team).where(Team.id == team_id)).rowcount == 0:
        raise NotFound("There is no such team.")
    record(tx, "team.removed", f"team:{team_id}", now=now, user_id=by_user_id)


def set_members(
    tx: Connection, team_id: int, user_ids: Iterable[int], *, now: datetime, by_user_id: int | None
) -> None:
    """Make exactly these users the members."""
    wanted = set(user_ids)
    present = set(tx.execute(select(TeamMember.user_id).where(TeamMember.team_id == team_id)).scalars())
    _change(tx, [(team_id, one) for one in wanted - present], [(team_id, one) for one in present - wanted])
    if wanted != present:
        details = {"members": sorted(wanted)}
        record(tx, "team.members_changed", f"team:{team_id}", now=now, user_id=by_user_id, details=details)


def set_teams(tx: Connection, user_id: int, team_ids: Iterable[int], *, now: datetime, by_user_id: int | None) -> None:
    """Make a user a member of exactly these teams."""
    wanted = set(team_ids)
    present = set(tx.execute(select(TeamMember.team_id).where(TeamMember.user_id == user_id)).scalars())
    _change(tx, [(one, user_id) for one in wanted - present], [(one, user_id) for one in present - wanted])
    if wanted != present:
        details = {"teams": sorted(wanted)}
        record(tx, "user.teams_changed", f"user:{user_id}", now=now, user_id=by_user_id, details=details)


def _change(tx: Connection, added: list[tuple[int, int]], removed: list[tuple[int, int]]) -> None:
    if added:
        tx.execute(insert(TeamMember), [{"team_id": team_id, "user_id": user_id} for team_id, user_id in added])
    for team_id, user_id in removed:
        tx.execute(delete(TeamMember).where(TeamMember.team_id == team_id, TeamMember.user_id == user_id))


def _name(raw: str) -> str:
    name = " ".join(raw.split())
    if not name or len(name) > LONGEST_NAME:
        raise Invalid("A name has 1 to {longest} characters.", field="name", longest=LONGEST_NAME)
    return name
