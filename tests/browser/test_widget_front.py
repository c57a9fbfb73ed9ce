"""The widget in a real browser, against a stand-in of the server: what a customer sees and can do."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect

from channels.chat import frames
from tests.browser.widget_front import Front, begin, bubbles, open_front, until, widget

pytestmark = pytest.mark.browser

(AXE,) = (Path(__file__).parent / "vendor").glob("axe-core-*.min.js")


@pytest_asyncio.fixture(loop_scope="session")
async def floor(browser: Browser) -> AsyncIterator[Front]:
    async with open_front(browser) as front:
        yield front


async def test_it_works_on_a_page_that_allows_one_host_and_nothing_inline(floor: Front) -> None:
    frame = await begin(await floor.page())
    await floor.standin.join(floor.visit())
    await floor.standin.say(floor.visit(), "Hello Ann")
    await expect(frame.get_by_text("Hello Ann", exact=True).first).to_be_visible()
    await expect(frame.get_by_role("heading", name="Lan Nguyen")).to_be_visible()


async def test_the_place_in_line_is_shown_and_goes_when_somebody_answers(floor: Front) -> None:
    frame = await begin(await floor.page())
    await expect(frame.get_by_text("You are number 3 in line")).to_be_visible()
    by_mail = frame.get_by_role("button", name="Get the answer by e-mail too")
    await by_mail.focus()
    await expect(frame.get_by_text("about 2 minutes")).to_be_visible()
    await floor.standin.tell(floor.visit(), frames.queue(frames.Place(1, None)))
    await expect(frame.get_by_text("You are next in line")).to_be_visible()
    await expect(by_mail).to_be_focused()
    await floor.standin.join(floor.visit())
    await expect(frame.get_by_text("in line")).to_have_count(0)


async def test_unread_answers_are_counted_in_the_launchers_name_and_told_to_the_page(floor: Front) -> None:
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
async def test_a_reload_brings_the_conversation_back(floor: Front, host: str) -> None:
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
async def test_two_tabs_are_one_conversation(floor: Front, host: str) -> None:
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


async def test_what_is_written_without_a_line_is_kept_and_sent_when_it_is_back(floor: Front) -> None:
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


async def test_news_of_a_message_that_another_tab_has_sent_meanwhile_is_no_error(floor: Front) -> None:
    page = await floor.page(base=floor.base.replace("localhost", "127.0.0.1"))
    frame = await begin(page)
    await frame.locator("#message").evaluate(
        """() => {
            const prefix = Object.keys(localStorage).find((key) => key.endsWith(":visit")).slice(0, -"visit".length);
            const key = `${prefix}out:00000000000001.000001:gone`;
            dispatchEvent(new StorageEvent("storage", { key, newValue: '{"text": "gone"}' }));
        }"""
    )
    await floor.standin.say(floor.visit(), "Hello Ann")
    await expect(frame.get_by_text("Hello Ann", exact=True).first).to_be_visible()
    assert await bubbles(frame) == ["Where is my order?", "Hello Ann"]


async def test_an_unacknowledged_message_survives_a_reload(floor: Front) -> None:
    context = await floor.context()
    page = await floor.page(context)
    frame = await begin(page)
    await asyncio.gather(*(socket.close(1012) for socket in list(floor.visit().sockets)))
    await frame.locator("#message").fill("written in between")
    await frame.locator("#message").press("Enter")
    await page.reload()
    await until(lambda: [one.text for one in floor.visit().messages] == ["Where is my order?", "written in between"])


async def test_it_is_used_by_keyboard_alone(floor: Front) -> None:
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


async def test_focus_goes_back_to_the_pages_own_opener(floor: Front) -> None:
    page = await floor.page()
    await page.locator("#own").focus()
    await page.evaluate("ContactCenter('open', 'About order 7')")
    await expect(widget(page).get_by_label("What is it about?")).to_have_value("About order 7")
    await page.evaluate("ContactCenter('close')")
    await expect(page.locator("#own")).to_be_focused()


async def test_the_page_hides_shows_and_shuts_down(floor: Front) -> None:
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


async def test_files_go_with_a_message(floor: Front) -> None:
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


async def test_answers_are_announced_and_a_burst_is_one_sentence(floor: Front) -> None:
    frame = await begin(await floor.page())
    status = frame.locator("#panel > [role=status].hidden")
    await floor.standin.say(floor.visit(), "Hello Ann")
    await expect(status).to_have_text("Lan Nguyen says: Hello Ann")
    for number in range(4):
        await floor.standin.say(floor.visit(), f"line {number}")
    await expect(status).to_have_text("4 new messages", timeout=8_000)


async def test_a_message_that_leaves_a_gap_is_fetched_in_order(floor: Front) -> None:
    frame = await begin(await floor.page())
    visit = floor.visit()
    floor.standin.store(visit, frames.AuthorKind.AGENT, "Lan", "lost on the way")
    await floor.standin.say(visit, "and one more")
    await expect(frame.get_by_text("and one more")).to_be_visible()
    assert await bubbles(frame) == ["Where is my order?", "lost on the way", "and one more"]


async def test_every_target_is_large_enough_for_a_thumb(floor: Front) -> None:
    page = await floor.page(await floor.context(viewport={"width": 375, "height": 740}, has_touch=True))
    frame = await begin(page)
    small = """(all) => all.filter((one) => one.offsetParent && !one.matches('.bubble a, .hidden'))
        .map((one) => [one.className, one.getBoundingClientRect()])
        .filter(([, box]) => box.width < 44 || box.height < 44).map(([name]) => name)"""
    assert await frame.locator("button, input, textarea").evaluate_all(small) == []
    await floor.standin.end(floor.visit())
    await frame.get_by_role("heading", name="This conversation has ended").wait_for()
    assert await frame.locator("button, label.star, textarea").evaluate_all(small) == []


async def test_below_480_px_it_fills_the_screen(floor: Front) -> None:
    page = await floor.page(await floor.context(viewport={"width": 375, "height": 740}))
    await begin(page)

    async def size() -> tuple[float, float] | None:
        box = await page.locator("iframe").bounding_box()
        return (box["width"], box["height"]) if box else None

    async def fills() -> bool:
        return await size() == (375, 740)

    async def floats() -> bool:
        return await size() == (380, 640)

    await until(fills)
    await page.set_viewport_size({"width": 1200, "height": 900})
    await until(floats)


@pytest.mark.long
@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_axe_finds_nothing_serious_in_any_view(floor: Front, scheme: str) -> None:
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


async def test_the_conversation_is_saved_as_a_file(floor: Front) -> None:
    page = await floor.page()
    frame = await begin(page)
    await floor.standin.say(floor.visit(), "It leaves today.")
    await expect(frame.locator(".bubble", has_text="It leaves today.")).to_be_visible()
    await frame.get_by_role("button", name="More").click()
    async with page.expect_download() as waiting:
        await frame.get_by_role("button", name="Save this conversation as a file").click()
    download = await waiting.value
    assert download.suggested_filename.startswith("Harbor Supply ")
    text = Path(await download.path()).read_text()
    assert [part.partition(" (")[0] for part in text.split("\n\n")] == ["Harbor Supply", "You", "Lan Nguyen"]
    assert text.endswith("\nIt leaves today.\n")


async def test_a_page_that_slept_catches_up_and_sends_what_was_written(floor: Front) -> None:
    context = await floor.context()
    page = await floor.page(context)
    frame = await begin(page)
    power = await context.new_cdp_session(page)
    await power.send("Page.setWebLifecycleState", {"state": "frozen"})
    for socket in list(floor.visit().sockets):
        await socket.close(1001)
    for number in range(3):
        floor.standin.store(floor.visit(), frames.AuthorKind.AGENT, "Lan", f"while you slept {number}")
    await power.send("Page.setWebLifecycleState", {"state": "active"})
    await expect(frame.locator(".bubble", has_text="while you slept 2")).to_be_visible()
    await frame.locator("#message").fill("Awake")
    await frame.locator("#message").press("Enter")
    await until(lambda: floor.visit().messages[-1].text == "Awake")
    assert await bubbles(frame) == ["Where is my order?", *(f"while you slept {n}" for n in range(3)), "Awake"]
