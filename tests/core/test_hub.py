"""The hub: who gets what, what comes first, and what a failing renderer costs."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence

import pytest

from contact_center.core.bus import Poke
from contact_center.core.hub import Hub
from contact_center.core.sockets import RESYNC_CODE, Frame, Socket


class Browser:
    """Keeps what it gets."""

    def __init__(self) -> None:
        self.got: list[str] = []
        self.closed = 0

    async def send_text(self, data: str) -> None:
        self.got.append(data)

    async def close(self, code: int = 1000, reason: str | None = None) -> None:
        self.closed = code


class Floor:
    """A running hub whose renderers tell what they were asked; `gate` holds the renderers of `slow` topics."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, list[str]]] = []
        self.gate = asyncio.Event()
        self.heads = 0
        kinds = {"ticket": self.render, "list": self.render, "slow": self.render_slowly, "bad": self.fail}
        self.hub = Hub(kinds)

    async def render(self, topic: str, pokes: Sequence[Poke], variants: set[str]) -> Mapping[str, Sequence[Frame]]:
        self.asked.append((topic, [str(poke.data.get("event")) for poke in pokes]))
        return {variant: [f"{topic} for {variant}".encode()] for variant in variants}

    async def render_slowly(self, topic: str, pokes: Sequence[Poke], variants: set[str]) -> Mapping[str, list[Frame]]:
        await self.gate.wait()
        return {}

    async def render_slowly_then_show(
        self, topic: str, pokes: Sequence[Poke], variants: set[str]
    ) -> Mapping[str, list[Frame]]:
        self.heads += 1
        made: list[Frame] = [f"head {self.heads}".encode()]
        await self.gate.wait()
        return dict.fromkeys(variants, made)

    async def fail(self, topic: str, pokes: Sequence[Poke], variants: set[str]) -> Mapping[str, list[Frame]]:
        raise ValueError(topic)

    def look(self, topic: str, variant: str = "en:agent") -> Browser:
        browser = Browser()
        self.hub.join(Socket(browser, variant=variant), topic)
        return browser

    def poke(self, topic: str, event: str = "changed") -> None:
        self.hub.poke([Poke(topic, {"event": event})])


async def settled() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


@pytest.fixture
async def floor() -> AsyncIterator[Floor]:
    floor = Floor()
    floor.hub.start()
    yield floor
    await floor.hub.stop()


async def test_each_variant_is_made_once_and_goes_to_all_of_its_sockets(floor: Floor) -> None:
    browsers = [floor.look("ticket:1"), floor.look("ticket:1"), floor.look("ticket:1", "vi:agent")]
    floor.look("ticket:2")
    floor.poke("ticket:1")
    await settled()
    assert [browser.got for browser in browsers] == [
        ["ticket:1 for en:agent"],
        ["ticket:1 for en:agent"],
        ["ticket:1 for vi:agent"],
    ]
    assert len(floor.asked) == 1


async def test_pokes_on_one_topic_are_rendered_together(floor: Floor) -> None:
    floor.look("ticket:1")
    floor.poke("ticket:1", "one")
    floor.poke("ticket:1", "two")
    await settled()
    assert floor.asked == [("ticket:1", ["one", "two"])]


async def test_a_topic_that_nobody_looks_at_is_not_rendered(floor: Floor) -> None:
    floor.poke("ticket:1")
    await settled()
    assert floor.asked == []


async def test_a_slow_topic_does_not_hold_up_a_conversation(floor: Floor) -> None:
    floor.look("slow:1")
    browser = floor.look("ticket:1")
    floor.poke("slow:1")
    await settled()
    floor.poke("ticket:1")
    await settled()
    assert browser.got == ["ticket:1 for en:agent"]


async def test_a_list_that_was_just_drawn_rests_and_is_drawn_again_later(floor: Floor) -> None:
    browser = floor.look("list:open")
    floor.poke("list:open")
    await settled()
    floor.poke("list:open")
    await settled()
    assert len(browser.got) == 1
    async with asyncio.timeout(5):
        while len(browser.got) < 2:
            await asyncio.sleep(0.02)


async def test_a_renderer_that_fails_closes_its_sockets_and_no_others(floor: Floor) -> None:
    bad, good = floor.look("bad:1"), floor.look("ticket:1")
    floor.poke("bad:1")
    floor.poke("ticket:1")
    await settled()
    assert (bad.closed, good.closed) == (RESYNC_CODE, 0)
    assert good.got


async def test_what_was_read_beside_a_newer_rendering_is_read_again(floor: Floor) -> None:
    floor.hub.renderers["head"] = floor.render_slowly_then_show
    browser = floor.look("ticket:1")
    floor.hub.look_over("head", "ticket:1")
    await settled()
    floor.poke("ticket:1")
    await settled()
    assert floor.hub.shown("ticket:1") == 1
    floor.gate.set()
    async with asyncio.timeout(5):
        while len(browser.got) < 2:
            await asyncio.sleep(0.05)
    assert floor.heads == 2
    assert browser.got == ["ticket:1 for en:agent", "head 2"]


async def test_what_nobody_looks_at_any_more_is_forgotten(floor: Floor) -> None:
    socket = Socket(Browser(), variant="en:agent")
    floor.hub.join(socket, "ticket:1")
    floor.poke("ticket:1")
    await settled()
    assert floor.hub.shown("ticket:1") == 1
    floor.hub.drop(socket)
    assert floor.hub.shown("ticket:1") == 0
