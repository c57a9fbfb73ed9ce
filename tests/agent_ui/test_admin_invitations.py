"""Administration of invitations: rules are written, put in order, refused when they say nothing, and taken away."""

import pytest

from channels.chat import invitations
from contact_center.accounts.permissions import Role
from tests.agent_ui.console import PAGE, SAME_ORIGIN, Console
from tests.factories import make_account
from tickets.states import Channel

FORM = {**PAGE, **SAME_ORIGIN}
RULE = {
    "name": "Cart",
    "active": "1",
    "sender": "Mai",
    "text_en": "Shall I\nhelp?",
    "text_vi": "Tôi giúp bạn nhé?",
    "page": "/cart/*",
    "trigger": "exit",
    "seconds": "5",
    "visits": "2",
    "frequency": "visitor",
    "snooze_days": "30",
}


async def test_a_rule_is_written_changed_moved_and_removed(console: Console) -> None:
    account_id = await console.write(make_account, Channel.CHAT)
    seat = await console.sit(Role.ADMIN)
    path = f"/admin/channels/{account_id}/invitations"
    assert "No invitations yet" in (await seat.page(path)).text
    for name in ("Cart", "Returns"):
        assert (await seat.post(f"{path}/new", FORM, **{**RULE, "name": name})).status_code == 303
    first, second = await console.db.read(invitations.of, account_id)
    assert (first.texts["en"], first.on_exit, first.visits, first.always) == ("Shall I help?", True, 2, False)
    counts = {first.id: (200, 50)}
    await console.write(invitations.count, account_id, counts, address="192.0.2.1", now=first.created_at)
    listed = (await seat.page(path)).text
    assert "/cart/* · on leaving · after 5 s · from visit 2 on" in listed
    assert "25 %" in listed
    assert (await seat.post(f"{path}/{second.id}/move", FORM, up="1")).status_code == 303
    assert [one.name for one in await console.db.read(invitations.of, account_id)] == ["Returns", "Cart"]
    assert 'value="/cart/*"' in (await seat.page(f"{path}/{first.id}")).text
    assert (await seat.post(f"{path}/{first.id}", FORM, **{**RULE, "page": "", "always": "1"})).status_code == 303
    changed = await console.db.read(invitations.find, account_id, first.id)
    assert (changed.page, changed.always, changed.shown) == ("", True, 200)
    assert (await seat.post(f"{path}/{second.id}/remove", FORM)).status_code == 303
    assert [one.id for one in await console.db.read(invitations.of, account_id)] == [first.id]


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"name": ""}, "cannot be empty"),
        ({"text_en": " ", "text_vi": ""}, "one language at least"),
        ({"text_en": "x" * 201}, "At most 200"),
        ({"page": "cart"}, "Write a path"),
        ({"seconds": "-1"}, "whole number"),
        ({"trigger": "scroll"}, "Choose one of the values"),
    ],
)
async def test_a_rule_that_says_nothing_is_refused_and_kept_on_the_screen(
    console: Console, wrong: dict[str, str], says: str
) -> None:
    account_id = await console.write(make_account, Channel.CHAT)
    seat = await console.sit(Role.ADMIN)
    answer = await seat.post(f"/admin/channels/{account_id}/invitations/new", FORM, **{**RULE, **wrong})
    assert answer.status_code == 422
    assert says in answer.text
    assert "Mai" in answer.text
    assert await console.db.read(invitations.of, account_id) == []


async def test_another_channel_or_another_widget_has_no_such_rule(console: Console) -> None:
    chat, sms = await console.write(make_account, Channel.CHAT), await console.write(make_account, Channel.SMS)
    other = await console.write(make_account, Channel.CHAT)
    seat = await console.sit(Role.ADMIN)
    assert (await seat.page(f"/admin/channels/{sms}/invitations")).status_code == 404
    assert (await seat.post(f"/admin/channels/{chat}/invitations/new", FORM, **RULE)).status_code == 303
    (rule,) = await console.db.read(invitations.of, chat)
    assert (await seat.page(f"/admin/channels/{other}/invitations/{rule.id}")).status_code == 404
    assert (await seat.post(f"/admin/channels/{other}/invitations/{rule.id}/remove", FORM)).status_code == 404


@pytest.mark.parametrize("role", [Role.AGENT, Role.SUPERVISOR])
async def test_others_may_not_invite(console: Console, role: Role) -> None:
    account_id = await console.write(make_account, Channel.CHAT)
    seat = await console.sit(role)
    answer = await seat.post(f"/admin/channels/{account_id}/invitations/new", FORM, **RULE)
    assert answer.status_code == 403
