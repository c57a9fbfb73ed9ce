"""A PostgreSQL database for the bench, filled, and pgbench as the limit that runs beside us."""

import asyncio
import contextlib
import os
import re
import shutil
import tempfile
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from glob import glob
from pathlib import Path

import asyncpg

from bench import machine
from bench.stage import Slice
from contact_center import migrate

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
    """The name of a fresh database with the schema of the migrations; dropped at the end."""
    name = f"cc_bench_{uuid.uuid4().hex[:8]}"
    await execute(SERVER, f'CREATE DATABASE "{name}"')
    try:
        await migrate.run_postgres(url(name), migrate.upgrade)
        yield name
    finally:
        await execute(SERVER, f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


async def kept(name: str, contents: str, fill: Callable[[str], Awaitable[None]]) -> None:
    """A database that stays for the next run; it is made anew when its schema or its contents are other ones."""
    wanted = f"bench: revision {migrate.head()}, {contents}"
    connection = await asyncpg.connect(SERVER)
    try:
        found = await connection.fetchval(
            "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = $1", name
        )
    finally:
        await connection.close()
    if found == wanted:
        return
    await execute(SERVER, f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)', f'CREATE DATABASE "{name}"')
    await migrate.run_postgres(url(name), migrate.upgrade)
    await fill(name)
    await settle(name)
    await execute(SERVER, f"COMMENT ON DATABASE \"{name}\" IS '{wanted}'")


async def fill_fast(name: str, table: str, statements: str) -> None:
    """Run statements that fill a table without its indexes and the checks of its references, then index it."""
    connection = await asyncpg.connect(raw_url(name))
    try:
        rows = await connection.fetch(
            "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = $1 AND indexname NOT LIKE 'pk_%'", table
        )
        async with connection.transaction():
            await connection.execute("SET LOCAL session_replication_role = replica")
            await connection.execute("SET LOCAL maintenance_work_mem = '512MB'")
            for row in rows:
                await connection.execute(f'DROP INDEX "{row["indexname"]}"')
            await connection.execute(statements)
            for row in rows:
                await connection.execute(row["indexdef"])
    finally:
        await connection.close()


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


async def fetch(name: str, query: str) -> int:
    """One number out of a database: the work, counted from outside."""
    connection = await asyncpg.connect(raw_url(name))
    try:
        return int(await connection.fetchval(query))
    finally:
        await connection.close()


async def count(name: str, table: str) -> int:
    """How many rows a table has."""
    return await fetch(name, f"SELECT count(*) FROM {table}")


async def settle(name: str) -> None:
    """Statistics for the planner, and the WAL recycled, so that nobody's checkpoint falls into a slice."""
    await execute(raw_url(name), "VACUUM ANALYZE", "CHECKPOINT")


async def backends(name: str) -> list[int]:
    """The server's processes that work for a database; empty where the server is another machine."""
    connection = await asyncpg.connect(raw_url(name))
    try:
        rows = await connection.fetch(
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    finally:
        await connection.close()
    return [row["pid"] for row in rows]


def pgbench_path() -> str:
    """Where pgbench is; a clear error where it is not."""
    found = shutil.which("pgbench") or next(iter(sorted(glob("/usr/lib/postgresql/*/bin/pgbench"))), None)
    if found is None:
        raise SystemExit("bench: pgbench is not installed (Debian: apt install postgresql-contrib)")
    return found


async def pgbench(name: str, script: str, *, clients: int, seconds: float, **variables: int) -> Slice:
    """Run a script for whole seconds, at least one, with pgbench on the client's core."""
    whole = max(1, round(seconds))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "script.sql"
        path.write_text(script)
        defined = [part for key, value in variables.items() for part in ("-D", f"{key}={value}")]
        run = ["-n", "-M", "prepared", "-c", str(clients), "-j", "1", "-T", str(whole), "-f", str(path)]
        process = await asyncio.create_subprocess_exec(
            pgbench_path(),
            *run,
            *defined,
            raw_url(name),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        before = machine.children_seconds()
        out, errors = await process.communicate()
        cpu = machine.children_seconds() - before
    found = PROCESSED.search(out.decode())
    if process.returncode or found is None:
        raise SystemExit(f"bench: pgbench failed: {errors.decode()[-500:]}")
    return Slice(float(found.group(1)), float(whole), cpu)
