"""What happens to a visit, on both databases."""

import asyncio

import pytest
from sqlalchemy import Connection, func, select, update

from channels.chat import ending, rating, state, visits
from channels.chat.frames import AuthorKind, EndedBy
from channels.chat.models import ChatVisit
from channels.chat.parse import Send
from channels.chat.visit import Visit
from contact_center.core.db import Database
from contact_center.core.errors import NotFound, TooMany
from contact_center.core.events import Event
from tests.channels.chat.story import MINUTE, TOKENS, answer, begun, hello, opened, say, texts
from tests.conftest import NOW
from tests.factories import make_account, make_user
from tickets import lifecycle
from tickets.customers import contacts
from tickets.inbound import Address
from tickets.models import ContactPoint, JournalItem, Message, Ticket
from tickets.quality import surveys
from tickets.replies import Author, note
from tickets.states import Channel, ContactKind


async def test_a_repeated_client_id_is_one_message_with_one_answer(db: Database) -> None:
    visit = await db.write(opened)
    first = await db.write(say, visit, "Hello")
    again = await db.write(say, first.visit, "Hello")
    other = await db.write(say, first.visit, "More", "client-02")
    assert (first.public_seq, again.public_seq, other.public_seq) == (1, 1, 2)
    assert await db.read(texts, other.visit) == ["Hello", "More"]


async def test_two_tabs_that_send_the_same_at_once_write_it_once(db: Database) -> None:
    visit = await db.write(opened)
    sent = [db.write(say, visit, f"line {n}", f"client-{n:02}") for n in range(10) for _ in range(2)]
    taken = await asyncio.gather(*sent)
    assert [one.public_seq for one in taken[::2]] == [one.public_seq for one in taken[1::2]]
    counted = await db.read(lambda tx: tx.execute(select(func.count(Message.id), func.max(Message.public_seq))).one())
    assert tuple(counted) == (10, 10)


async def test_the_same_client_id_in_two_visits_is_two_messages(db: Database) -> None:
    one, two = await db.write(opened, address="192.0.2.1"), await db.write(opened, address="192.0.2.2")
    assert (await db.write(say, one, "Hello")).public_seq == (await db.write(say, two, "Hello")).public_seq == 1


async def test_a_replay_begins_after_what_is_known_and_shows_no_note(db: Database) -> None:
    def story(tx: Connection) -> Visit:
        visit = begun(tx)
        assert visit.ticket_id is not None
        note(tx, visit.ticket_id, "he is angry", author=Author(make_user(tx)), now=NOW)
        answer(tx, visit, "On its way")
        return visit

    visit = await db.write(story)
    shown = await db.read(state.after, visit, 0, TOKENS, "key")
    assert [(one.public_seq, one.author, one.text) for one in shown] == [
        (1, AuthorKind.CUSTOMER, "Where is my order?"),
        (2, AuthorKind.AGENT, "On its way"),
    ]
    assert shown[0].client_id == "client-01"
    assert await db.read(texts, visit, 1) == ["On its way"]
    assert [one.text for one in await db.read(state.before, visit, 2, TOKENS, "key")] == ["Where is my order?"]


async def test_acks_move_the_delivery_of_answers_forward_only(db: Database) -> None:
    visit = await db.write(begun)
    message_id = await db.write(answer, visit, "On its way")

    def delivery(tx: Connection) -> str | None:
        return tx.execute(select(Message.delivery).where(Message.id == message_id)).scalar_one()

    assert await db.read(delivery) == "sent"
    await db.write(visits.mark, visit, delivered=2, now=NOW)
    assert await db.read(delivery) == "delivered"
    await db.write(visits.mark, visit, seen=2, now=NOW)
    await db.write(visits.mark, visit, delivered=2, now=NOW)
    assert await db.read(delivery) == "read"


async def test_the_customer_sees_what_the_agent_has_read(db: Database) -> None:
    visit = await db.write(begun)
    assert visit.ticket_id is not None
    assert await db.read(state.agent_read, visit.ticket_id) == 0
    user_id = await db.write(make_user)
    await db.write(lifecycle.mark_read, visit.ticket_id, user_id, 1)
    assert await db.read(state.agent_read, visit.ticket_id) == 1


async def test_an_address_is_never_taken_from_the_customer_who_has_it(db: Database) -> None:
    def story(tx: Connection) -> tuple[int, int]:
        known = contacts.find_or_create(tx, Address(ContactKind.EMAIL, "ann@example.com"), now=NOW)
        visit = opened(tx, email="Ann@Example.com")
        assert visit.email == "ann@example.com"
        return known.customer_id, visit.customer_id

    owner, visitor = await db.write(story)
    assert owner != visitor
    of = select(ContactPoint.customer_id).where(ContactPoint.value == "ann@example.com")
    assert await db.read(lambda tx: tx.execute(of).scalar_one()) == owner


async def test_an_address_that_opens_visits_by_the_dozen_is_stopped(sqlite_db: Database) -> None:
    def story(tx: Connection) -> None:
        account_id = make_account(tx, Channel.CHAT)
        for _ in range(visits.VISITS_PER_ADDRESS):
            visits.open_visit(tx, account_id, hello(), locale="en", address="192.0.2.1", now=NOW)
        visits.open_visit(tx, account_id, hello(), locale="en", address="192.0.2.2", now=NOW)
        with pytest.raises(TooMany):
            visits.open_visit(tx, account_id, hello(), locale="en", address="192.0.2.1", now=NOW)

    await sqlite_db.write(story)


async def test_a_visit_is_found_by_its_own_widget_only(sqlite_db: Database) -> None:
    visit = await sqlite_db.write(opened)
    assert (await sqlite_db.write(visits.resume, visit.id, visit.account_id, now=NOW)).key == visit.key
    with pytest.raises(NotFound):
        await sqlite_db.write(visits.resume, visit.id, visit.account_id + 1, now=NOW)


async def test_a_visitor_without_a_line_for_a_minute_has_left(db: Database) -> None:
    visit = await db.write(begun)
    await db.write(ending.line_lost, visit.id, now=NOW)
    assert await db.write(ending.notice_left, NOW + 0.9 * MINUTE) == 0
    assert await db.write(ending.notice_left, NOW + 1.1 * MINUTE) == 1
    assert await db.write(ending.notice_left, NOW + 1.2 * MINUTE) == 0
    await db.write(visits.resume, visit.id, visit.account_id, now=NOW + 2 * MINUTE)
    left = select(ChatVisit.left_at)
    assert await db.read(lambda tx: tx.execute(left).scalar_one()) is None


async def test_the_lease_of_a_process_that_died_runs_out(sqlite_db: Database) -> None:
    visit = await sqlite_db.write(begun)
    await sqlite_db.write(ending.renew, [visit.key], now=NOW + MINUTE)
    assert await sqlite_db.write(ending.notice_left, NOW + 2 * MINUTE) == 0
    assert await sqlite_db.write(ending.notice_left, NOW + 2.5 * MINUTE) == 1


async def test_the_customer_ends_it_once_and_everybody_sees_a_line(db: Database) -> None:
    visit = await db.write(begun)
    assert await db.write(ending.end_by_customer, visit, now=NOW)
    assert not await db.write(ending.end_by_customer, visit, now=NOW)
    now_ = await db.read(state.state_of, visit, None)
    assert (now_.ended, now_.survey_score, now_.public_seq) == (True, None, 2)
    assert await db.read(texts, visit) == ["Where is my order?", "The conversation was ended."]


async def test_a_resolved_conversation_is_rated_once_through_its_survey(db: Database) -> None:
    def story(tx: Connection) -> Visit:
        visit = begun(tx)
        assert visit.ticket_id is not None
        with pytest.raises(NotFound):
            rating.rate(tx, visit, 5, "", now=NOW)
        answer(tx, visit, "On its way")
        lifecycle.resolve(tx, visit.ticket_id, user_id=None, now=NOW)
        event = Event(1, "ticket.resolved", {"ticket_id": visit.ticket_id}, NOW)
        surveys.on_ticket_resolved(tx, event, NOW)
        ending.on_ticket_resolved(tx, event, NOW)
        return visit

    visit = await db.write(story)
    asked = await db.read(state.state_of, visit, None)
    assert (asked.ended, asked.survey_score) == (True, 0)
    assert await db.write(rating.rate, visit, 4, "Quick", now=NOW) == 4
    assert await db.write(rating.rate, visit, 1, "", now=NOW) == 4
    assert (await db.read(state.state_of, visit, None)).survey_score == 4


async def test_a_matter_that_opens_again_takes_its_conversation_along(db: Database) -> None:
    def story(tx: Connection) -> Visit:
        visit = begun(tx)
        visits.end(tx, visit.id, EndedBy.AGENT, now=NOW)
        visits.go_on(tx, visit.ticket_id or 0, now=NOW)
        return visit

    visit = await db.write(story)
    assert not (await db.read(state.state_of, visit, None)).ended


async def test_a_closed_matter_is_followed_by_a_new_one_in_the_same_visit(db: Database) -> None:
    visit = await db.write(begun)
    await db.write(
        lambda tx: lifecycle.set_status(tx, visit.ticket_id or 0, lifecycle.Status.CLOSED, user_id=None, now=NOW)
    )
    after = await db.write(say, visit, "One more thing", "client-02")
    assert after.visit.ticket_id != visit.ticket_id
    assert await db.read(texts, after.visit) == ["One more thing"]
    before, now_ = [(await db.read(state.state_of, one, None)).thread for one in (visit, after.visit)]
    assert now_ == before + 1


async def test_what_another_ticket_held_before_a_merge_is_not_shown(db: Database) -> None:
    def story(tx: Connection) -> Visit:
        visit = begun(tx)
        other = say(tx, opened(tx, address="192.0.2.9"), "somebody else's secret").visit
        assert other.ticket_id is not None
        answer(tx, other, "and the answer to it")
        tx.execute(update(Ticket).where(Ticket.id == visit.ticket_id).values(status="closed"))
        tx.execute(
            update(Ticket)
            .where(Ticket.id == other.ticket_id)
            .values(thread_key=visit.key, channel_account_id=visit.account_id)
        )
        return say(tx, visit, "still me", "client-02").visit

    visit = await db.write(story)
    assert [text for text in await db.read(texts, visit) if text] == ["still me"]
    assert visit.from_seq == 3


async def test_a_raw_item_holds_all_that_is_needed_to_try_again(sqlite_db: Database) -> None:
    visit = await sqlite_db.write(opened)
    item = visits.raw_item(visit, Send("client-01", "Hello", ("f1",)))
    assert item.external_id == f"{visit.key}:client-01"
    assert item.raw is not None
    assert b'"text":"Hello"' in item.raw
    assert await sqlite_db.read(lambda tx: tx.execute(select(func.count(JournalItem.id))).scalar_one()) == 0
