"""A process that works a whole floor until nothing is left: made to be killed at any moment.

    python -m tests.routing.floor_process DATABASE_URL

It relays, decides, accepts or declines what is offered and ends what is in hand, each in its own transaction, and
prints "done" when every work item has ended.
"""

import asyncio
import sys
from datetime import datetime, timedelta

from sqlalchemy import Connection, func, select

from contact_center.core.db import Database, open_database
from contact_center.core.events import EventRow
from contact_center.core.relay import relay_batch
from routing import handling, offers, placement, timers
from routing.engine import Engine
from routing.models import Offer, WorkItem
from routing.states import OPEN_STATES
from tickets.models import Ticket
from tickets.replies import Author, Reply, reply

# Routing's own part of wiring.HANDLERS: a process that starts fast can be killed often.
HANDLERS = {
    "ticket.created": [placement.on_ticket_created],
    "message.created": [placement.on_message_created],
    "ticket.resolved": [placement.on_status_changed],
    "ticket.closed": [placement.on_status_changed],
    "ticket.status_changed": [placement.on_status_changed],
}


def left(tx: Connection) -> tuple[list, list]:
    """Open offers and work in hand."""
    offered = tx.execute(select(Offer.id, Offer.agent_id).where(Offer.state == "offered")).all()
    in_hand = tx.execute(
        select(WorkItem.ticket_id, WorkItem.agent_id, WorkItem.state).where(
            WorkItem.state.in_(["assigned", "wrapping"])
        )
    ).all()
    return list(offered), list(in_hand)


def how_many_open(tx: Connection) -> int:
    states = [state.value for state in OPEN_STATES]
    items = tx.execute(select(WorkItem.id).where(WorkItem.state.in_(states))).all()
    without = tx.execute(select(Ticket.id).where(Ticket.id.not_in(select(WorkItem.ticket_id)))).all()
    return len(items) + len(without)


def last_moment(tx: Connection) -> datetime:
    """When the process before this one wrote last: time goes on from there, a second per round."""
    moment: datetime = tx.execute(select(func.max(EventRow.created_at))).scalar_one()
    return moment


async def work_the_floor(url: str) -> None:
    db = open_database(url)
    engine = Engine(db)
    now = await db.read(last_moment)
    print("started", flush=True)
    while await db.read(how_many_open):
        now += timedelta(seconds=1)
        await db.write(relay_batch, HANDLERS, now, 5)
        await db.write(engine.decide_all, now)
        await db.write(timers.run_all, now)
        offered, in_hand = await db.read(left)
        for offer_id, agent_id in offered[:3]:
            await answer_offer(db, offer_id, agent_id, now)
        for ticket_id, agent_id, state in in_hand[:3]:
            await work_on(db, ticket_id, agent_id, state, now)
    print("done", flush=True)
    await db.close()


async def answer_offer(db: Database, offer_id: int, agent_id: int, now: datetime) -> None:
    if offer_id % 5 == 0:
        await db.write(offers.decline, offer_id, agent_id, "busy", now=now)
    else:
        await db.write(offers.accept, offer_id, agent_id, now=now)


async def work_on(db: Database, ticket_id: int, agent_id: int, state: str, now: datetime) -> None:
    if state == "wrapping":
        await db.write(handling.finish, ticket_id, agent_id, now=now)
        return
    answer = Reply("Here you are.")
    await db.write(reply, ticket_id, answer, author=Author(agent_id, f"a{ticket_id}"), now=now)
    await db.write(handling.end, ticket_id, now=now)


if __name__ == "__main__":
    asyncio.run(work_the_floor(sys.argv[1]))
