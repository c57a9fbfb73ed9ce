"""The widget in Chromium against the real server: what is written arrives once and in order, whatever happens."""

import asyncio
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx2
import pytest
import pytest_asyncio
from playwright.async_api import Browser, FrameLocator, Page, expect
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from channels.chat import invitations
from contact_center.core.clock import utcnow
from contact_center.core.db import sqlite_engine
from contact_center.core.outbound import trust
from tests.browser.desk import Desk
from tests.channels.chat.test_invitations import RULE

pytestmark = pytest.mark.browser

# A customer who sees this many messages wait stops writing (a machine under load takes long to restart).
MOST_UNSENT = 40


@pytest_asyncio.fixture(loop_scope="session")
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    desk = Desk(tmp_path)
    await desk.start()
    yield desk
    await desk.stop()


def widget(page: Page) -> FrameLocator:
    return page.frame_locator("iframe")


async def begin(page: Page, text: str = "Where is my order?", email: str = "") -> FrameLocator:
    frame = widget(page)
    await frame.locator("#launcher").click()
    await frame.get_by_label("Your name").fill("Ann Carter")
    await frame.get_by_label("Your e-mail").fill(email)
    await frame.get_by_label("What is it about?").fill(text)
    await frame.get_by_role("button", name="Start chat").click()
    await expect(frame.locator(".row.customer:not(.pending)")).to_have_count(1)
    return frame


async def shop(browser: Browser, desk: Desk) -> Page:
    page = await browser.new_page()
    await page.goto(desk.base)
    return page


async def write(frame: FrameLocator, text: str) -> None:
    await frame.locator("#message").fill(text)
    await frame.locator("#message").press("Enter")


async def bubbles(frame: FrameLocator) -> list[str]:
    return await frame.locator(".bubble").all_inner_texts()


async def until(fine: Callable[[], Awaitable[bool]], seconds: float = 10) -> None:
    for _ in range(int(seconds * 20)):
        if await fine():
            return
        await asyncio.sleep(0.05)
    raise AssertionError(f"it did not happen within {seconds} s")


async def test_a_conversation_from_the_first_word_to_the_rating(desk: Desk, browser: Browser) -> None:
    problems: list[str] = []
    page = await browser.new_page()
    page.on("console", lambda message: message.type == "error" and problems.append(message.text))
    await page.goto(desk.base)
    frame = await begin(page, email="ann@example.com")
    await desk.act("note", text="a secret of ours")
    await desk.act("join")
    await expect(frame.get_by_role("heading", name="Lan Nguyen")).to_be_visible()
    await desk.act("say", text="It leaves today.")
    await expect(frame.locator(".bubble", has_text="It leaves today.")).to_be_visible()
    await write(frame, "Thank you!")
    await expect(frame.get_by_text("Sent", exact=True)).to_be_visible()
    await desk.act("read", seq=99)
    await expect(frame.get_by_text("Seen", exact=True)).to_be_visible()
    await desk.act("resolve")
    await expect(frame.get_by_role("heading", name="This conversation has ended")).to_be_visible()
    await frame.locator(".star").nth(4).click()
    await frame.get_by_role("button", name="Send rating").click()
    await expect(frame.locator(".rated")).to_be_visible()
    assert "secret" not in await frame.locator("body").inner_text()
    seen = await desk.look()
    assert next(one["delivery"] for one in seen["messages"] if one["kind"] == "outbound") == "read"
    assert seen["surveys"] == [{"rating": 5, "state": "answered"}]
    assert problems == []


async def test_a_reload_and_a_second_tab_show_the_same_conversation(desk: Desk, browser: Browser) -> None:
    context = await browser.new_context()
    one = await context.new_page()
    await one.goto(desk.base)
    await begin(one)
    await desk.act("say", text="Hello Ann")
    await one.reload()
    first = widget(one)
    await first.get_by_role("button", name="Open chat").click()
    await expect(first.get_by_text("Hello Ann")).to_be_visible()
    two = await context.new_page()
    await two.goto(desk.base)
    second = widget(two)
    await second.locator("#launcher").click()
    await write(second, "from the second")
    await write(first, "from the first")
    for frame in (first, second):
        await expect(frame.locator(".bubble")).to_have_count(4)
    assert await bubbles(first) == await bubbles(second)
    assert len((await desk.look())["visits"]) == 1


async def traffic(desk: Desk, frame: FrameLocator, restarts: int, *, rate: float) -> tuple[list[str], list[str]]:
    """Both sides write all the time while the server is stopped and killed in turn; what each of them wrote."""
    ours: list[str] = []
    theirs: list[str] = []
    going = True

    async def customer() -> None:
        while going:
            if await frame.locator(".row.pending").count() < MOST_UNSENT:
                theirs.append(f"customer {len(theirs)}")
                await write(frame, theirs[-1])
            await asyncio.sleep(1 / rate)

    async def agent() -> None:
        while going:
            ours.append(f"agent {len(ours)}")
            await desk.act("say", text=ours[-1], client_id=f"agent-{len(ours):06}")
            await asyncio.sleep(1 / rate)

    writing = [asyncio.create_task(customer()), asyncio.create_task(agent())]
    for number in range(restarts):
        await asyncio.sleep(2)
        await desk.stop(signal.SIGKILL if number % 2 else signal.SIGTERM)
        await asyncio.sleep(0.3)
        await desk.start()
    await asyncio.sleep(2)
    going = False
    await asyncio.gather(*writing)
    return theirs, ours


async def check_nothing_is_lost(desk: Desk, browser: Browser, restarts: int, *, rate: float) -> None:
    page = await shop(browser, desk)
    frame = await begin(page, "first")
    theirs, ours = await traffic(desk, frame, restarts, rate=rate)
    whole = 1 + len(theirs) + len(ours)

    async def everything_came() -> bool:
        return await frame.locator(".row:not(.pending) .bubble").count() == whole

    await until(everything_came, 60 + whole / 5)
    stored = [one["text"] for one in (await desk.look())["messages"] if one["kind"] in ("inbound", "outbound")]
    assert [text for text in stored if text.startswith("customer")] == theirs
    assert [text for text in stored if text.startswith("agent")] == ours
    assert await bubbles(frame) == stored
    await page.reload()
    await frame.get_by_role("button", name="Open chat").click()
    await expect(frame.locator(".bubble").last).to_have_text(stored[-1])
    assert await bubbles(frame) == stored[-200:]


@pytest.mark.long
async def test_three_restarts_under_traffic_lose_nothing_and_double_nothing(desk: Desk, browser: Browser) -> None:
    await check_nothing_is_lost(desk, browser, 3, rate=3)


@pytest.mark.long
async def test_twenty_restarts_under_five_messages_a_second_each_way(desk: Desk, browser: Browser) -> None:
    await check_nothing_is_lost(desk, browser, 20, rate=5)


async def test_a_page_that_is_not_allowed_cannot_show_the_widget(desk: Desk, browser: Browser) -> None:
    await desk.change(origins=["https://somewhere.example"])
    page = await shop(browser, desk)
    await page.locator("iframe").wait_for(state="attached")
    await asyncio.sleep(1)
    assert not await page.locator("iframe").is_visible()


async def close_code(url: str, frame: str, **options: Any) -> int | None:
    try:
        async with connect(url, **options) as line:
            await line.send(frame)
            await line.recv()
    except ConnectionClosed as closed:
        return closed.rcvd.code if closed.rcvd else None
    except InvalidStatus as refused:
        return refused.response.status_code
    return None


async def test_a_line_needs_our_origin_and_a_signed_token_or_ticket(desk: Desk) -> None:
    url = desk.own.replace("http", "ws") + "/widget/shop/ws"
    hello = '{"t":"hello","token":null,"since":0,"ticket":"%s"}'
    forged = '{"t":"hello","token":"WyJzaG9wIiwxXQ.forged","since":0}'
    assert await close_code(url, hello % "", origin=desk.own) == 4401
    assert await close_code(url, forged, origin=desk.own) == 4401
    assert await close_code(url, '{"t":"ping"}', origin=desk.own) == 4400
    assert await close_code(url, hello % "", origin="https://evil.example") == 403
    async with httpx2.AsyncClient(verify=trust()) as client:
        ticket = (await client.get(f"{desk.own}/widget/shop/status")).json()["ticket"]
    assert await close_code(url, hello % ticket, origin=desk.own) is None
    assert await close_code(url.replace("shop", "nobody"), hello % ticket, origin=desk.own) == 4403


async def test_pictures_arrive_and_liars_do_not(desk: Desk, browser: Browser) -> None:
    page = await shop(browser, desk)
    frame = await begin(page)
    screenshot = await page.screenshot()
    pick = frame.locator("input[type=file]")
    await pick.set_input_files([{"name": "lid.png", "mimeType": "image/png", "buffer": b"<script>"}])
    await expect(frame.get_by_text("Not uploaded")).to_be_visible()
    await frame.get_by_role("button", name="Remove lid.png").click()
    await pick.set_input_files([{"name": "page.png", "mimeType": "image/png", "buffer": screenshot}])
    await expect(frame.get_by_role("status").get_by_text("page.png is attached")).to_be_attached()
    await frame.get_by_role("button", name="Send").click()
    picture = frame.locator(".row:not(.pending) .picture img")
    await expect(picture).to_be_visible()
    await until(lambda: picture.evaluate("(image) => image.complete && image.naturalWidth > 0"))
    address = await frame.locator(".picture").get_attribute("href")
    async with httpx2.AsyncClient(verify=trust()) as client:
        answer = await client.get(desk.own + str(address))
        assert answer.content == screenshot
        assert "sandbox" in answer.headers["content-security-policy"]
        assert (await client.get(f"{desk.own}{address}x")).status_code == 404


async def test_an_invitation_that_is_answered_begins_the_conversation_and_is_counted(
    desk: Desk, browser: Browser
) -> None:
    (database,) = desk.folder.glob("*.db")
    engine = sqlite_engine(f"sqlite:///{database}")
    with engine.begin() as tx:
        invitation_id = invitations.add(tx, 1, {**RULE, "page": "/shop", "seconds": 1}, now=utcnow())
    page = await shop(browser, desk)
    frame = widget(page)
    await frame.get_by_role("button", name="Shall I help?").click()
    await frame.get_by_label("Your name").fill("Ann")
    await frame.get_by_label("Your message").fill("Yes please")
    await frame.get_by_role("button", name="Start chat").click()
    await expect(frame.locator(".row:not(.pending) .bubble")).to_have_text(["Shall I help?", "Yes please"])
    stored = (await desk.look())["messages"]
    assert [(one["kind"], one["text"]) for one in stored] == [("outbound", "Shall I help?"), ("inbound", "Yes please")]
    await page.goto("about:blank")

    async def counted() -> bool:
        with engine.begin() as tx:
            row = invitations.find(tx, 1, invitation_id)
        return (row.shown, row.opened, row.answered) == (1, 1, 1)

    await until(counted, 30)
    engine.dispose()
