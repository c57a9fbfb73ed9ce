"""The administration in a real browser: every page on a phone and a desk, by axe, and its forms by keyboard alone."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect
from sqlalchemy import Connection, func, select

from agent_ui.pages.admin import SECTIONS
from channels.chat import invitations
from channels.sms.gateway.presets import PRESETS
from contact_center.accounts import sessions, teams
from contact_center.accounts.permissions import Role
from contact_center.accounts.web import COOKIE
from contact_center.app import build
from contact_center.core.clock import utcnow
from contact_center.core.events import EventRow, HandlerFailure
from contact_center.core.settings import Settings
from routing import profiles, queue_settings
from tests.channels.chat.test_invitations import RULE
from tests.factories import make_account, make_queue, make_ticket, make_user
from tests.serving import server_of
from tickets import inbox, service_levels, topics
from tickets.inbox import RawItem
from tickets.models import JournalItem, Queue
from tickets.states import Channel

pytestmark = pytest.mark.browser

AXE = Path(__file__).parent / "vendor" / "axe-core-4.14.1.min.js"
LONG = "ConnectionResetError: a_very_long_identifier_without_any_space_in_it_that_no_line_can_break_by_itself"
LOOKS = [(375, "light"), (375, "dark"), (1440, "light"), (1440, "dark")]


@dataclass
class Office:
    """A served administration, and somebody who may use it."""

    url: str
    token: str
    paths: list[str]
    queue_id: int
    db: Any
    browser: Browser

    async def page(self, width: int = 1440, scheme: str = "light") -> Page:
        context = await self.browser.new_context(
            viewport={"width": width, "height": 900}, color_scheme="dark" if scheme == "dark" else "light"
        )
        await context.add_cookies([{"name": COOKIE, "value": self.token, "url": self.url}])
        return await context.new_page()


def furnish(tx: Connection) -> tuple[str, int, list[str]]:
    """One of everything that has a page, with long words where they hurt."""
    now = utcnow()
    user_id = make_user(tx, role=Role.ADMIN, name="Alex Kim")
    queue_id = make_queue(tx, "Orders")
    agent_id = make_user(tx, name="Nguyen Thi Minh Khai")
    profiles.set_row(tx, agent_id, queue_id, now=now)
    accounts = [make_account(tx, one, queue_id=queue_id) for one in (Channel.EMAIL, Channel.SMS, Channel.PHONE)]
    widget = make_account(tx, Channel.CHAT, queue_id=queue_id)
    esms = {"provider": "gateway", "gateway": dict(PRESETS["esms"].values)}
    gateway = make_account(tx, Channel.SMS, queue_id=queue_id, address="SHOPVN", settings=esms)
    make_ticket(tx, account_id=accounts[1])
    item = RawItem(Channel.EMAIL, accounts[0], "x-1", raw=b"x", sender="a@" + "b" * 60 + ".test", summary="Re: " * 30)
    inbox.quarantine(tx, item, LONG, now=now)
    event_id = tx.execute(select(func.max(EventRow.id))).scalar_one()
    failure = {"event_id": event_id, "handler": "routing.placement.on_ticket_created", "attempts": 10, "error": LONG}
    tx.execute(HandlerFailure.__table__.insert(), {**failure, "due_at": now, "dead_at": now})
    rows = {
        "users": user_id,
        "profiles": agent_id,
        "teams": teams.create(tx, "Saigon", now=now, by_user_id=None),
        "skills": profiles.add_skill(tx, "vi"),
        "hours": service_levels.create_calendar(tx, "Office", {"zone": "UTC", "week": {"mon": [["09:00", "17:00"]]}}),
        "service-levels": service_levels.create_policy(tx, "Gold", {"targets": {"high": {"first_response": 600}}}),
        "journal": tx.execute(select(func.max(JournalItem.id))).scalar_one(),
    }
    topics.create(tx, "Delivery", now=now)
    paths = [key for _, entries in SECTIONS for key, _, _ in entries]
    paths += [f"{key}/{row}" for key, row in rows.items()]
    paths += [f"queues/{queue_id}{part}" for part in ("", "/rules", "/agents")]
    paths += [f"channels/{one}" for one in (*accounts, widget)]
    paths += [f"channels/{accounts[0]}/address", f"channels/{accounts[2]}/extensions", "channels/new/email"]
    paths += [f"channels/{accounts[2]}/plan"]
    paths += [f"channels/{gateway}", f"channels/{gateway}/test", "channels/new/sms?provider=gateway&preset=speedsms"]
    paths += [f"channels/{widget}/{part}" for part in ("identity", "appearance")]
    rule = {**RULE, "name": "Everybody who has been in the cart for long", "texts": {"en": "Shall I help?"}}
    invitation = invitations.add(tx, widget, rule, now=now)
    paths += [f"channels/{widget}/invitations{part}" for part in ("", "/new", f"/{invitation}")]
    token = sessions.start(tx, user_id, device="Chromium", address="127.0.0.1", days=1, now=now)
    return token, queue_id, paths


@pytest_asyncio.fixture(loop_scope="session")
async def office(sqlite_url: str, tmp_path: Path, browser: Browser) -> AsyncIterator[Office]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    app = build(Settings(data_dir=tmp_path, database_url=sqlite_url, public_url=url, port=port), loops=["none"])
    server = server_of(app, port)
    with contextlib.suppress(asyncio.CancelledError):
        serving = asyncio.create_task(server.serve())
        while not server.started:
            await asyncio.sleep(0.02)
        db = app.state.services.db
        token, queue_id, paths = await db.write(furnish)
        yield Office(url, token, paths, queue_id, db, browser)
        server.should_exit = True
        await serving


@pytest.mark.long
@pytest.mark.parametrize(("width", "scheme"), LOOKS)
async def test_every_page_fits_and_axe_finds_nothing_serious(office: Office, width: int, scheme: str) -> None:
    page = await office.page(width, scheme)
    wrong = []
    for path in office.paths:
        answer = await page.goto(f"{office.url}/admin/{path}")
        assert answer is not None
        assert answer.status == 200, path
        if await page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"):
            wrong.append(f"{path}: wider than the screen")
        await page.evaluate(AXE.read_text())
        found = await page.evaluate("axe.run({resultTypes: ['violations']})")
        wrong += [
            f"{path}: {one['id']} {one['nodes'][0]['html'][:90]}"
            for one in found["violations"]
            if one["impact"] in ("serious", "critical")
        ]
    assert wrong == []


async def tab_to(page: Page, selector: str) -> None:
    """Press Tab until what matches has the focus."""
    for _ in range(120):
        await page.keyboard.press("Tab")
        if await page.evaluate("selector => document.activeElement.matches(selector)", selector):
            return
    raise AssertionError(f"{selector} is out of reach of the Tab key")


async def test_rings_are_set_by_keyboard_alone(office: Office) -> None:
    page = await office.page()
    await page.goto(f"{office.url}/admin/queues/{office.queue_id}/rules")
    await expect(page.locator("fieldset.step:visible")).to_have_count(3)
    await tab_to(page, "#f-step_0_who")
    await page.keyboard.type("Only the agent")
    await expect(page.locator("#f-step_0_level")).not_to_be_visible()
    await tab_to(page, "#f-step_0_seconds")
    await page.keyboard.press("Control+a")
    await page.keyboard.type("45")
    await tab_to(page, "#f-step_2_who")
    await page.keyboard.type("Everybody")
    await expect(page.locator("fieldset.step:visible")).to_have_count(4)
    await page.locator("#f-step_2_who").press("Enter")
    await tab_to(page, "main button[type=submit]")
    await page.keyboard.press("Enter")
    # The second ring is no longer the last one, so it needs an end.
    await expect(page.locator("#f-step_1_seconds-d")).to_contain_text("Only the last ring has no end")
    await page.locator("#f-step_1_seconds").fill("60")
    await page.keyboard.press("Enter")
    await expect(page.locator(".done")).to_contain_text("Saved.")

    def stored(tx: Connection) -> queue_settings.QueueSettings:
        return queue_settings.read(tx.execute(select(Queue.routing).where(Queue.id == office.queue_id)).scalar_one())

    steps = (await office.db.read(stored)).steps
    assert [(step.agent, step.seconds) for step in steps] == [(True, 45), (False, 60), (False, None)]


async def test_a_dialog_takes_the_focus_and_gives_it_back(office: Office) -> None:
    page = await office.page()
    await page.goto(f"{office.url}/admin/away-reasons")
    await tab_to(page, "button[aria-label='Change Lunch']")
    await page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog", name="Change the reason")
    await expect(dialog).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(dialog).not_to_be_visible()
    assert await page.evaluate("document.activeElement.getAttribute('aria-label')") == "Change Lunch"


async def test_the_preview_of_a_widget_follows_what_is_typed_and_leaves_the_focus_alone(office: Office) -> None:
    path = next(one for one in office.paths if one.endswith("/appearance"))
    page = await office.page()
    await page.goto(f"{office.url}/admin/{path}")
    shown = page.frame_locator(".preview-frame")
    await expect(shown.get_by_role("heading", name="How can we help?", include_hidden=True)).to_be_visible()
    await page.locator("#f-greeting_en").press_sequentially("Ahoy there", delay=60)
    await expect(shown.get_by_text("Ahoy there")).to_be_visible()
    await expect(page.locator("#f-greeting_en")).to_be_focused()
    await page.locator("#f-offline_en").fill("Nobody is at the desk")
    await page.locator("#p-hours").select_option("closed")
    await expect(shown.get_by_text("Nobody is at the desk")).to_be_visible()
    await page.get_by_role("button", name="Save").click()
    await expect(page.locator("#f-greeting_en")).to_have_value("Ahoy there")


async def test_what_callers_hear_follows_the_form_of_a_call_plan(office: Office) -> None:
    path = next(one for one in office.paths if one.endswith("/plan"))
    page = await office.page()
    await page.goto(f"{office.url}/admin/{path}")
    heard = page.locator("#heard")
    await expect(heard.get_by_text("Hello, and thank you for calling.").first).to_be_visible()
    await page.locator("#f-digit_0").select_option("2")
    await page.locator("#f-locale_0").select_option("vi")
    await expect(heard.get_by_text("hãy bấm phím 2").first).to_be_visible()
    await page.locator("#f-tries").focus()
    await page.get_by_role("button", name="Save").click()
    await expect(page.locator(".done")).to_be_visible()
    await expect(page.locator("#f-digit_0")).to_have_value("2")
