"""The call bar: it comes and goes with the call, shows everybody the same, and moves the call for who is on it."""

import asyncio

import pytest
from playwright.async_api import Page, expect

from tests.browser.agents import Desk, found_by_axe

pytestmark = pytest.mark.browser


async def open_ticket(desk: Desk, page: Page, ticket_id: int) -> None:
    await page.goto(f"{desk.floor.url}/tickets/{ticket_id + 99}")
    await expect(page.locator("#connection")).to_have_attribute("data-state", "live")


async def test_the_bar_comes_and_goes_with_the_call(desk: Desk) -> None:
    ticket_id = (await desk.say("Call me", channel="sms", who="+84903123456"))["ticket_id"]
    anna = await desk.sign_in(context=await desk.context(bypass_csp=True))
    minh = await desk.sign_in("minh")
    for page in (anna, minh):
        await open_ticket(desk, page, ticket_id)
        await expect(page.locator(".callbar")).to_have_count(0)
    call_id = await asyncio.to_thread(desk.floor.call, ticket_id, "anna")
    await expect(anna.locator(".callbar")).to_contain_text("Anna Bergstrom")
    await expect(anna.get_by_role("button", name="Hang up")).to_be_visible()
    await expect(minh.locator(".callbar")).to_contain_text("On the phone")
    await expect(minh.get_by_role("button", name="Hang up")).to_have_count(0)
    await found_by_axe(anna, "call bar")
    await asyncio.to_thread(desk.floor.end_call, call_id)
    await expect(anna.locator(".callbar")).to_have_count(0)
    assert desk.problems == []


async def test_what_the_line_refuses_is_said_beside_the_buttons(desk: Desk) -> None:
    ticket_id = (await desk.say("Call me", channel="sms", who="+84903123457"))["ticket_id"]
    page = await desk.sign_in()
    call_id = await asyncio.to_thread(desk.floor.call, ticket_id, "anna")
    await open_ticket(desk, page, ticket_id)
    await page.get_by_role("button", name="Hold", exact=True).focus()
    await page.keyboard.press("Enter")
    said = page.locator(".callbar [role=status]")
    await expect(said).to_contain_text("Putting on hold did not work: The phone line has no credentials.")
    await asyncio.to_thread(desk.floor.end_call, call_id)


async def test_a_transfer_is_chosen_by_keyboard(desk: Desk) -> None:
    ticket_id = (await desk.say("Call me", channel="sms", who="+84903123458"))["ticket_id"]
    page = await desk.sign_in(context=await desk.context(bypass_csp=True))
    call_id = await asyncio.to_thread(desk.floor.call, ticket_id, "anna")
    await open_ticket(desk, page, ticket_id)
    await page.get_by_role("button", name="Transfer…").focus()
    await page.keyboard.press("Enter")
    dialog = page.locator("#call-transfer")
    await expect(dialog.get_by_label("Number", exact=True)).to_be_visible()
    await found_by_axe(page, "transfer dialog")
    await dialog.get_by_label("Number", exact=True).fill("nobody")
    await page.keyboard.press("Enter")
    await expect(page.locator(".toast")).to_contain_text("This is not a phone number that can be reached.")
    await expect(page.locator(".callbar")).to_contain_text("On the phone")
    await asyncio.to_thread(desk.floor.end_call, call_id)
    # A browser notes every refusal of a command.
    assert [one for one in desk.problems if "status of 422" not in one] == []
    desk.problems.clear()
