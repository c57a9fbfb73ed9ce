"""WhatsApp in the composer of a real browser: the 24 hours count down, and free text after them does not leave."""

import asyncio

import pytest
from playwright.async_api import Page, expect

from tests.browser.agents import Desk, found_by_axe

pytestmark = pytest.mark.browser


async def open_whatsapp(desk: Desk, page: Page, sender: str, **more: str) -> int:
    said = await desk.say("Is the blue one in stock?", channel="whatsapp", **{"from": sender}, **more)
    await page.goto(f"{desk.floor.url}/tickets/{said['ticket_id'] + 99}")
    await expect(page.locator("#connection")).to_have_attribute("data-state", "live")
    return int(said["ticket_id"])


async def test_the_window_is_shown_for_whatsapp_and_for_no_other_way(desk: Desk) -> None:
    page = await desk.sign_in()
    await open_whatsapp(desk, page, "+84903000101")
    line = page.locator("#windows .window:visible")
    await expect(page.locator("#via-button")).to_contain_text("WhatsApp")
    await expect(line).to_contain_text("Free text for another 23h")
    await page.locator("#via-button").click()
    await page.locator("#via-menu .opt", has_text="SMS").click()
    await expect(page.locator("#windows .window:visible")).to_have_count(0)


async def test_free_text_after_24_hours_stays_in_the_composer_until_the_customer_writes(desk: Desk) -> None:
    page = await desk.sign_in()
    sender = "+84903000102"
    await open_whatsapp(desk, page, sender, ago="25")
    await expect(page.locator("#windows .window:visible")).to_contain_text("24 hours have passed")
    await page.locator("#reply").fill("It is in stock")
    await page.keyboard.press("Control+Enter")
    await expect(page.locator(".toast.bad")).to_contain_text("24 hours have passed")
    await expect(page.locator("#reply")).to_have_value("It is in stock")
    await desk.say("Hello?", channel="whatsapp", **{"from": sender})
    await expect(page.locator("#windows .window:visible")).to_contain_text("Free text for another 23h")
    await page.locator("#reply").press("Control+Enter")
    await expect(page.locator("#timeline .msg.out")).to_contain_text("It is in stock")


async def test_a_template_is_chosen_filled_previewed_and_sent(desk: Desk) -> None:
    page = await desk.sign_in(context=await desk.context(bypass_csp=True))
    ticket_id = await open_whatsapp(desk, page, "+84903000103", ago="30")
    await page.locator("#windows").get_by_role("button", name="Choose a template").click()
    dialog = page.locator("#template-dialog")
    preview = dialog.locator(".template-preview")
    await expect(preview).to_have_text("Hi {{1}}, order {{2}} is late.")
    await dialog.locator("select").select_option(label="xin_loi (vi)")
    await expect(preview).to_have_text("Chào {{1}}, bên mình xin lỗi ạ.")
    await dialog.locator("select").select_option(label="order_delayed (en)")
    await expect(dialog.locator("input[name=v_2]")).to_be_visible()
    await dialog.locator("input[name=v_1]").fill("Mai")
    await dialog.locator("input[name=v_2]").fill("4711")
    await expect(preview).to_have_text("Hi Mai, order 4711 is late.")
    await found_by_axe(page, "the template dialog")
    await dialog.get_by_role("button", name="Send template").click()
    await expect(dialog).to_be_hidden()
    await expect(page.locator("#timeline .msg.out")).to_contain_text("Hi Mai, order 4711 is late.")
    assert await asyncio.to_thread(desk.floor.seen, ticket_id) == [
        "Is the blue one in stock?",
        "Hi Mai, order 4711 is late.",
    ]


async def test_a_reply_planned_for_after_the_window_says_so(desk: Desk) -> None:
    page = await desk.sign_in()
    await open_whatsapp(desk, page, "+84903000104", ago="20")
    await page.locator("#reply").fill("See you then")
    await page.get_by_role("button", name="More ways to send").click()
    await page.get_by_role("button", name="Send later").click()
    await page.locator("#later-menu .opt", has_text="Tomorrow afternoon").click()
    await expect(page.locator(".later-card")).to_contain_text("24 hours are over by then")


async def test_a_new_conversation_begins_with_a_template_and_its_channel_says_so(desk: Desk) -> None:
    page = await desk.sign_in(context=await desk.context(bypass_csp=True))
    await page.goto(f"{desk.floor.url}/tickets/new")
    dialog = page.locator("#new-conversation")
    await dialog.get_by_label("Message").fill("Free words")
    await dialog.get_by_label("Channel").select_option("whatsapp")
    await expect(dialog.get_by_label("Message")).to_have_count(0)
    await dialog.get_by_label("To", exact=True).fill("0903000109")
    await dialog.get_by_label("Subject").fill("Parcel")
    await dialog.get_by_label("Template").select_option(label="xin_loi (vi)")
    await expect(dialog.locator(".template-preview")).to_have_text("Chào {{1}}, bên mình xin lỗi ạ.")
    await dialog.locator("[name=v_1]").fill("Mai")
    await expect(dialog.locator(".template-preview")).to_have_text("Chào Mai, bên mình xin lỗi ạ.")
    await found_by_axe(page, "the new conversation by WhatsApp")
    await dialog.get_by_role("button", name="Open conversation").click()
    await expect(page.locator("#timeline .msg.out")).to_contain_text("Chào Mai, bên mình xin lỗi ạ.")
    await expect(page.locator("#via-button")).to_contain_text("WhatsApp")
