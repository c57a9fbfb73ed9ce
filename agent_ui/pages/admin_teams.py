"""Administration of teams: who works together."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, func, select
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from agent_ui.forms import Form, blank, read_form
from agent_ui.pages.admin import admin_page, administer, go
from agent_ui.views import Choice
from contact_center.accounts import teams
from contact_center.accounts.models import Team, TeamMember, User
from contact_center.accounts.web import locale_of
from contact_center.core.clock import utcnow
from contact_center.core.errors import NotFound
from contact_center.core.services import services


def routes() -> list[Route]:
    """/admin/teams and what can be done to one."""
    return [
        administer("/teams", index, "GET", "POST"),
        administer("/teams/{team_id:int}", edit, "GET", "POST"),
        administer("/teams/{team_id:int}/remove", remove, "POST"),
    ]


def list_teams(tx: Connection) -> list[Row[Any]]:
    """Every team with the number of its members."""
    return list(
        tx.execute(
            select(Team.id, Team.name, func.count(TeamMember.user_id).label("members"))
            .outerjoin(TeamMember, TeamMember.team_id == Team.id)
            .group_by(Team.id)
            .order_by(Team.name)
        )
    )


@dataclass(frozen=True, slots=True)
class Opened:
    """One team, who is in it, and who could be."""

    id: int
    name: str
    members: frozenset[str]
    users: tuple[Choice, ...]


def open_team(tx: Connection, team_id: int) -> Opened:
    """A team by id."""
    team = tx.execute(select(Team.id, Team.name).where(Team.id == team_id)).first()
    if team is None:
        raise NotFound("There is no such team.")
    members = tx.execute(select(TeamMember.user_id).where(TeamMember.team_id == team_id)).scalars().all()
    people = tx.execute(
        select(User.id, User.name).where(User.active | User.id.in_(members)).order_by(User.name, User.id)
    )
    return Opened(
        team.id,
        team.name,
        frozenset(str(one) for one in members),
        tuple(Choice(str(row.id), row.name) for row in people),
    )


async def index(request: Request) -> Response:
    """All teams, and the form for one more."""
    held = services(request)
    form = await read_form(request) if request.method == "POST" else blank(await locale_of(request), {})
    if request.method == "POST":
        adding = held.db.write(
            teams.create, form.text("name", required=True), now=utcnow(), by_user_id=request.state.person.id
        )
        team_id = await form.attempt(adding, name="name")
        if team_id is not None:
            return go(f"/admin/teams/{team_id}", "created")
    found = await held.db.read(list_teams)
    return await admin_page(request, "teams.html", "teams", status=200 if form.ok else 422, teams=found, form=form)


async def edit(request: Request) -> Response:
    """One team: its name and members."""
    held = services(request)
    team_id = request.path_params["team_id"]
    opened = await held.db.read(open_team, team_id)
    if request.method == "GET":
        return await _show(request, opened, blank(await locale_of(request), {"name": opened.name}), opened.members)
    form = await read_form(request)
    saving = held.db.write(
        save_team,
        team_id,
        form.text("name", required=True),
        form.references("member"),
        by=request.state.person.id,
    )
    await form.attempt(saving, name="name")
    if form.ok:
        return go(f"/admin/teams/{team_id}", "saved")
    return await _show(request, opened, form, frozenset(form.several("member")))


def save_team(tx: Connection, team_id: int, name: str, user_ids: list[int], *, by: int) -> None:
    """Give a team its name and members."""
    now = utcnow()
    if open_team(tx, team_id).name != name:
        teams.rename(tx, team_id, name, now=now, by_user_id=by)
    teams.set_members(tx, team_id, user_ids, now=now, by_user_id=by)


async def _show(request: Request, opened: Opened, form: Form, members: frozenset[str]) -> Response:
    status = 200 if form.ok else 422
    return await admin_page(request, "team.html", "teams", status=status, team=opened, form=form, members=members)


async def remove(request: Request) -> Response:
    """Dissolve a team."""
    await services(request).db.write(
        teams.remove, request.path_params["team_id"], now=utcnow(), by_user_id=request.state.person.id
    )
    return go("/admin/teams", "removed")
