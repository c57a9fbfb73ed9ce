"""Administration of chat widgets: the secret of signed identities, and the form, the texts and the look."""

import json
import re
from urllib.parse import urlencode

import pytest
from sqlalchemy import select

from channels.chat import identity
from channels.chat.widgets import widget_of
from contact_center.accounts.models import AuditEntry
from contact_center.accounts.permissions import Role
from contact_center.core.clock import utcnow
from tests.agent_ui.console import PAGE, SAME_ORIGIN, Console
from tests.factories import make_account
from tickets import channel_accounts
from tickets.states import Channel

FORM = {**PAGE, **SAME_ORIGIN}
SECRET = re.compile(r'data-copy="([A-Za-z0-9_-]{43})"')


async def actions(console: Console) -> list[str]:
    return await console.db.read(
        lambda tx: list(tx.execute(select(AuditEntry.action).order_by(AuditEntry.id)).scalars())
    )


async def test_a_secret_is_made_shown_on_request_and_replaced(console: Console) -> None:
    account_id = await console.write(make_account, Channel.CHAT)
    seat = await console.sit(Role.ADMIN)
    path = f"/admin/channels/{account_id}/identity"
    assert "Make a secret" in (await seat.page(path)).text
    assert (await seat.post(f"{path}/secret", FORM)).status_code == 409
    assert (await seat.post(f"{path}/rotate", FORM)).status_code == 303
    page = await seat.page(path)
    assert SECRET.search(page.text) is None
    shown = await seat.post(f"{path}/secret", FORM)
    assert shown.headers["cache-control"] == "no-store"
    found = SECRET.search(shown.text)
    assert found
    assert (await seat.post(f"{path}/rotate", FORM)).status_code == 303
    assert "still believed for a while" in (await seat.page(path)).text
    account = await console.db.read(channel_accounts.by_id, console.services.vault, account_id)
    believed = identity.keys_of(account.secrets, now=utcnow()).believed
    assert len(believed) == 2
    assert believed[1] == found[1]
    assert (await seat.post(f"{path}/rotate", FORM, at_once="1")).status_code == 303
    assert "still believed" not in (await seat.page(path)).text
    assert [one for one in await actions(console) if "identity" in one] == [
        "channel_account.identity",
        "channel_account.identity_shown",
        "channel_account.identity",
        "channel_account.identity",
    ]


async def test_saving_the_account_keeps_the_secret_and_other_channels_have_none(console: Console) -> None:
    chat, sms = await console.write(make_account, Channel.CHAT), await console.write(make_account, Channel.SMS)
    seat = await console.sit(Role.ADMIN)
    assert (await seat.page(f"/admin/channels/{sms}/identity")).status_code == 404
    await seat.post(f"/admin/channels/{chat}/identity/rotate", FORM)
    before = await console.db.read(channel_accounts.by_id, console.services.vault, chat)
    fields = {"name": "Shop", "queue_id": str(before.queue_id), "origins": "https://shop.test"}
    assert (await seat.post(f"/admin/channels/{chat}", FORM, **fields)).status_code == 303
    after = await console.db.read(channel_accounts.by_id, console.services.vault, chat)
    assert after.secrets == before.secrets
    assert after.settings["origins"] == ["https://shop.test"]


@pytest.mark.parametrize("role", [Role.AGENT, Role.SUPERVISOR])
async def test_others_may_not_look(console: Console, role: Role) -> None:
    account_id = await console.write(make_account, Channel.CHAT)
    seat = await console.sit(role)
    assert (await seat.post(f"/admin/channels/{account_id}/identity/secret", FORM)).status_code == 403


LOOK = {
    "accent": "#0a7f5a",
    "ask_name": "optional",
    "ask_email": "required",
    "ask_phone": "optional",
    "side": "left",
    "consent_url": "https://shop.test/privacy",
    "greeting_en": "Ask the harbour",
    "greeting_vi": "Hỏi bến cảng",
    "offline_en": "Back {when}, write to us",
    "consent_en": "We keep this for a year",
}


async def test_the_look_is_saved_in_both_languages_and_an_old_greeting_is_taken_over(console: Console) -> None:
    settings = {"origins": ["https://shop.test"], "greeting": "Hello"}
    account_id = await console.write(make_account, Channel.CHAT, settings=settings)
    seat = await console.sit(Role.ADMIN)
    path = f"/admin/channels/{account_id}/appearance"
    assert (await seat.page(path)).text.count('value="Hello"') == 2
    assert (await seat.post(path, FORM, **LOOK)).status_code == 303
    account = await console.db.read(channel_accounts.by_id, console.services.vault, account_id)
    widget = widget_of(account)
    assert (widget.accent, widget.ask_name, widget.ask_email, widget.side) == (
        "#0a7f5a",
        "optional",
        "required",
        "left",
    )
    assert widget.texts["vi"] == {"greeting": "Hỏi bến cảng"}
    assert widget.texts["en"]["consent"] == "We keep this for a year"
    assert widget.origins == ("https://shop.test",)


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"accent": "green"}, "#rrggbb"),
        ({"consent_url": "javascript:alert(1)"}, "whole address"),
        ({"greeting_vi": "x" * 121}, "At most 120"),
        ({"side": "above"}, "Choose one of the values"),
    ],
)
async def test_a_wrong_look_is_refused_and_kept_on_the_screen(
    console: Console, wrong: dict[str, str], says: str
) -> None:
    account_id = await console.write(make_account, Channel.CHAT)
    seat = await console.sit(Role.ADMIN)
    answer = await seat.post(f"/admin/channels/{account_id}/appearance", FORM, **{**LOOK, **wrong})
    assert answer.status_code == 422
    assert says in answer.text
    assert 'value="Ask the harbour"' in answer.text


async def test_the_preview_shows_what_nobody_has_saved_and_can_send_nothing(console: Console) -> None:
    account_id = await console.write(make_account, Channel.CHAT)
    seat = await console.sit(Role.ADMIN)
    query = urlencode({**LOOK, "greeting_vi": "</script><b>x", "language": "vi", "hours": "closed"})
    answer = await seat.page(f"/admin/channels/{account_id}/preview?{query}")
    found = re.search(r'id="config">(.*?)</script>', answer.text, re.S)
    assert found
    config = json.loads(found[1])
    assert config["texts"]["greeting"] == "</script><b>x"
    assert (config["status"]["open"], config["ticket"], config["key"]) == (False, "", "preview")
    assert "unsafe" not in answer.headers["content-security-policy"]
    nobody = await console.browser().get(f"/admin/channels/{account_id}/preview", headers=PAGE)
    assert nobody.status_code == 303


async def test_choices_are_saved_with_their_queue_and_lines_that_say_nothing_are_left_out(console: Console) -> None:
    account_id = await console.write(make_account, Channel.CHAT)
    account = await console.db.read(channel_accounts.by_id, console.services.vault, account_id)
    seat, path = await console.sit(Role.ADMIN), f"/admin/channels/{account_id}/appearance"
    queue = str(account.queue_id)
    lines = {"choice_0_queue": queue, "choice_0_vi": "Đơn hàng", "choice_3_queue": queue, "choice_3_en": "Invoices"}
    assert (await seat.post(path, FORM, **{**LOOK, **lines})).status_code == 303
    widget = widget_of(await console.db.read(channel_accounts.by_id, console.services.vault, account_id))
    assert [(one.id, one.queue_id, dict(one.names)) for one in widget.choices] == [
        (1, account.queue_id, {"vi": "Đơn hàng"}),
        (4, account.queue_id, {"en": "Invoices"}),
    ]
    assert widget.ask_phone == "optional"
    for wrong, says in (({"choice_0_en": "Orders"}, "Say where it goes"), ({"choice_0_queue": queue}, "name to read")):
        answer = await seat.post(path, FORM, **{**LOOK, **wrong})
        assert answer.status_code == 422
        assert says in answer.text
