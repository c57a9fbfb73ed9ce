"""Who may be calling, on the offer card and on the call of the conversation."""

import asyncio

import pytest
from playwright.async_api import expect

from tests.browser.agents import Desk, become, found_by_axe

pytestmark = pytest.mark.browser


async def test_the_offer_card_names_them_and_a_click_decides(desk: Desk) -> None:
    page = await desk.sign_in(context=await desk.context(bypass_csp=True))
    await become(page, "available")
    ticket_id = await asyncio.to_thread(desk.floor.ring, "+84912340001", "Quynh Le", "+1912340001")
    card = page.locator(".offer [data-callers]")
    await expect(card).to_contain_text("same number in another form")
    await card.get_by_role("button", name="It is this one: Quynh Le").click()
    await expect(card).to_contain_text("It is Quynh Le.")
    await page.goto(f"{desk.floor.url}/tickets/{ticket_id + 99}")
    await expect(page.locator("#context .name")).to_have_text("Quynh Le")
    assert desk.problems == []


async def test_nobody_of_these_is_said_on_the_call_and_stays_so(desk: Desk) -> None:
    ticket_id = await asyncio.to_thread(desk.floor.ring, "+84912340002", "Quynh Vo", "+1912340002")
    page = await desk.sign_in(context=await desk.context(bypass_csp=True))
    await page.goto(f"{desk.floor.url}/tickets/{ticket_id + 99}")
    block = page.locator("#timeline [data-callers]")
    await expect(block).to_contain_text("Quynh Vo")
    await found_by_axe(page, "call with callers")
    await block.get_by_role("button", name="Nobody of these").click()
    await expect(block).to_be_empty()
    await expect(page.locator("#timeline")).to_contain_text("The caller is nobody of those suggested")
    assert desk.problems == []
