"""What an agent has at hand: files, pictures of mails, the bell, filters and saved views, channels."""

import base64
import re
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from tests.browser.agents import Desk, accepted_chat, become, found_by_axe
from tests.browser.floor import DOT

pytestmark = pytest.mark.browser

PASTE = """async (data) => {
  const files = new DataTransfer();
  const bytes = Uint8Array.from(atob(data), (sign) => sign.charCodeAt(0));
  files.items.add(new File([bytes], "pasted.png", {type: "image/png"}));
  const event = new ClipboardEvent("paste", {clipboardData: files, bubbles: true, cancelable: true});
  document.getElementById("reply").dispatchEvent(event);
}"""


async def open_mail(desk: Desk, page: Page, subject: str) -> int:
    said = await desk.say("A question", channel="email", subject=subject, who=f"{subject}@example.com")
    await page.goto(f"{desk.floor.url}/tickets/{said['ticket_id'] + 99}")
    await expect(page.locator("#connection")).to_have_attribute("data-state", "live")
    return int(said["ticket_id"])


async def test_files_are_attached_kept_over_a_reload_and_sent(desk: Desk, tmp_path: Path) -> None:
    page = await desk.sign_in()
    await open_mail(desk, page, "Bill")
    bill = tmp_path / "hóa đơn.pdf"
    bill.write_bytes(b"%PDF-1.7")
    await page.locator("#attach-input").set_input_files(bill)
    put = page.locator(".put-file:visible")
    await expect(put).to_contain_text(["8 B"])
    await page.reload()
    await expect(put).to_contain_text(["hóa đơn.pdf"])
    await page.evaluate(PASTE, base64.b64encode(DOT).decode())
    await expect(put).to_have_count(2)
    await page.locator("label.as-note").click()
    await expect(put).to_have_count(0)
    await page.locator("label", has_text="Reply").first.click()
    await page.get_by_role("button", name="Remove pasted.png").click()
    await expect(put).to_have_count(1)
    await page.locator("#reply").focus()
    await page.keyboard.press("Control+Enter")
    sent = page.locator("#timeline .msg.out")
    await expect(sent).to_contain_text("hóa đơn.pdf")
    await expect(put).to_have_count(0)
    await page.reload()
    await expect(sent).to_have_count(1)


async def test_a_program_is_refused_with_its_name(desk: Desk, tmp_path: Path) -> None:
    page = await desk.sign_in()
    await open_mail(desk, page, "Setup")
    program = tmp_path / "setup.exe"
    program.write_bytes(b"MZ")
    await page.locator("#attach-input").set_input_files(program)
    await expect(page.locator(".toast")).to_contain_text("“setup.exe” is a program.")
    await expect(page.locator(".put-file.bad")).to_contain_text("Not uploaded")
    desk.problems.clear()


async def test_pictures_from_elsewhere_are_shown_only_when_asked_for(desk: Desk) -> None:
    ticket_id = desk.floor.mail()
    page = await desk.sign_in()
    await page.goto(f"{desk.floor.url}/tickets/{ticket_id + 99}")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    await page.locator("details.original > summary").click()
    frame = page.frame_locator("iframe.mail-frame")
    await expect(frame.get_by_alt_text("own")).to_have_js_property("naturalWidth", 1)
    assert len([url for url in asked if "/pictures/" in url]) == 1
    await page.get_by_role("button", name="Show images").click()
    await expect(frame.get_by_alt_text("elsewhere")).to_have_attribute("src", re.compile("^/pictures/"))
    # It lies on loopback, where our door does not lead.
    await expect(frame.get_by_alt_text("elsewhere")).to_have_js_property("naturalWidth", 0)
    assert [url for url in asked if "pixel.png" in url] == []
    desk.problems.clear()


async def test_a_colleague_is_named_in_a_note_by_keyboard(desk: Desk) -> None:
    page, minh = await desk.sign_in(), await desk.sign_in("minh")
    await open_mail(desk, page, "Teapot")
    await page.keyboard.press("t")
    await expect(page.locator("#f-tags")).to_be_focused()
    await page.keyboard.press("Escape")
    await page.keyboard.press("n")
    await page.keyboard.type("See @tra")
    await expect(page.locator("#mentions [aria-selected=true]")).to_have_text("Minh Tran")
    await expect(page.locator("#reply")).to_have_attribute("aria-activedescendant", "mention-0")
    await page.keyboard.press("Escape")
    await expect(page.locator("#mentions")).to_be_hidden()
    await page.keyboard.type("n")
    await page.keyboard.press("Enter")
    await expect(page.locator("#reply")).to_have_value("See @Minh Tran ")
    await page.keyboard.press("Control+Enter")
    await expect(page.locator("#timeline .msg.note")).to_contain_text("@Minh Tran")
    await expect(minh.locator("#bell")).to_contain_text("1")
    await page.keyboard.press("Escape")
    await page.keyboard.press("r")
    await page.keyboard.type("Hello @min")
    await expect(page.locator("#reply")).to_have_value("Hello @min")
    await expect(page.locator("#mentions")).to_be_hidden()


async def test_the_bell_tells_what_happened_and_leads_there(desk: Desk) -> None:
    anna, boss = await desk.sign_in(), await desk.sign_in("sara")
    await open_mail(desk, boss, "Urgent")
    await boss.get_by_role("button", name="Assignee: Unassigned").click()
    await boss.locator("#assign-menu .opt", has_text="Anna Bergstrom").click()
    await expect(boss.locator(".thead")).to_contain_text("Anna Bergstrom")
    await expect(anna.locator("#bell")).to_contain_text("1")
    await anna.locator("#bell button").click()
    notice = anna.locator(".notice", has_text="Sara Lind gave you").first
    await notice.click()
    await expect(anna.locator("#subject")).to_have_text("Urgent")
    await expect(anna.locator("#bell .count")).to_have_count(0)


async def test_unread_messages_stand_in_the_rail_the_list_and_the_title(desk: Desk) -> None:
    page = await desk.sign_in()
    async with page.expect_response("**/read"):
        customer = await accepted_chat(desk, page)
    await page.goto(f"{desk.floor.url}/inbox")
    for number in (1, 2):
        await desk.say(f"Hello? {number}", who=customer["from"])
        await expect(page.locator("#rail-unread")).to_have_text(str(number))
    await expect(page.locator("#rows .count.accent")).to_contain_text("2")
    await expect(page).to_have_title("(2) Inbox")
    await page.locator("#rows .trow").first.click()
    await expect(page.locator("#rail-unread")).to_have_text("")


async def test_a_filter_is_saved_as_a_view_whose_number_is_live(desk: Desk) -> None:
    page = await desk.sign_in()
    await page.get_by_role("button", name="Filter").click()
    await page.get_by_role("checkbox", name="SMS").check()
    await page.get_by_label("Assignee").select_option("")
    await page.get_by_label("Name of the view").fill("Text messages")
    await page.keyboard.press("Enter")
    await expect(page.locator("#views .picker")).to_contain_text("Text messages 0")
    await desk.say("Open on Sunday?", channel="sms", who="+14155550177")
    await expect(page.locator("#rows")).to_contain_text("Open on Sunday?")
    await expect(page.locator("#views .picker")).to_contain_text("Text messages 1")


async def test_a_channel_is_switched_off_and_stays_off(desk: Desk) -> None:
    page = await desk.sign_in("minh")
    await become(page, "available")
    await page.locator("#presence > button").click()
    chat = page.locator('#presence-menu [name="switch"]', has_text="Chat")
    await chat.click()
    await expect(chat).to_have_attribute("aria-pressed", "false")
    await desk.say("Anybody?")
    await page.reload()
    await expect(chat).to_have_attribute("aria-pressed", "false")
    await expect(page.locator(".offer")).to_have_count(0)
    await page.locator("#presence > button").click()
    await chat.click()
    await expect(page.locator(".offer")).to_contain_text("Anybody?")


async def test_what_was_reassigned_while_offline_says_so_and_keeps_the_draft(desk: Desk) -> None:
    context = await desk.context()
    anna, boss = await desk.sign_in(context=context), await desk.sign_in("sara")
    ticket_id = await open_mail(desk, anna, "Kettle")
    await anna.get_by_role("button", name="Take this conversation").click()
    await expect(anna.locator(".thead")).to_contain_text("Anna Bergstrom")
    await anna.locator("#reply").fill("Dear customer, we")
    await context.set_offline(True)
    await expect(anna.locator("#connection")).to_have_attribute("data-state", "offline")
    await boss.goto(f"{desk.floor.url}/tickets/{ticket_id + 99}")
    await boss.get_by_role("button", name="Assignee").click()
    await boss.locator("#assign-menu .opt", has_text="Minh Tran").click()
    await expect(boss.locator(".thead")).to_contain_text("Minh Tran")
    await context.set_offline(False)
    await expect(anna.locator(".toast.bad")).to_contain_text("Reassigned while you were offline: now with Minh Tran.")
    await expect(anna.locator("#reply")).to_have_value("Dear customer, we")


async def test_on_a_phone_the_choices_of_presence_keep_their_words(desk: Desk) -> None:
    page = await desk.sign_in(context=await desk.context(viewport={"width": 375, "height": 812}))
    await page.locator("#presence > button").click()
    await expect(page.locator("#presence-menu").get_by_text("Lunch")).to_be_visible()
    await page.locator('#presence-menu [value="available"]').click()
    await expect(page.locator("#presence > button .presence")).to_have_attribute("data-state", "available")


async def test_many_conversations_are_selected_by_keyboard_and_changed_at_once(desk: Desk) -> None:
    page = await desk.sign_in(context=await desk.context(bypass_csp=True))
    numbers = [
        (await desk.say("Hello", channel="email", who=f"bulk{n}@example.com", subject=f"Bulk {n}"))["ticket_id"] + 99
        for n in range(4)
    ]
    await page.goto(f"{desk.floor.url}/inbox?view=open&sort=newest")
    await expect(page.locator("#connection")).to_have_attribute("data-state", "live")
    rows = page.locator("#rows .trow", has_text="bulk")
    await expect(rows).to_have_count(4)
    before = await rows.first.bounding_box()
    await rows.nth(0).focus()
    await page.keyboard.press("x")
    await page.keyboard.press("j")
    await page.keyboard.press("j")
    await page.keyboard.press("X")
    await expect(page.locator("#picked-n")).to_have_text("3 selected")
    assert await rows.first.bounding_box() == before, "the bar moved the rows"
    # A row that comes in between neither ends nor widens the selection.
    await desk.say("Me too", channel="email", who="bulk9@example.com", subject="Bulk 9")
    await expect(rows).to_have_count(5)
    await expect(page.locator("#rows [data-pick]:checked")).to_have_count(3)
    await found_by_axe(page, "the list with a selection")
    await page.keyboard.press("e")
    await expect(page.locator("#bulk-go")).to_be_focused()
    await found_by_axe(page, "the dialog of a selection")
    await page.keyboard.press("Enter")
    await expect(page.locator(".toast")).to_contain_text("3 conversations changed.")
    await expect(rows).to_have_count(2)
    await expect(page.locator("#picked")).to_be_hidden()
    # What cannot be done is named with its reason and stays selected.
    await page.goto(f"{desk.floor.url}/inbox?view=resolved&sort=newest")
    await page.locator(f'[data-pick="{numbers[3]}"]').check(force=True)
    await page.keyboard.press("!")
    await page.locator("#bulk-status").select_option("no_spam")
    await page.locator("#bulk-go").click()
    await expect(page.locator(".bulk-refused")).to_contain_text("This conversation is not marked as spam.")
    await page.get_by_role("button", name="Close").last.click()
    await expect(page.locator("#picked-n")).to_have_text("1 selected")
    await page.keyboard.press("Escape")
    await expect(page.locator("#picked")).to_be_hidden()
