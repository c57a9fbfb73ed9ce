"""Invitations on both databases: who is invited, what the answer becomes, what is counted."""

from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import Connection, select

from channels.chat import invitations, mailing, state, visits
from channels.chat.frames import AuthorKind
from channels.chat.parse import OfflineMessage
from contact_center.core.db import Database
from contact_center.core.errors import Conflict, NotFound, TooMany
from contact_center.core.relay import Relay
from contact_center.wiring import HANDLERS
from routing import presence, profiles
from routing.models import AgentState, WorkItem
from routing.states import Presence
from tests.channels.chat.story import MINUTE, TOKENS, hello, say
from tests.conftest import NOW
from tests.factories import make_account, make_queue, make_user
from tickets import intake
from tickets.models import Message, Ticket
from tickets.sla_models import SlaBook
from tickets.states import Channel

RULE = {
    "name": "Cart",
    "active": True,
    "page": "/cart/*",
    "seconds": 30,
    "on_exit": False,
    "visits": 1,
    "frequency": "session",
    "snooze_days": 7,
    "always": True,
    "sender": "Mai",
    "texts": {"en": "Shall I help?", "vi": "Tôi giúp bạn nhé?"},
}


def widget(tx: Connection, **more: Any) -> tuple[int, int]:
    """A widget and its one invitation."""
    account_id = make_account(tx, Channel.CHAT, queue_id=make_queue(tx))
    return account_id, invitations.add(tx, account_id, {**RULE, **more}, now=NOW)


def offered(tx: Connection, account_id: int, locale: str = "en") -> list[dict[str, Any]]:
    return invitations.offered(tx, account_id, locale, sender="Harbor")


def answered_now(tx: Connection, account_id: int) -> bool:
    return invitations.answered_now(tx, intake.queue_of(tx, account_id), now=NOW)


async def test_the_answer_stands_under_what_we_said_and_neither_counts_as_a_response(db: Database) -> None:
    def story(tx: Connection) -> visits.Taken:
        account_id, invitation_id = widget(tx)
        asked = replace(hello(), invitation=invitation_id)
        visit = visits.open_visit(tx, account_id, asked, locale="vi", address="192.0.2.1", now=NOW)
        assert tx.execute(select(Ticket.id)).first() is None
        return say(tx, visit, "Vâng")

    taken = await db.write(story)
    await Relay(db, HANDLERS).run_once()
    assert taken.public_seq == 2
    assert (await db.write(say, taken.visit, "Vâng", "client-02")).public_seq == 3
    shown = await db.read(state.after, taken.visit, 0, TOKENS, "key")
    assert [(one.public_seq, one.author, one.name, one.text) for one in shown[:2]] == [
        (1, AuthorKind.AGENT, "Mai", "Tôi giúp bạn nhé?"),
        (2, AuthorKind.CUSTOMER, "", "Vâng"),
    ]
    ticket = await db.read(lambda tx: tx.execute(select(Ticket.__table__)).one())
    kept = await db.read(lambda tx: tx.execute(select(Message.automatic).order_by(Message.seq)).scalars().all())
    work = await db.read(lambda tx: tx.execute(select(WorkItem.state)).scalars().all())
    answered = await db.read(lambda tx: tx.execute(select(SlaBook.answered)).scalars().all())
    assert (ticket.first_response_at, ticket.waiting_since, ticket.preview) == (None, NOW, "Vâng")
    assert (kept, len(work), answered) == ([True, False, False], 1, [False])


async def test_an_answer_repeated_begins_one_conversation_and_is_counted_once(db: Database) -> None:
    def story(tx: Connection) -> tuple[int, int, int | None, int | None]:
        account_id, invitation_id = widget(tx)
        asked = replace(hello(), invitation=invitation_id)
        visit = visits.open_visit(tx, account_id, asked, locale="en", address="192.0.2.1", now=NOW)
        first = say(tx, visit, "Yes")
        again = say(tx, visit, "Yes")
        return account_id, invitation_id, first.public_seq, again.public_seq

    account_id, invitation_id, first, again = await db.write(story)
    assert (first, again) == (2, 2)
    row = await db.read(invitations.find, account_id, invitation_id)
    assert (row.shown, row.opened, row.answered) == (0, 0, 1)


async def test_an_invitation_of_another_widget_or_a_deleted_one_leaves_no_trace(db: Database) -> None:
    def story(tx: Connection) -> list[int | None]:
        account_id, invitation_id = widget(tx)
        _, foreign = widget(tx)
        asked = replace(hello(), invitation=foreign)
        stranger = visits.open_visit(tx, account_id, asked, locale="en", address="192.0.2.1", now=NOW)
        asked = replace(hello(), invitation=invitation_id)
        late = visits.open_visit(tx, account_id, asked, locale="en", address="192.0.2.1", now=NOW)
        invitations.remove(tx, account_id, invitation_id)
        with pytest.raises(NotFound):
            invitations.remove(tx, account_id, foreign)
        return [stranger.invitation_id, say(tx, stranger, "Hello").public_seq, say(tx, late, "Hello").public_seq]

    assert await db.write(story) == [None, 1, 1]


async def test_who_wants_an_answering_person_is_invited_while_one_is_there(db: Database) -> None:
    def prepare(tx: Connection) -> tuple[int, int]:
        account_id, _ = widget(tx, always=False)
        agent_id = make_user(tx)
        profiles.set_row(tx, agent_id, intake.queue_of(tx, account_id), now=NOW)
        return account_id, agent_id

    account_id, agent_id = await db.write(prepare)
    assert not await db.read(answered_now, account_id)
    await db.write(presence.set_presence, agent_id, Presence.AVAILABLE, now=NOW)
    assert await db.read(answered_now, account_id)
    (rule,) = await db.read(offered, account_id)
    assert rule["always"] is False
    assert (rule["text"], rule["name"], rule["page"], rule["exit"]) == ("Shall I help?", "Mai", "/cart/*", False)

    def fill(tx: Connection) -> None:
        tx.execute(AgentState.__table__.update().values(live_held=100))  # type: ignore[attr-defined]

    await db.write(fill)
    assert not await db.read(answered_now, account_id)


async def test_one_is_offered_in_its_languages_only_and_while_it_is_switched_on(db: Database) -> None:
    account_id, invitation_id = await db.write(widget, texts={"en": "Hello"}, sender="")
    assert [one["name"] for one in await db.read(offered, account_id)] == ["Harbor"]
    assert await db.read(offered, account_id, "vi") == []
    await db.write(invitations.change, account_id, invitation_id, {"active": False})
    assert await db.read(offered, account_id) == []


async def test_the_order_is_changed_one_place_at_a_time_and_there_is_an_end_to_them(db: Database) -> None:
    def story(tx: Connection) -> list[list[str]]:
        account_id, first = widget(tx, name="a")
        invitations.add(tx, account_id, {**RULE, "name": "b"}, now=NOW)
        seen = []
        for up in (True, False, False):
            invitations.move(tx, account_id, first, up=up)
            seen.append([row.name for row in invitations.of(tx, account_id)])
        for _ in range(invitations.MOST - 2):
            invitations.add(tx, account_id, RULE, now=NOW)
        with pytest.raises(Conflict):
            invitations.add(tx, account_id, RULE, now=NOW)
        return seen

    assert await db.write(story) == [["a", "b"], ["b", "a"], ["b", "a"]]


async def test_browsers_add_to_the_counts_of_their_own_widget_and_not_for_ever(db: Database) -> None:
    account_id, invitation_id = await db.write(widget)
    other, _ = await db.write(widget)
    given = {"address": "192.0.2.1", "now": NOW}
    await db.write(invitations.count, account_id, {invitation_id: (2, 1), 999: (1, 1)}, **given)
    await db.write(invitations.count, other, {invitation_id: (5, 5)}, **given)
    row = await db.read(invitations.find, account_id, invitation_id)
    assert (row.shown, row.opened) == (2, 1)
    for _ in range(invitations.REPORTS - 2):
        await db.write(invitations.count, account_id, {invitation_id: (1, 0)}, **given)
    with pytest.raises(TooMany):
        await db.write(invitations.count, account_id, {invitation_id: (1, 0)}, **given)
    later = {"address": "192.0.2.1", "now": NOW + 11 * MINUTE}
    await db.write(invitations.count, account_id, {invitation_id: (1, 0)}, **later)


async def test_a_mail_written_in_closed_hours_counts_as_an_answer(db: Database) -> None:
    def story(tx: Connection) -> int:
        account_id, invitation_id = widget(tx)
        queue_id = make_queue(tx)
        form = OfflineMessage("client-01", "", "Ann", "ann@example.com", "Please", "en", "", "", invitation_id)
        for _ in range(2):
            mailing.take_offline(tx, account_id, queue_id, form, locale="en", address="192.0.2.1", now=NOW)
        return int(invitations.find(tx, account_id, invitation_id).answered)

    assert await db.write(story) == 1
