"""Fixtures for edges: the whole web process against a stand-in carrier."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.channels.desk import Desk, open_desk


@pytest.fixture
async def desk(database_url: str, tmp_path: Path) -> AsyncIterator[Desk]:
    """Our web process, on SQLite and PostgreSQL in turn."""
    async with open_desk(database_url, tmp_path) as found:
        yield found


@pytest.fixture
async def sqlite_desk(sqlite_url: str, tmp_path: Path) -> AsyncIterator[Desk]:
    """Our web process on SQLite, where the kind of database does not matter."""
    async with open_desk(sqlite_url, tmp_path) as found:
        yield found
