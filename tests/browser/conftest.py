"""One floor or demo for a module of tests, and a browser in front of it for each test."""

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest

from tests.browser.agents import Desk
from tests.browser.chromium import chromium, require_chromium
from tests.browser.demo_stage import DemoStage, open_demo
from tests.browser.demo_visitor import Visitor, visiting
from tests.browser.floor import Floor, open_floor


@pytest.fixture(scope="module")
def floor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Floor]:
    require_chromium()
    with open_floor(tmp_path_factory.mktemp("floor")) as opened:
        yield opened


@pytest.fixture
async def desk(floor: Floor) -> AsyncIterator[Desk]:
    await asyncio.to_thread(floor.clear)
    async with chromium() as browser:
        opened = Desk(floor, browser)
        yield opened
    assert opened.problems == []


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DemoStage]:
    require_chromium()
    with open_demo(tmp_path_factory.mktemp("demo")) as opened:
        yield opened


@pytest.fixture
async def visitor(stage: DemoStage) -> AsyncIterator[Visitor]:
    async with visiting(stage) as person:
        yield person
