"""A running console for the tests of this folder."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.agent_ui.console import Console, open_console


@pytest.fixture
async def console(sqlite_url: str, tmp_path: Path) -> AsyncIterator[Console]:
    async with open_console(sqlite_url, tmp_path) as opened:
        yield opened


@pytest.fixture
async def console_on_both(database_url: str, tmp_path: Path) -> AsyncIterator[Console]:
    """The same on SQLite and PostgreSQL in turn, for what touches SQL of its own."""
    async with open_console(database_url, tmp_path) as opened:
        yield opened
