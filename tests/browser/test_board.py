"""The supervisor's board in a real browser: it moves within two seconds, can be paused, and acts on the floor."""

import asyncio
import time

import pytest
from playwright.async_api import Page, expect

from tests.browser.agents import AXE, Desk, become

pytestmark = pytest.mark.browser

IN_QUEUE = '.tile[data-metric="in_queue"] .value'
# From a customer's words to the board: pushed at most once a second, at most two stale.
SOON = 2.0


async def open_board(desk: Desk) -> Page:
    page = await desk.sign_in("sara")
    await page.goto(f"{desk.floor.url}/board")
    await expect(page.locator(".board-live")).to_be_visible()
    await expect(page.locator(IN_QUEUE)).to_have_text("0")
    return page


async def test_a_change_is_on_the_board_within_two_seconds(desk: Desk) -> None:
    page = await open_board(desk)
    # The first rendering warms every template and statement up.
    await desk.say("One for practice")
    await expect(page.locator(IN_QUEUE)).to_have_text("1")
    spoken = time.monotonic()
    await desk.say("Where is my order?")
    await expect(page.locator(IN_QUEUE)).to_have_text("2")
    assert time.monotonic() - spoken < SOON + 1
    await expect(page.locator("#board-waiting")).to_contain_text("Where is my order?")
    anna = await desk.sign_in("anna")
    await become(anna, "available")
    await expect(page.locator("#board-agents tr", has_text="Anna Bergstrom")).to_contain_text("Available")


async def test_a_paused_board_stands_still_and_catches_up(desk: Desk) -> None:
    page = await open_board(desk)
    await page.locator("#board-pause").click()
    await expect(page.locator(".board-paused")).to_be_visible()
    await desk.say("While you looked away")
    await asyncio.to_thread(desk.floor.seen, 1)
    await expect(page.locator(IN_QUEUE)).to_have_text("0")
    await page.locator("#board-pause").click()
    await expect(page.locator(IN_QUEUE)).to_have_text("1")


async def test_it_is_right_again_after_a_cut(desk: Desk) -> None:
    page = await open_board(desk)
    await page.context.set_offline(True)
    await expect(page.locator(".board-reconnecting")).to_be_visible()
    await desk.say("During the cut")
    await page.context.set_offline(False)
    await expect(page.locator(IN_QUEUE)).to_have_text("1")


async def test_a_supervisor_sees_why_and_gives_the_work_away(desk: Desk) -> None:
    page = await open_board(desk)
    await desk.say("Nobody is here")
    await page.get_by_role("link", name="Why").first.click()
    dialog = page.locator("#board-detail")
    await expect(dialog).to_contain_text("Nobody can have it now")
    await page.keyboard.press("Escape")
    anna = await desk.sign_in("anna")
    await become(anna, "away:Lunch")
    await page.get_by_role("link", name="Why").first.click()
    await dialog.locator("#give-to").select_option(label="Anna Bergstrom")
    await dialog.get_by_role("button", name="Give to this agent").click()
    await expect(dialog).not_to_be_visible()
    await expect(page.locator("#toasts")).to_contain_text("The work was given to the agent.")
    await expect(page.locator(IN_QUEUE)).to_have_text("0")


@pytest.mark.long
@pytest.mark.parametrize("width", [375, 1440])
async def test_axe_finds_nothing_serious_on_the_board(desk: Desk, width: int) -> None:
    page = await open_board(desk)
    await page.set_viewport_size({"width": width, "height": 900})
    await page.evaluate(AXE.read_text())
    found = await page.evaluate("axe.run()")
    serious = [one["id"] for one in found["violations"] if one["impact"] in ("serious", "critical")]
    assert serious == []
