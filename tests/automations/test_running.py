"""Rules in the relay: once on an event, in order, visible, never in a loop, never to robots, each by itself."""

from typing import Any

import pytest
from sqlalchemy import Connection, select, update

from contact_center.automations import actions, conditions, preview, rules, running
from contact_center.automations.actions import FOR_RULES
from contact_center.automations.rule_models import Rule, RuleFiring
from contact_center.automations.rules import Wanted
from contact_center.automations.running import Watch, merged
from contact_center.automations.triggers import Trigger
from contact_center.core.db import Database
from contact_center.core.events import EventRow
from contact_center.core.relay import Relay, relay_batch
from contact_center.wiring import HANDLERS, RULE_HANDLERS
from tests.agent_ui.console import statements
from tests.conftest import NOW
from tests.factories import inbound, make_queue, make_user, unique
from tests.routing.desk import Desk
from tickets import intake, lifecycle, replies, spam
from tickets.models import Message
from tickets.replies import Author, Reply
from tickets.states import Channel, Status

EVERYTHING = frozenset(Trigger)


class Floor(Desk):
    """A desk whose relay runs rules as well."""

    async def relay(self) -> None:
        handlers = merged(HANDLERS, RULE_HANDLERS, EVERYTHING)
        while await self.db.write(relay_batch, handlers, self.now):
            pass

    async def rule(self, trigger: Trigger, *does: tuple[str, str], on: bool = True, **asked: list[Any]) -> int:
        """A rule that is switched on; `every` and `some` are its conditions as (field, op, value)."""
        groups = {
            group: [dict(zip(("field", "op", "value", "name"), row, strict=False)) for row in rows]
            for group, rows in asked.items()
        }
        acts = actions.read([{"do": kind, "value": value} for kind, value in does], allowed=FOR_RULES)
        wanted = Wanted(unique("Rule "), trigger, conditions.read(groups), acts)

        def write(tx: Connection) -> int:
            by = make_user(tx)
            rule_id = rules.create(tx, wanted, user_id=by, now=NOW)
            if on:
                rules.switch(tx, rule_id, on=True, user_id=by, now=NOW)
            return rule_id

        return await self.db.write(write)

    async def timeline(self, ticket_id: int) -> list[Any]:
        def read(tx: Connection) -> list[Any]:
            return list(
                tx.execute(select(Message.__table__).where(Message.ticket_id == ticket_id).order_by(Message.seq))
            )

        return await self.db.read(read)

    async def names(self, ticket_id: int) -> list[str]:
        return [one.meta["name"] for one in await self.timeline(ticket_id) if one.kind == "event"]

    async def row(self, rule_id: int) -> Any:
        return await self.db.read(rules.access, rule_id)


@pytest.fixture
async def floor(db: Database) -> Floor:
    return await Floor.open(db)  # type: ignore[return-value]


async def test_a_rule_does_its_actions_and_the_timeline_says_why(floor: Floor) -> None:
    rule = await floor.rule(
        Trigger.TICKET_OPENED,
        ("priority", "high"),
        ("tag", "refund"),
        every=[("text", "contains", "hoan tien"), ("channel", "is", "email")],
    )
    other = await floor.writes(Channel.EMAIL, text="Xin chào, cảm ơn!")
    mail = await floor.writes(Channel.EMAIL, text="Cho tôi Hoàn tiền, cảm ơn!")
    assert await floor.names(other.ticket_id) == []
    assert await floor.names(mail.ticket_id) == ["priority_changed", "tags_changed", "rule_ran"]
    ran = (await floor.timeline(mail.ticket_id))[-1].meta
    assert ran["because"] == [["text", "contains", "hoan tien", ""], ["channel", "is", "email", ""]]
    # Work was placed where the rule had put it.
    assert (await floor.item(mail.ticket_id)).priority == "high"
    assert (await floor.row(rule)).fired == 1


async def test_rules_run_in_their_order_each_on_what_the_ones_before_it_left(floor: Floor) -> None:
    second = await floor.rule(Trigger.TICKET_OPENED, ("tag", "second"), every=[("tag", "is", "first")])
    first = await floor.rule(Trigger.TICKET_OPENED, ("tag", "first"))
    before = await floor.writes()
    assert (await floor.names(before.ticket_id)).count("rule_ran") == 1
    by = await floor.db.write(make_user)
    await floor.db.write(rules.move, first, up=True, user_id=by, now=NOW)
    after = await floor.writes()
    assert (await floor.names(after.ticket_id)).count("rule_ran") == 2
    assert [row.id for row in await floor.db.read(rules.listed)] == [first, second]


async def test_an_event_that_is_relayed_again_fires_nothing_again(floor: Floor) -> None:
    await floor.rule(Trigger.TICKET_OPENED, ("note", "Look at {{ticket.number}}"))
    chat = await floor.writes()

    def again(tx: Connection) -> None:
        tx.execute(update(EventRow).where(EventRow.name == "ticket.created").values(dispatched_at=None))

    await floor.db.write(again)
    await floor.relay()
    notes = [one.text for one in await floor.timeline(chat.ticket_id) if one.kind == "note"]
    assert notes == [f"Look at {chat.ticket_id + 99}"]


async def test_a_rules_own_changes_never_run_it_again_and_chains_end(floor: Floor) -> None:
    pending = await floor.rule(Trigger.STATUS_CHANGED, ("status", "pending"), every=[("status", "is", "open")])
    opened = await floor.rule(Trigger.STATUS_CHANGED, ("status", "open"), every=[("status", "is", "pending")])
    agent = await floor.agent(here=False)
    chat = await floor.writes(Channel.EMAIL)
    await floor.do(lifecycle.set_status, chat.ticket_id, Status.PENDING, user_id=agent)
    # The agent's change runs `opened`, whose change runs `pending`, whose change could run only what ran already.
    assert [(await floor.row(one)).fired for one in (pending, opened)] == [1, 1]
    assert (await floor.ticket(chat.ticket_id)).status == "pending"


async def test_what_fails_is_marked_and_stops_neither_the_others_nor_intake(floor: Floor) -> None:
    broken = await floor.rule(Trigger.TICKET_OPENED, ("tag", "lost"), ("assign", str(await floor.agent(here=False))))
    unreadable = await floor.rule(Trigger.TICKET_OPENED, ("tag", "x"))
    sound = await floor.rule(Trigger.TICKET_OPENED, ("tag", "kept"))

    def spoil(tx: Connection) -> None:
        tx.exec_driver_sql("UPDATE users SET active = false")
        tx.execute(update(Rule).where(Rule.id == unreadable).values(conditions={"every": [{"field": "gone"}]}))

    await floor.db.write(spoil)
    mail = await floor.writes(Channel.EMAIL)
    assert await floor.names(mail.ticket_id) == ["tags_changed", "rule_ran"]
    assert (await floor.row(broken)).error["message"] == "There is no such agent."
    assert "nothing that a condition" in (await floor.row(unreadable)).error["message"]
    assert (await floor.row(sound)).error is None
    assert (await floor.item(mail.ticket_id)).state == "queued"


async def test_a_rule_answers_people_once_they_wrote_and_never_robots(floor: Floor) -> None:
    await floor.rule(Trigger.TICKET_OPENED, ("reply", "Thank you, this is #{{ticket.number}}."))
    person = await floor.writes(Channel.EMAIL, meta={"answerable": True})
    robot = await floor.writes(Channel.EMAIL, meta={"answerable": False})
    away = await floor.writes(Channel.EMAIL, automated=True, meta={"answerable": True})
    for ticket, sent in ((person, 1), (robot, 0), (away, 0)):
        out = [one for one in await floor.timeline(ticket.ticket_id) if one.meta.get("purpose") == "rule"]
        assert len(out) == sent
    ran = (await floor.timeline(robot.ticket_id))[-1].meta
    assert ran["held"] == "the last message came from a robot or cannot be answered"
    await floor.rule(Trigger.CUSTOMER_WROTE, ("reply", "Dear {{customer.name}}"))
    await floor.writes(who="visitor-without-a-name", text="Hello")
    chat = await floor.writes(who="visitor-without-a-name", text="Hello?")
    assert (await floor.timeline(chat.ticket_id))[-1].meta["held"] == "a placeholder has no value in this conversation"


async def test_nobody_gets_many_automatic_messages_and_newsletters_are_left_alone(floor: Floor) -> None:
    rule = await floor.rule(Trigger.STATUS_CHANGED, ("reply", "It moves."))
    agent = await floor.agent(here=False)
    mail = await floor.writes(Channel.EMAIL, meta={"answerable": True})
    for status in (Status.PENDING, Status.OPEN) * 3:
        await floor.do(lifecycle.set_status, mail.ticket_id, status, user_id=agent)
    sent = [one for one in await floor.timeline(mail.ticket_id) if one.meta.get("purpose") == "rule"]
    assert len(sent) <= 3
    assert "several automatic messages" in (await floor.timeline(mail.ticket_id))[-1].meta["held"]
    before = (await floor.row(rule)).fired
    await floor.do(spam.mark, mail.ticket_id, user_id=agent)
    await floor.do(spam.unmark, mail.ticket_id, user_id=agent)
    assert (await floor.row(rule)).fired == before


async def test_messages_of_customers_and_agents_are_triggers_but_not_the_first_nor_robots(floor: Floor) -> None:
    wrote = await floor.rule(Trigger.CUSTOMER_WROTE, ("tag", "again"))
    answered = await floor.rule(Trigger.AGENT_WROTE, ("tag", "answered"), every=[("text", "contains", "yesterday")])
    agent = await floor.agent(here=False)
    chat = await floor.writes(who="visitor-with-a-long-name")
    assert (await floor.row(wrote)).fired == 0
    await floor.writes(who="visitor-with-a-long-name", text="Hello?")
    answer = Reply("It left yesterday.")
    await floor.do(replies.reply, chat.ticket_id, answer, author=Author(agent))
    await floor.do(replies.reply, chat.ticket_id, Reply("It left yesterday.", automatic=True), author=Author(None))
    assert [(await floor.row(one)).fired for one in (wrote, answered)] == [1, 1]


async def test_the_queue_a_rule_chooses_is_where_the_work_waits(floor: Floor) -> None:
    other = await floor.db.write(make_queue)
    await floor.rule(Trigger.TICKET_OPENED, ("queue", str(other)), some=[("subject", "contains", "invoice")])
    mail = await floor.writes(Channel.EMAIL, subject="My invoice")
    assert (await floor.ticket(mail.ticket_id)).queue_id == other
    assert (await floor.item(mail.ticket_id)).queue_id == other


async def test_a_preview_counts_what_would_have_matched_and_changes_nothing(floor: Floor) -> None:
    for text in ("a refund please", "hello", "REFUND"):
        await floor.writes(Channel.EMAIL, text=text)
    wanted = conditions.read({"every": [{"field": "text", "op": "contains", "value": "refund"}]})
    with statements() as cost:
        seen = await floor.db.read(preview.look, Trigger.TICKET_OPENED, wanted)
    assert len(cost) == 3
    assert (seen.looked_at, seen.matched) == (3, 2)
    assert [one.reasons[0].value for one in seen.shown] == ["refund", "refund"]
    for trigger in Trigger:
        found = await floor.db.read(preview.look, trigger, wanted)
        assert found.matched <= found.looked_at <= 3


async def test_without_rules_a_message_costs_not_one_statement_more(floor: Floor) -> None:
    await floor.rule(Trigger.RESOLVED, ("tag", "done"))
    await floor.rule(Trigger.CUSTOMER_WROTE, ("tag", "off"), on=False)
    watch = Watch(floor.db, HANDLERS, RULE_HANDLERS)
    handlers = await watch.look()
    assert handlers["message.created"] is HANDLERS["message.created"]
    assert handlers["ticket.created"] is HANDLERS["ticket.created"]
    assert list(handlers["ticket.resolved"]) == [running.on_event, *HANDLERS["ticket.resolved"]]
    nothing = merged(HANDLERS, RULE_HANDLERS, frozenset())
    assert nothing is HANDLERS


async def test_the_relay_finds_a_rule_that_was_switched_on(floor: Floor) -> None:
    relay = Relay(floor.db, HANDLERS, Watch(floor.db, HANDLERS, RULE_HANDLERS).look)
    await floor.rule(Trigger.TICKET_OPENED, ("tag", "seen"))
    message = inbound(floor.accounts[Channel.CHAT], channel=Channel.CHAT, sender="visitor-with-a-long-name")
    chat = await floor.db.write(intake.receive, message, now=NOW)
    while await relay.run_once():
        pass
    assert (await floor.names(chat.ticket_id)).count("rule_ran") == 1


async def test_what_rules_did_is_forgotten_after_a_month(floor: Floor) -> None:
    await floor.rule(Trigger.TICKET_OPENED, ("tag", "seen"))
    await floor.writes()

    def count(tx: Connection) -> int:
        return len(tx.execute(select(RuleFiring.id)).all())

    await floor.db.write(running.forget, floor.now + running.KEPT)
    assert await floor.db.read(count) == 1
    await floor.db.write(running.forget, floor.now + running.KEPT * 1.01)
    assert await floor.db.read(count) == 0
