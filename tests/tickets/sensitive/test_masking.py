"""Masking at intake on both databases: nothing of the original is stored in the open, and who looks leaves a trace."""

from typing import Any

import pytest
from sqlalchemy import Connection, select

from contact_center.accounts.models import AuditEntry
from contact_center.core.db import Database
from contact_center.core.errors import Invalid, NotFound
from contact_center.core.secrets import BadToken, Vault, seal
from tests.conftest import NOW
from tests.factories import VAULT, inbound, make_account, make_ticket, make_user
from tickets import inbox, intake
from tickets.inbox import RawItem
from tickets.models import JournalItem, Message, Ticket
from tickets.replies import Author, note
from tickets.sensitive import masking, showing
from tickets.sensitive.find import Kind
from tickets.sensitive.masking import Rules
from tickets.sensitive.models import SealedOriginal
from tickets.states import Channel

CARD = "my card is 4111 1111 1111 1111"


def ready(tx: Connection) -> None:
    masking.publish_key(tx, VAULT.sealing_key())


def everything(tx: Connection) -> str:
    """All texts of the tables that people search and see, in one string."""
    rows: list[Any] = [
        *tx.execute(select(Message.text, Message.subject, Message.quoted, Message.html, Message.meta)),
        *tx.execute(select(Ticket.subject, Ticket.preview)),
        *tx.execute(select(JournalItem.summary)),
        *tx.execute(select(SealedOriginal.sealed, SealedOriginal.found)),
    ]
    return repr(rows)


@pytest.mark.parametrize("channel", [Channel.EMAIL, Channel.SMS, Channel.CHAT])
async def test_a_card_number_is_masked_on_every_channel(db: Database, channel: Channel) -> None:
    def take(tx: Connection) -> None:
        ready(tx)
        account = make_account(tx, channel)
        sender = "a@b.test" if channel is Channel.EMAIL else "+4915112345678"
        for _ in range(2):
            message = inbound(
                account,
                channel=channel,
                sender=sender,
                text=CARD,
                subject=CARD,
                quoted=CARD,
                html=f"<p>{CARD}</p>" if channel is Channel.EMAIL else None,
            )
            intake.receive(tx, message, now=NOW)

    await db.write(take)
    assert "4111" not in await db.read(everything)
    rows = await db.read(lambda tx: tx.execute(select(Message.text, Message.meta)).all())
    assert [row.text for row in rows] == ["my card is [card number]"] * 2
    assert rows[0].meta["hidden"]["card"] >= 1


async def test_the_one_statement_way_does_not_let_a_card_through(db: Database) -> None:
    account = await db.write(make_account)
    await db.write(intake.receive, inbound(account), now=NOW)
    await db.write(intake.receive, inbound(account, text=CARD), now=NOW)
    assert "4111" not in await db.read(everything)


async def test_a_note_is_masked_and_its_original_kept(db: Database) -> None:
    def write(tx: Connection) -> int:
        ready(tx)
        ticket_id, user_id = make_ticket(tx).ticket_id, make_user(tx)
        assert ticket_id is not None
        return note(tx, ticket_id, f"He said: {CARD}", author=Author(user_id), now=NOW).message_id

    message_id = await db.write(write)
    assert "4111" not in await db.read(everything)
    shown = await db.write(showing.show, VAULT, message_id, user_id=1, reason="refund", now=NOW)
    assert shown == {"text": f"He said: {CARD}"}


async def test_whoever_looks_is_in_the_audit_log_and_the_timeline(db: Database) -> None:
    await db.write(ready)
    receipt = await db.write(make_ticket, text=CARD)
    user_id = await db.write(make_user)
    with pytest.raises(Invalid):
        await db.write(showing.show, VAULT, receipt.message_id, user_id=user_id, reason=" ", now=NOW)
    await db.write(showing.show, VAULT, receipt.message_id, user_id=user_id, reason="refund  due", now=NOW)
    entry = await db.read(lambda tx: tx.execute(select(AuditEntry.__table__)).one())
    assert (entry.action, entry.user_id, entry.details["reason"]) == ("sensitive.shown", user_id, "refund due")
    event = await db.read(lambda tx: tx.execute(select(Message).order_by(Message.id.desc()).limit(1)).first())
    assert event is not None
    metas = await db.read(lambda tx: [row.meta for row in tx.execute(select(Message.meta).order_by(Message.id))])
    assert metas[-1] == {"name": "sensitive_shown", "reason": "refund due", "seq": 1}


async def test_a_kind_that_is_switched_off_is_stored_as_it_came(db: Database) -> None:
    await db.write(masking.set_rules, Rules(frozenset({Kind.CODE}), 30))
    await db.write(make_ticket, text=f"{CARD}, OTP 123456")
    text = await db.read(lambda tx: tx.execute(select(Message.text)).scalar_one())
    assert text == f"{CARD}, OTP [one-time code]"


async def test_originals_are_forgotten_after_their_days(db: Database) -> None:
    await db.write(ready)
    receipt = await db.write(make_ticket, text=CARD)
    assert await db.write(masking.purge, NOW) == 0
    await db.write(masking.set_rules, Rules(keep_days=0))
    second = await db.write(make_ticket, text=CARD, sender="+4915112345679", account_id=1)
    with pytest.raises(NotFound):
        await db.write(showing.show, VAULT, second.message_id, user_id=1, reason="x", now=NOW)
    from_tomorrow = NOW.replace(day=NOW.day + 1)
    assert await db.write(masking.purge, from_tomorrow) == 1
    with pytest.raises(NotFound):
        await db.write(showing.show, VAULT, receipt.message_id, user_id=1, reason="x", now=NOW)


async def test_the_journals_list_is_masked_too(db: Database) -> None:
    account = await db.write(make_account)
    item = RawItem(Channel.SMS, account, "x1", raw=b"Body=4111+1111+1111+1111", summary=CARD)
    await db.write(inbox.quarantine, item, "KeyError", now=NOW)
    assert "4111" not in await db.read(everything)


def test_only_the_secret_opens_what_was_sealed() -> None:
    sealed = seal(VAULT.sealing_key(), {"text": CARD})
    assert b"4111" not in sealed
    assert VAULT.unseal(sealed) == {"text": CARD}
    with pytest.raises(BadToken):
        Vault("another-secret-another-secret-another-0000").unseal(sealed)
    with pytest.raises(BadToken):
        VAULT.unseal(sealed[:-1] + bytes([sealed[-1] ^ 1]))
