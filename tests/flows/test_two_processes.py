"""Production in small: the very commands of the compose services on real PostgreSQL and Redis, without containers.

Two web processes and two workers; the agent is on one web process, the customer on the other.
"""

import asyncio
import signal
import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, Row, select

from contact_center.accounts import users
from contact_center.accounts.permissions import Role
from contact_center.core.clock import utcnow
from contact_center.core.db import Database, open_database
from contact_center.core.secrets import Vault
from routing import profiles
from tests import databases
from tests.contracts.test_bus import REDIS_URL, require_redis
from tests.factories import make_queue
from tests.flows.people import Agent, Customer
from tests.flows.processes import Running, free_port, ready, run, start, working
from tickets import channel_accounts
from tickets.models import Message, Ticket
from tickets.numbers import number_of
from tickets.states import Channel

pytestmark = [pytest.mark.long, pytest.mark.postgres, pytest.mark.redis]
EMAIL, PASSWORD = "anna@shop.test", "correct horse battery"
SECRET = "flow-test-secret-flow-test-secret-0000"
WEBS = 2
WORKERS = 2


@dataclass
class Installation:
    """What runs, and how to reach it."""

    db: Database
    vault: Vault
    urls: list[str]
    webs: list[Running]
    workers: list[Running]
    settings: dict[str, str]
    folder: Path


@asynccontextmanager
async def installation(folder: Path) -> AsyncIterator[Installation]:
    """migrate, two web processes, two workers; everything is stopped at the end."""
    await require_redis()
    name = f"cc_flow_{uuid.uuid4().hex[:10]}"
    await databases.admin(f'CREATE DATABASE "{name}"')
    url = databases.POSTGRES_URL.rsplit("/", 1)[0] + f"/{name}"
    settings = {"database_url": url, "redis_url": REDIS_URL, "data_dir": str(folder), "secret_key": SECRET}
    code, printed = await run(["migrate"], folder=folder, **settings)
    assert code == 0, printed
    db = open_database(databases.url_of(name))
    found = Installation(db, Vault(SECRET), [], [], [], settings, folder)
    try:
        for _ in range(WEBS):
            port = str(free_port())
            found.urls.append(f"http://127.0.0.1:{port}")
            found.webs.append(await start(["serve", "--loops", "none"], folder=folder, port=port, **settings))
        for _ in range(WORKERS):
            found.workers.append(await start(["worker"], folder=folder, **settings))
        for address, web in zip(found.urls, found.webs, strict=True):
            await ready(address, web)
        for worker in found.workers:
            await working(worker)
        yield found
    finally:
        for process in (*found.webs, *found.workers):
            await process.stop()
        await db.close()
        await databases.admin(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


async def floor(found: Installation) -> int:
    """One queue, one chat widget, one agent who serves it; the agent's id."""

    def build(tx: Connection) -> int:
        now = utcnow()
        queue_id = make_queue(tx, "Orders")
        channel_accounts.create(
            tx,
            found.vault,
            channel=Channel.CHAT,
            name="Shop",
            address="shop",
            queue_id=queue_id,
            now=now,
            settings={"origins": ["*"]},
            key="shop",
        )
        user_id = users.create(tx, email=EMAIL, name="Anna", role=Role.AGENT, password=PASSWORD, now=now)
        profiles.set_row(tx, user_id, queue_id, now=now)
        return user_id

    return await found.db.write(build)


async def test_the_services_start_migrated_and_stop_cleanly(tmp_path: Path) -> None:
    async with installation(tmp_path) as found:
        codes = await asyncio.gather(*(process.stop() for process in (*found.webs, *found.workers)))
        stopped = [web.log.read_text().count("web.stopped") for web in found.webs]
    # uvicorn ends by the signal that it was asked with, after it has closed everything.
    assert codes == [-signal.SIGTERM] * WEBS + [0] * WORKERS
    assert stopped == [1] * WEBS


async def test_a_customer_on_one_process_is_answered_by_an_agent_on_the_other(tmp_path: Path) -> None:
    async with installation(tmp_path) as found:
        await floor(found)
        async with Agent(found.urls[0], EMAIL, PASSWORD) as agent, Customer(found.urls[1], "shop") as customer:
            await agent.post("/me/presence", state="available")
            await customer.says("Where is my order?")
            offer = await agent.sees(r"/offers/(\d+)/accept")
            await agent.post(offer.group(0))
            ticket = (await found.db.read(_tickets))[0]
            await agent.answers(number_of(ticket.id), "On its way!")
            answer = await customer.gets("message", text="On its way!")
            await agent.answers(number_of(ticket.id), "Have a nice day!", then="resolved")
            await customer.gets("ended")
        (ticket,) = await found.db.read(_tickets)
    assert answer["author"]["kind"] == "agent"
    assert (ticket.status, ticket.public_seq >= 3) == ("resolved", True)


async def test_killing_any_process_in_the_middle_loses_nothing(tmp_path: Path) -> None:
    async with installation(tmp_path) as found:
        await floor(found)
        async with Agent(found.urls[0], EMAIL, PASSWORD) as agent, Customer(found.urls[1], "shop") as customer:
            await agent.post("/me/presence", state="available")
            found.workers[0].kill()
            await customer.says("Where is my order?")
            offer = await agent.sees(r"/offers/(\d+)/accept")
            found.webs[1].kill()
            await agent.post(offer.group(0))
            (ticket,) = await found.db.read(_tickets)
            await agent.answers(number_of(ticket.id), "On its way!")
            await found.webs[1].stop()
            # The customer's browser finds another web process and says how far it has come.
            customer.url, customer.since = found.urls[0], 1
            customer.frames.clear()
            await customer.connect()
            hello = await customer.gets("hello")
            await customer.says("Thank you!")
        (ticket,) = await found.db.read(_tickets)
        texts = await found.db.read(_texts, ticket.id)
    assert [message["text"] for message in hello["messages"]] == ["On its way!"]
    assert texts == ["Where is my order?", "On its way!", "Thank you!"]


def _tickets(tx: Connection) -> Sequence[Row[Any]]:
    return tx.execute(select(Ticket.__table__)).all()


def _texts(tx: Connection, ticket_id: int) -> list[str]:
    said = Message.kind.in_(["inbound", "outbound"])
    return list(
        tx.execute(select(Message.text).where(Message.ticket_id == ticket_id, said).order_by(Message.seq)).scalars()
    )
