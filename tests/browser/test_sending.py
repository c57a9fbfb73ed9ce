"""Sending from the composer in a real browser: undo on the message, files and text back where they were."""

from pathlib import Path

import pytest
from playwright.async_api import expect

from tests.browser.agents import Desk
from tests.browser.test_console_desk import open_mail

pytestmark = pytest.mark.browser


async def test_undo_brings_the_reply_back_before_what_was_begun_since(desk: Desk, tmp_path: Path) -> None:
    page = await desk.sign_in()
    await open_mail(desk, page, "Undo")
    bill = tmp_path / "bill.pdf"
    bill.write_bytes(b"%PDF-1.7")
    await page.locator("#attach-input").set_input_files(bill)
    await page.locator("#reply").fill("It ships today.")
    await page.keyboard.press("Control+Enter")
    button = page.locator("#timeline .msg.out").get_by_role("button", name="Undo")
    await expect(button).to_be_visible()
    await expect(page.locator(".put-file:visible")).to_have_count(0)
    await page.locator("#reply").fill("One more thing")
    await button.click()
    await expect(page.locator("#reply")).to_have_value("It ships today.\n\nOne more thing")
    await expect(page.locator(".put-file:visible")).to_contain_text(["bill.pdf"])
    await expect(page.locator("#timeline .msg.out")).to_contain_text("Not sent: undone")
    await expect(page.locator("#draft-state")).to_have_text("Draft saved")
    await page.reload()
    await expect(page.locator("#reply")).to_have_value("It ships today.\n\nOne more thing")
    await page.locator("#reply").press("Control+Enter")
    await page.locator("#reply").press("Escape")
    await expect(button).to_be_visible()
    await page.keyboard.press("z")
    await expect(page.locator("#reply")).to_have_value("It ships today.\n\nOne more thing")


async def test_only_the_author_sees_undo(desk: Desk) -> None:
    anna, boss = await desk.sign_in(), await desk.sign_in("sara")
    await open_mail(desk, anna, "Mine")
    await boss.goto(anna.url)
    await anna.locator("#reply").fill("Mine to take back")
    await anna.keyboard.press("Control+Enter")
    await expect(anna.get_by_role("button", name="Undo")).to_be_visible()
    await expect(boss.locator("#timeline .msg.out")).to_contain_text("Mine to take back")
    await expect(boss.get_by_role("button", name="Undo")).to_have_count(0)


async def test_a_reply_is_scheduled_moved_and_held_back_when_the_customer_writes(desk: Desk) -> None:
    page = await desk.sign_in()
    number = await open_mail(desk, page, "Later") + 99
    await page.locator("#reply").fill("It ships on Monday.")
    await page.get_by_role("button", name="More ways to send").click()
    await page.get_by_role("button", name="Send later").click()
    await page.locator("#later-menu .opt", has_text="Tomorrow afternoon").click()
    card = page.locator(".later-card")
    await expect(card).to_contain_text("It ships on Monday.")
    await expect(card).to_contain_text("14:00")
    await expect(page.locator("#reply")).to_have_value("")
    await card.get_by_role("button", name="Another time").click()
    await page.locator("#move-menu .opt", has_text="Tomorrow morning").click()
    await expect(card).to_contain_text("09:00")
    await desk.say("And one more", channel="email", subject=f"Re: Later [#{number}]", who="Later@example.com")
    await expect(card).to_contain_text("The customer has written since.")
    await card.get_by_role("button", name="Back into the composer").click()
    await expect(card).to_have_count(0)
    await expect(page.locator("#reply")).to_have_value("It ships on Monday.")


async def test_copies_leave_with_the_mail_and_come_back_with_undo(desk: Desk) -> None:
    page = await desk.sign_in()
    await open_mail(desk, page, "Partner")
    await open_mail(desk, page, "Copies")
    await page.locator(".copies summary").click()
    await page.locator("#cc").press_sequentially("part")
    await expect(page.locator("#known-addresses option")).to_have_attribute("value", "Partner@example.com")
    await page.locator("#cc").fill("partner@example.com, bob@partner.test")
    await page.locator("#bcc").fill("nobody")
    await page.locator("#reply").fill("Hello all")
    await page.locator("#reply").press("Control+Enter")
    await expect(page.locator(".toast")).to_contain_text("Correct the addresses that get a copy.")
    await page.locator("#bcc").fill("boss@shop.test")
    await page.locator("#reply").press("Control+Enter")
    sent = page.locator("#timeline .msg.out")
    await expect(sent).to_contain_text("Cc: partner@example.com, bob@partner.test")
    await expect(sent).to_contain_text("Bcc: boss@shop.test")
    await expect(page.locator("#cc")).to_have_value("")
    await sent.get_by_role("button", name="Undo").click()
    await expect(page.locator("#cc")).to_have_value("partner@example.com,bob@partner.test")
    await expect(page.locator("#bcc")).to_have_value("boss@shop.test")


async def test_copies_survive_a_reload_and_say_what_is_wrong(desk: Desk) -> None:
    page = await desk.sign_in()
    await open_mail(desk, page, "Kept")
    await page.locator(".copies summary").click()
    await page.locator("#cc").fill("bob@partner.test")
    await page.locator("#bcc").fill("boss@shop.test, nobody")
    await expect(page.locator("#copies-note")).to_contain_text("“nobody” is no e-mail address.")
    await expect(page.locator("#draft-state")).to_have_text("Draft saved")
    await page.reload()
    await expect(page.locator("#bcc")).to_have_value("boss@shop.test,nobody")
    await page.locator("#bcc").fill("boss@shop.test")
    await expect(page.locator("#copies-note")).to_be_hidden()
    await page.locator("#reply").fill("Hello")
    await page.locator("#reply").press("Control+Enter")
    await expect(page.locator("#timeline .msg.out")).to_contain_text("Bcc: boss@shop.test")
    await expect(page.locator("#bcc")).to_have_value("")
    await page.reload()
    await expect(page.locator("#cc")).to_have_value("")
