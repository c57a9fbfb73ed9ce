"""The identity check in the head of a conversation: confirmed by a colleague, ending by itself, withdrawn."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select

from agent_ui import conversation
from contact_center.accounts.models import AuditEntry
from contact_center.core.db import Database
from contact_center.core.errors import Conflict, Invalid
from tests.agent_ui.console import Console
from tests.conftest import NOW
from tests.factories import inbound, make_account, make_ticket, make_user
from tickets import identity_checks, intake
from tickets.identity_checks import Method
from tickets.inbound import Address
from tickets.numbers import number_of
from tickets.states import Channel, ContactKind


async def test_a_check_is_in_the_head_the_timeline_and_withdrawn(console: Console) -> None:
    number = number_of((await console.write(make_ticket)).ticket_id)
    agent = await console.sit(name="Lan")
    head = await agent.post(f"/tickets/{number}/identity", method="questions", minutes="60", note="birthday")
    assert "Identity confirmed until" in head.text
    assert "Confirmed by Lan: security questions" in head.text
    page = (await agent.page(f"/tickets/{number}")).text
    assert "Identity confirmed by security questions for 60 min: birthday" in page
    assert "Identity confirmed until" not in (await agent.post(f"/tickets/{number}/identity/withdraw")).text
    assert (await agent.post(f"/tickets/{number}/identity/withdraw")).status_code == 409
    assert (await agent.post(f"/tickets/{number}/identity", method="magic", minutes="60")).status_code == 422


async def test_a_check_ends_by_itself_and_a_newer_one_takes_its_place(db: Database) -> None:
    ticket_id = (await db.write(make_ticket)).ticket_id
    user_id = await db.write(make_user)
    given = {"note": "", "user_id": user_id}
    await db.write(identity_checks.confirm, ticket_id, Method.QUESTIONS, minutes=15, now=NOW, **given)
    await db.write(identity_checks.confirm, ticket_id, Method.CALL_BACK, minutes=60, now=NOW, **given)
    for later, until in ((59, NOW + timedelta(minutes=60)), (60, None)):
        head, _ = await db.read(conversation.head, ticket_id, now=NOW + timedelta(minutes=later))
        assert (head.proof.until if head.proof else None) == until
    actions = await db.read(lambda tx: tx.execute(select(AuditEntry.action)).scalars().all())
    assert actions == ["identity.confirmed"] * 2


async def test_a_sender_verifies_nobody(db: Database) -> None:
    account = await db.write(make_account, Channel.EMAIL)
    message = inbound(account, channel=Channel.EMAIL, sender="grace@example.test")
    for verified in (False, True):
        sender = Address(ContactKind.EMAIL, "grace@example.test", verified=verified)
        receipt = await db.write(intake.receive, replace(message, sender=sender, external_id=f"x{verified}"), now=NOW)
        head, _ = await db.read(conversation.head, receipt.ticket_id, now=NOW)
        assert head.proof is None


async def test_a_term_that_is_no_choice_and_a_check_that_is_not_there_are_refused(db: Database) -> None:
    ticket_id = (await db.write(make_ticket)).ticket_id
    with pytest.raises(Invalid):
        await db.write(identity_checks.confirm, ticket_id, Method.QUESTIONS, minutes=7, note="", user_id=1, now=NOW)
    with pytest.raises(Conflict):
        await db.write(identity_checks.withdraw, ticket_id, user_id=1, now=NOW)
