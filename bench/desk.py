"""Installations for the bench: a fresh migrated database, and the product's own processes on it."""

import contextlib
import os
import tempfile
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path

from bench import machine, postgres
from bench.processes import Server, product, started
from contact_center import migrate
from contact_center.core.db import Database, open_database
from contact_center.core.secrets import Vault

SECRET = "bench-only-secret-bench-only-secret-0000"
REDIS_URL = os.environ.get("TEST_REDIS_URL", "redis://127.0.0.1:6379/9")


@dataclass
class Desk:
    """One installation; `db` are the bench's own connections to its database."""

    folder: Path
    db: Database
    url: str
    name: str = ""  # of the PostgreSQL database
    redis: bool = True

    @property
    def vault(self) -> Vault:
        return Vault(SECRET)

    def web(
        self, *, loops: str = "none", core: int | None = machine.SERVER_CORE
    ) -> AbstractAsyncContextManager[Server]:
        """A web process; `loops="all"` is the whole product in one process."""
        port = machine.free_port()
        command, variables = product("serve", "--loops", loops), self._variables(port)
        return started(command, folder=self.folder, core=core, port=port, variables=variables)

    def worker(self) -> AbstractAsyncContextManager[Server]:
        """A worker process, on whichever core is free."""
        return started(
            product("worker"), folder=self.folder, core=None, ready="worker.started", variables=self._variables(0)
        )

    def _variables(self, port: int) -> dict[str, str]:
        found = {
            "DATABASE_URL": self.url,
            "DATA_DIR": str(self.folder),
            "SECRET_KEY": SECRET,
            # Visitors have many addresses: they come through a proxy, as in production.
            "TRUSTED_PROXIES": "127.0.0.1",
            **({"PORT": str(port)} if port else {}),
            **({"REDIS_URL": REDIS_URL} if self.redis else {}),
        }
        return {f"CONTACT_CENTER_{name}": value for name, value in found.items()}


@contextlib.asynccontextmanager
async def on_postgres(*, pool: int = 10) -> AsyncIterator[Desk]:
    """An installation on PostgreSQL and Redis, dropped at the end."""
    with tempfile.TemporaryDirectory(prefix="cc-bench-") as folder:
        async with postgres.database() as name:
            db = open_database(postgres.url(name), pool=pool)
            try:
                yield Desk(Path(folder), db, postgres.raw_url(name), name)
            finally:
                await db.close()


@contextlib.asynccontextmanager
async def on_sqlite() -> AsyncIterator[Desk]:
    """An installation in one SQLite file, without Redis."""
    with tempfile.TemporaryDirectory(prefix="cc-bench-") as folder:
        url = f"sqlite:///{Path(folder) / 'contact_center.db'}"
        migrate.run(url, migrate.upgrade)
        db = open_database(url)
        try:
            yield Desk(Path(folder), db, url, redis=False)
        finally:
            await db.close()
