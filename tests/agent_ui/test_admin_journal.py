"""The journal in words: each reason that channels give, each handler that may fail, and the raw bytes as a file."""

import re
from pathlib import Path

import pytest
from sqlalchemy import Connection, select

from agent_ui.audit_words import ACTIONS, page_of
from agent_ui.journal_words import HANDLERS, MEANINGS, STATES, handler_of, reason_of
from channels.email import limits, reader
from contact_center import wiring
from contact_center.accounts.models import AuditEntry
from contact_center.accounts.permissions import Role
from contact_center.core.clock import utcnow
from contact_center.core.events import EventRow, HandlerFailure, emit
from contact_center.core.relay import handler_name
from tests.agent_ui.console import PAGE, SAME_ORIGIN, Console
from tests.factories import make_account, make_ticket
from tickets import inbox
from tickets.inbox import RawItem
from tickets.models import Topic
from tickets.numbers import number_of
from tickets.states import Channel, JournalState

ROOT = Path(__file__).parent.parent.parent
FORM = {**PAGE, **SAME_ORIGIN}
WRITTEN = [
    "own_mail",
    "loop",
    "sms_stop",
    "delay notice",
    "absence notice without a ticket",
    "the same mail was taken before",
    "the mail has more than 1000 parts",
    "the mail's header is larger than 512 kB",
    "the mail is larger than 60 MB",
    "the mail cannot be read (KeyError)",
    "the mail names no sender: ",
    "hard bounce: no such mailbox",
    "BadForm: no Body",
    "OperationalError: locked",
    "KeyError: 'x'",
    reader._TOO_SLOW,
]


@pytest.mark.parametrize("written", WRITTEN)
@pytest.mark.parametrize("locale", ["en", "vi"])
def test_each_reason_has_words(written: str, locale: str) -> None:
    said = reason_of(locale, written).said
    assert said.endswith((".", "?"))
    assert "%(" not in said
    assert said != written


def test_what_the_limits_say_has_words() -> None:
    for raw in (b" ", b"A" * (limits.MAX_HEADER_BYTES + 9)):
        with pytest.raises(limits.UnreadableMail) as caught:
            limits.check(raw)
        assert reason_of("en", str(caught.value)).said != str(caught.value)


def test_an_error_keeps_its_details_and_a_sentence_its_number() -> None:
    assert reason_of("en", "KeyError: 'x'").details == "KeyError: 'x'"
    assert "1000" in reason_of("en", "the mail has more than 1000 parts").said
    assert reason_of("en", "something new").said == "something new"
    assert reason_of("en", None).said == ""


def test_each_state_and_each_handler_has_words() -> None:
    assert {state.value for state in JournalState} == set(STATES) == set(MEANINGS)
    lists = [*wiring.HANDLERS.values(), *wiring.RULE_HANDLERS.values()]
    named = {handler_name(one).rpartition(".")[0] for handlers in lists for one in handlers}
    assert named - set(HANDLERS) == set()
    assert handler_of("en", "elsewhere.on_thing") == ""


async def test_the_bytes_are_downloaded_as_a_file_and_audited(console: Console) -> None:
    account_id = await console.write(make_account, Channel.EMAIL)
    item = RawItem(Channel.EMAIL, account_id, "x-1", raw=b"From: a@b.test\r\n\r\n<script>")
    item_id = await console.write(inbox.quarantine, item, "the mail is empty", now=utcnow())
    seat = await console.sit(Role.ADMIN)
    assert "The mail is empty." in (await seat.page(f"/admin/journal/{item_id}")).text
    answer = await seat.post(f"/admin/journal/{item_id}/raw", FORM)
    assert answer.content == item.raw
    assert answer.headers["content-disposition"] == f'attachment; filename="journal-{item_id}.eml"'
    assert answer.headers["content-type"] == "application/octet-stream"
    actions = await console.db.read(lambda tx: list(tx.execute(select(AuditEntry.action)).scalars()))
    assert "journal.downloaded" in actions


async def test_bytes_that_are_gone_are_not_downloaded(console: Console) -> None:
    account_id = await console.write(make_account, Channel.EMAIL)
    item = RawItem(Channel.EMAIL, account_id, "x-1", raw_digest="a" * 64)
    item_id = await console.write(inbox.quarantine, item, "KeyError: 'x'", now=utcnow())
    seat = await console.sit(Role.ADMIN)
    assert "no longer kept" in (await seat.page(f"/admin/journal/{item_id}")).text
    assert (await seat.post(f"/admin/journal/{item_id}/raw", FORM)).status_code == 404
    agent = await console.sit(Role.AGENT)
    assert (await agent.post(f"/admin/journal/{item_id}/raw", FORM)).status_code == 403


@pytest.mark.parametrize(("locale", "says"), [("en", "Hand out the work"), ("vi", "Phân phối công việc")])
async def test_a_failed_handler_says_what_did_not_happen_and_to_which_ticket(
    console: Console, locale: str, says: str
) -> None:
    def fail(tx: Connection) -> int:
        ticket_id = make_ticket(tx).ticket_id
        assert ticket_id is not None
        emit(tx, "ticket.created", {"ticket_id": ticket_id}, now=utcnow())
        event_id = tx.execute(select(EventRow.id).order_by(EventRow.id.desc()).limit(1)).scalar_one()
        values = {"event_id": event_id, "handler": "routing.placement.on_ticket_created", "attempts": 10, "error": "E"}
        tx.execute(HandlerFailure.__table__.insert(), {**values, "due_at": utcnow(), "dead_at": utcnow()})
        return number_of(ticket_id)

    number = await console.write(fail)
    seat = await console.sit(Role.ADMIN, locale=locale)
    page = (await seat.page("/admin/failures")).text
    assert says in page
    assert f'href="/tickets/{number}"' in page


RECORDED = re.compile(r'(?:record\(\s*tx,\s*|action = )"([a-z_]+(?:\.[a-z_]+)?)"')


def test_each_audited_action_has_words() -> None:
    packages = ("agent_ui", "contact_center", "tickets", "routing", "knowledge_base", "channels")
    sources = [path.read_text("utf-8") for package in packages for path in (ROOT / package).rglob("*.py")]
    audited = {name for text in sources if "audit import record" in text for name in RECORDED.findall(text)}
    assert len(audited) > 30
    assert audited - set(ACTIONS) == set()


def test_a_target_leads_to_its_page() -> None:
    assert page_of("queue:3") == "/admin/queues/3"
    assert page_of("session:3") == page_of("away_reason:Lunch") == page_of("queue:x") == ""


async def test_every_change_of_topics_and_users_is_audited(console: Console) -> None:
    seat = await console.sit(Role.ADMIN)
    await seat.post("/admin/topics", FORM, name="Delivery", parent_id="")
    topic_id = await console.db.read(lambda tx: tx.execute(select(Topic.id)).scalar_one())
    await seat.post(f"/admin/topics/{topic_id}/name", FORM, renamed="Shipping")
    await seat.post(f"/admin/topics/{topic_id}/active", FORM)
    form = {"name": "Mai", "email": "mai@shop.test", "role": "agent", "password": "a-long-password", "locale": ""}
    await seat.post("/admin/users/new", FORM, **form)
    page = (await seat.page("/admin/audit")).text
    for words in ("Topic added", "Topic renamed", "Topic hidden", "User added"):
        assert words in page
