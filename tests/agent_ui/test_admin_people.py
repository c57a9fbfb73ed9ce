"""Users and teams in the admin area: what is made, changed and refused, and whose logins end."""

import pytest
from sqlalchemy import func, select

from contact_center.accounts import teams
from contact_center.accounts.models import LoginSession, Team, TeamMember, User
from contact_center.accounts.permissions import Role
from contact_center.core.clock import utcnow
from tests.agent_ui.console import Console
from tests.agent_ui.test_admin import FORM, admin, one
from tests.factories import make_user


async def test_a_user_is_created_and_can_sign_in(console: Console) -> None:
    seat = await admin(console)
    team_id = await console.write(teams.create, "Saigon", now=utcnow(), by_user_id=None)
    form = {
        "name": "Mai Tran",
        "email": "Mai@Shop.test",
        "role": "agent",
        "password": "a-long-password",
        "locale": "vi",
    }
    answer = await seat.post("/admin/users/new", FORM, **form, team=str(team_id))
    assert answer.status_code == 303
    made = await one(console, select(User).where(User.email == "mai@shop.test"))
    assert (made.name, made.role, made.locale, made.active) == ("Mai Tran", "agent", "vi", True)
    assert (await one(console, select(TeamMember.team_id).where(TeamMember.user_id == made.id))).team_id == team_id


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"name": " "}, "cannot be empty"),
        ({"email": "nobody"}, "not an e-mail address"),
        ({"email": "taken@shop.test"}, "already has the address"),
        ({"password": "short"}, "at least 10 characters"),
        ({"role": "king"}, "Choose one of the values"),
    ],
)
async def test_a_wrong_user_is_refused_with_a_reason_and_what_was_typed(
    console: Console, wrong: dict[str, str], says: str
) -> None:
    await console.write(make_user, email="taken@shop.test")
    seat = await admin(console)
    form = {"name": "Mai Tran", "email": "mai@shop.test", "role": "agent", "password": "a-long-password", "locale": ""}
    answer = await seat.post("/admin/users/new", FORM, **{**form, **wrong})
    assert answer.status_code == 422
    assert says in answer.text
    assert 'value="Mai Tran"' in answer.text or "name" in wrong
    assert "a-long-password" not in answer.text


async def test_deactivating_ends_logins_and_asks_nobody_to_lock_themselves_out(console: Console) -> None:
    seat, other = await admin(console), await console.sit(Role.AGENT)
    assert (await seat.post(f"/admin/users/{other.user_id}/active", FORM)).status_code == 303
    gone = await one(console, select(User.active).where(User.id == other.user_id))
    login = await one(console, select(LoginSession.revoked_at).where(LoginSession.user_id == other.user_id))
    assert not gone.active
    assert login.revoked_at is not None
    assert (await seat.post(f"/admin/users/{seat.user_id}/active", FORM)).status_code == 409
    assert (await seat.post(f"/admin/users/{other.user_id}/active", FORM, active="1")).status_code == 303


async def test_nobody_takes_the_administrators_role_from_themselves(console: Console) -> None:
    seat = await admin(console)
    answer = await seat.post(f"/admin/users/{seat.user_id}", FORM, name="Alex Kim", role="agent", locale="")
    assert answer.status_code == 422
    assert "cannot change your own role" in answer.text


async def test_a_new_password_ends_the_logins(console: Console) -> None:
    seat, other = await admin(console), await console.sit(Role.AGENT)
    path = f"/admin/users/{other.user_id}/password"
    assert (await seat.post(path, FORM, password="short")).status_code == 422
    assert (await seat.post(path, FORM, password="another long one")).status_code == 303
    login = await one(console, select(LoginSession.revoked_at).where(LoginSession.user_id == other.user_id))
    assert login.revoked_at is not None


async def test_one_login_of_a_user_is_ended(console: Console) -> None:
    seat, other = await admin(console), await console.sit(Role.AGENT)
    login = await one(console, select(LoginSession.id).where(LoginSession.user_id == other.user_id))
    answer = await seat.post(f"/admin/users/{other.user_id}/sessions/{login.id}/end", FORM)
    assert answer.status_code == 303
    assert (await other.page("/settings")).status_code == 303


async def test_a_team_gets_members_a_name_and_an_end(console: Console) -> None:
    seat = await admin(console)
    assert (await seat.post("/admin/teams", FORM, name="Saigon")).status_code == 303
    assert (await seat.post("/admin/teams", FORM, name="Saigon")).status_code == 422
    team = await one(console, select(Team))
    member = await console.write(make_user)
    answer = await seat.post(f"/admin/teams/{team.id}", FORM, name="Hanoi", member=str(member))
    assert answer.status_code == 303
    assert (await one(console, select(Team.name))).name == "Hanoi"
    assert (await one(console, select(TeamMember.user_id))).user_id == member
    assert (await seat.post(f"/admin/teams/{team.id}/remove", FORM)).status_code == 303
    assert (await one(console, select(func.count()).select_from(Team)))[0] == 0
