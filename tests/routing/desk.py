"""A small real floor for contract tests: a queue, agents, customers, an engine, and a clock that the test turns."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, select

from contact_center.core.db import Database
from contact_center.core.relay import relay_batch
from contact_center.wiring import HANDLERS
from routing import presence, profiles, timers, work
from routing.engine import Engine
from routing.invariants import violations
from routing.models import AgentState, Offer
from routing.states import Presence
from tests.conftest import NOW
from tests.factories import inbound, make_account, make_queue, make_user, unique
from tickets import intake
from tickets.inbound import Receipt
from tickets.models import Ticket
from tickets.states import Channel


@dataclass
class Desk:
    """Everything that a routing test does, in the desk's words."""

    db: Database
    queue_id: int
    accounts: dict[Channel, int]
    now: datetime = NOW
    engine: Engine = field(init=False)

    def __post_init__(self) -> None:
        self.engine = Engine(self.db)

    @classmethod
    async def open(cls, db: Database, **routing: Any) -> "Desk":
        def build(tx: Connection) -> tuple[int, dict[Channel, int]]:
            queue_id = make_queue(tx, routing=routing)
            channels = (Channel.CHAT, Channel.EMAIL, Channel.SMS, Channel.PHONE)
            return queue_id, {one: make_account(tx, one, queue_id=queue_id) for one in channels}

        queue_id, accounts = await db.write(build)
        return cls(db, queue_id, accounts)

    async def agent(self, *, queues: tuple[int, ...] = (), here: bool = True, **pools: int) -> int:
        def build(tx: Connection) -> int:
            user_id = make_user(tx)
            for queue_id in queues or (self.queue_id,):
                profiles.set_row(tx, user_id, queue_id, now=self.now)
            if pools:
                profiles.set_pools(tx, user_id, **pools, now=self.now)
            if here:
                presence.set_presence(tx, user_id, Presence.AVAILABLE, now=self.now)
            return user_id

        return await self.db.write(build)

    async def writes(self, channel: Channel = Channel.CHAT, *, who: str | None = None, **values: Any) -> Receipt:
        """A customer writes (the same `who` again continues), and the handlers run."""
        names = {Channel.EMAIL: "{}@example.test", Channel.CHAT: "{}", Channel.PHONE: "+4930{}", Channel.SMS: "+4930{}"}
        sender = who or names[channel].format(unique("" if channel in {Channel.SMS, Channel.PHONE} else "visitor"))
        message = inbound(self.accounts[channel], channel=channel, sender=sender, **values)
        receipt = await self.db.write(intake.receive, message, now=self.now)
        await self.relay()
        return receipt

    async def relay(self) -> None:
        while await self.db.write(relay_batch, HANDLERS, self.now):
            pass

    async def do(self, use_case: Any, *args: Any, **options: Any) -> Any:
        """Run a use case now, then the handlers of what it announced."""
        result = await self.db.write(use_case, *args, **options, now=self.now)
        await self.relay()
        return result

    async def decide(self) -> int:
        """Let the engine look at everything; how much it decided."""
        return await self.db.write(self.engine.decide_all, self.now)

    async def passes(self, **duration: float) -> None:
        """Time passes, second by second where something is due."""
        self.now += timedelta(**duration)
        while await self.db.write(timers.run_all, self.now):
            await self.relay()

    async def item(self, ticket_id: int) -> Row[Any]:
        return await self.db.read(_newest_item, ticket_id)

    async def offer(self, ticket_id: int) -> Row[Any] | None:
        """The newest offer of a ticket."""
        return await self.db.read(_newest_offer, ticket_id)

    async def offered_to(self, ticket_id: int) -> int | None:
        row = await self.offer(ticket_id)
        return row.agent_id if row is not None and row.state == "offered" else None

    async def state(self, user_id: int) -> Row[Any]:
        return await self.db.read(_state, user_id)

    async def ticket(self, ticket_id: int) -> Row[Any]:
        return await self.db.read(_ticket, ticket_id)

    async def broken(self, *, engine_runs: bool = True) -> dict[str, int]:
        """The invariants that do not hold; beside an engine that was killed agents may idle."""
        found = await self.db.read(violations, self.now)
        excused = set() if engine_runs else {"idle_beside_work"}
        return {name: count for name, count in found.items() if count and name not in excused}


def _newest_item(tx: Connection, ticket_id: int) -> Row[Any]:
    items = work.WorkItem.__table__
    return tx.execute(select(items).where(items.c.ticket_id == ticket_id).order_by(items.c.id.desc()).limit(1)).one()


def _newest_offer(tx: Connection, ticket_id: int) -> Row[Any] | None:
    table = Offer.__table__
    return tx.execute(select(table).where(table.c.ticket_id == ticket_id).order_by(table.c.id.desc()).limit(1)).first()


def _state(tx: Connection, user_id: int) -> Row[Any]:
    return tx.execute(select(AgentState.__table__).where(AgentState.user_id == user_id)).one()


def _ticket(tx: Connection, ticket_id: int) -> Row[Any]:
    return tx.execute(select(Ticket.__table__).where(Ticket.id == ticket_id)).one()
