"""Cc and Bcc: who is proposed, what is refused, what leaves, and who answers from a copy."""

from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import Connection, update

from agent_ui import copies
from agent_ui.conversation import Account
from contact_center.core.errors import Invalid
from tests.agent_ui.console import SCRIPT, Console
from tests.agent_ui.test_ticket import make_mail, messages, path
from tests.conftest import NOW
from tests.factories import inbound
from tickets import intake
from tickets.drafts import Draft
from tickets.inbound import Address
from tickets.models import ContactPoint
from tickets.states import Channel, ContactKind

OURS = (Account(1, "email", "support@shop.test", {"aliases": ["help@shop.test"]}),)
FACTS = {
    "from": {"name": "Mai", "address": "Mai@Example.com"},
    "to": [{"address": "support+100.abc@shop.test"}, {"address": "bob@partner.test"}],
    "cc": [{"address": "help@shop.test"}, {"address": "lan@example.com"}, {"address": "undisclosed"}],
}


def mail(facts: dict[str, Any], *, automatic: bool = False) -> SimpleNamespace:
    return SimpleNamespace(kind="inbound", channel="email", automatic=automatic, meta=facts)


async def test_colleagues_are_offered_by_name_without_oneself(console: Console) -> None:
    seat, _ = await console.sit(name="Đỗ Mai"), await console.sit(name="Lan Pham")
    assert (await seat.http.get("/colleagues", headers=SCRIPT)).json() == [{"name": "Lan Pham", "initials": "LP"}]


def test_everybody_of_the_last_mail_is_proposed_but_ourselves_and_the_recipient() -> None:
    assert copies.reply_all([mail(FACTS)], OURS, "mai@example.com") == ("bob@partner.test", "lan@example.com")
    absent = mail({"cc": [{"address": "robot@x.test"}]}, automatic=True)
    assert copies.reply_all([mail(FACTS), absent], OURS, "bob@partner.test") == ("mai@example.com", "lan@example.com")
    assert copies.reply_all([], OURS, "mai@example.com") == ()


def test_a_field_is_read_as_people_type_it() -> None:
    assert copies.read(" A@b.test; c@d.test, a@b.test ", field="cc") == ("a@b.test", "c@d.test")
    with pytest.raises(Invalid, match="“nobody” is no e-mail address"):
        copies.read("nobody", field="cc")
    with pytest.raises(Invalid, match="At most 20"):
        copies.read(",".join(f"p{number}@x.test" for number in range(21)), field="cc")


def suppress(tx: Connection, address: str) -> None:
    tx.execute(
        update(ContactPoint)
        .where(ContactPoint.value == address)
        .values(suppressed_at=NOW, suppressed_reason="The address does not exist.")
    )


async def send(console: Console, seat: Any, ticket_id: int, **form: str) -> Any:
    point = (await console.db.read(messages, ticket_id))[0].contact_point_id
    given = {"mode": "reply", "via": f"email:{point}", "text": "It ships.", **form}
    return await seat.post(path(ticket_id, "/messages"), SCRIPT, **given)


async def test_the_composer_proposes_them_and_undo_brings_them_back(console: Console) -> None:
    seat, ticket_id = await console.sit(), await console.write(make_mail, meta=FACTS)
    page = (await seat.page(path(ticket_id))).text
    assert 'name="cc" list="known-addresses"' in page
    assert 'data-all="bob@partner.test, help@shop.test, lan@example.com"' in page
    answer = await send(console, seat, ticket_id, cc="bob@partner.test", bcc="boss@shop.test, bob@partner.test")
    html = answer.json()["parts"][0]["html"]
    assert "Cc: bob@partner.test" in html
    assert "Bcc: boss@shop.test" in html
    sent = (await console.db.read(messages, ticket_id))[-1]
    assert (sent.meta["cc"], sent.meta["bcc"]) == (["bob@partner.test"], ["boss@shop.test"])
    back = (await seat.post(f"/messages/{sent.id}/undo", SCRIPT)).json()
    assert (back["cc"], back["bcc"]) == (["bob@partner.test"], ["boss@shop.test"])


async def test_what_cannot_get_a_copy_is_refused_and_nothing_is_written(console: Console) -> None:
    seat, ticket_id = await console.sit(), await console.write(make_mail)
    await console.write(suppress, "mai@example.com")
    other = await console.write(make_mail_of, "lan@example.com")
    wrong = await send(console, seat, other, cc="mai@example.com")
    assert (wrong.status_code, "mai@example.com" in wrong.json()["detail"]) == (422, True)
    assert (await send(console, seat, other, bcc="nobody")).status_code == 422
    assert len(await console.db.read(messages, other)) == 1
    assert ticket_id != other


def make_mail_of(tx: Connection, address: str) -> int:
    ticket = intake.receive(tx, inbound(1, channel=Channel.EMAIL, sender=address, subject="Pot"), now=NOW)
    assert ticket.ticket_id
    return ticket.ticket_id


async def test_known_addresses_are_offered_by_their_beginning(console: Console) -> None:
    seat = await console.sit()
    await console.write(make_mail)
    offered = (await seat.http.get("/addresses", params={"q": "MA"})).json()
    assert offered == [{"address": "mai@example.com", "name": ""}]
    for nothing in ("m", "%%", "ai"):
        assert (await seat.http.get("/addresses", params={"q": nothing})).json() == []


async def test_who_answers_from_a_copy_is_called_by_name_and_is_not_the_customer(console: Console) -> None:
    seat, ticket_id = await console.sit(), await console.write(make_mail)

    def answer(tx: Connection) -> Any:
        lan = inbound(1, channel=Channel.EMAIL, text="I know more", ticket_token=ticket_id)
        named = Address(ContactKind.EMAIL, "lan@partner.test", "Lan Tran")
        return intake.receive(tx, type(lan)(**{**_fields(lan), "sender": named}), now=NOW)

    receipt = await console.write(answer)
    assert (receipt.ticket_id, receipt.matched_by) == (ticket_id, "plus_address")
    page = (await seat.page(path(ticket_id))).text
    timeline = page.partition('id="timeline"')[2].partition('id="outbox"')[0]
    assert "Lan Tran" in timeline
    assert timeline.count("In copy") == 1
    # The answer still goes to the customer.
    assert 'class="cut strong via-to">mai@example.com' in page


def _fields(message: Any) -> dict[str, Any]:
    return {name: getattr(message, name) for name in message.__dataclass_fields__}


async def test_copies_of_a_draft_are_there_on_another_device(console_on_both: Console) -> None:
    console = console_on_both
    seat, ticket_id = await console.sit(), await console.write(make_mail, meta=FACTS)
    draft = {"key": "email:1", "text": "", "seq": "1", "cc": "bob@partner.test, la", "bcc": "boss@shop.test"}
    kept = await seat.post(path(ticket_id, "/draft"), SCRIPT, **draft)
    assert kept.json() == {"saved": True, "copies": "“la” is no e-mail address."}
    page = (await seat.page(path(ticket_id))).text
    assert 'value="bob@partner.test, la" data-all="bob@partner.test, help@shop.test, lan@example.com"' in page
    assert 'value="boss@shop.test"' in page
    await seat.post(path(ticket_id, "/draft"), SCRIPT, key="email:1", text="Hello", seq="1")
    page = (await seat.page(path(ticket_id))).text
    assert 'value="bob@partner.test, help@shop.test, lan@example.com" data-all' in page
    assert "boss@shop.test" not in page
    other = await console.sit()
    assert ">Hello<" not in (await other.page(path(ticket_id))).text


async def test_the_draft_says_who_cannot_get_a_copy(console: Console) -> None:
    seat, ticket_id = await console.sit(), await console.write(make_mail)
    await console.write(suppress, "mai@example.com")
    draft = {"key": "email:1", "text": "Hi", "seq": "1", "cc": "mai@example.com"}
    said = (await seat.post(path(ticket_id, "/draft"), SCRIPT, **draft)).json()
    assert said["copies"].startswith("Nothing can be sent to mai@example.com")
    gone = await seat.post(path(ticket_id, "/draft"), SCRIPT, key="email:1", text="", seq="1")
    assert gone.json() == {"saved": True, "copies": ""}
    assert await console.db.read(lambda tx: tx.execute(Draft.__table__.select()).first()) is None


async def test_what_is_taken_back_keeps_its_copies_in_the_draft(console: Console) -> None:
    seat, ticket_id = await console.sit(), await console.write(make_mail)
    await send(console, seat, ticket_id, cc="bob@partner.test", bcc="boss@shop.test")
    sent = (await console.db.read(messages, ticket_id))[-1]
    await seat.post(f"/messages/{sent.id}/undo", SCRIPT)
    page = (await seat.page(path(ticket_id))).text
    assert ('value="bob@partner.test"' in page, 'value="boss@shop.test"' in page) == (True, True)
