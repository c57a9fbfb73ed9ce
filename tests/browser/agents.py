"""Agents at their desks in a real browser, on the floor of `floor.py`."""

import asyncio
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, BrowserContext, Page, expect

from tests.browser.floor import PASSWORD, Floor

# Shared machines are slow at times; what must be quick is measured where it matters.
expect.set_options(timeout=20_000)
AXE = Path(__file__).parent / "vendor" / "axe-core-4.14.1.min.js"
# What a cut line leaves in the console, and what a browser says of an aborted request.
EXPECTED = re.compile(r"ERR_INTERNET_DISCONNECTED|ERR_FAILED|ERR_CONNECTION|WebSocket connection|status of 40[19]")
WIDE = {"width": 1440, "height": 900}


@dataclass
class Desk:
    """A browser on the floor, and what went wrong on its pages."""

    floor: Floor
    browser: Browser
    problems: list[str] = field(default_factory=list)

    async def context(self, **options: Any) -> BrowserContext:
        return await self.browser.new_context(**{"viewport": WIDE, **options})

    async def sign_in(self, who: str = "anna", context: BrowserContext | None = None) -> Page:
        page = await (context or await self.context()).new_page()
        page.on("console", lambda message: message.type == "error" and self.note(message.text))
        page.on("pageerror", lambda error: self.note(str(error)))
        await page.goto(f"{self.floor.url}/login?next=/inbox")
        await page.get_by_label("E-mail").fill(f"{who}@shop.test")
        await page.get_by_label("Password").fill(PASSWORD)
        await page.keyboard.press("Enter")
        await expect(page.locator("#connection")).to_have_attribute("data-state", "live")
        return page

    def note(self, text: str) -> None:
        if not EXPECTED.search(text):
            self.problems.append(text)

    async def say(self, text: str, **more: str) -> dict[str, Any]:
        return await asyncio.to_thread(self.floor.say, text, **more)


async def become(page: Page, state: str) -> None:
    await page.locator("#presence > button").click()
    await page.locator(f'#presence-menu [value="{state}"]').click()
    await expect(page.locator("#presence .presence").first).to_have_attribute("data-state", state.partition(":")[0])


async def accepted_chat(desk: Desk, page: Page, text: str = "Where is my order?") -> dict[str, Any]:
    """A chat that the person at the page has accepted by keyboard."""
    await become(page, "available")
    customer = await desk.say(text)
    await expect(page.locator(".offer")).to_be_visible()
    await page.keyboard.press("Alt+a")
    await expect(page.locator("#reply")).to_be_focused()
    return customer


async def tab_to(page: Page, selector: str, most: int = 150) -> None:
    """Press Tab until what matches has the focus."""
    target = page.locator(selector).first
    await expect(target).to_be_visible()
    for _ in range(most):
        await page.keyboard.press("Tab")
        if await target.evaluate("el => el === document.activeElement"):
            return
    raise AssertionError(f"{selector} is out of reach of the Tab key")


async def found_by_axe(page: Page, where: str) -> None:
    await page.add_script_tag(path=AXE)
    found = await page.evaluate("axe.run({resultTypes: ['violations']})")
    serious = [
        (one["id"], [node["html"][:160] for node in one["nodes"]])
        for one in found["violations"]
        if one["impact"] in ("serious", "critical")
    ]
    assert serious == [], where
