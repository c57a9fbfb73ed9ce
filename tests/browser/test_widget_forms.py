"""The widget's forms in a real browser: before a chat, instead of it, after it, and who is signed in."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime

import pytest
import pytest_asyncio
from playwright.async_api import Browser, expect

from channels.chat import parse
from channels.chat.asking import Choice, Hours
from tests.browser.widget_front import Front, begin, open_front, until, widget

pytestmark = pytest.mark.browser


@pytest_asyncio.fixture(loop_scope="session")
async def floor(browser: Browser) -> AsyncIterator[Front]:
    async with open_front(browser) as front:
        yield front


async def test_who_is_signed_in_is_not_asked_for_what_is_known(floor: Front) -> None:
    page = await floor.page()
    await page.evaluate("ContactCenter('identify', '1001:Ann Carter')")
    await until(lambda: len(floor.standin.told) == 1)
    frame = widget(page)
    await frame.locator("#launcher").click()
    await expect(frame.get_by_text("Signed in as Ann Carter")).to_be_visible()
    await expect(frame.get_by_label("Your name")).to_have_count(0)
    await expect(frame.get_by_label("Your e-mail")).to_have_count(0)
    await frame.get_by_label("What is it about?").fill("My order")
    await frame.get_by_role("button", name="Start chat").click()
    await expect(frame.get_by_text("Sent", exact=True)).to_be_visible()
    assert [one.identity for one in floor.standin.hellos] == ["1001:Ann Carter"]


async def test_signing_in_during_a_chat_tells_the_line_and_another_customer_gets_another_chat(floor: Front) -> None:
    page = await floor.page()
    frame = await begin(page)
    await page.evaluate("ContactCenter('identify', '1001:Ann')")
    await until(lambda: [one.identity for one in floor.standin.hellos] == ["", "1001:Ann"])
    await expect(frame.get_by_text("Where is my order?")).to_be_visible()
    await page.evaluate("ContactCenter('identify', '1001:Ann again')")
    await until(lambda: len(floor.standin.told) == 2)
    await page.evaluate("ContactCenter('identify', '1002:Bob')")
    await expect(frame.get_by_text("Signed in as Bob")).to_be_visible()
    await expect(frame.get_by_text("Where is my order?")).to_have_count(0)
    await frame.get_by_label("What is it about?").fill("Mine")
    await frame.get_by_role("button", name="Start chat").click()
    await until(lambda: [one.text for one in floor.visit().messages] == ["Mine"])
    assert len(floor.standin.visits) == 2
    assert len(floor.standin.hellos) == 3


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
async def test_signing_out_forgets_the_conversation_in_every_tab(floor: Front, host: str) -> None:
    context = await floor.context()
    base = floor.base.replace("localhost", host)
    one, two = await floor.page(context, base), await floor.page(context, base)
    await two.evaluate("ContactCenter('identify', '1001:Ann')")
    await until(lambda: len(floor.standin.told) == 1)
    await begin(one)
    await widget(two).locator("#launcher").click()
    await expect(widget(two).get_by_text("Where is my order?")).to_be_visible()
    await one.evaluate("ContactCenter('reset')")
    await expect(widget(one).locator("#launcher")).to_be_visible()
    await expect(widget(two).get_by_label("Your name")).to_have_value("")
    await expect(widget(two).get_by_text("Where is my order?")).to_have_count(0)
    holder = one if host == "localhost" else next(frame for frame in one.frames if "/widget/" in frame.url)
    assert await holder.evaluate("Object.keys(localStorage).filter((key) => key.startsWith('cc:'))") == []
    await begin(one, "Somebody else")
    assert (len(floor.standin.visits), floor.standin.hellos[-1].identity) == (2, "")


async def test_a_refused_token_says_why_in_the_console_and_changes_nothing(floor: Front) -> None:
    page = await floor.page()
    await page.evaluate("ContactCenter('identify', '1001:Ann'); ")
    await until(lambda: len(floor.standin.told) == 1)
    await page.evaluate("ContactCenter('identify', '1001:Ann')")
    await until(lambda: "ContactCenter: The token was used already." in floor.problems)
    await widget(page).locator("#launcher").click()
    await expect(widget(page).get_by_text("Signed in as Ann")).to_be_visible()
    floor.problems.clear()


async def test_the_form_asks_says_and_stands_as_the_shop_wishes(floor: Front) -> None:
    own = {"greeting": "Ahoy", "greeting_more": "Ask the crew", "consent": "We keep this for a year"}
    look = {"ask_name": "optional", "ask_email": "required", "side": "left", "texts": {"en": own}}
    floor.standin.widget = replace(floor.standin.widget, consent_url="https://shop.example/privacy", **look)  # type: ignore[arg-type]
    page = await floor.page()
    box = await page.locator("iframe").bounding_box()
    assert box is not None
    assert box["x"] < 20
    frame = widget(page)
    await frame.locator("#launcher").click()
    await expect(frame.get_by_role("heading", name="Ahoy")).to_be_visible()
    link = frame.get_by_role("link", name="We keep this for a year")
    await expect(link).to_have_attribute("href", "https://shop.example/privacy")
    await expect(frame.get_by_label("Your name")).to_have_attribute("aria-required", "false")
    await expect(frame.get_by_label("Your e-mail")).to_have_attribute("aria-required", "true")
    await expect(frame.get_by_label("Your e-mail")).to_have_accessible_description(
        "Only so that our answer reaches you if you leave this page."
    )
    await expect(frame.get_by_label("What is it about?")).to_have_attribute("aria-required", "true")
    await frame.get_by_label("What is it about?").fill("Where is it?")
    await frame.get_by_role("button", name="Start chat").click()
    await expect(frame.get_by_text("Please enter an e-mail address")).to_be_visible()
    await expect(frame.get_by_label("Your e-mail")).to_be_focused()
    await frame.get_by_label("Your e-mail").fill("ann@shop.example")
    await frame.locator("input[name=website]").evaluate("(field) => { field.value = 'https://spam.example' }")
    await frame.get_by_role("button", name="Start chat").click()
    assert floor.standin.hellos == []
    await frame.locator("input[name=website]").evaluate("(field) => { field.value = '' }")
    await frame.get_by_role("button", name="Start chat").click()
    await until(lambda: [one.email for one in floor.standin.hellos] == ["ann@shop.example"])


async def test_closed_hours_become_a_mail(floor: Front) -> None:
    floor.standin.hours = Hours(False, datetime(2026, 11, 3, 1, 0, tzinfo=UTC))
    page = await floor.page()
    frame = widget(page)
    await frame.locator("#launcher").click()
    await expect(frame.get_by_text("We are closed right now")).to_be_visible()
    await frame.get_by_label("Your name").fill("Ann")
    await frame.get_by_label("Your message").fill("Call me")
    await frame.get_by_role("button", name="Send message").click()
    await expect(frame.get_by_text("Please enter an e-mail address")).to_be_visible()
    await expect(frame.get_by_label("Your e-mail")).to_be_focused()
    await frame.get_by_label("Your e-mail").fill("ann@example.com")
    await frame.get_by_role("button", name="Send message").click()
    await expect(frame.get_by_text("Your number is #101")).to_be_visible()
    assert [(mail.email, mail.text) for mail in floor.standin.mail] == [("ann@example.com", "Call me")]


async def test_the_end_asks_for_a_rating_and_offers_a_new_start(floor: Front) -> None:
    frame = await begin(await floor.page())
    await floor.standin.end(floor.visit())
    await frame.get_by_role("radio", name="Great").check(force=True)
    await frame.get_by_label("Anything you would like to add?").fill("Quick")
    await frame.get_by_role("button", name="Send rating").click()
    await expect(frame.locator(".rated")).to_be_visible()
    assert parse.Csat(4, "Quick") in floor.visit().got
    await frame.get_by_role("button", name="E-mail me this conversation").click()
    await frame.get_by_role("textbox", name="Send this conversation to").fill("ann@example.com")
    await frame.get_by_role("button", name="Send by e-mail").click()
    await expect(frame.locator(".strip").get_by_text("on its way to ann@example.com")).to_be_visible()
    await frame.get_by_role("button", name="Start a new conversation").click()
    await frame.get_by_label("What is it about?").fill("Something else")
    await frame.get_by_role("button", name="Start chat").click()
    await until(lambda: len(floor.standin.visits) == 2)
    await until(lambda: [one.text for one in floor.visit().messages] == ["Something else"])


async def test_the_customer_ends_it_after_being_asked(floor: Front) -> None:
    frame = await begin(await floor.page())
    await frame.get_by_role("button", name="More").click()
    await frame.get_by_role("button", name="End conversation").click()
    await frame.get_by_role("dialog", name="End this conversation?").get_by_role("button", name="End").click()
    await expect(frame.get_by_role("heading", name="This conversation has ended")).to_be_visible()
    assert floor.visit().ended


async def test_help_articles_are_offered_while_the_question_is_written(floor: Front) -> None:
    frame = widget(await floor.page())
    await frame.locator("#launcher").click()
    await frame.get_by_label("What is it about?").press_sequentially("my parcel is late")
    await expect(frame.get_by_role("link", name="Where is my parcel?")).to_have_attribute("href", "/help/parcel")


ABOUT = (Choice(1, 1, None, {"en": "Orders"}), Choice(2, 2, None, {"en": "Invoices"}, Hours(False)))


async def test_a_phone_number_is_read_as_the_visitor_writes_it_and_a_choice_goes_with_it(floor: Front) -> None:
    floor.standin.widget = replace(floor.standin.widget, ask_phone="required", choices=ABOUT)
    frame = widget(await floor.page(await floor.context(extra_http_headers={"Accept-Language": "vi-VN"})))
    await frame.locator("#launcher").click()
    await frame.get_by_label("Your name").fill("Mai")
    await frame.get_by_label("Your phone number").fill("12345678")
    await frame.get_by_label("What is it about?").fill("Where is it?")
    await frame.get_by_role("button", name="Start chat").click()
    await expect(frame.get_by_text("Please choose what it is about.")).to_be_visible()
    await expect(frame.get_by_label("Topic")).to_be_focused()
    await frame.get_by_label("Topic").select_option("Orders")
    await frame.get_by_role("button", name="Start chat").click()
    await expect(frame.get_by_text("We cannot read this number.")).to_be_visible()
    await expect(frame.get_by_label("Your phone number")).to_be_focused()
    floor.problems.clear()  # the browser notes the 422
    await frame.get_by_label("Your phone number").fill("0912 345 678")
    await frame.get_by_role("button", name="Start chat").click()
    await until(lambda: [(one.phone, one.choice) for one in floor.standin.hellos] == [("+84912345678", 1)])


async def test_a_choice_that_nobody_answers_now_becomes_a_mail(floor: Front) -> None:
    floor.standin.widget = replace(floor.standin.widget, choices=ABOUT)
    frame = widget(await floor.page())
    await frame.locator("#launcher").click()
    await frame.get_by_label("Your name").fill("Ann")
    await frame.get_by_label("What is it about?").fill("Call me")
    await frame.get_by_label("Topic").select_option("Invoices")
    await expect(frame.get_by_role("heading", name="We are closed right now")).to_be_visible()
    await frame.get_by_role("button", name="Send message").click()
    await expect(frame.get_by_text("Please enter an e-mail address")).to_be_visible()
    await frame.get_by_label("Your e-mail").fill("ann@example.com")
    await frame.get_by_role("button", name="Send message").click()
    await expect(frame.get_by_text("Your number is #101")).to_be_visible()
    assert [(one.choice, one.text) for one in floor.standin.mail] == [(2, "Call me")]
    assert floor.standin.hellos == []
