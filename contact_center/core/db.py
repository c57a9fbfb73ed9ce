"""The database: `write` and `read` run a sync function in one transaction, on SQLite and PostgreSQL alike.

PostgreSQL: the function runs on an async connection through `run_sync`. SQLite: writes run whole in one
writer thread (BEGIN IMMEDIATE, synchronous=FULL), reads in threads beside it. Figures: docs/decisions/0001.
"""

import asyncio
import contextlib
import sqlite3
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Concatenate, Protocol, TypeVar

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from contact_center.core.bus import Poke

T = TypeVar("T")
type_ = type

POKES = "pokes"
READERS = 3
# PostgreSQL: serialization failure and deadlock; both mean "run it again", the work was rolled back.
RETRYABLE_STATES = {"40001", "40P01"}
ATTEMPTS = 4

AfterCommit = Callable[[list[Poke]], None]


class Database(Protocol):
    """What the rest of the code knows of a database."""

    dialect: str
    after_commit: AfterCommit

    async def write(self, use_case: Callable[Concatenate[Connection, ...], T], /, *args: Any, **kwargs: Any) -> T:
        """Run `use_case(tx, …)` in a read-write transaction, commit, then publish its pokes."""
        ...

    async def read(self, query: Callable[Concatenate[Connection, ...], T], /, *args: Any, **kwargs: Any) -> T:
        """Run `query(tx, …)` in a read-only transaction."""
        ...

    async def close(self) -> None:
        """Give every connection back; waits for what runs."""
        ...


def collect(tx: Connection, poke: Poke) -> None:
    """Remember a poke until the transaction has committed."""
    tx.info.setdefault(POKES, []).append(poke)


def take_pokes(tx: Connection) -> list[Poke]:
    """The pokes collected since the transaction began; the connection forgets them."""
    pokes: list[Poke] = tx.info.pop(POKES, [])
    return pokes


def open_database(url: str, *, pool: int = 10) -> Database:
    """Open what `Settings.database` names; nothing is created but a missing SQLite file."""
    if url.startswith("sqlite"):
        return SqliteDatabase(url)
    return PostgresDatabase(url, pool=pool)


class PostgresDatabase:
    """PostgreSQL through asyncpg; one pool per process."""

    dialect = "postgresql"

    def __init__(self, url: str, *, pool: int = 10) -> None:
        self.engine: AsyncEngine = create_async_engine(url, pool_size=pool, max_overflow=pool, pool_pre_ping=False)
        self.readers: AsyncEngine = self.engine.execution_options(postgresql_readonly=True)
        self.after_commit: AfterCommit = lambda pokes: None

    async def write(self, use_case: Callable[Concatenate[Connection, ...], T], /, *args: Any, **kwargs: Any) -> T:
        for attempt in range(ATTEMPTS):
            try:
                async with self.engine.begin() as connection:
                    connection.sync_connection.info.pop(POKES, None)  # type: ignore[union-attr]
                    result = await connection.run_sync(use_case, *args, **kwargs)
                    pokes = take_pokes(connection.sync_connection)  # type: ignore[arg-type]
            except DBAPIError as error:
                if attempt + 1 == ATTEMPTS or not _is_retryable(error):
                    raise
                continue
            if pokes:
                self.after_commit(pokes)
            return result
        raise AssertionError("unreachable")

    async def read(self, query: Callable[Concatenate[Connection, ...], T], /, *args: Any, **kwargs: Any) -> T:
        for attempt in range(ATTEMPTS):
            try:
                async with self.readers.begin() as connection:
                    return await connection.run_sync(query, *args, **kwargs)
            except DBAPIError as error:
                # A server that restarted leaves dead connections in the pool; a read may simply run again.
                if attempt + 1 == ATTEMPTS or not error.connection_invalidated:
                    raise
        raise AssertionError("unreachable")

    async def close(self) -> None:
        await self.engine.dispose()


def _is_retryable(error: DBAPIError) -> bool:
    return getattr(error.orig, "sqlstate", None) in RETRYABLE_STATES


class SqliteDatabase:
    """A SQLite file: one writer thread that owns its connection, a few reader threads."""

    dialect = "sqlite"

    def __init__(self, url: str) -> None:
        self.engine = sqlite_engine(url)
        self.after_commit: AfterCommit = lambda pokes: None
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="sqlite-writer")
        self._readers = ThreadPoolExecutor(READERS, thread_name_prefix="sqlite-reader")
        self._local = threading.local()
        self._opened: list[Connection] = []
        self._lock = threading.Lock()

    async def write(self, use_case: Callable[Concatenate[Connection, ...], T], /, *args: Any, **kwargs: Any) -> T:
        loop = asyncio.get_running_loop()
        work = loop.run_in_executor(self._writer, lambda: self._run(use_case, args, kwargs, write=True))
        # The writer finishes what it began, whoever waits: a cancelled request must still publish its pokes.
        result, pokes = await asyncio.shield(_publish_when_done(work, self._publish))
        del pokes
        return result

    async def read(self, query: Callable[Concatenate[Connection, ...], T], /, *args: Any, **kwargs: Any) -> T:
        loop = asyncio.get_running_loop()
        result, _ = await loop.run_in_executor(self._readers, lambda: self._run(query, args, kwargs, write=False))
        return result

    def _publish(self, pokes: list[Poke]) -> None:
        if pokes:
            self.after_commit(pokes)

    def _run(
        self, function: Callable[Concatenate[Connection, ...], T], args: Any, kwargs: Any, *, write: bool
    ) -> tuple[T, list[Poke]]:
        connection = self._connection(write=write)
        connection.info.pop(POKES, None)
        with connection.begin():
            result = function(connection, *args, **kwargs)
        return result, take_pokes(connection)

    def _connection(self, *, write: bool) -> Connection:
        connection: Connection | None = getattr(self._local, "connection", None)
        if connection is None or connection.closed or connection.invalidated:
            connection = self.engine.connect()
            if not write:
                connection = connection.execution_options(read_only=True)
            self._local.connection = connection
            with self._lock:
                self._opened.append(connection)
        return connection

    async def close(self) -> None:
        await asyncio.to_thread(self._close)

    def _close(self) -> None:
        self._writer.shutdown()
        self._readers.shutdown()
        for connection in self._opened:
            connection.close()
        self.engine.dispose()


async def _publish_when_done(work: asyncio.Future[tuple[T, list[Poke]]], publish: AfterCommit) -> tuple[T, list[Poke]]:
    result, pokes = await work
    publish(pokes)
    return result, pokes


def sqlite_engine(url: str, *, synchronous: str = "FULL") -> Engine:
    """A SQLite engine with our recipe: WAL, FULL, foreign keys, BEGIN IMMEDIATE unless `read_only`."""
    path = make_url(url).database
    if path and path != ":memory:":
        Path(path).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(url, connect_args={"check_same_thread": False, "isolation_level": None, "timeout": 5})

    @event.listens_for(engine, "connect")
    def prepare(connection: sqlite3.Connection, _record: object) -> None:
        for pragma in (
            "journal_mode=WAL",
            f"synchronous={synchronous}",
            "foreign_keys=ON",
            "busy_timeout=5000",
            "temp_store=MEMORY",
            "cache_size=-65536",
            "journal_size_limit=67108864",
        ):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        read_only = connection.get_execution_options().get("read_only")
        connection.exec_driver_sql("BEGIN" if read_only else "BEGIN IMMEDIATE")

    return engine


@contextlib.contextmanager
def one_shot(url: str) -> Iterator[Connection]:
    """A transaction of a sync SQLite program (tests, migrations); commits at the end."""
    engine = sqlite_engine(url)
    try:
        with engine.begin() as tx:
            yield tx
    finally:
        engine.dispose()


def is_busy(error: BaseException) -> bool:
    """Whether SQLite gave up waiting for another process's write."""
    return isinstance(error, OperationalError) and "locked" in str(error.orig)
