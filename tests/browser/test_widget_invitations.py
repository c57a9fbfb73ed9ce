"""Invitations in a real browser: which rule shows one and when, what a customer does with it, what is told of it."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Locator, Page, expect

from tests.browser.widget_front import Front, open_front, until, widget

pytestmark = pytest.mark.browser

HELLO = "Hi! Shall I check the delivery time for you?"


@pytest_asyncio.fixture(loop_scope="session")
async def floor(browser: Browser) -> AsyncIterator[Front]:
    async with open_front(browser) as front:
        yield front


def rule(number: int = 1, **more: Any) -> dict[str, object]:
    plain = {"page": "", "seconds": 0, "exit": False, "visits": 1, "once": "session", "snooze": 7}
    return {"id": number, "name": "Mai", "text": HELLO, **plain, **more}


def invitation(page: Page) -> Locator:
    return widget(page).get_by_role("region", name="Message from Mai")


async def test_it_is_shown_beside_the_launcher_without_taking_the_focus(floor: Front) -> None:
    floor.standin.invitations = [rule()]
    page = await floor.page()
    await page.locator("#own").focus()
    await expect(invitation(page)).to_be_visible()
    await expect(widget(page).get_by_role("status").filter(has_text=f"Mai says: {HELLO}")).to_be_attached()
    await expect(page.locator("#own")).to_be_focused()
    await expect(widget(page).locator("#launcher")).to_be_visible()
    assert floor.standin.hellos == []


async def test_opening_it_begins_a_conversation_under_its_words(floor: Front) -> None:
    floor.standin.invitations = [rule(7)]
    page = await floor.page()
    await invitation(page).get_by_role("button", name=HELLO).click()
    frame = widget(page)
    await expect(frame.locator(".greeting .bubble")).to_have_text(HELLO)
    await frame.get_by_label("Your name").fill("Ann Carter")
    await frame.get_by_label("Your message").fill("Yes please")
    await frame.get_by_role("button", name="Start chat").click()
    await until(lambda: [one.invitation for one in floor.standin.hellos] == [7])
    await page.goto("about:blank")
    await until(lambda: floor.standin.counts == {7: (1, 1)})


async def test_the_launcher_beside_it_opens_it_too(floor: Front) -> None:
    floor.standin.invitations = [rule()]
    page = await floor.page()
    await expect(invitation(page)).to_be_visible()
    await widget(page).locator("#launcher").click()
    await expect(widget(page).locator(".greeting .bubble")).to_have_text(HELLO)


async def test_it_is_closed_by_keyboard_and_stays_away(floor: Front) -> None:
    floor.standin.invitations = [rule()]
    context = await floor.context()
    page = await floor.page(context)
    await expect(invitation(page)).to_be_visible()
    await page.locator("#own").focus()
    await page.keyboard.press("Tab")
    await expect(invitation(page).get_by_role("button", name=HELLO)).to_be_focused()
    await page.keyboard.press("Tab")
    await expect(invitation(page).get_by_role("button", name="Close this message")).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(invitation(page)).to_have_count(0)
    await expect(widget(page).locator("#launcher")).to_be_focused()
    await page.reload()
    await until(lambda: looked_for(page, 2))
    await expect(invitation(page)).to_have_count(0)
    await until(lambda: floor.standin.counts == {1: (1, 0)})


async def test_it_waits_for_somebody_who_can_answer_and_one_for_always_does_not_ask(floor: Front) -> None:
    floor.standin.able = False
    floor.standin.invitations = [rule(1), rule(2, text="Leave us a line.", always=True)]
    page = await floor.page()
    await expect(invitation(page)).to_contain_text("Leave us a line.")
    assert floor.standin.asked == 1
    floor.standin.able = True
    other = await floor.page()
    await expect(invitation(other)).to_contain_text(HELLO)
    floor.standin.invitations = [rule(3, always=True)]
    asked = floor.standin.asked
    await expect(invitation(await floor.page())).to_be_visible()
    assert floor.standin.asked == asked


async def looked_for(page: Page, seconds: int) -> bool:
    """Whether the browser has decided so often on this page."""
    inner = next((frame for frame in page.frames if "/widget/" in frame.url), None)
    return inner is not None and await inner.evaluate("performance.now()") > seconds * 1000 + 500


@pytest.mark.parametrize(
    ("wanted", "shown"), [("/", True), ("/*", True), ("/cart", False), ("https://elsewhere.example/*", False)]
)
async def test_the_page_decides(floor: Front, wanted: str, shown: bool) -> None:
    floor.standin.invitations = [rule(1, page=wanted, text="first"), rule(2, text="second")]
    page = await floor.page()
    await expect(invitation(page).locator(".invite-text")).to_have_text("first" if shown else "second")


async def test_it_waits_for_its_seconds_and_for_a_mouse_to_leave_at_the_top(floor: Front) -> None:
    floor.standin.invitations = [rule(1, exit=True, text="Before you go"), rule(2, seconds=600)]
    page = await floor.page()
    await widget(page).locator(".invite").wait_for(state="attached")
    leave = "document.documentElement.dispatchEvent(new PointerEvent('pointerleave', {pointerType: '%s', clientY: %s}))"
    await page.evaluate(leave % ("touch", -1))
    await page.evaluate(leave % ("mouse", 200))
    await until(lambda: looked_for(page, 2))
    await expect(invitation(page)).to_have_count(0)
    await page.evaluate(leave % ("mouse", -1))
    await expect(invitation(page).locator(".invite-text")).to_have_text("Before you go")


async def test_of_two_tabs_one_shows_it_and_a_second_visit_is_counted(floor: Front) -> None:
    floor.standin.invitations = [rule(1, once="visitor"), rule(2, visits=2, once="visitor", text="Welcome back")]
    context = await floor.context()
    one = await floor.page(context)
    await expect(invitation(one).locator(".invite-text")).to_have_text(HELLO)
    two = await floor.page(context)
    await until(lambda: looked_for(two, 2))
    await expect(invitation(two)).to_have_count(0)
    await two.evaluate("localStorage.setItem('cc:shop:session', JSON.stringify({n: 1, at: Date.now() - 3600000}))")
    await two.reload()
    await expect(invitation(two).locator(".invite-text")).to_have_text("Welcome back")


async def test_nobody_is_invited_who_is_talking_or_while_the_widget_is_hidden(floor: Front) -> None:
    page = await floor.page()
    await widget(page).locator("#launcher").click()
    await widget(page).get_by_label("Your name").fill("Ann")
    await widget(page).get_by_label("What is it about?").fill("Hello")
    await widget(page).get_by_role("button", name="Start chat").click()
    await until(lambda: len(floor.standin.visits) == 1)
    floor.standin.invitations = [rule()]
    await page.reload()
    await until(lambda: looked_for(page, 2))
    await expect(invitation(page)).to_have_count(0)
    other = await floor.page(await floor.context())
    await other.evaluate("ContactCenter('hide')")
    await until(lambda: looked_for(other, 2))
    await other.evaluate("ContactCenter('show')")
    await expect(invitation(other)).to_be_visible()


async def test_after_a_conversation_has_ended_an_invitation_begins_another(floor: Front) -> None:
    context = await floor.context()
    page = await floor.page(context)
    frame = widget(page)
    await frame.locator("#launcher").click()
    await frame.get_by_label("Your name").fill("Ann")
    await frame.get_by_label("What is it about?").fill("Hello")
    await frame.get_by_role("button", name="Start chat").click()
    await until(lambda: len(floor.standin.visits) == 1)
    await floor.standin.end(floor.visit())
    await expect(frame.get_by_role("heading", name="This conversation has ended")).to_be_visible()
    floor.standin.invitations = [rule(3)]
    await page.reload()
    await invitation(page).get_by_role("button", name=HELLO).click()
    await frame.get_by_label("Your message").fill("Once more")
    await frame.get_by_role("button", name="Start chat").click()
    await until(lambda: [one.text for one in floor.visit().messages] == ["Once more"])
    assert len(floor.standin.visits) == 2


async def test_on_a_phone_it_is_no_more_than_a_strip(floor: Front) -> None:
    floor.standin.invitations = [rule(text="Words, words, words. " * 9)]
    page = await floor.page(await floor.context(viewport={"width": 375, "height": 667}, reduced_motion="reduce"))
    await expect(invitation(page)).to_be_visible()

    async def strip() -> bool:
        box = await page.locator("iframe").bounding_box()
        return box is not None and 88 <= box["height"] <= 140 and box["width"] <= 359

    await until(strip)
    name = await invitation(page).evaluate("(one) => getComputedStyle(one).animationName")
    assert name == "none"


async def test_after_closed_hours_it_leads_to_the_form_that_becomes_a_mail(floor: Front) -> None:
    floor.standin.hours = type(floor.standin.hours)(False)
    floor.standin.invitations = [rule(5)]
    page = await floor.page()
    await invitation(page).get_by_role("button", name=HELLO).click()
    frame = widget(page)
    await expect(frame.locator(".greeting .bubble")).to_have_text(HELLO)
    await frame.get_by_label("Your name").fill("Ann")
    await frame.get_by_label("Your e-mail").fill("ann@example.com")
    await frame.get_by_label("Your message").fill("Please")
    await frame.get_by_role("button", name="Send message").click()
    await until(lambda: [(one.text, one.invitation) for one in floor.standin.mail] == [("Please", 5)])
