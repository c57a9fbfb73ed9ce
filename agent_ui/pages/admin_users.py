"""Administration of users: who works here, with which role, in which teams, and where they are signed in."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, and_, func, select
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from agent_ui.forms import Form, blank, read_form
from agent_ui.pages.admin import admin_page, administer, choices, go
from agent_ui.views import Choice
from contact_center.accounts import sessions, teams, users
from contact_center.accounts.audit import record
from contact_center.accounts.models import LoginSession, Team, TeamMember, User
from contact_center.accounts.permissions import Role
from contact_center.accounts.web import locale_of
from contact_center.core.clock import utcnow
from contact_center.core.errors import Conflict, NotFound
from contact_center.core.i18n import mark
from contact_center.core.services import services
from contact_center.core.text import fold

ROLES = {
    Role.AGENT.value: mark("Agent"),
    Role.SUPERVISOR.value: mark("Supervisor"),
    Role.QA.value: mark("Quality"),
    Role.ADMIN.value: mark("Administrator"),
}
LOCALES = {"": mark("As the browser asks"), "en": mark("English"), "vi": mark("Vietnamese")}


def routes() -> list[Route]:
    """/admin/users and what can be done to one."""
    return [
        administer("/users", index),
        administer("/users/new", new, "GET", "POST"),
        administer("/users/{user_id:int}", edit, "GET", "POST"),
        administer("/users/{user_id:int}/password", set_password, "POST"),
        administer("/users/{user_id:int}/active", set_active, "POST"),
        administer("/users/{user_id:int}/sessions/{session_id:int}/end", end_session, "POST"),
    ]


@dataclass(frozen=True, slots=True)
class Account:
    """One line of the list."""

    id: int
    name: str
    email: str
    role: str
    active: bool
    seen_at: datetime | None
    logins: int
    teams: tuple[str, ...]


def list_users(tx: Connection, *, wanted: str = "", role: str = "", state: str = "", now: datetime) -> list[Account]:
    """Everybody whose name or address holds all words of `wanted`, accents or not."""
    is_open = and_(LoginSession.user_id == User.id, LoginSession.revoked_at.is_(None), LoginSession.expires_at > now)
    query = (
        select(
            User.id,
            User.name,
            User.email,
            User.role,
            User.active,
            func.max(LoginSession.seen_at).label("seen_at"),
            func.count(LoginSession.id).label("logins"),
        )
        .outerjoin(LoginSession, is_open)
        .group_by(User.id)
        .order_by(User.active.desc(), User.name, User.id)
    )
    if role:
        query = query.where(User.role == role)
    if state:
        query = query.where(User.active == (state == "active"))
    names = team_names(tx)
    words = fold(wanted).split()
    return [
        Account(row.id, row.name, row.email, row.role, row.active, row.seen_at, row.logins, tuple(names[row.id]))
        for row in tx.execute(query)
        if all(word in fold(f"{row.name} {row.email}") for word in words)
    ]


def team_names(tx: Connection) -> Mapping[int, list[str]]:
    """The names of every user's teams."""
    names: dict[int, list[str]] = defaultdict(list)
    query = select(TeamMember.user_id, Team.name).join(Team, Team.id == TeamMember.team_id).order_by(Team.name)
    for row in tx.execute(query):
        names[row.user_id].append(row.name)
    return names


def all_teams(tx: Connection) -> list[Choice]:
    """Every team as an option."""
    return [Choice(str(row.id), row.name) for row in tx.execute(select(Team.id, Team.name).order_by(Team.name))]


@dataclass(frozen=True, slots=True)
class Opened:
    """One user with all that their page shows."""

    user: Row[Any]
    team_ids: frozenset[str]
    teams: Sequence[Choice]
    logins: Sequence[Row[Any]]


def open_user(tx: Connection, user_id: int, *, now: datetime) -> Opened:
    """A user by id."""
    user = tx.execute(select(User.__table__).where(User.id == user_id)).first()
    if user is None:
        raise NotFound("There is no such user.")
    member = tx.execute(select(TeamMember.team_id).where(TeamMember.user_id == user_id)).scalars()
    return Opened(user, frozenset(str(one) for one in member), all_teams(tx), sessions.list_open(tx, user_id, now=now))


async def index(request: Request) -> Response:
    """The list of users, filtered."""
    query = request.query_params
    wanted, role, state = query.get("q", ""), query.get("role", ""), query.get("state", "")
    found = await services(request).db.read(list_users, wanted=wanted, role=role, state=state, now=utcnow())
    locale = await locale_of(request)
    return await admin_page(
        request,
        "users.html",
        "users",
        users=found,
        wanted=wanted,
        role=role,
        state=state,
        filtered=bool(wanted or role or state),
        roles=choices(locale, {"": mark("All roles"), **ROLES}),
        states=choices(locale, {"": mark("All"), "active": mark("Active"), "inactive": mark("Deactivated")}),
        role_names={choice.value: choice.label for choice in choices(locale, ROLES)},
    )


async def new(request: Request) -> Response:
    """The form for a new user."""
    held = services(request)
    locale = await locale_of(request)
    if request.method == "POST":
        form = await read_form(request)
        wanted = {
            "email": form.text("email", required=True),
            "name": form.text("name", required=True),
            "role": form.choice("role", Role, Role.AGENT),
            "password": form.values.get("password", ""),
            "locale": form.one_of("locale", list(LOCALES)) or None,
        }
        if form.ok:
            adding = held.db.write(add_user, wanted, form.references("team"), by=request.state.person.id, now=utcnow())
            user_id = await form.attempt(adding, name="email")
            if user_id is not None:
                return go(f"/admin/users/{user_id}", "created")
    else:
        form = blank(locale, {"role": Role.AGENT.value, "locale": ""})
    return await admin_page(
        request,
        "user_new.html",
        "users",
        status=200 if form.ok else 422,
        form=form,
        roles=choices(locale, ROLES),
        locales=choices(locale, LOCALES),
        teams=await held.db.read(all_teams),
        team_ids=frozenset(form.several("team")),
    )


def add_user(tx: Connection, wanted: dict[str, Any], team_ids: list[int], *, by: int, now: datetime) -> int:
    """Create a user with their teams, and audit it."""
    user_id = users.create(tx, **wanted, now=now)
    details = {"email": wanted["email"], "role": wanted["role"].value}
    record(tx, "user.created", f"user:{user_id}", now=now, user_id=by, details=details)
    teams.set_teams(tx, user_id, team_ids, now=now, by_user_id=by)
    return user_id


async def edit(request: Request) -> Response:
    """One user: name, role, teams, language; logins and what else can be done."""
    held = services(request)
    user_id = request.path_params["user_id"]
    if request.method == "POST":
        form = await read_form(request)
        name = form.text("name", required=True)
        role = form.choice("role", Role, Role.AGENT)
        language = form.one_of("locale", list(LOCALES)) or None
        if form.ok:
            saving = held.db.write(
                save_user,
                user_id,
                {"name": name, "role": role},
                language=language,
                team_ids=form.references("team"),
                by=request.state.person.id,
                now=utcnow(),
            )
            await form.attempt(saving, name="role")
        if form.ok:
            return go(f"/admin/users/{user_id}", "saved")
        return await show_user(request, user_id, form)
    return await show_user(request, user_id, None)


def save_user(
    tx: Connection,
    user_id: int,
    values: dict[str, Any],
    *,
    language: str | None,
    team_ids: list[int],
    by: int,
    now: datetime,
) -> None:
    """Change a user; nobody takes the administrator's role from themselves, so that one is always left."""
    before = open_user(tx, user_id, now=now).user
    changes = {name: value for name, value in values.items() if value != getattr(before, name)}
    if user_id == by and "role" in changes:
        raise Conflict("You cannot change your own role. Ask another administrator.")
    users.change(tx, user_id, now=now, by_user_id=by, **changes)
    if language != before.locale:
        users.set_preferences(tx, user_id, {"locale": language}, now=now)
    teams.set_teams(tx, user_id, team_ids, now=now, by_user_id=by)


async def show_user(request: Request, user_id: int, form: Form | None, password: Form | None = None) -> Response:
    """The page of one user; `form` or `password` hold what was refused."""
    locale = await locale_of(request)
    opened = await services(request).db.read(open_user, user_id, now=utcnow())
    stored = {"name": opened.user.name, "role": opened.user.role, "locale": opened.user.locale or ""}
    refused = form is not None or password is not None
    return await admin_page(
        request,
        "user.html",
        "users",
        status=422 if refused else 200,
        form=form or blank(locale, stored),
        password=password or blank(locale, {}),
        opened=opened,
        itself=user_id == request.state.person.id,
        roles=choices(locale, ROLES),
        locales=choices(locale, LOCALES),
        team_ids=frozenset(form.several("team")) if form else opened.team_ids,
        session_id=request.state.person.session_id,
    )


async def set_password(request: Request) -> Response:
    """Give a user a new password; all their logins end."""
    user_id = request.path_params["user_id"]
    form = await read_form(request)
    setting = services(request).db.write(
        users.set_password,
        user_id,
        form.values.get("password", ""),
        now=utcnow(),
        by_user_id=request.state.person.id,
    )
    await form.attempt(setting, name="password")
    if not form.ok:
        return await show_user(request, user_id, None, form)
    return go(f"/admin/users/{user_id}", "password")


async def set_active(request: Request) -> Response:
    """Deactivate a user, or let them in again. Nobody locks themselves out."""
    user_id = request.path_params["user_id"]
    active = (await read_form(request)).flag("active")
    if user_id == request.state.person.id and not active:
        raise Conflict("You cannot deactivate yourself. Ask another administrator.")
    await services(request).db.write(
        users.change, user_id, now=utcnow(), by_user_id=request.state.person.id, active=active
    )
    return go(f"/admin/users/{user_id}", "activated" if active else "deactivated")


async def end_session(request: Request) -> Response:
    """End one login of a user."""
    user_id, session_id = request.path_params["user_id"], request.path_params["session_id"]
    await services(request).db.write(sessions.revoke, session_id, user_id=user_id, now=utcnow())
    return go(f"/admin/users/{user_id}", "signed-out")
