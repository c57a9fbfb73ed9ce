"""G1 and G4: from an inbound message to a durable row, in this very process."""

import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

from sqlalchemy import Connection, insert

from bench import desk, machine, postgres
from bench.stage import Bar, Scale, Slice, Stage, for_seconds, per_second
from contact_center.core.bus import open_bus
from contact_center.core.db import in_one, open_database
from contact_center.core.direct import Direct
from contact_center.core.secrets import Vault
from tickets import channel_accounts, intake, intake_postgres, queues
from tickets.customers import contacts
from tickets.inbound import Address, InboundMessage
from tickets.models import Ticket
from tickets.states import Channel, ContactKind

CONTACTS = 2_000
CLIENTS = 8
MANY = 32
NOW = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
KEY, AUTH_TOKEN = "bench-sms", "bench-auth-token"
SLOW_DISK = ('ALTER DATABASE "{name}" SET commit_delay = 1000', 'ALTER DATABASE "{name}" SET commit_siblings = 0')

_sequence = itertools.count(1)


def number(contact: int) -> str:
    """The phone number of the n-th contact, as the pgbench script spells it."""
    return f"+1555{contact:07d}"


def next_sender() -> tuple[int, str]:
    """The next message's number and sender; contacts in turn, so that neighbours do not meet on one row."""
    n = next(_sequence)
    return n, number(n * 7919 % CONTACTS + 1)


def fill(tx: Connection, vault: Vault) -> int:
    """One SMS account and contacts with an open ticket each; returns the account's id."""
    queue = queues.create(tx, "Bench", now=NOW)
    account = channel_accounts.create(
        tx,
        vault,
        channel=Channel.SMS,
        name="bench",
        address="+15550000000",
        queue_id=queue,
        secrets={"auth_token": AUTH_TOKEN},
        key=KEY,
        now=NOW,
    )
    for contact in range(1, CONTACTS + 1):
        known = contacts.find_or_create(tx, Address(ContactKind.PHONE, number(contact)), now=NOW)
        values = {
            "subject": "Bench",
            "status": "open",
            "channel": "sms",
            "channel_account_id": account,
            "thread_key": number(contact),
            "queue_id": queue,
            "customer_id": known.customer_id,
            "contact_point_id": known.contact_point_id,
            "created_at": NOW,
            "updated_at": NOW,
        }
        tx.execute(insert(Ticket), values)
    return account


def message(account: int) -> InboundMessage:
    """The next inbound SMS."""
    n, sender = next_sender()
    return InboundMessage(
        channel=Channel.SMS,
        account_id=account,
        external_id=f"SM{n:032d}",
        sender=Address(ContactKind.PHONE, sender),
        text="Where is my order?",
        thread_key=sender,
    )


@asynccontextmanager
async def filled(pool: int) -> AsyncIterator[tuple[desk.Desk, int]]:
    """An installation with contacts and tickets, analysed; and the account's id."""
    async with desk.on_postgres(pool=pool) as found:
        account = await found.db.write(fill, found.vault)
        await postgres.settle(found.name)
        yield found, account


@asynccontextmanager
async def g1(scale: Scale) -> AsyncIterator[Stage]:
    """Intake call to durable, one process, 8 connections, against pgbench with the same statements."""
    async with filled(CLIENTS) as (found, account):

        async def one() -> None:
            await found.db.write(intake.receive, message(account), now=NOW)

        async def subject(seconds: float) -> Slice:
            before, cpu = await postgres.count(found.name, "messages"), machine.own_seconds()
            took = await for_seconds(seconds, CLIENTS, one)
            cpu = machine.own_seconds() - cpu
            return Slice(await postgres.count(found.name, "messages") - before, took, cpu)

        async def limit(seconds: float) -> Slice:
            return await postgres.pgbench(
                found.name, postgres.INTAKE_SCRIPT, clients=CLIENTS, seconds=seconds, contacts=CONTACTS
            )

        bar = Bar("intake call to durable row, 8 connections", per_second, first=0.40, goal=0.75, unit="/s")
        yield Stage("G1", limit, subject, [bar])


@asynccontextmanager
async def g4(scale: Scale) -> AsyncIterator[Stage]:
    """The same intake with its events and pokes, against the same without them: 32 connections, 1 ms flush."""
    async with filled(MANY) as (found, account):
        await postgres.execute(postgres.SERVER, *(statement.format(name=found.name) for statement in SLOW_DISK))
        # Connections opened from here on have the slow disk.
        loud, silent = (open_database(postgres.url(found.name), pool=MANY) for _ in range(2))
        bus = open_bus(desk.REDIS_URL)
        await bus.start()
        loud.after_commit = bus.publish

        statement = Direct(intake_postgres.APPEND_WITHOUT_EVENTS)

        def append(tx: Connection, inbound: InboundMessage) -> bool | None:
            return statement.first(tx, intake_postgres.parameters_of(inbound, now=NOW)) is not None or None

        @in_one(append)
        def bare_receive(tx: Connection, inbound: InboundMessage) -> bool:
            raise SystemExit("bench: the statement without events did not take the message")

        async def with_events() -> None:
            await loud.write(intake.receive, message(account), now=NOW)

        async def bare() -> None:
            await silent.write(bare_receive, message(account))

        async def side(seconds: float, one: object) -> Slice:
            before, cpu = await postgres.count(found.name, "messages"), machine.own_seconds()
            took = await for_seconds(seconds, MANY, one)  # type: ignore[arg-type]
            cpu = machine.own_seconds() - cpu
            return Slice(await postgres.count(found.name, "messages") - before, took, cpu)

        async def subject(seconds: float) -> Slice:
            return await side(seconds, with_events)

        async def limit(seconds: float) -> Slice:
            return await side(seconds, bare)

        bar = Bar("intake with events against without, 1 ms flush", per_second, first=0.85, goal=0.95, unit="/s")
        try:
            yield Stage("G4", limit, subject, [bar])
        finally:
            await loud.close()
            await silent.close()
            await bus.stop()


STAGES = {"G1": g1, "G4": g4}
