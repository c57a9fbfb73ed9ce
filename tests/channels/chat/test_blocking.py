"""Blocked visitors and internet addresses: acknowledged, journaled, let through; an address is kept as a hash only."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, select

from channels.chat import visits
from channels.chat.parse import Send
from channels.chat.upkeep import Upkeep
from channels.chat.visit import Visit
from channels.chat.visits import Taken
from contact_center.core.db import Database
from contact_center.core.errors import Invalid
from contact_center.core.hub import Hub
from contact_center.core.secrets import Vault
from tests.channels.chat.story import hello
from tests.channels.chat.test_upkeep import Few
from tests.conftest import NOW
from tests.factories import inbound, make_account, make_user
from tickets import blocking, inbox, intake, origins
from tickets.blocks import Block, Scope
from tickets.models import JournalItem, Message
from tickets.origins import Origin
from tickets.states import Channel

DAY = timedelta(days=1)
HERE, ELSEWHERE = "a" * 64, "b" * 64


def opened(tx: Connection, account_id: int, origin: str = HERE) -> Visit:
    return visits.open_visit(tx, account_id, hello(), locale="en", address="192.0.2.1", now=NOW, origin=origin)


async def says(db: Database, visit: Visit, text: str, origin: str = HERE) -> Taken:
    message = visits.inbound_of(visit, Send(f"id-{text}", text, ()), [], origin)
    return await db.write(visits.take, visit, message, now=NOW)


async def block(db: Database, ticket_id: Any, scope: Scope, days: int | None = 7) -> None:
    user_id = await db.write(make_user)
    await db.write(blocking.block_sender, ticket_id, scope, user_id=user_id, now=NOW, days=days)


async def texts(db: Database) -> list[str]:
    query = select(Message.text).where(Message.kind == "inbound").order_by(Message.id)
    return list(await db.read(lambda tx: tx.execute(query).scalars().all()))


async def journal(db: Database) -> list[Any]:
    query = select(JournalItem.id, JournalItem.state, JournalItem.reason).order_by(JournalItem.id)
    return list(await db.read(lambda tx: tx.execute(query).all()))


async def test_a_blocked_visitor_is_unheard_and_let_through_from_the_journal(db: Database, vault: Vault) -> None:
    account = await db.write(make_account, Channel.CHAT)
    visit, other = await db.write(opened, account), await db.write(opened, account)
    visit = (await says(db, visit, "one")).visit
    await block(db, visit.ticket_id, Scope.VISITOR, None)
    assert (await says(db, visit, "two")).public_seq is None
    assert (await says(db, other, "three")).public_seq == 1
    assert await texts(db) == ["one", "three"]
    held = next(row for row in await journal(db) if row.state == "suppressed")
    assert held.reason == f"blocked: {visit.key[:8]}"
    await db.write(inbox.release, held.id, now=NOW)
    await Upkeep(Few(db, vault, Hub({}))).sweep()  # type: ignore[arg-type]
    assert await texts(db) == ["one", "three", "two"]


async def test_a_blocked_address_stops_every_visitor_and_form_from_there_and_nobody_else(db: Database) -> None:
    account = await db.write(make_account, Channel.CHAT)
    first = (await says(db, await db.write(opened, account), "one")).visit
    await block(db, first.ticket_id, Scope.IP)
    second, third = await db.write(opened, account), await db.write(opened, account, ELSEWHERE)
    assert (await says(db, second, "two")).public_seq is None
    assert (await says(db, third, "three", ELSEWHERE)).public_seq == 1
    mail = await db.write(make_account, Channel.EMAIL)
    form = inbound(mail, channel=Channel.EMAIL, sender="a@x.test", raw=b"From: a@x.test", origin=HERE)
    assert (await db.write(intake.receive, form, now=NOW)).outcome == "suppressed"
    again = replace(form, external_id="later", sender=replace(form.sender, value="b@x.test"))
    assert (await db.write(intake.receive, again, now=NOW + 8 * DAY)).outcome == "accepted"


async def test_nothing_but_a_hash_is_kept_and_that_for_thirty_days(db: Database, vault: Vault) -> None:
    account = await db.write(make_account, Channel.CHAT)
    visit = (await says(db, await db.write(opened, account), "one")).visit
    with pytest.raises(Invalid, match="at most 30 days"):
        await block(db, visit.ticket_id, Scope.IP, None)
    await block(db, visit.ticket_id, Scope.IP, 30)
    assert [way.scope for way in await db.read(blocking.ways, visit.ticket_id, now=NOW)] == [Scope.VISITOR, Scope.IP]
    assert [way.scope for way in await db.read(blocking.ways, visit.ticket_id, now=NOW + 31 * DAY)] == [Scope.VISITOR]
    told = await db.read(lambda tx: tx.execute(select(Message.meta).where(Message.kind == "event")).scalars().all())
    assert [one["address"] for one in told if one["name"] == "sender_blocked"] == [HERE[:8]]
    await db.write(origins.forget, NOW + 29 * DAY)
    assert await db.read(lambda tx: tx.execute(select(Block.value)).scalars().all()) == [HERE]
    await db.write(origins.forget, NOW + 30 * DAY)
    for column in (Origin.value, Block.value):
        assert await db.read(lambda tx, column=column: tx.execute(select(column)).scalars().all()) == []


def test_an_address_is_hashed_under_the_installations_key(vault: Vault) -> None:
    found = origins.origin_of(vault, "203.0.113.7")
    assert (len(found), "203" in found) == (64, False)
    assert found == origins.origin_of(vault, "::ffff:203.0.113.7")
    assert found != origins.origin_of(vault, "203.0.113.8")
    assert found != origins.origin_of(Vault("another-secret-another-secret-another-000"), "203.0.113.7")
    assert origins.origin_of(vault, "2001:db8:1:2::1") == origins.origin_of(vault, "2001:db8:1:2:3::9")
    assert origins.origin_of(vault, "unknown") == ""


async def test_what_has_no_address_cannot_be_blocked_by_it(db: Database) -> None:
    account = await db.write(make_account, Channel.CHAT)
    visit = (await says(db, await db.write(opened, account, ""), "one", "")).visit
    with pytest.raises(Invalid, match="cannot be blocked by that"):
        await block(db, visit.ticket_id, Scope.IP)
