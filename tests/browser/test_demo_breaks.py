"""The demo broken in the middle of the story: what was sent has arrived, once; and its counterparts, mail and phone."""

import re
from typing import Any

import pytest
from playwright.async_api import Page, expect

from contact_center.demo.photo import crushed_parcel
from tests.browser.demo_visitor import Visitor, accept, available, chat, figure_becomes, finish

# Dead lines and dead workers take their time.
pytestmark = [pytest.mark.browser, pytest.mark.long]

# A cut lasts 20 s and a death of the worker 10 s: their proofs take that long.
OVER = 40_000


async def press(page: Page, what: str) -> None:
    await page.locator(f"#demo-bar .bar [data-do={what}]").click()
    await expect(page.locator("#panel .breaks .running").first).to_be_visible()


async def over(page: Page) -> None:
    await expect(page.locator("#panel .breaks section").first).to_have_class("over", timeout=OVER)


async def test_a_cut_line_loses_nothing_on_either_side(visitor: Visitor) -> None:
    agent, shop = await visitor.page("agent"), await visitor.page("shop", "/demo/shop")
    await available(agent)
    frame = await chat(shop, "Does the lamp come in red?")
    await accept(agent, "lamp come in red")
    await press(agent, "cut")
    for text in ("It comes in red and in green.", "Which would you like?"):
        await agent.locator("#reply").fill(text)
        await agent.keyboard.press("Enter")
    await frame.locator("#message").fill("Hello? Are you there?")
    await frame.locator("#message").press("Enter")
    await expect(agent.locator("#panel .items .waits")).to_have_count(2)
    elsewhere = await visitor.context.new_page()
    await elsewhere.goto(visitor.stage.at("agent", "/customers"))
    await expect(elsewhere.get_by_role("heading", name="Your line is cut")).to_be_visible()
    await elsewhere.close()

    await over(agent)
    for name, number in {"sent": 2, "arrived": 2, "twice": 0, "lost": 0, "written to you": 1, "reached you": 1}.items():
        await figure_becomes(agent, name, number)
    items = agent.locator("#panel .breaks section").first.locator(".items li")
    await expect(items.filter(has_text="Hello? Are you there?")).to_contain_text("on your screen")
    await expect(items.filter(has_text="Which would you like?")).to_contain_text(re.compile(r"once, \d+\.\d s later"))
    await expect(frame.locator(".bubble", has_text="Which would you like?")).to_have_count(1)
    await finish(agent)


async def test_a_dead_worker_loses_nothing_that_came_in_meanwhile(visitor: Visitor) -> None:
    agent, shop = await visitor.page("agent"), await visitor.page("shop", "/demo/shop")
    await available(agent)
    frame = await chat(shop, "When does my parcel leave?")
    await accept(agent, "When does my parcel leave?")
    await press(agent, "kill")
    await frame.locator("#message").fill("Today?")
    await frame.locator("#message").press("Enter")
    await figure_becomes(agent, "sent", 3)
    await figure_becomes(agent, "handled", 0)
    await over(agent)
    for name, number in {"arrived": 3, "twice": 0, "lost": 0}.items():
        await figure_becomes(agent, name, number)
    report = agent.locator("#panel .breaks section").first
    await expect(report.locator(".notes")).to_contain_text(re.compile(r"Caught up \d+\.\d\d s after its return"))
    await expect(report.locator(".items li", has_text="Robin Reed: Today?")).to_contain_text("with Emma Clarke")
    await expect(agent.locator("#timeline .msg.in", has_text="Today?")).to_be_visible()
    await finish(agent)


async def test_a_letter_goes_out_and_its_answer_comes_back_by_itself(visitor: Visitor) -> None:
    agent = await visitor.page("agent")
    await available(agent)
    mailbox = await visitor.page("shop", "/demo/mailbox")
    await mailbox.get_by_label("Subject").fill("Invoice for LL-20007")
    await mailbox.get_by_label("Message").fill("Please send me the invoice for my brass barometer.")
    await mailbox.get_by_role("button", name="Send").click()
    await expect(mailbox.locator("[data-letters] a").first).to_contain_text("delivered")
    await open_and_answer(agent, "brass barometer", "It has the number 4711.")
    # The receipt with the number came first, the newest is on top.
    answers = mailbox.locator("[data-letters] a.unread", has_text="Re: Invoice for LL-20007")
    await expect(answers).to_have_count(2)
    await expect(mailbox).to_have_title(re.compile(r"^\(2\) "))
    await answers.first.click()
    await expect(mailbox.locator("pre")).to_contain_text("4711")


async def test_the_phone_texts_sends_a_photo_and_calls(visitor: Visitor) -> None:
    agent = await visitor.page("agent")
    await available(agent)
    phone = await visitor.page("shop", "/demo/phone")
    await phone.get_by_placeholder("Text message").fill("Where is my brass sextant?")
    await phone.keyboard.press("Enter")
    await open_and_answer(agent, "brass sextant", "At your parcel shop.")
    await expect(phone.locator(".texts li", has_text="At your parcel shop.")).to_be_visible()
    picture: Any = {"name": "parcel.png", "mimeType": "image/png", "buffer": crushed_parcel(1)}
    await phone.locator("input[type=file]").set_input_files(picture)
    await phone.get_by_role("button", name="Send", exact=True).click()
    await expect(phone.locator(".texts img")).to_have_count(1)
    await expect(agent.locator("#timeline img").first).to_be_visible()

    await phone.locator("[data-do=call]").click()
    await expect(phone.locator(".heard")).to_contain_text("Thank you for calling")
    await phone.get_by_role("group", name="Keypad").get_by_text("1", exact=True).click()
    await expect(phone.locator(".heard")).to_contain_text("Please hold the line.")
    await expect(agent.locator(".offer")).to_be_visible()
    await agent.keyboard.press("Alt+a")
    await expect(phone.locator(".call-state")).to_have_text("Talking with Emma Clarke")
    await phone.locator("[data-do=hang-up]").click()
    await expect(phone.locator(".texts .call")).to_contain_text(re.compile(r"Call ended · \d:\d\d"))
    await expect(agent.locator("#timeline .call").last).to_contain_text("Call from 0901 234 567")


async def open_and_answer(agent: Page, text: str, answer: str) -> None:
    """Open the conversation that has this text (of no product of the demo: its month is full of those), and answer."""
    await agent.goto(agent.url.partition("/inbox")[0].partition("/tickets")[0] + "/inbox?view=all")
    row = agent.locator("#rows li a", has_text=text).first
    await expect(row).to_be_visible()
    await row.click()
    await expect(agent.locator("#timeline .msg.in", has_text=text).first).to_be_visible()
    await agent.locator("#reply").fill(answer)
    await agent.keyboard.press("Control+Enter")
    await expect(agent.locator("#timeline .msg.out", has_text=answer)).to_be_visible()
