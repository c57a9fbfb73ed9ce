"""G1, G2, G4: from an inbound message to a durable row."""

import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime

from sqlalchemy import Connection, insert

from bench import postgres
from bench.stage import Stage, for_seconds
from contact_center.core.db import Database, open_database
from contact_center.core.secrets import Vault
from tickets import channel_accounts, intake, queues
from tickets.customers import contacts
from tickets.inbound import Address, InboundMessage
from tickets.models import Ticket
from tickets.states import Channel, ContactKind

CONTACTS = 2_000
CLIENTS = 8
NOW = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)


def number(contact: int) -> str:
    """The phone number of the n-th contact, as the pgbench script spells it."""
    return f"+1555{contact:07d}"


def fill(tx: Connection, vault: Vault) -> int:
    """One SMS account and contacts with an open ticket each; returns the account's id."""
    queue = queues.create(tx, "Bench", now=NOW)
    account = channel_accounts.create(
        tx, vault, channel=Channel.SMS, name="bench", address="+15550000000", queue_id=queue, now=NOW
    )
    for contact in range(1, CONTACTS + 1):
        known = contacts.find_or_create(tx, Address(ContactKind.PHONE, number(contact)), now=NOW)
        tx.execute(
            insert(Ticket),
            {
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
            },
        )
    return account


_sequence = itertools.count(1)


def message(account: int) -> InboundMessage:
    """The next inbound SMS; contacts in turn, so that neighbours do not meet on one row."""
    n = next(_sequence)
    sender = number(n * 7919 % CONTACTS + 1)
    return InboundMessage(
        channel=Channel.SMS,
        account_id=account,
        external_id=f"SM{n:032d}",
        sender=Address(ContactKind.PHONE, sender),
        text="Where is my order?",
        thread_key=sender,
    )


@asynccontextmanager
async def filled(pool: int) -> AsyncIterator[tuple[str, Database, int]]:
    """(database name, our database, account id) with tables filled and analysed."""
    async with postgres.database() as name:
        db = open_database(postgres.url(name), pool=pool)
        account = await db.write(fill, Vault("bench-" * 8))
        await postgres.execute(postgres.raw_url(name), "VACUUM ANALYZE")
        try:
            yield name, db, account
        finally:
            await db.close()


@asynccontextmanager
async def g1() -> AsyncIterator[Stage]:
    """Intake call to durable, one process, 8 connections, against pgbench with the same statements."""
    async with filled(CLIENTS) as (name, db, account):

        async def one() -> None:
            await db.write(intake.receive, message(account), now=NOW)

        async def subject(seconds: float) -> tuple[float, float]:
            before = await postgres.count(name, "messages")
            _, took = await for_seconds(seconds, CLIENTS, one)
            return await postgres.count(name, "messages") - before, took

        async def limit(seconds: float) -> tuple[float, float]:
            return await postgres.pgbench(
                name, postgres.INTAKE_SCRIPT, clients=CLIENTS, seconds=seconds, contacts=CONTACTS
            )

        yield Stage("G1", "intake call to durable row, 8 connections", limit, subject, bar=0.40, best=0.75)


@asynccontextmanager
async def g4() -> AsyncIterator[Stage]:
    """The same intake with events and pokes, against the same without them, 32 connections, 1 ms flush."""
    async with filled(32) as (name, db, account):
        slow = ('ALTER DATABASE "%s" SET commit_delay = 1000', 'ALTER DATABASE "%s" SET commit_siblings = 0')
        await postgres.execute(postgres.SERVER, *(statement % name for statement in slow))
        await db.close()
        slow_db = open_database(postgres.url(name), pool=32)
        without = WithoutEvents()

        async def with_events() -> None:
            await slow_db.write(intake.receive, message(account), now=NOW)

        async def bare() -> None:
            await slow_db.write(without.receive, message(account))

        async def subject(seconds: float) -> tuple[float, float]:
            return await for_seconds(seconds, 32, with_events)

        async def limit(seconds: float) -> tuple[float, float]:
            return await for_seconds(seconds, 32, bare)

        try:
            yield Stage("G4", "intake with events against without, 1 ms flush", limit, subject, bar=0.85, best=0.95)
        finally:
            await slow_db.close()


class WithoutEvents:
    """The hot statement with its event rows cut out, and no pokes."""

    def __init__(self) -> None:
        from tickets import intake_postgres  # noqa: PLC0415 - the bench takes the statement apart

        self.module = intake_postgres
        source = intake_postgres.APPEND.text
        start, end = source.index(", e AS ("), source.index("\nSELECT t.id, t.seq")
        self.statement = intake_postgres.APPEND.__class__(source[:start] + source[end:]).bindparams(
            *(bind for bind in intake_postgres.APPEND._bindparams.values() if bind.key != "nothing")
        )

    def receive(self, tx: Connection, inbound: InboundMessage) -> None:
        tx.execute(self.statement, self.module._parameters(replace(inbound), now=NOW)).one()


STAGES = [g1, g4]
