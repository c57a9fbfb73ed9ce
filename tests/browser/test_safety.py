"""Spam, blocks and identity at the desk, in a real browser."""

import pytest
from playwright.async_api import expect

from tests.browser.agents import Desk
from tests.browser.test_console_desk import open_mail

pytestmark = pytest.mark.browser


async def test_one_key_marks_spam_and_one_click_takes_it_back(desk: Desk) -> None:
    page = await desk.sign_in()
    await open_mail(desk, page, "Lottery")
    status = page.locator('[popovertarget="status-menu"]').first
    await page.locator("#subject").focus()
    await page.keyboard.press("!")
    await expect(page.locator(".apart")).to_contain_text("Marked as spam")
    await expect(status).to_contain_text("Spam")
    await expect(page.locator("#timeline")).to_contain_text("Marked as spam · Anna")
    await page.get_by_role("button", name="More views").click()
    await expect(page.locator('#more-views [data-count="spam"]')).to_have_text("1")
    await page.locator('#more-views a[href*="view=spam"]').click()
    await expect(page.locator("#rows .trow")).to_contain_text(["Spam"])
    await page.locator("#rows .trow").first.click()
    await page.locator(".apart").get_by_role("button", name="Not spam").click()
    await expect(page.locator("#mark-spam")).to_have_count(1)
    await expect(page.locator(".apart")).to_have_count(0)


async def test_the_sender_is_blocked_from_the_conversation(desk: Desk) -> None:
    page = await desk.sign_in()
    await open_mail(desk, page, "Casino")
    await page.get_by_role("button", name="More actions").click()
    await page.locator("#ticket-more").get_by_role("button", name="Block the sender").click()
    dialog = page.locator("#block-dialog")
    await expect(dialog.get_by_label("E-mail address")).to_be_checked()
    await dialog.get_by_label("For how long").select_option("7")
    await dialog.get_by_role("button", name="Block the sender").click()
    await expect(page.locator(".apart")).to_contain_text("Marked as spam")
    await expect(page.locator("#timeline")).to_contain_text("Sender blocked: casino@example.com")


async def test_a_confirmed_identity_leaves_the_screen_at_its_end(desk: Desk) -> None:
    page = await desk.sign_in()
    await open_mail(desk, page, "Refund")
    withdraw = page.locator("#ticket-more").get_by_role("button", name="Withdraw the confirmation")
    await page.get_by_role("button", name="More actions").click()
    await expect(page.locator("#ticket-more")).to_be_visible()
    await expect(withdraw).to_be_hidden()
    await page.locator("#ticket-more").get_by_role("button", name="Confirm identity").click()
    await page.locator("#identity-dialog").get_by_role("button", name="Confirm", exact=True).click()
    badge = page.locator("#identity-badge")
    await expect(badge).to_be_visible()
    await page.get_by_role("button", name="More actions").click()
    await expect(withdraw).to_be_visible()
    # The quarter of an hour is up: a page's own clock cannot be put forward, for the server tells it the time again.
    await badge.evaluate("badge => { badge.dataset.holdsUntil = new Date(window.clock.now()).toISOString(); }")
    await expect(badge).to_be_hidden()
    await expect(withdraw).to_be_hidden()
