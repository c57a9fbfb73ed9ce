"""One Chromium for all, one floor or demo for a module of tests, and a clean browser in front of it for each test."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser

from tests.browser.agents import Desk
from tests.browser.chromium import chromium, require_chromium
from tests.browser.demo_stage import DemoStage, open_demo
from tests.browser.demo_visitor import Visitor, visiting
from tests.browser.floor import Floor, open_floor


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Every test here runs in the one loop in which Chromium was started: a start costs more than most tests."""
    for item in items:
        if Path(__file__).parent in item.path.parents and item.get_closest_marker("asyncio"):
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def one_chromium() -> AsyncIterator[Browser]:
    async with chromium() as started:
        yield started


@pytest_asyncio.fixture(loop_scope="session")
async def browser(one_chromium: Browser) -> AsyncIterator[Browser]:
    """A browser that remembers nothing of the tests before."""
    yield one_chromium
    for context in one_chromium.contexts:
        await context.close()


@pytest.fixture(scope="module")
def floor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Floor]:
    require_chromium()
    with open_floor(tmp_path_factory.mktemp("floor")) as opened:
        yield opened


@pytest_asyncio.fixture(loop_scope="session")
async def desk(floor: Floor, browser: Browser) -> AsyncIterator[Desk]:
    await asyncio.to_thread(floor.clear)
    opened = Desk(floor, browser)
    yield opened
    assert opened.problems == []


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DemoStage]:
    require_chromium()
    with open_demo(tmp_path_factory.mktemp("demo")) as opened:
        yield opened


@pytest_asyncio.fixture(loop_scope="session")
async def visitor(stage: DemoStage, browser: Browser) -> AsyncIterator[Visitor]:
    async with visiting(stage, browser) as person:
        yield person
