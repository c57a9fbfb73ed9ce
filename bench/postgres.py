"""A PostgreSQL database for the bench, filled, and pgbench as the limit that runs beside us."""

import asyncio
import contextlib
import os
import re
import shutil
import tempfile
import uuid
from collections.abc import AsyncIterator
from glob import glob
from pathlib import Path

import asyncpg
from sqlalchemy.ext.asyncio import create_async_engine

from contact_center.tables import METADATA

SERVER = os.environ.get("TEST_POSTGRES_URL", "postgresql://root@127.0.0.1:5432/postgres")
PROCESSED = re.compile(r"transactions actually processed: (\d+)")

# The same five statements and tables as an intake on the hot path, as a hand-written script would send them.
INTAKE_SCRIPT = """
\\set contact random(1, :contacts)
BEGIN;
INSERT INTO journal (channel, channel_account_id, external_id, state, sender, summary, attempts, received_at)
  VALUES ('sms', 1, gen_random_uuid()::text, 'accepted', :contact, 'hello', 1, now());
SELECT id, customer_id FROM contact_points WHERE kind = 'phone' AND value = '+1555' || lpad(:contact::text, 7, '0');
UPDATE tickets SET seq = seq + 1, public_seq = public_seq + 1, updated_at = now(), last_inbound_at = now()
  WHERE channel_account_id = 1 AND thread_key = '+1555' || lpad(:contact::text, 7, '0')
    AND thread_key IS NOT NULL AND status NOT IN ('resolved', 'closed') RETURNING id, seq \\gset
INSERT INTO messages (ticket_id, seq, public_seq, kind, channel, channel_account_id, author_kind, contact_point_id,
                      subject, text, quoted, external_id, automatic, meta, created_at)
  VALUES (:id, :seq, :seq, 'inbound', 'sms', 1, 'customer', :contact, '', 'Where is my order?', '',
          gen_random_uuid()::text, false, '{}', now());
INSERT INTO events (name, version, payload, topics, created_at)
  VALUES ('message.created', 1, '{"ticket_id": 1}', '["ticket:1", "lists", "queue:1"]', now());
COMMIT;
"""


@contextlib.asynccontextmanager
async def database() -> AsyncIterator[str]:
    """The name of a fresh database with all tables; dropped at the end."""
    name = f"cc_bench_{uuid.uuid4().hex[:8]}"
    await execute(SERVER, f'CREATE DATABASE "{name}"')
    try:
        engine = create_async_engine(url(name))
        async with engine.begin() as connection:
            await connection.run_sync(METADATA.create_all)
        await engine.dispose()
        yield name
    finally:
        await execute(SERVER, f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


def url(name: str) -> str:
    """The URL that our code opens."""
    return raw_url(name).replace("postgresql://", "postgresql+asyncpg://")


def raw_url(name: str) -> str:
    """The URL that asyncpg and pgbench open."""
    return SERVER.rsplit("/", 1)[0] + f"/{name}"


async def execute(server: str, *statements: str) -> None:
    """Run statements outside a transaction."""
    connection = await asyncpg.connect(server)
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()


async def count(name: str, table: str) -> int:
    """How many rows a table has: the work, counted from outside."""
    connection = await asyncpg.connect(raw_url(name))
    try:
        return int(await connection.fetchval(f"SELECT count(*) FROM {table}"))
    finally:
        await connection.close()


def pgbench_path() -> str:
    """Where pgbench is; a clear error where it is not."""
    found = shutil.which("pgbench") or next(iter(sorted(glob("/usr/lib/postgresql/*/bin/pgbench"))), None)
    if found is None:
        raise SystemExit("bench: pgbench is not installed (Debian: apt install postgresql-contrib)")
    return found


async def pgbench(name: str, script: str, *, clients: int, seconds: float, **variables: int) -> tuple[float, float]:
    """Run a script for some seconds; (transactions, seconds)."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "script.sql"
        path.write_text(script)
        defined = [part for key, value in variables.items() for part in ("-D", f"{key}={value}")]
        whole = max(1, round(seconds))
        process = await asyncio.create_subprocess_exec(
            pgbench_path(),
            "-n",
            "-M",
            "prepared",
            "-c",
            str(clients),
            "-j",
            "1",
            "-T",
            str(whole),
            "-f",
            str(path),
            *defined,
            raw_url(name),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        out, errors = await process.communicate()
    found = PROCESSED.search(out.decode())
    if process.returncode or found is None:
        raise SystemExit(f"bench: pgbench failed: {errors.decode()[-500:]}")
    return float(found.group(1)), float(whole)
