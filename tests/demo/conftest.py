"""The served demo, and a small one that was seeded, for the tests of this folder."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from contact_center.core.settings import Settings
from tests.demo import small
from tests.demo.phone_stage import Stage, open_stage
from tests.demo.served import Served, served

pytest.register_assert_rewrite("tests.demo.books")


@pytest.fixture
async def demo(sqlite_url: str, tmp_path: Path) -> AsyncIterator[Served]:
    async with served(sqlite_url, tmp_path) as running:
        yield running


@pytest.fixture
async def stage(sqlite_url: str, tmp_path: Path) -> AsyncIterator[Stage]:
    async with open_stage(sqlite_url, tmp_path) as opened:
        yield opened


@pytest.fixture(scope="session")
def seeded(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a demo that was seeded at NOW; nobody changes anything in it."""
    folder = tmp_path_factory.mktemp("seeded")
    small.fill(sqlite_template, folder)
    return folder


@pytest.fixture
def small_demo(seeded: Path, tmp_path: Path) -> Settings:
    """A demo of its own, just seeded."""
    return small.copy(seeded, tmp_path / "demo")
