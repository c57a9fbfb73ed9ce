"""A person in front of the demo, in one browser: a page for each part that they play, and what they do there."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from playwright.async_api import Browser, BrowserContext, FrameLocator, Page, expect

from tests.browser.demo_stage import DemoStage

# What a cut line leaves in a browser's log, and a form that is refused with its reasons.
EXPECTED = re.compile(r"status of (503|422)|WebSocket connection")


@dataclass
class Visitor:
    """A person in front of the demo: one browser, one page for each part that they play."""

    stage: DemoStage
    context: BrowserContext
    problems: list[str] = field(default_factory=list)

    async def page(self, host: str, path: str = "/") -> Page:
        page = await self.context.new_page()
        page.on("console", lambda message: message.type == "error" and self.note(message.text))
        page.on("pageerror", lambda error: self.note(str(error)))
        await page.goto(self.stage.at(host, path))
        await expect(page.locator("#demo-bar .bar")).to_be_visible()
        return page

    def note(self, text: str) -> None:
        if not EXPECTED.search(text):
            self.problems.append(text)


@asynccontextmanager
async def visiting(stage: DemoStage, browser: Browser) -> AsyncIterator[Visitor]:
    """Somebody with a browser; what its pages complain of fails the test."""
    person = Visitor(stage, await browser.new_context(viewport={"width": 1440, "height": 900}, locale="en-GB"))
    yield person
    assert person.problems == []


async def available(agent: Page) -> None:
    """Be available at the agent's door."""
    await expect(agent.locator("#connection")).to_have_attribute("data-state", "live")
    state = agent.locator("#presence .presence").first
    if await state.get_attribute("data-state") != "available":
        await agent.locator("#presence > button").click()
        await agent.locator('#presence-menu [value="available"]').click()
    await expect(state).to_have_attribute("data-state", "available")


async def chat(shop: Page, text: str) -> FrameLocator:
    """Begin a chat in the shop's widget."""
    frame = shop.frame_locator("iframe")
    await frame.locator("#launcher").click()
    await frame.get_by_label("Your name").fill("Robin Reed")
    await frame.get_by_label("What is it about?").fill(text)
    await frame.get_by_role("button", name="Start chat").click()
    return frame


async def accept(agent: Page, words: str) -> None:
    """Accept the offer that says these words: the floor may offer work of its own beside it."""
    await agent.locator(".offer", has_text=words).get_by_role("button", name="Accept").click()
    await expect(agent.locator("#reply")).to_be_focused()


async def finish(agent: Page) -> None:
    """Resolve what is open and finish its wrap-up, so that the next test begins free."""
    await agent.locator("#reply").blur()
    await agent.keyboard.press("e")
    await agent.locator(".wrapup select").select_option(index=1)
    await agent.get_by_role("button", name="Finish").click()
    await expect(agent.locator(".wrapup")).to_have_count(0)


async def figure_becomes(page: Page, name: str, number: int) -> None:
    """Wait until the newest break on a page's panel shows this number."""
    term = page.locator("dt", has_text=re.compile(f"^{name}$"))
    figure = page.locator("#panel .breaks section").first.locator("dl > div", has=term)
    await expect(figure.locator("dd")).to_have_text(str(number), timeout=40_000)
