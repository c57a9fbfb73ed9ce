import pytest

from contact_center.core.db import Database
from contact_center.core.errors import Conflict, Invalid
from routing import contacts, handling, offers, presence
from routing.states import Presence
from tests.factories import inbound, make_queue
from tests.routing.desk import Desk
from tickets import assignments, intake, lifecycle, replies
from tickets.replies import Author, Reply
from tickets.states import Channel, MessageKind, Status


async def _chat_in_hand(desk: Desk, **writes):
    agent = await desk.agent()
    chat = await desk.writes(who="ann", **writes)
    await desk.decide()
    offer = await desk.offer(chat.ticket_id)
    await desk.do(offers.accept, offer.id, agent)
    return agent, chat.ticket_id


async def _answers(desk: Desk, ticket_id: int, user_id: int) -> None:
    await desk.do(replies.reply, ticket_id, Reply("It is on its way."), author=Author(user_id))


async def test_ending_a_chat_leaves_time_to_wrap_up_then_the_agent_is_free(db: Database):
    desk = await Desk.open(db)
    agent, ticket_id = await _chat_in_hand(desk)
    await _answers(desk, ticket_id, agent)
    await desk.do(handling.end, ticket_id)
    assert ((await desk.item(ticket_id)).state, (await desk.state(agent)).live_held) == ("wrapping", 25)
    await desk.passes(seconds=29)
    assert (await desk.item(ticket_id)).state == "wrapping"
    await desk.passes(seconds=1)
    assert ((await desk.item(ticket_id)).state, (await desk.state(agent)).live_held) == ("completed", 0)
    assert (await desk.ticket(ticket_id)).status == "open", "ending a contact is not resolving the ticket"
    assert await desk.broken() == {}


async def test_wrap_up_can_be_extended_and_ended_early(sqlite_db: Database):
    desk = await Desk.open(sqlite_db)
    agent, ticket_id = await _chat_in_hand(desk)
    await _answers(desk, ticket_id, agent)
    await desk.do(handling.end, ticket_id)
    await desk.do(handling.extend, ticket_id, agent)
    await desk.passes(seconds=31)
    assert (await desk.item(ticket_id)).state == "wrapping"
    await desk.do(handling.finish, ticket_id, agent, disposition="solved")
    item = await desk.item(ticket_id)
    assert (item.state, item.disposition) == ("completed", "solved")


async def test_the_next_status_waits_for_the_end_of_the_contact(sqlite_db: Database):
    desk = await Desk.open(sqlite_db)
    agent, ticket_id = await _chat_in_hand(desk)
    await _answers(desk, ticket_id, agent)
    await desk.do(presence.set_next, agent, Presence.AWAY, reason="Lunch")
    other = await desk.writes()
    assert await desk.decide() == 0, "nothing new for somebody who is about to leave"
    await desk.do(handling.end, ticket_id)
    await desk.do(handling.finish, ticket_id, agent)
    state = await desk.state(agent)
    assert (state.presence, state.reason, state.next_presence) == ("away", "Lunch", None)
    assert (await desk.item(other.ticket_id)).state == "queued"


async def test_a_known_customer_who_leaves_the_queue_is_kept_as_deferred_work_with_its_age(db: Database):
    desk = await Desk.open(db)
    call = await desk.writes(Channel.PHONE, kind=MessageKind.CALL, meta={"call": {"live": True, "state": "ringing"}})
    before = await desk.item(call.ticket_id)
    assert before.medium == "call"
    await desk.passes(seconds=70)
    await desk.do(contacts.hung_up, call.ticket_id, False)
    after = await desk.item(call.ticket_id)
    assert (after.medium, after.state, after.enqueued_at) == ("task", "queued", before.enqueued_at)
    assert await desk.broken() == {}


async def test_an_anonymous_visitor_who_leaves_closes_the_ticket_as_abandoned(db: Database):
    desk = await Desk.open(db)
    agent = await desk.agent()
    chat = await desk.writes()
    await desk.decide()
    await desk.do(contacts.customer_left, chat.ticket_id)
    await desk.do(contacts.customer_left, chat.ticket_id)
    assert (await desk.offer(chat.ticket_id)).state == "canceled"
    assert (await desk.item(chat.ticket_id)).state == "canceled"
    assert (await desk.ticket(chat.ticket_id)).status == "closed"
    assert (await desk.state(agent)).live_held == 0
    assert await desk.broken() == {}


async def test_a_call_answered_by_a_known_agent_is_theirs_even_before_it_was_placed(sqlite_db: Database):
    desk = await Desk.open(sqlite_db)
    agent = await desk.agent()
    call = await desk.writes(Channel.PHONE, kind=MessageKind.CALL, meta={"call": {"live": True, "state": "answered"}})
    await desk.do(contacts.answered, call.ticket_id, agent)
    item = await desk.item(call.ticket_id)
    assert (item.state, item.agent_id, item.medium) == ("assigned", agent, "call")
    await desk.do(contacts.hung_up, call.ticket_id, True)
    assert (await desk.item(call.ticket_id)).state == "wrapping"


async def test_a_missed_call_is_deferred_work_and_one_we_made_is_none(sqlite_db: Database):
    desk = await Desk.open(sqlite_db)
    missed = await desk.writes(Channel.PHONE, kind=MessageKind.CALL, meta={"call": {"live": False, "state": "missed"}})
    assert (await desk.item(missed.ticket_id)).pool == "deferred"


async def test_a_transfer_keeps_the_age_and_begins_a_new_wait(db: Database):
    desk = await Desk.open(db)
    agent, ticket_id = await _chat_in_hand(desk)
    before = await desk.item(ticket_id)
    colleague = await desk.agent()
    await desk.passes(seconds=50)
    await desk.do(handling.transfer, ticket_id, by_user_id=agent, queue_id=desk.queue_id, summary="Wants a refund.")
    after = await desk.item(ticket_id)
    assert (after.state, after.enqueued_at, after.waiting_since) == ("queued", before.enqueued_at, desk.now)
    assert (await desk.ticket(ticket_id)).assignee_id is None
    await desk.decide()
    assert await desk.offered_to(ticket_id) == colleague, "not back to the one who passed it on"
    assert await desk.broken() == {}


async def test_a_transfer_to_a_colleague_waits_for_them_alone_for_a_while(db: Database):
    desk = await Desk.open(db)
    agent, ticket_id = await _chat_in_hand(desk)
    chosen = await desk.agent(queues=())
    await desk.agent()
    await desk.do(handling.transfer, ticket_id, by_user_id=agent, to_user_id=chosen)
    await desk.decide()
    assert await desk.offered_to(ticket_id) == chosen
    await desk.do(offers.decline, (await desk.offer(ticket_id)).id, chosen, "not mine")
    await desk.decide()
    assert await desk.offered_to(ticket_id) not in {None, chosen, agent}


async def test_the_fourth_transfer_asks_supervisors_first_and_is_not_refused(sqlite_db: Database):
    desk = await Desk.open(sqlite_db)
    agent, ticket_id = await _chat_in_hand(desk)
    for _ in range(4):
        await desk.do(handling.transfer, ticket_id, by_user_id=agent, queue_id=desk.queue_id)
        await desk.do(handling.take, ticket_id, agent)
    item = await desk.item(ticket_id)
    assert (item.transfers, item.wishes) == (4, [0])


async def test_a_transfer_needs_a_target(sqlite_db: Database):
    desk = await Desk.open(sqlite_db)
    agent, ticket_id = await _chat_in_hand(desk)
    with pytest.raises(Invalid):
        await desk.do(handling.transfer, ticket_id, by_user_id=agent)


async def test_a_silent_customer_gives_the_weight_free_and_comes_back_to_the_same_agent(db: Database):
    desk = await Desk.open(db)
    agent, ticket_id = await _chat_in_hand(desk)
    with pytest.raises(Conflict, match="waiting for your answer"):
        await desk.do(handling.pause, ticket_id, agent)
    await _answers(desk, ticket_id, agent)
    await desk.passes(minutes=10)
    assert ((await desk.item(ticket_id)).state, (await desk.state(agent)).live_held) == ("paused", 0)
    await desk.writes(who="ann")
    item = await desk.item(ticket_id)
    assert (item.state, item.agent_id, (await desk.state(agent)).live_held) == ("assigned", agent, 25)
    assert await desk.broken() == {}


async def test_a_customer_who_comes_back_to_a_full_agent_goes_to_the_front_of_the_queue(db: Database):
    desk = await Desk.open(db)
    agent, ticket_id = await _chat_in_hand(desk)
    await _answers(desk, ticket_id, agent)
    await desk.do(handling.pause, ticket_id, agent)
    for _ in range(4):
        await desk.writes()
    await desk.decide()
    await desk.writes(who="ann")
    item = await desk.item(ticket_id)
    assert (item.state, item.credit) == ("queued", 3600)
    assert (await desk.state(agent)).live_held == 100
    assert await desk.broken() == {}


@pytest.mark.parametrize("status", [Status.PENDING, Status.ON_HOLD, Status.RESOLVED])
async def test_deferred_work_completes_when_nobody_has_to_act(sqlite_db: Database, status: Status):
    desk = await Desk.open(sqlite_db)
    agent = await desk.agent()
    mail = await desk.writes(Channel.EMAIL)
    await desk.decide()
    await desk.do(lifecycle.set_status, mail.ticket_id, status, user_id=agent, hold_reason="the carrier")
    assert (await desk.item(mail.ticket_id)).state == "completed"
    assert (await desk.state(agent)).deferred_held == 0
    assert (await desk.ticket(mail.ticket_id)).assignee_id == agent


async def test_when_the_customer_writes_again_the_owner_is_first(db: Database):
    desk = await Desk.open(db)
    owner, _ = await desk.agent(), await desk.agent()
    sms = await desk.writes(Channel.SMS, who="+4930111")
    await desk.decide()
    owner = (await desk.item(sms.ticket_id)).agent_id
    await desk.do(lifecycle.set_status, sms.ticket_id, Status.PENDING, user_id=owner)
    await desk.writes(Channel.SMS, who="+4930111")
    await desk.decide()
    assert (await desk.item(sms.ticket_id)).agent_id == owner
    assert await desk.broken() == {}


async def test_an_owner_who_is_offline_is_not_waited_for(sqlite_db: Database):
    desk = await Desk.open(sqlite_db)
    owner = await desk.agent()
    sms = await desk.writes(Channel.SMS, who="+4930112")
    await desk.decide()
    await desk.do(lifecycle.set_status, sms.ticket_id, Status.PENDING, user_id=owner)
    await desk.do(presence.set_presence, owner, Presence.OFFLINE)
    colleague = await desk.agent()
    await desk.writes(Channel.SMS, who="+4930112")
    await desk.decide()
    assert (await desk.item(sms.ticket_id)).agent_id == colleague


async def test_whoever_answers_waiting_work_has_taken_it(db: Database):
    desk = await Desk.open(db)
    agent = await desk.agent(here=False)
    mail = await desk.writes(Channel.EMAIL)
    await _answers(desk, mail.ticket_id, agent)
    item = await desk.item(mail.ticket_id)
    assert (item.state, item.agent_id) == ("assigned", agent)
    assert (await desk.ticket(mail.ticket_id)).assignee_id == agent


async def test_an_answer_takes_work_that_a_message_made_in_the_same_batch(db: Database):
    desk = await Desk.open(db)
    agent = await desk.agent(here=False)
    sms = await desk.writes(Channel.SMS, who="+4930113")
    await desk.do(lifecycle.set_status, sms.ticket_id, Status.PENDING, user_id=agent)
    assert (await desk.item(sms.ticket_id)).state == "canceled"
    await db.write(intake.receive, inbound(desk.accounts[Channel.SMS], sender="+4930113"), now=desk.now)
    await _answers(desk, sms.ticket_id, agent)
    item = await desk.item(sms.ticket_id)
    assert (item.state, item.agent_id) == ("assigned", agent)


async def test_taking_may_exceed_the_pool_and_a_queue_may_forbid_it(sqlite_db: Database):
    desk = await Desk.open(sqlite_db)
    agent = await desk.agent(deferred=10)
    mails = [await desk.writes(Channel.EMAIL) for _ in range(3)]
    for mail in mails:
        await desk.do(handling.take, mail.ticket_id, agent)
    assert (await desk.state(agent)).deferred_held == 30


async def test_a_queue_may_forbid_to_pick_its_work(sqlite_db: Database):
    desk = await Desk.open(sqlite_db, pull=False)
    agent = await desk.agent()
    mail = await desk.writes(Channel.EMAIL)
    with pytest.raises(Conflict, match="cannot be picked"):
        await desk.do(handling.take, mail.ticket_id, agent)


async def test_a_supervisor_assigns_over_an_open_offer(db: Database):
    desk = await Desk.open(db)
    asked = await desk.agent()
    chat = await desk.writes()
    await desk.decide()
    chosen, boss = await desk.agent(), await desk.agent(here=False)
    await desk.do(handling.assign, chat.ticket_id, chosen, by_user_id=boss)
    assert (await desk.offer(chat.ticket_id)).state == "rescinded"
    assert (await desk.item(chat.ticket_id)).agent_id == chosen
    assert ((await desk.state(asked)).live_held, (await desk.state(chosen)).live_held) == (0, 25)
    assert await desk.broken() == {}


async def test_requeued_work_keeps_its_age(sqlite_db: Database):
    desk = await Desk.open(sqlite_db)
    agent, ticket_id = await _chat_in_hand(desk)
    before = await desk.item(ticket_id)
    await desk.passes(seconds=9)
    await desk.do(handling.requeue, ticket_id, by_user_id=agent)
    after = await desk.item(ticket_id)
    assert (after.state, after.enqueued_at) == ("queued", before.enqueued_at)
    assert (await desk.state(agent)).live_held == 0


async def test_a_ticket_resolved_while_it_waits_leaves_the_queue(sqlite_db: Database):
    desk = await Desk.open(sqlite_db)
    mail = await desk.writes(Channel.EMAIL)
    await desk.do(lifecycle.resolve, mail.ticket_id, user_id=None)
    assert (await desk.item(mail.ticket_id)).state == "canceled"
    assert await desk.broken() == {}


async def test_a_customer_who_writes_during_wrap_up_is_not_forgotten(sqlite_db: Database):
    desk = await Desk.open(sqlite_db)
    agent, ticket_id = await _chat_in_hand(desk)
    await _answers(desk, ticket_id, agent)
    await desk.do(handling.end, ticket_id)
    await desk.writes(who="ann")
    await desk.do(handling.finish, ticket_id, agent)
    item = await desk.item(ticket_id)
    assert (item.state, item.preferred_id) == ("queued", agent)


async def test_the_priority_of_a_ticket_is_the_priority_of_its_work(sqlite_db: Database):
    desk = await Desk.open(sqlite_db)
    mail = await desk.writes(Channel.EMAIL)
    await desk.do(lifecycle.set_fields, mail.ticket_id, user_id=None, priority=lifecycle.Priority.URGENT)
    assert (await desk.item(mail.ticket_id)).priority == "urgent"


async def test_a_waiting_ticket_that_is_put_into_another_queue_waits_there_with_its_age(db: Database):
    desk = await Desk.open(db)
    other = await db.write(make_queue)
    specialist = await desk.agent(queues=(other,))
    mail = await desk.writes(Channel.EMAIL)
    before = await desk.item(mail.ticket_id)
    await desk.passes(seconds=30)
    await desk.do(assignments.move_to_queue, mail.ticket_id, other)
    after = await desk.item(mail.ticket_id)
    assert (after.queue_id, after.enqueued_at, after.waiting_since) == (other, before.enqueued_at, desk.now)
    await desk.decide()
    assert (await desk.item(mail.ticket_id)).agent_id == specialist
    assert await desk.broken() == {}
