"""The widget in a real browser against the stand-in of its server, for the tests of what a customer sees and can do."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from playwright.async_api import Browser, BrowserContext, FrameLocator, Page, expect

from tests.channels.chat.standin import Running, StandIn, Visit


@dataclass
class Front:
    """The stand-in, a browser, and what went wrong on the pages."""

    standin: StandIn
    base: str
    browser: Browser
    problems: list[str] = field(default_factory=list)

    async def context(self, **options: Any) -> BrowserContext:
        return await self.browser.new_context(**{"viewport": {"width": 1440, "height": 900}, **options})

    async def page(self, context: BrowserContext | None = None, base: str | None = None) -> Page:
        page = await (context or await self.context()).new_page()
        page.on("console", lambda message: message.type == "error" and self.problems.append(message.text))
        page.on("pageerror", lambda error: self.problems.append(str(error)))
        await page.goto(base or self.base)
        await widget(page).locator("#launcher").wait_for()
        return page

    def visit(self, number: int = -1) -> Visit:
        return list(self.standin.visits.values())[number]


@asynccontextmanager
async def open_front(browser: Browser) -> AsyncIterator[Front]:
    """A stand-in and a browser; nothing may have gone wrong on its pages when it ends."""
    standin = StandIn()
    async with Running(standin) as base:
        front = Front(standin, base, browser)
        yield front
        assert front.problems == []


def widget(page: Page) -> FrameLocator:
    return page.frame_locator("iframe")


async def begin(page: Page, text: str = "Where is my order?") -> FrameLocator:
    frame = widget(page)

    async def small() -> bool:
        # Until the frame has shrunk again the launcher is on its way, and a click would miss it.
        box = await page.locator("iframe").bounding_box()
        return box is not None and box["width"] == 88

    await until(small)
    await frame.locator("#launcher").click()
    await frame.get_by_label("Your name").fill("Ann Carter")
    await frame.get_by_label("What is it about?").fill(text)
    await frame.get_by_role("button", name="Start chat").click()
    await expect(frame.get_by_text("Sent", exact=True)).to_be_visible()
    return frame


async def bubbles(frame: FrameLocator) -> list[str]:
    return await frame.locator(".bubble").all_inner_texts()


async def until(fine: Callable[[], bool | Awaitable[bool]]) -> None:
    """Wait for something; what is asked of a visit or a message that has not come yet is not so yet."""
    for _ in range(500):
        with contextlib.suppress(IndexError):
            answer = fine()
            if answer if isinstance(answer, bool) else await answer:
                return
        await asyncio.sleep(0.02)
    raise AssertionError("it did not happen within 10 s")
