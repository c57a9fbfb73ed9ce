"""The widget in a real browser, against a stand-in of the server: what a customer sees and can do."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, BrowserContext, FrameLocator, Page, expect

from channels.chat import frames, parse
from channels.chat.page import Hours
from tests.browser.chromium import chromium
from tests.channels.chat.standin import Running, StandIn, Visit

pytestmark = pytest.mark.browser

(AXE,) = (Path(__file__).parent / "vendor").glob("axe-core-*.min.js")


@dataclass
class Floor:
    """The stand-in, a browser, and what went wrong on the pages."""

    standin: StandIn
    base: str
    browser: Browser
    problems: list[str] = field(default_factory=list)

    async def context(self, **options: Any) -> BrowserContext:
        return await self.browser.new_context(**{"viewport": {"width": 1440, "height": 900}, **options})

    async def page(self, context: BrowserContext | None = None, base: str | None = None) -> Page:
        page = await (context or await self.context()).new_page()
        page.on("console", lambda message: message.type == "error" and self.problems.append(message.text))
        page.on("pageerror", lambda error: self.problems.append(str(error)))
        await page.goto(base or self.base)
        await widget(page).locator("#launcher").wait_for()
        return page

    def visit(self, number: int = -1) -> Visit:
        return list(self.standin.visits.values())[number]


@pytest.fixture
async def floor() -> AsyncIterator[Floor]:
    standin = StandIn()
    async with Running(standin) as base, chromium() as browser:
        floor = Floor(standin, base, browser)
        yield floor
        assert floor.problems == []


def widget(page: Page) -> FrameLocator:
    return page.frame_locator("iframe")


async def begin(page: Page, text: str = "Where is my order?") -> FrameLocator:
    frame = widget(page)
    await frame.locator("#launcher").click()
    await frame.get_by_label("Your name").fill("Ann Carter")
    await frame.get_by_label("What is it about?").fill(text)
    await frame.get_by_role("button", name="Start chat").click()
    await expect(frame.get_by_text("Sent", exact=True)).to_be_visible()
    return frame


async def bubbles(frame: FrameLocator) -> list[str]:
    return await frame.locator(".bubble").all_inner_texts()


async def until(fine: Callable[[], bool | Awaitable[bool]]) -> None:
    for _ in range(250):
        answer = fine()
        if answer if isinstance(answer, bool) else await answer:
            return
        await asyncio.sleep(0.02)
    raise AssertionError("it did not happen within 5 s")


async def test_it_works_on_a_page_that_allows_one_host_and_nothing_inline(floor: Floor) -> None:
    frame = await begin(await floor.page())
    await floor.standin.join(floor.visit())
    await floor.standin.say(floor.visit(), "Hello Ann")
    await expect(frame.get_by_text("Hello Ann", exact=True).first).to_be_visible()
    await expect(frame.get_by_role("heading", name="Lan Nguyen")).to_be_visible()


async def test_the_place_in_line_is_shown_and_goes_when_somebody_answers(floor: Floor) -> None:
    frame = await begin(await floor.page())
    await expect(frame.get_by_text("You are number 3 in line")).to_be_visible()
    await expect(frame.get_by_text("about 2 minutes")).to_be_visible()
    await floor.standin.tell(floor.visit(), frames.queue(frames.Place(1, None)))
    await expect(frame.get_by_text("You are next in line")).to_be_visible()
    await floor.standin.join(floor.visit())
    await expect(frame.get_by_text("in line")).to_have_count(0)


async def test_unread_answers_are_counted_in_the_launchers_name_and_told_to_the_page(floor: Floor) -> None:
    page = await floor.page()
    await page.evaluate("window.counts = []; ContactCenter('onUnreadCountChange', (n) => counts.push(n))")
    frame = await begin(page)
    await frame.get_by_role("button", name="Close chat").click()
    await floor.standin.say(floor.visit(), "One")
    await floor.standin.say(floor.visit(), "Two")
    launcher = frame.get_by_role("button", name="Open chat, 2 unread messages")
    await expect(launcher).to_be_focused()
    await launcher.click()
    await until(lambda: page.evaluate("counts.at(-1) === 0"))
    assert (await page.evaluate("counts"))[0] == 0
    assert 2 in await page.evaluate("counts")
    await until(lambda: floor.visit().seen == 3)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
async def test_a_reload_brings_the_conversation_back(floor: Floor, host: str) -> None:
    # On localhost the frame is a third party without storage of its own: the page keeps it.
    page = await floor.page(base=floor.base.replace("localhost", host))
    await begin(page)
    await floor.standin.say(floor.visit(), "Hello Ann")
    await page.reload()
    await widget(page).get_by_role("button", name="Open chat").click()
    await expect(widget(page).get_by_text("Hello Ann")).to_be_visible()
    assert await bubbles(widget(page)) == ["Where is my order?", "Hello Ann"]
    assert len(floor.standin.visits) == 1


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
async def test_two_tabs_are_one_conversation(floor: Floor, host: str) -> None:
    context = await floor.context()
    base = floor.base.replace("localhost", host)
    one, two = await floor.page(context, base), await floor.page(context, base)
    first = await begin(one)
    second = widget(two)
    await second.locator("#launcher").click()
    await expect(second.get_by_text("Where is my order?")).to_be_visible()
    await second.locator("#message").fill("From the other tab")
    await second.locator("#message").press("Enter")
    await expect(first.get_by_text("From the other tab")).to_be_visible()
    await until(lambda: len(floor.visit().messages) == 2)
    assert await bubbles(first) == await bubbles(second) == ["Where is my order?", "From the other tab"]
    assert len(floor.standin.visits) == 1


async def test_what_is_written_without_a_line_is_kept_and_sent_when_it_is_back(floor: Floor) -> None:
    context = await floor.context()
    page = await floor.page(context)
    frame = await begin(page)
    await context.set_offline(True)
    for text in ("second", "third"):
        await frame.locator("#message").fill(text)
        await frame.locator("#message").press("Enter")
    await expect(frame.get_by_text("You are offline")).to_be_visible()
    await expect(frame.get_by_role("button", name="Not sent: tap to retry").first).to_be_visible(timeout=15_000)
    await context.set_offline(False)
    await until(lambda: [one.text for one in floor.visit().messages] == ["Where is my order?", "second", "third"])
    assert await bubbles(frame) == ["Where is my order?", "second", "third"]
    await expect(frame.get_by_text("You are offline")).to_be_hidden()
    floor.problems.clear()


async def test_an_unacknowledged_message_survives_a_reload(floor: Floor) -> None:
    context = await floor.context()
    page = await floor.page(context)
    frame = await begin(page)
    await asyncio.gather(*(socket.close(1012) for socket in list(floor.visit().sockets)))
    await frame.locator("#message").fill("written in between")
    await frame.locator("#message").press("Enter")
    await page.reload()
    await until(lambda: [one.text for one in floor.visit().messages] == ["Where is my order?", "written in between"])


async def test_it_is_used_by_keyboard_alone(floor: Floor) -> None:
    page = await floor.page()
    frame = widget(page)
    await page.keyboard.press("Tab")  # the page's own button
    await page.keyboard.press("Tab")
    await expect(frame.locator("#launcher")).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(frame.get_by_label("Your name")).to_be_focused()
    await page.keyboard.type("Ann")
    await page.keyboard.press("Tab")
    await page.keyboard.press("Tab")
    await page.keyboard.type("By keyboard")
    await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    await expect(frame.locator("#message")).to_be_focused()
    await page.keyboard.type("two\nthree")
    await page.keyboard.press("Enter")
    await until(lambda: [one.text for one in floor.visit().messages] == ["By keyboard", "two", "three"])
    await page.keyboard.press("Escape")
    await expect(frame.locator("#launcher")).to_be_focused()


async def test_focus_goes_back_to_the_pages_own_opener(floor: Floor) -> None:
    page = await floor.page()
    await page.locator("#own").focus()
    await page.evaluate("ContactCenter('open', 'About order 7')")
    await expect(widget(page).get_by_label("What is it about?")).to_have_value("About order 7")
    await page.evaluate("ContactCenter('close')")
    await expect(page.locator("#own")).to_be_focused()


async def test_the_page_hides_shows_and_shuts_down(floor: Floor) -> None:
    page = await floor.page()
    await begin(page)
    await page.evaluate("ContactCenter('hide')")
    await expect(page.locator("iframe")).to_be_hidden()
    await page.evaluate("ContactCenter('show')")
    await expect(widget(page).locator("#launcher")).to_be_visible()
    await page.evaluate("ContactCenter('shutdown')")
    await expect(page.locator("iframe")).to_have_count(0)
    assert await page.evaluate("Object.keys(localStorage).filter((key) => key.startsWith('cc:'))") == []
    await page.evaluate("ContactCenter('boot', {widget: 'shop', user: {name: 'Bob', email: 'bob@example.com'}})")
    await widget(page).locator("#launcher").click()
    await expect(widget(page).get_by_label("Your name")).to_have_value("Bob")


async def test_closed_hours_become_a_mail(floor: Floor) -> None:
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


async def test_the_end_asks_for_a_rating_and_offers_a_new_start(floor: Floor) -> None:
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


async def test_the_customer_ends_it_after_being_asked(floor: Floor) -> None:
    frame = await begin(await floor.page())
    await frame.get_by_role("button", name="More").click()
    await frame.get_by_role("button", name="End conversation").click()
    await frame.get_by_role("dialog", name="End this conversation?").get_by_role("button", name="End").click()
    await expect(frame.get_by_role("heading", name="This conversation has ended")).to_be_visible()
    assert floor.visit().ended


async def test_help_articles_are_offered_while_the_question_is_written(floor: Floor) -> None:
    frame = widget(await floor.page())
    await frame.locator("#launcher").click()
    await frame.get_by_label("What is it about?").press_sequentially("my parcel is late")
    await expect(frame.get_by_role("link", name="Where is my parcel?")).to_have_attribute("href", "/help/parcel")


async def test_files_go_with_a_message(floor: Floor) -> None:
    frame = await begin(await floor.page())
    png = {"name": "lid.png", "mimeType": "image/png", "buffer": b"not really"}
    bad = {"name": "run.exe", "mimeType": "application/x-msdownload", "buffer": b"MZ"}
    await frame.locator("input[type=file]").set_input_files([bad])  # type: ignore[list-item]
    await expect(frame.get_by_text("run.exe: files of this kind cannot be sent here.")).to_be_visible()
    await frame.locator("input[type=file]").set_input_files([png])  # type: ignore[list-item]
    await expect(frame.get_by_role("status").get_by_text("lid.png is attached")).to_be_attached()
    await frame.get_by_role("button", name="Send").click()
    await until(lambda: len(floor.visit().messages) == 2)
    assert [file.name for file in floor.visit().messages[1].files] == ["lid.png"]
    await expect(frame.get_by_role("link", name="lid.png, 10 B")).to_be_visible()


async def test_answers_are_announced_and_a_burst_is_one_sentence(floor: Floor) -> None:
    frame = await begin(await floor.page())
    status = frame.locator("#panel > [role=status].hidden")
    await floor.standin.say(floor.visit(), "Hello Ann")
    await expect(status).to_have_text("Lan Nguyen says: Hello Ann")
    for number in range(4):
        await floor.standin.say(floor.visit(), f"line {number}")
    await expect(status).to_have_text("4 new messages", timeout=8_000)


async def test_a_message_that_leaves_a_gap_is_fetched_in_order(floor: Floor) -> None:
    frame = await begin(await floor.page())
    visit = floor.visit()
    floor.standin.store(visit, frames.AuthorKind.AGENT, "Lan", "lost on the way")
    await floor.standin.say(visit, "and one more")
    await expect(frame.get_by_text("and one more")).to_be_visible()
    assert await bubbles(frame) == ["Where is my order?", "lost on the way", "and one more"]


async def test_every_target_is_large_enough_for_a_thumb(floor: Floor) -> None:
    page = await floor.page(await floor.context(viewport={"width": 375, "height": 740}, has_touch=True))
    frame = await begin(page)
    small = """(all) => all.filter((one) => one.offsetParent && !one.matches('.bubble a, .hidden'))
        .map((one) => [one.className, one.getBoundingClientRect()])
        .filter(([, box]) => box.width < 44 || box.height < 44).map(([name]) => name)"""
    assert await frame.locator("button, input, textarea").evaluate_all(small) == []
    await floor.standin.end(floor.visit())
    await frame.get_by_role("heading", name="This conversation has ended").wait_for()
    assert await frame.locator("button, label.star, textarea").evaluate_all(small) == []


async def test_below_480_px_it_fills_the_screen(floor: Floor) -> None:
    page = await floor.page(await floor.context(viewport={"width": 375, "height": 740}))
    await begin(page)
    box = await page.locator("iframe").bounding_box()
    assert box == {"x": 0, "y": 0, "width": 375, "height": 740}
    await page.set_viewport_size({"width": 1200, "height": 900})
    box = await page.locator("iframe").bounding_box()
    assert box is not None
    assert (box["width"], box["height"]) == (380, 640)


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_axe_finds_nothing_serious_in_any_view(floor: Floor, scheme: str) -> None:
    page = await floor.page(await floor.context(color_scheme=scheme))
    frame = widget(page)
    found = [await serious(page)]
    await frame.locator("#launcher").click()
    await frame.get_by_role("button", name="Start chat").click()
    found.append(await serious(page))
    await frame.get_by_label("Your name").fill("Ann Carter")
    await frame.get_by_label("What is it about?").fill("Where is it?")
    await frame.get_by_role("button", name="Start chat").click()
    await frame.get_by_text("You are number 3 in line").wait_for()
    found.append(await serious(page))
    await floor.standin.join(floor.visit())
    await floor.standin.say(floor.visit(), "See https://shop.example/parcel")
    await frame.get_by_role("button", name="More").click()
    found.append(await serious(page))
    await floor.standin.end(floor.visit())
    await frame.locator(".star").nth(3).click()
    found.append(await serious(page))
    assert found == [[], [], [], [], []]


async def serious(page: Page) -> list[str]:
    """Run axe inside the widget's frame; what it calls serious or critical."""
    inner = next(frame for frame in page.frames if "/widget/" in frame.url)
    await inner.evaluate(AXE.read_text())
    return await inner.evaluate(  # type: ignore[no-any-return]
        """async () => (await axe.run()).violations
            .filter((one) => ["serious", "critical"].includes(one.impact))
            .flatMap((one) => one.nodes.map((node) => `${one.id}: ${node.html.slice(0, 120)}`))"""
    )
