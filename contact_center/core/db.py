"""The database: `write` and `read` run a sync function in one transaction, on SQLite and PostgreSQL alike.

PostgreSQL: the function and all that belongs to its connection run in one greenlet (through AsyncConnection, which
makes three and a task, a single statement costs nearly twice as much). SQLite: writes run whole in one
writer thread (BEGIN IMMEDIATE, synchronous=FULL), reads in threads beside it. Figures: docs/decisions/0001.
"""

import asyncio
import contextlib
import json
import sqlite3
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar

import asyncpg
import orjson
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.util import greenlet_spawn

from contact_center.core.bus import Poke
from contact_center.core.schema import clean_json

T = TypeVar("T")
P = ParamSpec("P")
type_ = type

POKES = "pokes"
READERS = 3
# Connections in each of a process's pools: two web processes and two workers stay below PostgreSQL's usual hundred.
POOL = 6
# PostgreSQL: serialization failure and deadlock; both mean "run it again", the work was rolled back.
RETRYABLE_STATES = {"40001", "40P01"}
# What the driver itself says when the server is gone; SQLAlchemy puts the same into words of its own.
LOST = (asyncpg.PostgresConnectionError, asyncpg.InterfaceError, asyncpg.OperatorInterventionError, OSError)
ATTEMPTS = 4

AfterCommit = Callable[[list[Poke]], None]


def to_json(value: Any) -> str:
    """JSON text; what only the slower serialiser takes (numbers over 64 bits, other keys than text) is left to it."""
    try:
        return orjson.dumps(value).decode()
    except orjson.JSONEncodeError:
        return json.dumps(clean_json(value))


# Every event and every record of routing is JSON.
JSON: Mapping[str, Any] = {"json_serializer": to_json, "json_deserializer": orjson.loads}


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


_SHORTER: dict[Callable[..., Any], Callable[..., Any]] = {}


def in_one(shorter: Callable[..., T | None]) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """Decorates a use case with a shorter way to do the same: one writing statement, or None and nothing written.

    A statement is whole by itself, so PostgreSQL runs it without a transaction's two additional round trips.
    """

    def register(use_case: Callable[P, T]) -> Callable[P, T]:
        _SHORTER[use_case] = shorter
        return use_case

    return register


def collect(tx: Connection, poke: Poke) -> None:
    """Remember a poke until the transaction has committed."""
    tx.info.setdefault(POKES, []).append(poke)


def take_pokes(tx: Connection) -> list[Poke]:
    """The pokes collected since the transaction began; the connection forgets them."""
    pokes: list[Poke] = tx.info.pop(POKES, [])
    return pokes


def open_database(url: str, *, pool: int = POOL) -> Database:
    """Open what `Settings.database` names; nothing is created but a missing SQLite file."""
    if url.startswith("sqlite"):
        return SqliteDatabase(url)
    return PostgresDatabase(url, pool=pool)


class PostgresDatabase:
    """PostgreSQL through asyncpg; per process a pool for transactions, one for single statements, one for reading.

    Pools do not overflow: opening a connection costs more than waiting for one. Statements of a read are on their own:
    each sees what is committed when it begins, as in a transaction at PostgreSQL's default level, without its two
    additional round trips; that they write nothing is a setting of their connections.
    """

    dialect = "postgresql"

    def __init__(self, url: str, *, pool: int = POOL) -> None:
        engine = partial(create_async_engine, url, pool_size=pool, max_overflow=0, **JSON)
        self.engine: AsyncEngine = engine()
        self.alone: AsyncEngine = engine(isolation_level="AUTOCOMMIT")
        read_only = {"server_settings": {"default_transaction_read_only": "on"}}
        self.readers: AsyncEngine = engine(isolation_level="AUTOCOMMIT", connect_args=read_only)
        self.after_commit: AfterCommit = lambda pokes: None

    async def write(self, use_case: Callable[Concatenate[Connection, ...], T], /, *args: Any, **kwargs: Any) -> T:
        if (shorter := _SHORTER.get(use_case)) is not None:
            found: T | None = await self._in_one(shorter, args, kwargs)
            if found is not None:
                return found
        for attempt in range(ATTEMPTS):
            try:
                done: tuple[T, list[Poke]] = await greenlet_spawn(
                    _whole, self.engine.sync_engine, use_case, args, kwargs
                )
            except DBAPIError as error:
                if attempt + 1 == ATTEMPTS or not _is_retryable(error):
                    raise
                continue
            result, pokes = done
            if pokes:
                self.after_commit(pokes)
            return result
        raise AssertionError("unreachable")

    async def _in_one(self, shorter: Callable[..., T | None], args: Any, kwargs: Any) -> T | None:
        """What the shorter way gives; None when the use case itself has to do it."""
        try:
            result, pokes = await greenlet_spawn(_alone, self.alone.sync_engine, shorter, args, kwargs)
        except (DBAPIError, asyncpg.PostgresError) as error:
            if not _is_retryable(error):
                raise
            return None
        if result is not None and pokes:
            self.after_commit(pokes)
        return result

    async def read(self, query: Callable[Concatenate[Connection, ...], T], /, *args: Any, **kwargs: Any) -> T:
        for attempt in range(ATTEMPTS):
            try:
                found: T = await greenlet_spawn(_look, self.readers.sync_engine, query, args, kwargs)
                return found
            except DBAPIError as error:
                # A server that restarted leaves dead connections in the pool; a read may simply run again.
                if attempt + 1 == ATTEMPTS or not error.connection_invalidated:
                    raise
        raise AssertionError("unreachable")

    async def close(self) -> None:
        for engine in (self.engine, self.alone, self.readers):
            await engine.dispose()


def _whole(engine: Engine, use_case: Callable[..., T], args: Any, kwargs: Any) -> tuple[T, list[Poke]]:
    """What a use case gives, and its pokes, once its transaction has committed."""
    with engine.begin() as tx:
        tx.info.pop(POKES, None)
        result = use_case(tx, *args, **kwargs)
        pokes = take_pokes(tx)
    return result, pokes


def _alone(engine: Engine, shorter: Callable[..., T | None], args: Any, kwargs: Any) -> tuple[T | None, list[Poke]]:
    """The same for the shorter way; None when the server is gone."""
    with engine.connect() as tx:
        tx.info.pop(POKES, None)
        try:
            return shorter(tx, *args, **kwargs), take_pokes(tx)
        except LOST:
            tx.invalidate()
            return None, []


def _look(engine: Engine, query: Callable[..., T], args: Any, kwargs: Any) -> T:
    with engine.connect() as tx:
        return query(tx, *args, **kwargs)


def _is_retryable(error: DBAPIError | asyncpg.PostgresError) -> bool:
    cause = error.orig if isinstance(error, DBAPIError) else error
    return getattr(cause, "sqlstate", None) in RETRYABLE_STATES


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
    arguments = {"check_same_thread": False, "isolation_level": None, "timeout": 5}
    engine = create_engine(url, connect_args=arguments, **JSON)

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
