"""The agent's story in a real browser, against a real web process."""

import asyncio
import re
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, BrowserContext, Page, expect

from tests.browser.chromium import chromium, require_chromium
from tests.browser.floor import PASSWORD, Floor, open_floor

pytestmark = pytest.mark.browser

# Shared machines are slow at times; what must be quick is measured where it matters.
expect.set_options(timeout=20_000)
AXE = Path(__file__).parent / "vendor" / "axe-core-4.14.1.min.js"
# What a cut line leaves in the console, and what a browser says of an aborted request.
EXPECTED = re.compile(r"ERR_INTERNET_DISCONNECTED|ERR_FAILED|ERR_CONNECTION|WebSocket connection|status of 40[19]")
WIDE = {"width": 1440, "height": 900}


@dataclass
class Desk:
    """A browser on the floor, and what went wrong on its pages."""

    floor: Floor
    browser: Browser
    problems: list[str] = field(default_factory=list)

    async def context(self, **options: Any) -> BrowserContext:
        return await self.browser.new_context(**{"viewport": WIDE, **options})

    async def sign_in(self, who: str = "anna", context: BrowserContext | None = None) -> Page:
        page = await (context or await self.context()).new_page()
        page.on("console", lambda message: message.type == "error" and self.note(message.text))
        page.on("pageerror", lambda error: self.note(str(error)))
        await page.goto(f"{self.floor.url}/login?next=/inbox")
        await page.get_by_label("E-mail").fill(f"{who}@shop.test")
        await page.get_by_label("Password").fill(PASSWORD)
        await page.keyboard.press("Enter")
        await expect(page.locator("#connection")).to_have_attribute("data-state", "live")
        return page

    def note(self, text: str) -> None:
        if not EXPECTED.search(text):
            self.problems.append(text)

    async def say(self, text: str, **more: str) -> dict[str, Any]:
        return await asyncio.to_thread(self.floor.say, text, **more)


@pytest.fixture(scope="module")
def floor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Floor]:
    require_chromium()
    with open_floor(tmp_path_factory.mktemp("floor")) as opened:
        yield opened


@pytest.fixture
async def desk(floor: Floor) -> AsyncIterator[Desk]:
    await asyncio.to_thread(floor.clear)
    async with chromium() as browser:
        opened = Desk(floor, browser)
        yield opened
    assert opened.problems == []


async def become(page: Page, state: str) -> None:
    await page.locator("#presence > button").click()
    await page.locator(f'#presence-menu [value="{state}"]').click()
    await expect(page.locator("#presence .presence").first).to_have_attribute("data-state", state.partition(":")[0])


async def accepted_chat(desk: Desk, page: Page, text: str = "Where is my order?") -> dict[str, Any]:
    """A chat that the person at the page has accepted by keyboard."""
    await become(page, "available")
    customer = await desk.say(text)
    await expect(page.locator(".offer")).to_be_visible()
    await page.keyboard.press("Alt+a")
    await expect(page.locator("#reply")).to_be_focused()
    return customer


async def test_an_offer_is_accepted_answered_and_resolved_by_keyboard_alone(desk: Desk) -> None:
    page = await desk.sign_in()
    await page.goto(f"{desk.floor.url}/tickets/new")
    await page.goto(f"{desk.floor.url}/inbox")
    await become(page, "available")
    await page.locator("#search").focus()
    customer = await desk.say("Where is my order A-2291?")
    await expect(page.locator(".offer")).to_contain_text("Where is my order A-2291?")
    await expect(page.locator("#alert")).to_contain_text("New offer: Chat")
    await expect(page.locator("#search")).to_be_focused()
    await page.locator("#search").blur()

    begun = asyncio.get_running_loop().time()
    await page.keyboard.press("Alt+a")
    await expect(page.locator("#reply")).to_be_focused()
    # 500 ms on an idle machine; this one is shared.
    assert asyncio.get_running_loop().time() - begun < 5
    await expect(page.locator(".offer")).to_have_count(0)

    await page.keyboard.type("It is on its way.")
    await page.keyboard.press("Enter")
    await expect(page.locator("#timeline .msg.out")).to_contain_text("It is on its way.")
    await expect(page.locator("#reply")).to_have_value("")
    await page.keyboard.press("Escape")
    await page.keyboard.press("e")
    await expect(page.locator(".thead")).to_contain_text("Resolved")
    await expect(page.locator(".wrapup")).to_be_visible()
    assert desk.floor.seen(customer["ticket_id"])[:2] == ["Where is my order A-2291?", "It is on its way."]
    await page.locator(".wrapup select").select_option("solved")
    await page.get_by_role("button", name="Finish").click()
    await expect(page.locator(".wrapup")).to_have_count(0)


async def test_declining_asks_why_first(desk: Desk) -> None:
    page = await desk.sign_in()
    await become(page, "available")
    await desk.say("Hello?")
    await page.locator(".offer").get_by_role("button", name="Decline").click()
    await page.get_by_role("button", name="Not my language").click()
    await expect(page.locator(".offer")).to_have_count(0)


async def test_the_customers_words_appear_while_the_agent_looks(desk: Desk) -> None:
    page = await desk.sign_in()
    customer = await accepted_chat(desk, page)
    await page.keyboard.type("half a sen")
    await desk.say("Are you there?", who=customer["from"])
    await expect(page.locator("#timeline .msg.in").last).to_contain_text("Are you there?")
    await expect(page.locator("#say")).to_contain_text("Are you there?")
    await expect(page.locator("#reply")).to_be_focused()
    await expect(page.locator("#reply")).to_have_value("half a sen")


async def test_a_draft_survives_a_reload_and_another_device(desk: Desk) -> None:
    ticket_id = (await desk.say("A question", channel="email", subject="Kettle", who="mai@example.com"))["ticket_id"]
    page = await desk.sign_in()
    await page.goto(f"{desk.floor.url}/tickets/{ticket_id + 99}")
    await page.locator("#reply").fill("Dear Mai, we are")
    await expect(page.locator("#draft-state")).to_have_text("Draft saved", timeout=10_000)
    await page.reload()
    await expect(page.locator("#reply")).to_have_value("Dear Mai, we are")
    other = await desk.sign_in()
    await other.goto(f"{desk.floor.url}/tickets/{ticket_id + 99}")
    await expect(other.locator("#reply")).to_have_value("Dear Mai, we are")


async def test_a_note_never_becomes_a_reply(desk: Desk) -> None:
    ticket_id = (await desk.say("A question", channel="email", subject="Cups", who="ben@example.com"))["ticket_id"]
    page = await desk.sign_in()
    await page.goto(f"{desk.floor.url}/tickets/{ticket_id + 99}")
    await page.locator("#subject").focus()
    await page.keyboard.press("n")
    await page.keyboard.type("He is a difficult one")
    await page.locator("label", has_text="Reply").first.click()
    await expect(page.locator("#reply")).to_have_value("")
    await page.locator("label.as-note").click()
    await expect(page.locator("#reply")).to_have_value("He is a difficult one")
    await page.keyboard.press("Control+Enter")
    note = page.locator("#timeline .msg.note")
    await expect(note).to_contain_text("Internal")
    await expect(note).to_contain_text("He is a difficult one")
    assert desk.floor.seen(ticket_id) == ["A question"]


async def test_after_a_cut_everything_arrives_once_and_in_order(desk: Desk) -> None:
    context = await desk.context()
    page = await desk.sign_in(context=context)
    customer = await accepted_chat(desk, page)
    await context.set_offline(True)
    await expect(page.locator("#connection")).to_have_attribute("data-state", "offline")
    for text in ("first", "second"):
        await page.keyboard.type(text)
        await page.keyboard.press("Enter")
    await expect(page.locator("#outbox .msg")).to_have_count(2)
    for number in range(3):
        await desk.say(f"while away {number}", who=customer["from"])
    await context.set_offline(False)
    await expect(page.locator(".toast")).to_contain_text("Caught up: 3 new messages")
    await expect(page.locator("#outbox .msg")).to_have_count(0)
    await expect(page.locator("#timeline .msg.out")).to_have_count(2)
    seen = desk.floor.seen(customer["ticket_id"])
    assert seen[1:] == ["while away 0", "while away 1", "while away 2", "first", "second"]
    seqs = await page.locator("#timeline > [data-seq]").evaluate_all("all => all.map(e => Number(e.dataset.seq))")
    assert seqs == sorted(set(seqs))


async def test_what_was_sent_offline_survives_a_reload(desk: Desk) -> None:
    ticket_id = (await desk.say("Hi", channel="email", subject="Tea", who="zoe@example.com"))["ticket_id"]
    context = await desk.context()
    page = await desk.sign_in(context=context)
    await page.goto(f"{desk.floor.url}/tickets/{ticket_id + 99}")
    await expect(page.locator("#connection")).to_have_attribute("data-state", "live")
    await page.route("**/messages", lambda route: route.abort())
    await page.locator("#reply").fill("It will not be lost")
    await page.keyboard.press("Control+Enter")
    await expect(page.locator("#outbox .msg")).to_contain_text("It will not be lost")
    await page.unroute("**/messages")
    await page.reload()
    await expect(page.locator("#timeline .msg.out")).to_contain_text("It will not be lost")
    assert desk.floor.seen(ticket_id) == ["Hi", "It will not be lost"]


async def test_an_ended_session_is_renewed_without_losing_a_word(desk: Desk) -> None:
    ticket_id = (await desk.say("Hi", channel="email", subject="Pot", who="kim@example.com"))["ticket_id"]
    context = await desk.context()
    page = await desk.sign_in(context=context)
    await page.goto(f"{desk.floor.url}/tickets/{ticket_id + 99}")
    await expect(page.locator("#connection")).to_have_attribute("data-state", "live")
    await page.locator("#reply").fill("Dear Kim")
    await context.clear_cookies()
    await page.keyboard.press("Control+Enter")
    dialog = page.get_by_role("dialog", name="Your session has ended")
    await expect(dialog).to_be_visible()
    await dialog.get_by_label("E-mail").fill("anna@shop.test")
    await dialog.get_by_label("Password").fill(PASSWORD)
    await page.keyboard.press("Enter")
    await expect(dialog).to_be_hidden()
    await expect(page.locator("#timeline .msg.out")).to_contain_text("Dear Kim")


async def test_new_work_appears_in_the_list_without_moving_the_focus(desk: Desk) -> None:
    page = await desk.sign_in()
    await page.goto(f"{desk.floor.url}/inbox?view=open&sort=newest")
    await expect(page.locator("#connection")).to_have_attribute("data-state", "live")
    await page.locator("#search").focus()
    said = await desk.say("A fresh question", channel="sms", who="+14155550188")
    await expect(page.locator(f"#row-{said['ticket_id'] + 99}")).to_be_visible()
    await expect(page.locator("#search")).to_be_focused()


async def test_on_a_phone_one_pane_shows_at_a_time(desk: Desk) -> None:
    ticket_id = (await desk.say("Hi", channel="email", subject="Lid", who="lea@example.com"))["ticket_id"]
    page = await desk.sign_in(context=await desk.context(viewport={"width": 375, "height": 812}))
    await page.goto(f"{desk.floor.url}/inbox?view=open&sort=newest")
    await page.locator(f"#row-{ticket_id + 99}").click()
    await expect(page.locator("#composer")).to_be_visible()
    await expect(page.locator("#list")).to_be_hidden()
    await page.get_by_role("button", name="Customer panel").click()
    await expect(page.locator("#context")).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(page.locator("#context")).to_be_hidden()
    overflow = await page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert overflow <= 0
    await page.get_by_role("link", name="Back to the list").click()
    await expect(page.locator("#list")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_axe_finds_nothing_serious(desk: Desk, scheme: Any) -> None:
    ticket_id = (await desk.say("Hi", channel="email", subject="Axe", who=f"axe-{scheme}@example.com"))["ticket_id"]
    context = await desk.context(color_scheme=scheme, bypass_csp=True)
    page = await desk.sign_in("minh", context)
    await become(page, "available")
    await desk.say("Is somebody there?")
    await expect(page.locator(".offer")).to_be_visible()
    await found_by_axe(page, "offer")
    for path in (
        "/inbox?view=open",
        f"/tickets/{ticket_id + 99}",
        "/settings",
        "/search?q=axe",
        "/tickets/new",
        "/nowhere",
    ):
        await page.goto(f"{desk.floor.url}{path}")
        await page.wait_for_load_state("networkidle")
        await found_by_axe(page, path)
    desk.problems.clear()


async def found_by_axe(page: Page, where: str) -> None:
    await page.add_script_tag(path=AXE)
    found = await page.evaluate("axe.run({resultTypes: ['violations']})")
    serious = [
        (one["id"], [node["html"][:160] for node in one["nodes"]])
        for one in found["violations"]
        if one["impact"] in ("serious", "critical")
    ]
    assert serious == [], where
