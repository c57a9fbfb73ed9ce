"""The demo as people meet it: the doors, and the whole checklist from the customer's first word to the score."""

import re

import pytest
from playwright.async_api import expect

from contact_center.demo.shoppers import yours
from tests.browser.demo_visitor import Visitor, accept, available, chat, finish

pytestmark = pytest.mark.browser

PHONE = {"width": 375, "height": 812}
ANSWER = (
    "Turn the old leg to the left until it comes off, clean the thread with a dry cloth, then screw the new leg in "
    "by hand until it sits flush with the seat. I am sending it today, with four screws."
)


async def test_five_doors_live_side_by_side_in_one_browser(visitor: Visitor) -> None:
    doors = await visitor.page("")
    opened = []
    for host, heading in (("agent", "Inbox"), ("supervisor", "Board"), ("qa", "Quality"), ("admin", ""), ("shop", "")):
        async with visitor.context.expect_page() as opening:
            await doors.locator(f"#door-{host}").click()
        page = await opening.value
        await expect(page).to_have_url(re.compile(rf"^http://{host}\.localhost:{visitor.stage.port}/"))
        if heading:
            await expect(page.get_by_role("heading", name=heading).first).to_be_visible()
        opened.append(page)
    for page, name in zip(opened, ("Emma Clarke", "Brian Doyle", "Ines Duarte", "Alex Kim"), strict=False):
        await page.reload()
        await expect(page.get_by_role("button", name=f"Account of {name}")).to_be_visible()


@pytest.mark.parametrize("language", ["en", "vi"])
async def test_the_bar_is_whole_and_covers_nothing_even_on_a_phone(visitor: Visitor, language: str) -> None:
    narrow = await visitor.context.browser.new_context(viewport=PHONE, locale=language)  # type: ignore[union-attr,arg-type]
    page = await narrow.new_page()
    for host, path in (
        ("", "/"),
        ("agent", "/"),
        ("shop", "/demo/shop"),
        ("shop", "/demo/mailbox"),
        ("shop", "/demo/phone"),
    ):
        await page.goto(visitor.stage.at(host, path))
        await expect(page.locator("#demo-bar .bar")).to_be_visible()
        hidden = await page.evaluate(BAR_OVERFLOW)
        assert hidden == [], (host, path, hidden)
    await page.goto(visitor.stage.at("shop", "/demo/shop"))
    launcher, strip = page.locator("iframe"), page.locator("#demo-bar")
    await expect(page.frame_locator("iframe").locator("#launcher")).to_be_visible()
    frame, bar = await launcher.bounding_box(), await strip.bounding_box()
    assert frame is not None
    assert bar is not None
    assert frame["y"] + frame["height"] <= bar["y"]
    await page.locator("#demo-bar [data-do=break]").click()
    await expect(page.locator("#panel .again [data-do=cut]")).to_be_focused()
    await expect(page.locator("#panel .again [data-do=kill]")).to_be_in_viewport()
    await page.keyboard.press("Escape")
    await expect(page.locator("#panel")).to_be_hidden()


BAR_OVERFLOW = """() => {
  const bar = document.getElementById("demo-bar").shadowRoot.querySelector(".bar");
  return [...bar.querySelectorAll("a, button")]
    .filter((one) => getComputedStyle(one).display !== "none")
    .map((one) => [one.textContent, one.getBoundingClientRect()])
    .filter(([, box]) => box.left < 0 || box.right > innerWidth || box.bottom > innerHeight || box.height < 24)
    .map(([text]) => text);
}"""


async def test_the_pace_of_the_floor_is_the_same_on_every_page(visitor: Visitor) -> None:
    shop, board = await visitor.page("shop", "/demo/shop"), await visitor.page("supervisor")
    await shop.locator("[data-pace=calm]").click()
    await expect(shop.locator("[data-pace=calm]")).to_have_attribute("aria-pressed", "true")
    await expect(board.locator("[data-pace=calm]")).to_have_attribute("aria-pressed", "true")
    await board.locator("[data-pace=pause]").click()
    await expect(shop.locator("[data-pace=pause]")).to_have_attribute("aria-pressed", "true")


async def test_an_agent_sees_that_the_shops_customer_is_signed_in_until_they_sign_out(visitor: Visitor) -> None:
    agent, shop = await visitor.page("agent"), await visitor.page("shop", "/demo/shop")
    await available(agent)
    who = yours()[0].name
    await shop.get_by_label("Sign in as").select_option(label=who)
    await shop.get_by_role("button", name="Sign in").click()
    await expect(shop.get_by_text(f"Signed in as {who}")).to_be_visible()
    frame = shop.frame_locator("iframe")
    await frame.locator("#launcher").click()
    await frame.get_by_label("What is it about?").fill("Please send my garden throne to another address.")
    await frame.get_by_role("button", name="Start chat").click()
    await accept(agent, "garden throne to another address")
    badge = agent.locator("#identity-badge")
    await expect(badge).to_contain_text("Signed in on the website until")
    await expect(badge).to_have_attribute("title", re.compile(f"^The website says that this is {who} "))

    await shop.get_by_role("button", name="Sign out").click()
    await frame.locator("#launcher").click()
    await expect(frame.get_by_label("Your name")).to_be_visible()
    await finish(agent)


@pytest.mark.long
async def test_the_checklist_ticks_itself_from_the_first_word_to_the_score(visitor: Visitor) -> None:
    agent, shop = await visitor.page("agent"), await visitor.page("shop", "/demo/shop")
    await available(agent)
    await agent.locator("#demo-bar .bar [data-do=checklist]").click()
    steps = agent.locator("#panel .steps li")
    frame = await chat(shop, "My garden throne arrived with a cracked leg. Can you send a new one?")
    await accept(agent, "garden throne arrived")
    await expect(steps.nth(1)).to_contain_text(re.compile(r"Offered to Emma Clarke in \d+\.\d s"))
    await agent.keyboard.type(ANSWER)
    await agent.keyboard.press("Enter")
    await expect(frame.locator(".bubble", has_text="flush with the seat")).to_be_visible()
    await expect(steps.nth(2)).to_contain_text(re.compile(r"Answered after \d+\.\d s"))

    await agent.locator("[popovertarget=topic-menu]").first.click()
    await agent.locator("#topic-menu .opt").first.click()
    await finish(agent)
    await expect(steps.nth(3)).to_contain_text(re.compile(r"Resolved after \d+\.\d s"))
    await expect(agent.locator("#panel h2")).to_have_text("Checklist 5/6")
    evidence = await steps.nth(4).get_by_role("link", name="see its evidence").get_attribute("href")

    await frame.locator(".star").nth(0).click()
    await frame.get_by_role("button", name="Send rating").click()
    await expect(frame.locator(".rated")).to_be_visible()
    await agent.locator("[popovertarget=ticket-more]").click()
    await agent.get_by_role("button", name="Make it a complaint").click()
    await agent.locator("#f-complaint").fill("The throne was broken.")
    await agent.get_by_role("button", name="Open complaint").click()
    await expect(steps.nth(5)).to_contain_text("score how it was handled")

    await score(visitor)
    await expect(agent.locator("#panel h2")).to_have_text("Checklist 6/6")
    await expect(steps.nth(5)).to_contain_text("Complaint scored: 100 %")
    assert evidence is not None
    await agent.goto(evidence)
    await expect(agent.get_by_text("flush with the seat").first).to_be_visible()


async def score(visitor: Visitor) -> None:
    """Follow the checklist to the quality door, and score the complaint."""
    qa = await visitor.page("qa")
    await qa.locator("#demo-bar .bar [data-do=checklist]").click()
    await qa.locator("#panel .steps li").nth(5).get_by_role("link").click()
    row = qa.locator("tbody tr", has_text="garden throne").first
    await row.get_by_role("combobox").select_option(label="Complaint")
    await row.get_by_role("button", name="Begin").click()
    for question in await qa.locator("#evaluation fieldset.question").all():
        await question.locator("input[type=radio]").first.check(force=True)
    await expect(qa.locator("#score .figure")).to_have_text("100.00 %")
    await qa.get_by_role("button", name="Finish", exact=True).click()
    await expect(qa).to_have_url(re.compile("/qa/evaluations$"))
