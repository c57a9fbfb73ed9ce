"""The agent's story in a real browser, against a real web process."""

import re
from typing import Any

import pytest
from playwright.async_api import expect

from tests.browser.agents import Desk, accepted_chat, become, found_by_axe, tab_to
from tests.browser.floor import PASSWORD

pytestmark = pytest.mark.browser


async def test_the_whole_story_by_keyboard_alone(desk: Desk, record_property: Any) -> None:
    mail = await desk.say("A lid is missing", channel="email", subject="Lid", who="lou@example.com")
    page = await desk.sign_in()
    await page.goto(f"{desk.floor.url}/inbox?view=unassigned&sort=newest")
    await expect(page.locator("#connection")).to_have_attribute("data-state", "live")

    await tab_to(page, "#presence > button")
    await page.keyboard.press("Enter")
    while await page.evaluate("document.activeElement.value") != "available":
        await page.keyboard.press("ArrowUp")
    await page.keyboard.press("Enter")
    await expect(page.locator("#presence .presence").first).to_have_attribute("data-state", "available")

    customer = await desk.say("Where is my order A-2291?")
    await expect(page.locator(".offer").first).to_be_visible()
    await expect(page.locator("#alert")).to_contain_text("New offer")
    while "A-2291" not in await page.locator(".offer").first.inner_text():
        # The mail may be offered first: it is accepted and left open.
        await page.keyboard.press("Alt+a")
        await expect(page.locator("#reply")).to_be_focused()
        await expect(page.locator(".offer")).to_contain_text(["A-2291"])
    await page.evaluate("performance.clearMarks(); performance.clearMeasures()")
    await page.keyboard.press("Alt+a")
    await expect(page.locator("#subject")).to_have_text("Where is my order A-2291?")
    await expect(page.locator("#reply")).to_be_focused()
    took = await page.evaluate("performance.getEntriesByName('accept-to-composer').at(-1).duration")
    record_property("accept_to_composer_ms", round(took))
    # 500 ms on an idle machine (139 in the median); this one is shared.
    assert 0 < took < 5_000
    await expect(page.locator(".offer")).to_have_count(0)

    await page.keyboard.type("It is on its way.")
    await page.keyboard.press("Enter")
    await expect(page.locator("#timeline .msg.out")).to_contain_text("It is on its way.")
    await expect(page.locator("#reply")).to_have_value("")
    await page.keyboard.press("Escape")
    await page.keyboard.press("e")
    await expect(page.locator(".thead")).to_contain_text("Resolved")
    assert desk.floor.seen(customer["ticket_id"])[:2] == ["Where is my order A-2291?", "It is on its way."]

    await tab_to(page, ".wrapup select")
    await page.keyboard.type("Solved")
    await tab_to(page, ".wrapup [type=submit]")
    await page.keyboard.press("Enter")
    await expect(page.locator(".wrapup")).to_have_count(0)

    await page.goto(f"{desk.floor.url}/inbox?view=open&sort=newest")
    await expect(page.locator(f"#row-{mail['ticket_id'] + 99}")).to_be_visible()
    await page.keyboard.press("j")
    await page.keyboard.press("Enter")
    await expect(page.locator("#subject")).to_be_focused()
    await expect(page).to_have_title(re.compile("#[0-9]+ Lid"))


async def test_an_offer_takes_no_focus(desk: Desk) -> None:
    page = await desk.sign_in()
    await become(page, "available")
    await page.locator("#search").focus()
    await desk.say("Hello?")
    await expect(page.locator(".offer")).to_contain_text("Hello?")
    await expect(page.locator("#search")).to_be_focused()


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


@pytest.mark.long
@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_axe_finds_nothing_serious(desk: Desk, scheme: Any) -> None:
    ticket_id = (await desk.say("Hi", channel="email", subject="Axe", who=f"axe-{scheme}@example.com"))["ticket_id"]
    context = await desk.context(color_scheme=scheme, bypass_csp=True)
    page = await desk.sign_in("minh", context)
    await become(page, "available")
    await desk.say("Is somebody there?")
    await expect(page.locator(".offer")).to_be_visible()
    await found_by_axe(page, "offer")
    await page.locator("#bell button").click()
    await expect(page.locator("#notices")).to_contain_text("Notifications")
    await found_by_axe(page, "notifications")
    for path in (
        "/inbox?view=open",
        f"/tickets/{ticket_id + 99}",
        "/settings",
        "/search?q=axe",
        "/tickets/new",
        "/customers",
        "/views",
        "/nowhere",
    ):
        await page.goto(f"{desk.floor.url}{path}")
        await page.wait_for_load_state("networkidle")
        await found_by_axe(page, path)
    await page.goto(f"{desk.floor.url}/inbox")
    await page.get_by_role("button", name="Filter").click()
    await expect(page.get_by_label("Only what is past its target")).to_be_visible()
    await found_by_axe(page, "filters")
    await context.clear_cookies()
    await page.goto(f"{desk.floor.url}/login")
    await found_by_axe(page, "/login")
    desk.problems.clear()
