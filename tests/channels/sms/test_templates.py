"""WhatsApp's templates: listed by Twilio, kept, filled, and sent after the 24 hours."""

import json
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import Connection

from channels.sms import templates
from channels.sms.models import WhatsAppTemplate
from channels.sms.template_loop import TemplateLoop, refresh
from contact_center.core.clock import utcnow
from contact_center.core.errors import Conflict, Invalid, NotFound
from tests.channels.desk import Desk
from tests.channels.sms.test_whatsapp import MAI, PAST, a_day_passes, deliver, line, say
from tests.factories import make_user
from tickets import replies
from tickets.models import ContactPoint, Message
from tickets.replies import Author


def content(sid: str, body: str, status: str = "approved", **more: Any) -> Mapping[str, object]:
    """A content resource as Twilio lists it with its approval."""
    approval = {"name": f"name_{sid}", "category": "UTILITY", "content_type": "twilio/text", "status": status}
    return {
        "sid": sid,
        "account_sid": "AC",
        "friendly_name": f"friendly {sid}",
        "language": "en",
        "variables": {},
        "types": {"twilio/text": {"body": body}},
        "approval_requests": {**approval, "rejection_reason": more.pop("reason", "")},
        **more,
    }


def read(sid: str, body: str, **more: Any) -> templates.Template | None:
    return templates.read(SimpleNamespace(**content(sid, body, **more)))


DELAY = content("HX1", "Hi {{1}}, your order {{2}} is late.", variables={"1": "Mai", "2": "42"})


def test_a_template_is_read_with_its_places_and_their_examples() -> None:
    found = read("HX1", "Hi {{1}}, order {{ 2 }}.", variables={"1": "Mai", "2": "42", "3": "for the button"})
    assert found is not None
    assert (found.name, found.category, found.status) == ("name_HX1", "utility", "approved")
    assert found.variables == {"1": "Mai", "2": "42", "3": "for the button"}
    assert templates.fill(found.body, {"1": "An", "2": ""}) == "Hi An, order {{ 2 }}."


def test_words_of_richer_content_go_before_the_plain_text_for_other_channels() -> None:
    card = {"twilio/text": {"body": "plain"}, "twilio/card": {"title": "Hi {{1}}", "subtitle": "Bye", "actions": []}}
    found = read("HX1", "", types=card)
    assert found is not None
    assert (found.body, found.variables) == ("Hi {{1}}\nBye", {"1": ""})


def test_what_was_never_handed_in_to_whatsapp_is_no_template() -> None:
    assert read("HX1", "x", status="unsubmitted") is None
    assert templates.read(SimpleNamespace(**{**content("HX1", "x"), "approval_requests": None})) is None
    assert read("HX1", "", types={"twilio/flows": None, "twilio/text": {}}) is not None


async def test_all_pages_are_kept_changed_and_forgotten_as_twilio_has_them(desk: Desk) -> None:
    await line(desk)
    desk.carrier.contents = [
        DELAY,
        content("HX2", "two", "pending"),
        content("HX3", "three", "rejected", reason="Spam"),
    ]
    loop = TemplateLoop(desk.services, http=desk.carrier.http)
    assert await loop.run_once() is False
    rows = await desk.rows(WhatsAppTemplate)
    assert [(row.sid, row.status, row.reason) for row in rows] == [
        ("HX1", "approved", ""),
        ("HX2", "pending", ""),
        ("HX3", "rejected", "Spam"),
    ]
    desk.carrier.contents = [content("HX2", "two", "approved")]
    await loop.run_once()
    assert [(row.sid, row.status) for row in await desk.rows(WhatsAppTemplate)] == [("HX2", "approved")]


@pytest.mark.parametrize("fault", ["unreachable", "gateway", "cut"])
async def test_an_account_whose_templates_cannot_be_fetched_keeps_them(sqlite_desk: Desk, fault: str) -> None:
    account = await line(sqlite_desk)
    sqlite_desk.carrier.contents = [DELAY]
    await refresh(sqlite_desk.services, account, sqlite_desk.carrier.http)
    sqlite_desk.carrier.fault = fault
    with pytest.raises(Conflict, match="did not give the templates"):
        await refresh(sqlite_desk.services, account, sqlite_desk.carrier.http)
    sqlite_desk.carrier.fault = fault
    await TemplateLoop(sqlite_desk.services, http=sqlite_desk.carrier.http).run_once()
    assert await sqlite_desk.count(WhatsAppTemplate) == 1


async def send(desk: Desk, account_id: int, template_id: int, **values: str) -> int:
    [point] = await desk.rows(ContactPoint)

    def write(tx: Connection) -> int:
        given = {name.removeprefix("v"): value for name, value in values.items()}
        answer = templates.answer_of(tx, account_id, template_id, given, contact_point_id=point.id)
        return replies.reply(tx, 1, answer, author=Author(make_user(tx)), now=utcnow() - PAST).message_id

    return await desk.db.write(write)


async def test_a_template_leaves_after_the_window_with_its_values_and_no_words(desk: Desk) -> None:
    account = await line(desk)
    desk.carrier.contents = [DELAY]
    await refresh(desk.services, account, desk.carrier.http)
    await say(desk, account, "hello")
    await a_day_passes(desk)
    [row] = await desk.rows(WhatsAppTemplate)
    message_id = await send(desk, account.id, row.id, v1="Mai\n Phạm", v2="77")
    await deliver(desk)
    [sent] = desk.carrier.messages
    assert (sent.to, sent.content, sent.body) == (f"whatsapp:{MAI}", "HX1", "")
    assert json.loads(sent.variables) == {"1": "Mai Phạm", "2": "77"}
    [found] = [message for message in await desk.rows(Message) if message.id == message_id]
    assert (found.text, found.delivery) == ("Hi Mai Phạm, your order 77 is late.", "sent")


async def test_a_template_that_is_not_approved_incomplete_or_anothers_is_refused(sqlite_desk: Desk) -> None:
    account = await line(sqlite_desk)
    sqlite_desk.carrier.contents = [DELAY, content("HX2", "two", "paused")]
    await refresh(sqlite_desk.services, account, sqlite_desk.carrier.http)
    await say(sqlite_desk, account, "hello")
    late, paused = await sqlite_desk.rows(WhatsAppTemplate)
    with pytest.raises(Invalid, match="all places") as missing:
        await send(sqlite_desk, account.id, late.id, v1="Mai", v2=" ")
    assert missing.value.field == "v_2"
    with pytest.raises(Invalid, match="not approved"):
        await send(sqlite_desk, account.id, paused.id)
    with pytest.raises(NotFound):
        await send(sqlite_desk, account.id + 1, late.id)


async def test_the_customers_language_comes_first_among_those_that_may_be_sent(sqlite_desk: Desk) -> None:
    account = await line(sqlite_desk)
    sqlite_desk.carrier.contents = [
        content("HX1", "a"),
        content("HX2", "b", language="vi"),
        content("HX3", "c", "rejected", language="vi"),
    ]
    await refresh(sqlite_desk.services, account, sqlite_desk.carrier.http)
    found = await sqlite_desk.db.read(templates.usable, account.id, "vi-VN")
    assert [row.sid for row in found] == ["HX2", "HX1"]
