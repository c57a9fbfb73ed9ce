"""Administration: who may enter, what every page costs, and what the forms accept, keep and refuse."""

from typing import Any

import pytest
from sqlalchemy import Connection, func, select, text

from agent_ui.pages.admin import SECTIONS
from agent_ui.pages.admin_system import Health, read_health
from contact_center.accounts import teams, users
from contact_center.accounts.models import AuditEntry
from contact_center.accounts.permissions import Role
from contact_center.core.clock import utcnow
from contact_center.core.events import EventRow, HandlerFailure, emit
from contact_center.core.relay import handler_name, retry_due
from routing import profiles, queue_settings
from routing.models import AgentSkill, AgentState, ProfileRow
from tests.agent_ui.console import PAGE, SAME_ORIGIN, Console, Seat, cost
from tests.factories import make_account, make_queue, make_ticket, make_user
from tickets import channel_accounts, inbox, service_levels, topics
from tickets.inbox import RawItem
from tickets.models import ChannelAccount, JournalItem, Queue, Topic
from tickets.states import Channel

FORM = {**PAGE, **SAME_ORIGIN}
KEYS = [key for _, entries in SECTIONS for key, _, _ in entries]
HOURS = {"zone": "UTC", "week": {"mon": [["09:00", "17:00"]]}}


async def admin(console: Console) -> Seat:
    return await console.sit(Role.ADMIN, name="Alex Kim")


async def one(console: Console, query: Any) -> Any:
    return await console.db.read(lambda tx: tx.execute(query).one())


def furnish(tx: Connection) -> dict[str, int]:
    """One of everything that has a page of its own."""
    now = utcnow()
    queue_id = make_queue(tx)
    account_id = make_account(tx, queue_id=queue_id)
    make_ticket(tx, account_id=account_id)
    return {
        "users": make_user(tx),
        "profiles": make_user(tx),
        "teams": teams.create(tx, "Saigon", now=now, by_user_id=None),
        "queues": queue_id,
        "hours": service_levels.create_calendar(tx, "Office", HOURS),
        "service-levels": service_levels.create_policy(tx, "Gold", {"targets": {"high": {"first_response": 600}}}),
        "channels": account_id,
        "journal": tx.execute(select(func.max(JournalItem.id))).scalar_one(),
    }


@pytest.mark.parametrize("locale", ["en", "vi"])
async def test_every_page_opens_for_administrators(console_on_both: Console, locale: str) -> None:
    made = await console_on_both.write(furnish)
    seat = await console_on_both.sit(Role.ADMIN, locale=locale)
    paths = [*(f"/admin/{key}" for key in KEYS), *(f"/admin/{key}/{row}" for key, row in made.items())]
    paths += [f"/admin/{key}/new" for key in ("users", "queues", "hours", "service-levels")]
    paths += [f"/admin/channels/new/{channel}" for channel in ("email", "chat", "sms", "whatsapp", "phone")]
    for path in paths:
        page = await seat.page(path)
        assert page.status_code == 200, path
        assert "style=" not in page.text, path
    assert (await seat.page("/admin")).headers["location"] == "/admin/users"


@pytest.mark.parametrize("role", [Role.AGENT, Role.SUPERVISOR, Role.QA])
async def test_others_may_not_enter(console: Console, role: Role) -> None:
    seat = await console.sit(role)
    opened = [key for key in KEYS if (await seat.page(f"/admin/{key}")).status_code != 403]
    # Supervisors see who is blocked, and lift it; nothing else here is theirs.
    assert opened == (["blocks"] if role is Role.SUPERVISOR else [])
    assert (await seat.post("/admin/users/new", FORM, name="x")).status_code == 403


@pytest.mark.parametrize("key", KEYS)
async def test_a_list_costs_the_same_for_many(console: Console, key: str) -> None:
    await console.write(furnish)
    seat = await admin(console)
    few = await cost(seat, f"/admin/{key}")

    def more(tx: Connection) -> None:
        for number in range(5):
            queue_id = make_queue(tx)
            profiles.set_row(tx, make_user(tx), queue_id, now=utcnow())
            topics.create(tx, f"Topic {number}", now=utcnow())
            teams.create(tx, f"Team {number}", now=utcnow(), by_user_id=None)

    await console.write(more)
    assert few == await cost(seat, f"/admin/{key}") <= 8


QUEUE = {
    "name": "Orders",
    "locale": "en",
    "target_share": "80",
    "target_seconds": "20",
    "selection": "most_spare",
    "ordering": "age",
    "live_acceptance": "offer",
    "deferred_acceptance": "auto",
    "timeout_call": "20",
    "timeout_chat": "45",
    "wrap_call": "60",
    "wrap_chat": "0",
    "credit_minutes": "5",
    "max_offers": "10",
    "active": "1",
}


async def test_a_queue_is_made_and_changed(console: Console) -> None:
    seat = await admin(console)
    other = await console.write(make_queue)
    answer = await seat.post("/admin/queues/new", FORM, **QUEUE, overflow_0=str(other), after_0="120")
    queue = await one(console, select(Queue).where(Queue.name == "Orders"))
    assert answer.headers["location"] == f"/admin/queues/{queue.id}?done=created"
    settings = queue_settings.read(queue.routing)
    assert (settings.timeouts["chat"], settings.wrap_up["chat"], settings.credit) == (45, 0, 300)
    assert [(one.queue_id, one.after) for one in settings.overflows] == [(other, 120.0)]
    assert (queue.survey, queue.active) == (False, True)
    form = {**QUEUE, "name": "Shipping", "closed": "Power cut"}
    assert (await seat.post(f"/admin/queues/{queue.id}", FORM, **form)).status_code == 303
    queue = await one(console, select(Queue).where(Queue.id == queue.id))
    assert (queue.name, queue_settings.read(queue.routing).closed) == ("Shipping", "Power cut")


@pytest.mark.parametrize(
    "wrong", [{"name": ""}, {"target_share": "101"}, {"timeout_chat": "2"}, {"selection": "luck"}, {"max_offers": "x"}]
)
async def test_a_wrong_queue_is_refused(console: Console, wrong: dict[str, str]) -> None:
    seat = await admin(console)
    answer = await seat.post("/admin/queues/new", FORM, **{**QUEUE, **wrong})
    assert answer.status_code == 422
    assert 'aria-invalid="true"' in answer.text


async def test_settings_that_the_form_does_not_show_are_kept(console: Console) -> None:
    steps = queue_settings.write({"steps": [{"seconds": 10, "level": 3}, {}], "skills": {"7": 2}})
    queue_id = await console.write(make_queue, routing=steps)
    seat = await admin(console)
    await seat.post(f"/admin/queues/{queue_id}", FORM, **QUEUE)
    settings = queue_settings.read((await one(console, select(Queue.routing).where(Queue.id == queue_id))).routing)
    assert (settings.steps[0].level, settings.skills) == (3, {7: 2})


async def test_hours_take_windows_holidays_and_calendar_files(console: Console) -> None:
    seat = await admin(console)
    year = utcnow().year
    file = (
        "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\n"
        f"DTSTART;VALUE=DATE:{year + 1}0101\r\nSUMMARY:New Year\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
    )
    form = {"name": "Office", "zone": "Asia/Ho_Chi_Minh", "mon_0_from": "08:00", "mon_0_to": "12:00"}
    form |= {"mon_1_from": "13:00", "mon_1_to": "17:00", "holidays": "2027-04-30", "special": "2026-12-24 08:00-10:00"}
    answer = await seat.http.post("/admin/hours/new", data=form, files={"file": ("tet.ics", file)}, headers=FORM)
    assert answer.status_code == 303
    [made] = await console.db.read(service_levels.calendars)
    assert made.definition["week"] == {"mon": [["08:00", "12:00"], ["13:00", "17:00"]]}
    assert (
        made.definition["holidays"] == ["2027-04-30", f"{year + 1}-01-01"]
        or f"{year + 1}-01-01" in made.definition["holidays"]
    )
    assert made.definition["special"] == {"2026-12-24": [["08:00", "10:00"]]}


@pytest.mark.parametrize(
    "wrong",
    [
        {"zone": "Mars/Olympus"},
        {"mon_0_from": "09:00", "mon_0_to": ""},
        {"holidays": "tomorrow"},
        {"special": "2026-12-24 nine"},
        {"mon_0_from": "09:00", "mon_0_to": "12:00", "mon_1_from": "11:00", "mon_1_to": "13:00"},
    ],
)
async def test_hours_that_make_no_sense_are_refused(console: Console, wrong: dict[str, str]) -> None:
    seat = await admin(console)
    answer = await seat.post("/admin/hours/new", FORM, **{"name": "Office", "zone": "UTC", **wrong})
    assert answer.status_code == 422


async def test_a_service_level_is_written_in_minutes(console: Console) -> None:
    seat = await admin(console)
    form = {"name": "Gold", "urgent_first_response": "15", "urgent_resolution": "120"}
    assert (await seat.post("/admin/service-levels/new", FORM, **form, pause="pending")).status_code == 303
    [made] = await console.db.read(service_levels.policies)
    assert made.definition == {
        "targets": {"urgent": {"first_response": 900, "resolution": 7200}},
        "pauses": ["pending"],
    }
    assert (await seat.post("/admin/service-levels/new", FORM, name="Gold")).status_code == 422
    wrong = await seat.post(f"/admin/service-levels/{made.id}", FORM, name="Gold", urgent_resolution="-5")
    assert wrong.status_code == 422


async def test_a_profile_is_exactly_what_the_form_says(console: Console) -> None:
    def build(tx: Connection) -> tuple[int, int, int, int]:
        return make_user(tx), make_queue(tx), make_queue(tx), profiles.add_skill(tx, "vi")

    user_id, first, second, skill = await console.write(build)
    seat = await admin(console)
    form = {f"serves_{first}": "1", f"priority_{first}": "2", f"delay_{first}": "30", f"level_{skill}": "4"}
    answer = await seat.post(f"/admin/profiles/{user_id}", FORM, **form, live="50", deferred="100", media="chat")
    assert answer.status_code == 303
    row = await one(console, select(ProfileRow))
    assert (row.queue_id, row.priority, row.delay) == (first, 2, 30)
    assert (await one(console, select(AgentSkill.level))).level == 4
    state = await one(console, select(AgentState))
    assert (state.live_capacity, "call" in state.media_off, "chat" in state.media_off) == (50, True, False)
    await seat.post(f"/admin/profiles/{user_id}", FORM, **{f"serves_{second}": "1"}, live="100", deferred="100")
    assert (await one(console, select(ProfileRow.queue_id))).queue_id == second
    assert (await seat.post(f"/admin/profiles/{user_id}", FORM, live="-1", deferred="100")).status_code == 422


async def test_topics_have_two_levels(console: Console) -> None:
    seat = await admin(console)
    assert (await seat.post("/admin/topics", FORM, name="Delivery", parent_id="")).status_code == 303
    top = await one(console, select(Topic))
    assert (await seat.post("/admin/topics", FORM, name="Late", parent_id=str(top.id))).status_code == 303
    late = await one(console, select(Topic).where(Topic.name == "Late"))
    assert (await seat.post("/admin/topics", FORM, name="Later", parent_id=str(late.id))).status_code == 422
    assert (await seat.post("/admin/topics", FORM, name="Delivery", parent_id="")).status_code == 422
    assert (await seat.post(f"/admin/topics/{top.id}/name", FORM, renamed="Shipping")).status_code == 303
    assert (await seat.post(f"/admin/topics/{top.id}/active", FORM)).status_code == 303
    left = await console.db.read(lambda tx: tx.execute(select(Topic.name, Topic.active).order_by(Topic.id)).all())
    assert [tuple(row) for row in left] == [("Shipping", False), ("Late", False)]


async def test_a_mail_account_keeps_its_secrets_to_itself(console: Console) -> None:
    queue_id = await console.write(make_queue)
    seat = await admin(console)
    form = {"name": "Support", "address": "Help@Shop.test", "queue_id": str(queue_id), "start": "new", "folder": ""}
    form |= {"imap_host": "mail.shop.test", "imap_port": "993", "imap_security": "tls", "imap_user": "help"}
    form |= {"imap_password": "very-secret-1", "smtp_host": "", "smtp_port": "", "smtp_security": "starttls"}
    answer = await seat.post("/admin/channels/new/email", FORM, **form)
    assert answer.status_code == 303
    path = answer.headers["location"].partition("?")[0]
    page = await seat.page(path)
    assert "very-secret-1" not in page.text
    assert "never shown again" in page.text
    account = await console.db.read(_account, console.services.vault)
    assert (account.address, account.secrets) == (
        "help@shop.test",
        {"imap": {"user": "help", "password": "very-secret-1"}},
    )
    assert account.settings["imap"]["folder"] == "INBOX"
    assert "smtp" not in account.settings
    # An empty password keeps the stored one; the audit log knows only that nothing was replaced.
    await seat.post(path, FORM, **{**form, "imap_password": "", "imap_port": "1993"})
    account = await console.db.read(_account, console.services.vault)
    assert account.secrets["imap"]["password"] == "very-secret-1"
    assert account.settings["imap"]["port"] == 1993
    audit = await console.db.read(lambda tx: [str(row.details) for row in tx.execute(select(AuditEntry.details))])
    assert "very-secret-1" not in "".join(audit)


def _account(tx: Connection, vault: Any) -> Any:
    return channel_accounts.by_id(tx, vault, tx.execute(select(ChannelAccount.id)).scalar_one())


async def test_a_widget_gets_its_snippet_and_its_origins(console: Console) -> None:
    queue_id = await console.write(make_queue)
    seat = await admin(console)
    form = {"name": "Shop", "queue_id": str(queue_id)}
    wrong = await seat.post("/admin/channels/new/chat", FORM, **form, origins="shop.test/page")
    assert wrong.status_code == 422
    answer = await seat.post(
        "/admin/channels/new/chat", FORM, **form, origins="https://shop.test/\nhttps://m.shop.test"
    )
    account = await console.db.read(_account, console.services.vault)
    assert account.settings["origins"] == ["https://shop.test", "https://m.shop.test"]
    page = await seat.page(answer.headers["location"])
    assert f"data-widget=&#34;{account.key}&#34;" in page.text


async def test_a_number_shows_the_addresses_to_enter_at_the_carrier(console: Console) -> None:
    account_id = await console.write(make_account, Channel.PHONE)
    seat = await admin(console)
    key = (await one(console, select(ChannelAccount.key))).key
    page = await seat.page(f"/admin/channels/{account_id}")
    assert f"http://console.test/hooks/twilio/{key}/voice" in page.text
    assert f"http://console.test/hooks/cti/{key}" in page.text


async def test_an_account_is_switched_off_and_on(console: Console) -> None:
    account_id = await console.write(make_account)
    seat = await admin(console)
    await seat.post(f"/admin/channels/{account_id}/enabled", FORM)
    assert not (await one(console, select(ChannelAccount.enabled))).enabled
    await seat.post(f"/admin/channels/{account_id}/enabled", FORM, enabled="1")
    assert (await one(console, select(ChannelAccount.enabled))).enabled


async def test_a_quarantined_item_is_shown_as_text_and_tried_again(console: Console) -> None:
    account_id = await console.write(make_account)
    item = RawItem(Channel.SMS, account_id, "x-1", raw=b"<script>alert(1)</script>", sender="+4915112345678")
    item_id = await console.write(inbox.quarantine, item, "BadForm: no Body", now=utcnow())
    seat = await admin(console)
    listed = await seat.page("/admin/journal?state=quarantined")
    assert "BadForm: no Body" in listed.text
    page = await seat.page(f"/admin/journal/{item_id}")
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page.text
    assert (await seat.post(f"/admin/journal/{item_id}/retry", FORM)).status_code == 303
    row = await one(console, select(JournalItem.state, JournalItem.attempts))
    assert (row.state, row.attempts) == ("received", 2)
    assert (await seat.post(f"/admin/journal/{item_id}/retry", FORM)).status_code == 404


async def test_the_journal_goes_back_page_by_page(console: Console) -> None:
    def fill(tx: Connection) -> None:
        account_id = make_account(tx)
        for number in range(120):
            inbox.store(tx, RawItem(Channel.SMS, account_id, f"x-{number}", summary=f"text-{number:03}"), now=utcnow())

    await console.write(fill)
    seat = await admin(console)
    seen: list[str] = []
    path = "/admin/journal"
    while path:
        page = (await seat.page(path)).text
        seen += [f"text-{number:03}" for number in range(120) if f"text-{number:03}" in page]
        path = page.partition('btn-small end" href="')[2].partition('"')[0].replace("&amp;", "&")
    assert sorted(seen) == [f"text-{number:03}" for number in range(120)]


async def test_a_handler_that_was_given_up_runs_again(console: Console) -> None:
    ran: list[int] = []

    def handler(tx: Connection, event: Any, now: Any) -> None:
        ran.append(event.id)

    def fail(tx: Connection) -> int:
        emit(tx, "thing.happened", {"thing_id": 1}, now=utcnow())
        event_id = tx.execute(select(EventRow.id)).scalar_one()
        values = {"event_id": event_id, "handler": handler_name(handler), "attempts": 10, "error": "ValueError: no"}
        tx.execute(HandlerFailure.__table__.insert(), {**values, "due_at": utcnow(), "dead_at": utcnow()})
        return int(tx.execute(select(HandlerFailure.id)).scalar_one())

    failure_id = await console.write(fail)
    handlers = {"thing.happened": [handler]}
    assert await console.write(retry_due, handlers, utcnow()) == 0
    seat = await admin(console)
    assert "ValueError: no" in (await seat.page("/admin/failures")).text
    assert (await seat.post(f"/admin/failures/{failure_id}/retry", FORM)).status_code == 303
    assert await console.write(retry_due, handlers, utcnow()) == 1
    assert len(ran) == 1


async def test_the_audit_log_tells_who_did_what(console: Console) -> None:
    seat = await admin(console)
    await seat.post("/admin/teams", FORM, name="Saigon")
    page = await seat.page("/admin/audit?action=team")
    assert "team.created" in page.text
    assert "Alex Kim" in page.text
    assert "team.created" not in (await seat.page("/admin/audit?action=login")).text


async def test_the_system_page_names_version_database_and_findings(console_on_both: Console) -> None:
    seat = await admin(console_on_both)
    page = await seat.page("/admin/system")
    assert "contact-center migrate" in page.text
    assert ("SQLite" in page.text) or ("PostgreSQL" in page.text)


async def test_the_system_page_counts_rows_and_not_ids(console_on_both: Console) -> None:
    def two_far_apart(tx: Connection) -> Health:
        account_id = make_account(tx)
        make_ticket(tx, account_id=account_id)
        if tx.dialect.name == "postgresql":
            tx.execute(text("SELECT setval(pg_get_serial_sequence('tickets', 'id'), 5000)"))
        make_ticket(tx, account_id=account_id, sender="+4915112345679")
        return read_health(tx)

    health = await console_on_both.write(two_far_apart)
    assert (health.tickets, health.messages) == (2, 2)


async def test_what_people_type_is_escaped(console: Console) -> None:
    seat = await admin(console)
    await console.write(
        users.change, seat.user_id, now=utcnow(), by_user_id=None, name="<img src=x onerror=alert(1)> 100%"
    )
    for path in ("/admin/users", f"/admin/users/{seat.user_id}", "/board"):
        page = await seat.page(path)
        assert page.status_code == 200
        assert "<img src=x" not in page.text
