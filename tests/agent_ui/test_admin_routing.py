"""Administration of routing: rings, required skills, weights, who serves a queue, skills, away reasons, absence."""

from typing import Any

import pytest
from sqlalchemy import Connection, select

from contact_center.accounts.models import AuditEntry
from contact_center.accounts.permissions import Role
from contact_center.core.clock import utcnow
from routing import away_reasons, profiles, queue_settings
from routing.models import AgentSkill, AgentState, AwayReason, ProfileRow, Skill
from tests.agent_ui.console import PAGE, SAME_ORIGIN, Console, Seat
from tests.factories import make_account, make_queue, make_user
from tickets.models import ChannelAccount, Queue
from tickets.states import Channel

FORM = {**PAGE, **SAME_ORIGIN}
RINGS = {"step_0_who": "agent", "step_0_seconds": "30", "step_1_who": "any", "step_1_level": "2"}
RINGS |= {"step_1_seconds": "60", "step_2_who": "any", **{f"step_{number}_who": "" for number in (3, 4, 5)}}


async def admin(console: Console) -> Seat:
    return await console.sit(Role.ADMIN, name="Alex Kim")


async def rows(console: Console, query: Any) -> Any:
    return await console.db.read(lambda tx: tx.execute(query).all())


async def settings_of(console: Console, queue_id: int) -> queue_settings.QueueSettings:
    [row] = await rows(console, select(Queue.routing).where(Queue.id == queue_id))
    return queue_settings.read(row.routing)


async def actions(console: Console) -> list[str]:
    return [row.action for row in await rows(console, select(AuditEntry.action).order_by(AuditEntry.id))]


def floor(tx: Connection) -> tuple[int, int, int, int]:
    """A queue, two agents of whom the first serves it, and a skill."""
    queue_id, first, second = make_queue(tx), make_user(tx), make_user(tx)
    profiles.set_row(tx, first, queue_id, now=utcnow())
    return queue_id, first, second, profiles.add_skill(tx, "vip")


@pytest.mark.parametrize("locale", ["en", "vi"])
async def test_every_part_of_a_queue_and_a_skill_opens(console_on_both: Console, locale: str) -> None:
    queue_id, user_id, _, skill = await console_on_both.write(floor)
    line = await console_on_both.write(make_account, Channel.PHONE, settings={"extensions": {"9": "gone@shop.test"}})
    seat = await console_on_both.sit(Role.ADMIN, locale=locale)
    paths = [f"/admin/queues/{queue_id}{part}" for part in ("", "/rules", "/agents")]
    paths += [f"/admin/skills/{skill}", f"/admin/profiles/{user_id}", "/admin/away-reasons"]
    paths += [f"/admin/channels/{line}{part}" for part in ("", "/address", "/extensions")]
    for path in paths:
        page = await seat.page(path)
        assert page.status_code == 200, path
        assert "style=" not in page.text, path


async def test_what_does_not_exist_has_no_page(console: Console) -> None:
    seat = await admin(console)
    for path in ("queues/9/rules", "queues/9/agents", "skills/9", "channels/9/address", "channels/9/extensions"):
        assert (await seat.page(f"/admin/{path}")).status_code == 404
    widget = await console.write(make_account, Channel.CHAT)
    assert (await seat.page(f"/admin/channels/{widget}/address")).status_code == 404
    assert (await seat.page(f"/admin/channels/{widget}/extensions")).status_code == 404


@pytest.mark.parametrize("role", [Role.AGENT, Role.SUPERVISOR, Role.QA])
async def test_others_may_not_change_the_rules(console: Console, role: Role) -> None:
    queue_id, user_id, _, skill = await console.write(floor)
    seat = await console.sit(role)
    paths = [f"queues/{queue_id}/rules", f"queues/{queue_id}/agents", f"skills/{skill}", f"skills/{skill}/remove"]
    paths += [f"profiles/{user_id}/absence", "away-reasons", "away-reasons/change", "away-reasons/move"]
    for path in paths:
        assert (await seat.post(f"/admin/{path}", FORM, name="x")).status_code == 403, path


async def test_rings_skills_and_weights_are_set(console: Console) -> None:
    queue_id, _, _, skill = await console.write(floor)
    seat = await admin(console)
    form = {**RINGS, "step_2_skill_0": str(skill), "step_2_need_0": "4", f"skill_{skill}": "2", "weight_chat": "50"}
    answer = await seat.post(f"/admin/queues/{queue_id}/rules", FORM, **form)
    assert answer.status_code == 303
    settings = await settings_of(console, queue_id)
    assert [(one.agent, one.seconds, one.level, one.needs) for one in settings.steps] == [
        (True, 30, 0, {}),
        (False, 60, 2, {}),
        (False, None, 0, {skill: 4}),
    ]
    assert (settings.skills, settings.weights) == ({skill: 2}, {"chat": 50})
    assert "queue.rules_changed" in await actions(console)
    page = await seat.page(f"/admin/queues/{queue_id}/rules")
    assert "knows enough for its last ring" in page.text
    assert (await seat.post(f"/admin/queues/{queue_id}/rules", FORM, **RINGS)).status_code == 303
    assert (await settings_of(console, queue_id)).skills == {}


async def test_what_the_general_form_does_not_show_is_kept(console: Console) -> None:
    queue_id, _, _, skill = await console.write(floor)
    seat = await admin(console)
    await seat.post(f"/admin/queues/{queue_id}/rules", FORM, **RINGS, **{f"skill_{skill}": "1"})
    await seat.post(f"/admin/queues/{queue_id}/rules", FORM, **{**RINGS, "step_0_seconds": "5"})
    settings = await settings_of(console, queue_id)
    assert (settings.steps[0].seconds, settings.max_offers, settings.pull) == (5, 10, True)


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"step_0_seconds": ""}, "step_0_seconds"),
        ({"step_1_seconds": "0"}, "step_1_seconds"),
        ({"step_1_level": "6"}, "step_1_level"),
        ({"step_0_who": "luck"}, "step_0_who"),
        ({"step_0_who": "", "step_1_who": "", "step_2_who": ""}, "step_0_who"),
        ({"weight_chat": "101"}, "weight_chat"),
    ],
)
async def test_a_wrong_rule_is_refused_beside_its_field(console: Console, wrong: dict[str, str], field: str) -> None:
    queue_id, *_ = await console.write(floor)
    seat = await admin(console)
    answer = await seat.post(f"/admin/queues/{queue_id}/rules", FORM, **{**RINGS, **wrong})
    assert answer.status_code == 422
    assert f'id="f-{field}-d"' in answer.text
    assert await settings_of(console, queue_id) == queue_settings.DEFAULTS


async def test_an_overflow_names_another_queue_once(console: Console) -> None:
    queue_id, other = await console.write(make_queue), await console.write(make_queue)
    seat = await admin(console)
    [row] = await rows(console, select(Queue).where(Queue.id == queue_id))
    form = {"name": row.name, "locale": "en", "target_share": "80", "target_seconds": "20", "max_offers": "3"}
    form |= {"selection": "most_spare", "ordering": "age", "live_acceptance": "offer", "deferred_acceptance": "auto"}
    form |= {"timeout_call": "20", "timeout_chat": "45", "wrap_call": "60", "wrap_chat": "0"}
    for wrong in ({"overflow_0": str(queue_id)}, {"overflow_0": str(other), "overflow_1": str(other)}):
        answer = await seat.post(f"/admin/queues/{queue_id}", FORM, **form, **wrong)
        assert answer.status_code == 422
        assert 'id="f-overflow_' in answer.text
    assert (await seat.post(f"/admin/queues/{queue_id}", FORM, **form, overflow_0=str(other))).status_code == 303
    assert (await settings_of(console, queue_id)).overflows[0].queue_id == other


async def test_agents_serve_a_queue_from_its_own_page(console: Console) -> None:
    queue_id, first, second, _ = await console.write(floor)
    seat = await admin(console)
    form = {f"serves_{second}": "1", f"priority_{second}": "3", f"delay_{second}": "120"}
    assert (await seat.post(f"/admin/queues/{queue_id}/agents", FORM, **form)).status_code == 303
    [row] = await rows(console, select(ProfileRow))
    assert (row.user_id, row.priority, row.delay) == (second, 3, 120)
    wrong = await seat.post(f"/admin/queues/{queue_id}/agents", FORM, **{**form, f"delay_{second}": "-1"})
    assert wrong.status_code == 422
    assert f'id="f-delay_{second}-d"' in wrong.text
    assert first != second


async def test_a_skill_is_levelled_renamed_and_removed(console: Console) -> None:
    queue_id, first, _, skill = await console.write(floor)
    seat = await admin(console)
    path = f"/admin/skills/{skill}"
    assert (await seat.post(path, FORM, name="gold", **{f"level_{first}": "5"})).status_code == 303
    [row] = await rows(console, select(AgentSkill.user_id, AgentSkill.level))
    assert (row.user_id, row.level) == (first, 5)
    assert (await seat.post(path, FORM, name="", **{f"level_{first}": "9"})).status_code == 422
    await seat.post(f"/admin/queues/{queue_id}/rules", FORM, **RINGS, **{f"skill_{skill}": "1"})
    refused = await seat.post(f"{path}/remove", FORM)
    assert refused.status_code == 422
    assert "Take it out there first" in refused.text
    await seat.post(f"/admin/queues/{queue_id}/rules", FORM, **RINGS)
    assert (await seat.post(f"{path}/remove", FORM)).headers["location"] == "/admin/skills?done=removed"
    assert await rows(console, select(Skill)) == []
    assert {"skill.changed", "skill.removed"} <= set(await actions(console))


async def test_away_reasons_are_added_changed_and_ordered(console: Console) -> None:
    seat = await admin(console)
    assert "Back office" in (await seat.page("/admin/away-reasons")).text
    assert (await seat.post("/admin/away-reasons", FORM, name="Prayer", paid="1")).status_code == 303
    assert (await seat.post("/admin/away-reasons", FORM, name="Lunch")).status_code == 422
    change = {"reason": "Training", "name": "Learning", "productive": "1"}
    assert (await seat.post("/admin/away-reasons/change", FORM, **change)).status_code == 303
    assert (await seat.post("/admin/away-reasons/move", FORM, reason="Prayer", up="1")).status_code == 303
    [learning] = await rows(console, select(AwayReason.__table__).where(AwayReason.name == "Learning"))
    assert (learning.productive, learning.paid, learning.active) == (True, False, False)
    names = [one.name for one in await console.db.read(away_reasons.choosable)]
    assert names[-2:] == ["Prayer", "System problem"]
    refused = await seat.post("/admin/away-reasons/change", FORM, reason="Lunch", name="Prayer", active="1")
    assert refused.status_code == 422
    assert "already a reason called Prayer" in refused.text
    assert {"away_reason.created", "away_reason.changed", "away_reason.moved"} <= set(await actions(console))


async def test_an_agent_is_out_until_a_moment_and_back(console: Console) -> None:
    _, first, _, _ = await console.write(floor)
    seat = await admin(console)
    path = f"/admin/profiles/{first}/absence"
    year = utcnow().year + 1
    assert (await seat.post(path, FORM, out_until=f"{year}-05-04T08:30")).status_code == 303
    [state] = await rows(console, select(AgentState.out_until).where(AgentState.user_id == first))
    assert (state.out_until.year, state.out_until.hour, state.out_until.minute) == (year, 8, 30)
    assert "Out until" in (await seat.page(f"/admin/profiles/{first}")).text
    for wrong in ("", "soon", "2020-01-01T08:00"):
        refused = await seat.post(path, FORM, out_until=wrong)
        assert refused.status_code == 422
        assert 'id="f-out_until-d"' in refused.text
    assert (await seat.post(path, FORM, back="1")).status_code == 303
    [state] = await rows(console, select(AgentState.out_until).where(AgentState.user_id == first))
    assert state.out_until is None


async def test_a_mailbox_moves_to_another_address(console: Console) -> None:
    account_id = await console.write(make_account, Channel.EMAIL)
    await console.write(make_account, Channel.EMAIL, address="taken@shop.test")
    seat = await admin(console)
    path = f"/admin/channels/{account_id}/address"
    for wrong, says in (("nobody", "f-address-d"), ("taken@shop.test", "set up already")):
        refused = await seat.post(path, FORM, address=wrong)
        assert refused.status_code == 422
        assert says in refused.text
    assert (await seat.post(path, FORM, address="Care@Shop.test")).status_code == 303
    [account] = await rows(console, select(ChannelAccount.__table__).where(ChannelAccount.id == account_id))
    assert (account.address, account.settings["aliases"]) == ("care@shop.test", ["support@shop.test"])
    assert "channel_account.address" in await actions(console)


async def test_extensions_become_colleagues(console: Console) -> None:
    user_id = await console.write(make_user, name="Lan Vu")
    other = await console.write(make_user)
    stored = {"extensions": {"9": "gone@shop.test", "41": "Lan Vu"}, "region": "VN"}
    line = await console.write(make_account, Channel.PHONE, settings=stored)
    seat = await admin(console)
    path = f"/admin/channels/{line}/extensions"
    page = (await seat.page(path)).text
    assert 'value="41"' in page
    assert "gone@shop.test" in page
    twice = await seat.post(path, FORM, **{f"user_{user_id}": "42", f"user_{other}": "42"})
    assert twice.status_code == 422
    assert "belongs to somebody else already" in twice.text
    assert (await seat.post(path, FORM, **{f"user_{user_id}": "41, 42", "keep_9": "1"})).status_code == 303
    [account] = await rows(console, select(ChannelAccount.settings).where(ChannelAccount.id == line))
    assert account.settings["extensions"] == {
        "9": "gone@shop.test",
        "41": "lan.vu@example.test",
        "42": "lan.vu@example.test",
    }
    assert account.settings["region"] == "VN"


@pytest.mark.parametrize(("chosen", "stored"), [("1", True), ("0", False), ("", None)])
async def test_a_number_says_whether_it_can_send_pictures(console: Console, chosen: str, stored: bool | None) -> None:
    account_id = await console.write(make_account, Channel.SMS, settings={"mms": True})
    [before] = await rows(console, select(ChannelAccount.name, ChannelAccount.queue_id))
    seat = await admin(console)
    path = f"/admin/channels/{account_id}"
    assert 'value="1" selected' in (await seat.page(path)).text
    form = {"name": before.name, "queue_id": str(before.queue_id), "mms": chosen}
    assert (await seat.post(path, FORM, **form)).status_code == 303
    [account] = await rows(console, select(ChannelAccount.settings))
    assert account.settings.get("mms") is stored
    assert (await seat.post(path, FORM, **{**form, "mms": "maybe"})).status_code == 422
