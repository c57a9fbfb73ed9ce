"""Flags of phone numbers: hints for people, except a new owner, who gets the number."""

from typing import Any

import pytest
from sqlalchemy import Connection, func, select, update

from contact_center.accounts.models import AuditEntry
from contact_center.core.db import Database
from contact_center.core.errors import Conflict, Invalid
from tests.conftest import NOW
from tests.factories import inbound, make_account, make_ticket, make_user
from tickets import intake
from tickets.customers import contacts, number_flags
from tickets.customers.number_flags import Flag
from tickets.customers.wrong_person import NOT_THIS_PERSON
from tickets.inbound import Address
from tickets.models import ContactPoint, Customer, Message, Ticket
from tickets.states import Channel, ContactKind


def mai(tx: Connection) -> tuple[int, Any, int]:
    """(account, the ticket of Mai's number, agent)."""
    account_id = make_account(tx)
    ticket_id = make_ticket(tx, account_id=account_id, external_id="SM-1").ticket_id
    tx.execute(update(Customer).values(name="Mai"))
    return account_id, tx.execute(select(Ticket.__table__).where(Ticket.id == ticket_id)).one(), make_user(tx)


async def point_of(db: Database) -> Any:
    phone = select(ContactPoint.__table__).where(ContactPoint.kind == ContactKind.PHONE.value)
    return await db.read(lambda tx: tx.execute(phone).one())


async def events(db: Database, name: str) -> list[dict[str, Any]]:
    entries = select(Message.meta).where(Message.kind == "event").order_by(Message.id)
    metas = await db.read(lambda tx: tx.execute(entries).scalars().all())
    return [meta for meta in metas if meta["name"] == name]


async def actions(db: Database) -> list[str]:
    told = select(AuditEntry.action).where(AuditEntry.action.like("contact_point.%")).order_by(AuditEntry.id)
    return list(await db.read(lambda tx: tx.execute(told).scalars().all()))


@pytest.mark.parametrize("flag", [Flag.FAMILY, Flag.SWITCHBOARD])
async def test_a_shared_number_is_told_and_matches_as_before(db: Database, flag: Flag) -> None:
    account_id, ticket, agent = await db.write(mai)
    values = {"note": " Ask  for Mai ", "user_id": agent, "now": NOW}
    await db.write(number_flags.flag_in_ticket, ticket.id, ticket.contact_point_id, flag, **values)
    point = await point_of(db)
    assert (point.flag, point.flag_note, point.flagged_by_id, point.flagged_at) == (flag, "Ask for Mai", agent, NOW)
    assert (point.customer_id, point.suppressed_at) == (ticket.customer_id, None)
    [told] = await events(db, "number_flagged")
    assert (told["flag"], told["note"], told["address"]) == (flag, "Ask for Mai", point.value)
    assert await actions(db) == ["contact_point.flagged"]
    receipt = await db.write(intake.receive, inbound(account_id, external_id="SM-2", text="And now?"), now=NOW)
    assert receipt.ticket_id == ticket.id


async def test_a_number_with_a_new_owner_leaves_and_whoever_writes_is_the_new_one(db: Database) -> None:
    account_id, ticket, agent = await db.write(mai)
    point_id, values = ticket.contact_point_id, {"note": "", "user_id": agent, "now": NOW}
    await db.write(number_flags.flag_in_ticket, ticket.id, point_id, Flag.RECYCLED, **values)
    point = await point_of(db)
    assert (point.flag, point.suppressed_reason) == (Flag.RECYCLED, NOT_THIS_PERSON)
    assert point.customer_id != ticket.customer_id
    assert len(await events(db, "not_this_person")) == len(await events(db, "number_flagged")) == 1
    receipt = await db.write(intake.receive, inbound(account_id, external_id="SM-2", text="Hello"), now=NOW)
    owner = await db.read(
        lambda tx: tx.execute(select(Ticket.customer_id).where(Ticket.id == receipt.ticket_id)).scalar_one()
    )
    assert owner == point.customer_id
    assert await db.read(lambda tx: tx.execute(select(func.count()).select_from(Customer)).scalar_one()) == 2
    # The page that was open at the old customer's is told, not obeyed.
    with pytest.raises(Conflict, match="any more"):
        await db.write(number_flags.unflag, ticket.customer_id, point_id, user_id=agent, now=NOW)


async def test_a_flag_is_lifted_once(db: Database) -> None:
    _, ticket, agent = await db.write(mai)
    point_id, by = ticket.contact_point_id, {"user_id": agent, "now": NOW}
    await db.write(number_flags.flag, ticket.customer_id, point_id, Flag.FAMILY, note="", **by)
    await db.write(number_flags.unflag_in_ticket, ticket.id, point_id, **by)
    point = await point_of(db)
    assert (point.flag, point.flag_note, point.flagged_by_id, point.flagged_at) == (None,) * 4
    assert [told["flag"] for told in await events(db, "number_unflagged")] == [Flag.FAMILY]
    with pytest.raises(Conflict, match="not flagged"):
        await db.write(number_flags.unflag, ticket.customer_id, point_id, **by)
    assert await actions(db) == ["contact_point.flagged", "contact_point.unflagged"]


async def test_only_a_conversation_by_the_number_tells_of_a_new_owner(db: Database) -> None:
    _, ticket, agent = await db.write(mai)

    def second_number(tx: Connection) -> int:
        found = contacts.add(tx, ticket.customer_id, Address(ContactKind.PHONE, "+84912345678"), now=NOW)
        assert found is not None
        return found

    other, values = await db.write(second_number), {"note": "", "user_id": agent, "now": NOW}
    with pytest.raises(Invalid, match="this very number"):
        await db.write(number_flags.flag_in_ticket, ticket.id, other, Flag.RECYCLED, **values)
    with pytest.raises(Invalid, match="this very number"):
        await db.write(number_flags.flag, ticket.customer_id, other, Flag.RECYCLED, **values)
    assert await actions(db) == []


async def test_an_address_of_mail_has_no_flag(db: Database) -> None:
    def by_mail(tx: Connection) -> tuple[Any, int]:
        sent = make_ticket(tx, channel=Channel.EMAIL, sender="mai@shop.test")
        return tx.execute(select(Ticket.__table__).where(Ticket.id == sent.ticket_id)).one(), make_user(tx)

    ticket, agent = await db.write(by_mail)
    values = {"note": "", "user_id": agent, "now": NOW}
    with pytest.raises(Invalid, match="Only phone numbers"):
        await db.write(number_flags.flag_in_ticket, ticket.id, ticket.contact_point_id, Flag.FAMILY, **values)
