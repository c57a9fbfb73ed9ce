"""One-time codes: sent to what was on file before, given back in the conversation, counted, used once."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, select, update

from channels import delivery, loading
from contact_center.accounts.models import AuditEntry
from contact_center.core.db import Database
from contact_center.core.errors import Conflict, Invalid, TooMany
from tests.conftest import NOW
from tests.factories import VAULT, inbound, make_account, make_user
from tickets import identity_asking, identity_codes, intake, timers
from tickets.customers import contacts, merge, profiles
from tickets.customers.recognise import Person, recognise
from tickets.identity_asking import Refused
from tickets.identity_checks import IdentityCheck
from tickets.identity_codes import IdentityCode, Result
from tickets.inbound import Address, InboundMessage
from tickets.models import ContactPoint, JournalItem, Message, Ticket
from tickets.sensitive import masking
from tickets.sensitive.models import SealedOriginal
from tickets.states import Channel, ContactKind

MINUTE = timedelta(minutes=1)
BEFORE = NOW - timedelta(days=40)
PHONE, MAIL = "+84912345678", "grace@home.test"


@dataclass(frozen=True)
class Story:
    """A customer on file with a phone and an address, in a chat with a colleague."""

    ticket_id: int
    customer_id: int
    user_id: int
    phone_id: int
    mail_id: int
    message: InboundMessage

    def says(self, text: str, **values: Any) -> InboundMessage:
        number = next(_numbers)
        return replace(self.message, external_id=f"v:{number}", text=text, **values)


_numbers = iter(range(10_000))


def begin(tx: Connection, channel: Channel = Channel.CHAT) -> Story:
    """The customer writes, by chat or SMS; both addresses have been on file for weeks."""
    masking.publish_key(tx, VAULT.sealing_key())
    make_account(tx, Channel.EMAIL)
    sms = make_account(tx, Channel.SMS)
    known = contacts.find_or_create(tx, Address(ContactKind.PHONE, PHONE, "Grace"), now=BEFORE)
    mail_id = contacts.add(tx, known.customer_id, Address(ContactKind.EMAIL, MAIL), now=BEFORE)
    assert mail_id is not None
    if channel is Channel.SMS:
        message = inbound(sms, sender=PHONE, thread_key="t1", text="Please change my address")
    else:
        account = make_account(tx, Channel.CHAT)
        contacts.add(tx, known.customer_id, Address(ContactKind.VISITOR, "visit-1"), now=NOW)
        values = {"channel": Channel.CHAT, "sender": "visit-1", "thread_key": "visit-1"}
        message = inbound(account, text="Please change my address", **values)
    receipt = intake.receive(tx, message, now=NOW)
    assert receipt.ticket_id is not None
    user_id = make_user(tx, name="Lan")
    return Story(receipt.ticket_id, known.customer_id, user_id, known.contact_point_id, mail_id, message)


def ask(tx: Connection, story: Story, point_id: int | None = None, *, minute: int = 0, client_id: str = "") -> None:
    given = {"minutes": 60, "user_id": story.user_id, "client_id": client_id or None}
    identity_asking.ask(tx, story.ticket_id, point_id or story.mail_id, now=NOW + minute * MINUTE, **given)


def leave(tx: Connection, minute: int = 0) -> Sequence[str]:
    """What the senders would send now: (address, text)."""
    claimed = delivery.claim(tx, ["email", "sms"], NOW + minute * MINUTE)
    return [f"{out.to}|{out.suppressed or ''}|{out.text}" for out in loading.load(tx, claimed, VAULT)]


def code_of(tx: Connection, minute: int = 0) -> str:
    """The code in the newest message on its way."""
    sent = [text for text in leave(tx, minute) if identity_codes.given_in(text.partition("\n")[0])]
    return identity_codes.given_in(sent[-1].partition("\n")[0])


def take(tx: Connection, message: InboundMessage, minute: int = 1) -> None:
    intake.receive(tx, message, now=NOW + minute * MINUTE)


def wrong(code: str) -> str:
    return f"{(int(code) + 1) % 10**6:06}"


def events(tx: Connection) -> list[str]:
    rows = tx.execute(select(Message.meta).where(Message.kind == "event").order_by(Message.id)).scalars()
    return [row["name"] for row in rows if row["name"].startswith("identity")]


def checks(tx: Connection) -> list[Any]:
    return list(tx.execute(select(IdentityCheck.__table__).where(IdentityCheck.ended_at.is_(None))))


@pytest.mark.parametrize("answer", ["{code}", "the code is {code}.", "{spaced}", "  {code} thanks!"])
async def test_a_code_that_comes_back_in_the_chat_confirms_the_customer(db: Database, answer: str) -> None:
    def run(tx: Connection) -> None:
        story = begin(tx)
        ask(tx, story)
        code = code_of(tx)
        take(tx, story.says(answer.format(code=code, spaced=f"{code[:3]} {code[3:]}")))
        (check,) = checks(tx)
        assert (check.method, check.note, check.user_id) == ("code", MAIL, story.user_id)
        assert check.valid_until == NOW + 61 * MINUTE
        assert events(tx) == ["identity_code_sent", "identity_confirmed"]
        actions = tx.execute(select(AuditEntry.action).order_by(AuditEntry.id)).scalars().all()
        assert actions == ["identity.code_sent", "identity.confirmed"]
        last = tx.execute(select(Message.text).order_by(Message.id.desc()).limit(1)).scalar_one()
        assert last == "Thank you, the code is right."

    await db.write(run)


async def test_the_code_stands_nowhere_in_the_open(db: Database) -> None:
    def run(tx: Connection) -> None:
        story = begin(tx)
        ask(tx, story)
        code = code_of(tx)
        take(tx, story.says(f"{code}", html=f"<p>{code[:3]}<b>{code[3:]}</b></p>", quoted=f"> {code}", subject=code))
        rows: list[Any] = [
            *tx.execute(select(Message.text, Message.subject, Message.quoted, Message.html, Message.meta)),
            *tx.execute(select(Ticket.subject, Ticket.preview)),
            *tx.execute(select(JournalItem.summary)),
            *tx.execute(select(IdentityCode.salt, IdentityCode.digest, IdentityCode.sealed)),
            *tx.execute(select(SealedOriginal.sealed)),
            *tx.execute(select(AuditEntry.details)),
        ]
        assert code not in repr(rows)
        assert "[one-time code]" in repr(rows)
        assert tx.execute(select(IdentityCode.sealed)).scalars().all() == [None]

    await db.write(run)


async def test_it_is_good_once_and_a_wrong_one_is_named_until_five(db: Database) -> None:
    def run(tx: Connection) -> None:
        story = begin(tx)
        ask(tx, story)
        code = code_of(tx)
        for _ in range(5):
            take(tx, story.says(wrong(code)))
        told = tx.execute(select(Message.text).where(Message.text.like("This is not the code%")).order_by(Message.id))
        assert [text.partition(": ")[2] for text in told.scalars()] == [
            *(f"{left} tries are left." for left in (4, 3, 2)),
            "1 try is left.",
        ]
        take(tx, story.says(code))
        assert checks(tx) == []
        assert events(tx) == ["identity_code_sent", *["identity_code_wrong"] * 4, "identity_code_spent"]
        ask(tx, story, minute=2)
        second = code_of(tx, minute=2)
        take(tx, story.says(second), minute=3)
        take(tx, story.says(second), minute=4)
        assert events(tx)[6:] == ["identity_code_sent", "identity_confirmed"]
        assert len(checks(tx)) == 1

    await db.write(run)


async def test_a_code_runs_out_and_says_so(db: Database) -> None:
    def run(tx: Connection) -> None:
        story = begin(tx)
        ask(tx, story)
        code = code_of(tx)
        take(tx, story.says(code), minute=10)
        assert (checks(tx), events(tx)) == ([], ["identity_code_sent", "identity_code_expired"])
        ask(tx, story, minute=11)
        assert timers.run_due(tx, NOW + 20 * MINUTE) == 0
        assert timers.run_due(tx, NOW + 21 * MINUTE) == 1
        assert events(tx)[2:] == ["identity_code_sent", "identity_code_expired"]
        # Nobody gets a dead code, however late the server was with it.
        (late,) = [text for text in leave(tx, 22) if text.startswith(MAIL)]
        assert late.startswith(f"{MAIL}|{identity_codes.GONE}|")
        assert identity_codes.given_in(late) == ""

    await db.write(run)


async def test_only_the_conversations_own_sender_answers(db: Database) -> None:
    """Whoever asks in a chat for somebody else's code gets nothing when its receiver answers the mail."""

    def run(tx: Connection) -> None:
        story = begin(tx)
        ask(tx, story)
        code = code_of(tx)
        mail = inbound(1, channel=Channel.EMAIL, sender=MAIL, text=f"What is {code}?", ticket_token=story.ticket_id)
        receipt = intake.receive(tx, mail, now=NOW + MINUTE)
        assert receipt.ticket_id == story.ticket_id
        assert (checks(tx), events(tx)) == ([], ["identity_code_sent"])
        stranger = replace(story.says(code), thread_key="visit-2", sender=Address(ContactKind.VISITOR, "visit-2"))
        take(tx, stranger)
        assert checks(tx) == []

    await db.write(run)


async def test_it_goes_only_to_what_was_on_file_before(db: Database) -> None:
    def run(tx: Connection) -> None:
        story = begin(tx)
        given = contacts.add(tx, story.customer_id, Address(ContactKind.EMAIL, "new@evil.test"), now=NOW)
        other = contacts.find_or_create(tx, Address(ContactKind.PHONE, "+84900000001"), now=BEFORE)
        merge.merge(tx, story.customer_id, other.customer_id, user_id=story.user_id, now=NOW + MINUTE)
        contacts.suppress(tx, story.phone_id, "opted out", now=NOW)
        why = {way.point_id: way.refused for way in identity_asking.ways(tx, story.ticket_id)}
        assert why == {
            story.mail_id: None,
            given: Refused.NEW,
            other.contact_point_id: Refused.NEW,
            story.phone_id: Refused.SUPPRESSED,
        }
        assert given is not None
        strange = contacts.find_or_create(tx, Address(ContactKind.EMAIL, "x@other.test"), now=BEFORE)
        for point in (given, other.contact_point_id, story.phone_id, strange.contact_point_id):
            with pytest.raises(Invalid):
                ask(tx, story, point)
        tx.execute(
            update(ContactPoint).where(ContactPoint.id == story.phone_id).values(suppressed_at=None, flag="family")
        )
        flagged = {way.point_id: way.refused for way in identity_asking.ways(tx, story.ticket_id)}
        assert flagged[story.phone_id] is Refused.SHARED
        assert leave(tx) == []

    await db.write(run)


async def test_in_a_conversation_by_sms_the_code_and_its_answer_are_sms(db: Database) -> None:
    def run(tx: Connection) -> None:
        story = begin(tx, Channel.SMS)
        ask(tx, story, story.phone_id)
        (text,) = leave(tx)
        assert text.startswith(f"{PHONE}||Your code: ")
        assert "Please answer with it" in text
        take(tx, story.says(identity_codes.given_in(text.partition("\n")[0])))
        assert [(check.method, check.note) for check in checks(tx)] == [("code", PHONE)]

    await db.write(run)


async def test_a_colleague_types_what_the_caller_reads_out(db: Database) -> None:
    def run(tx: Connection) -> None:
        story = begin(tx)
        ask(tx, story)
        code = code_of(tx)
        entered = {"user_id": story.user_id, "now": NOW + MINUTE}
        with pytest.raises(Invalid):
            identity_asking.enter(tx, story.ticket_id, "12345", **entered)
        assert identity_asking.enter(tx, story.ticket_id, wrong(code), **entered) == (Result.WRONG, 4)
        assert identity_asking.enter(tx, story.ticket_id, f"{code[:3]}-{code[3:]}", **entered)[0] is Result.RIGHT
        with pytest.raises(Conflict):
            identity_asking.enter(tx, story.ticket_id, code, **entered)

    await db.write(run)


async def test_numbers_of_orders_and_lists_of_guesses_are_no_tries(db: Database) -> None:
    def run(tx: Connection) -> None:
        story = begin(tx)
        ask(tx, story)
        code = code_of(tx)
        take(tx, story.says("my order is 123456"))
        take(tx, story.says(f"{wrong(code)} or {code} or 111222"))
        take(tx, story.says("call me at +84 912 345 678, it is about 2 500 000 dong"))
        assert (checks(tx), events(tx)) == ([], ["identity_code_sent"])
        # The same message once more, as a carrier may deliver it, is one try.
        again = story.says(wrong(code))
        take(tx, again)
        take(tx, again)
        assert events(tx) == ["identity_code_sent", "identity_code_wrong"]

    await db.write(run)


async def test_a_second_click_sends_nothing_and_the_fourth_code_in_an_hour_is_refused(db: Database) -> None:
    def run(tx: Connection) -> None:
        story = begin(tx)
        ask(tx, story, client_id="a")
        ask(tx, story, client_id="a")
        assert events(tx) == ["identity_code_sent"]
        ask(tx, story, client_id="b")
        ask(tx, story, client_id="c")
        with pytest.raises(TooMany):
            ask(tx, story, client_id="d")
        # Only the newest is good.
        outcomes = tx.execute(select(IdentityCode.outcome).order_by(IdentityCode.id)).scalars().all()
        assert outcomes == ["replaced", "replaced", None]

    await db.write(run)


async def test_without_an_open_code_numbers_are_left_alone(db: Database) -> None:
    def run(tx: Connection) -> None:
        story = begin(tx)
        take(tx, story.says("482913"))
        assert tx.execute(select(Message.text).order_by(Message.id.desc()).limit(1)).scalar_one() == "482913"

    await db.write(run)


def typed(tx: Connection, story: Story, value: str, kind: ContactKind = ContactKind.EMAIL) -> int:
    """An address that this customer gave in a chat of last week, without having proven anything."""
    point_id = contacts.add(tx, story.customer_id, Address(kind, value, claimed=True), now=BEFORE)
    assert point_id is not None
    return point_id


def refusals(tx: Connection, story: Story, ticket_id: int | None = None) -> dict[int, Refused | None]:
    return {way.point_id: way.refused for way in identity_asking.ways(tx, ticket_id or story.ticket_id)}


async def test_what_was_only_typed_in_an_earlier_chat_is_no_way(db: Database) -> None:
    def run(tx: Connection) -> None:
        story = begin(tx)
        point_id = typed(tx, story, "anybody@evil.test")
        assert refusals(tx, story)[point_id] is Refused.CLAIMED
        with pytest.raises(Invalid, match="only typed in a chat or a form"):
            ask(tx, story, point_id)
        assert leave(tx) == []
        # Somebody confirms it at the visitor's word: too late for this conversation, good for the next one.
        profiles.confirm_address(tx, point_id, user_id=story.user_id, now=NOW + MINUTE)
        assert refusals(tx, story)[point_id] is Refused.NEW
        assert "customer.address_confirmed" in tx.execute(select(AuditEntry.action)).scalars().all()
        contacts.add(tx, story.customer_id, Address(ContactKind.VISITOR, "visit-9"), now=NOW + 2 * MINUTE)
        later = story.says("Me again", thread_key="visit-9", sender=Address(ContactKind.VISITOR, "visit-9"))
        receipt = intake.receive(tx, later, now=NOW + 2 * MINUTE)
        assert refusals(tx, story, receipt.ticket_id)[point_id] is None

    await db.write(run)


@pytest.mark.parametrize(
    ("external_id", "automated", "days", "refused"),
    [
        ("1:7", False, 20, None),
        ("widget:1:form-7", False, 20, Refused.CLAIMED),
        ("1:7", True, 20, Refused.CLAIMED),
        ("1:7", False, 0, Refused.NEW),
    ],
)
async def test_a_claim_is_on_file_once_somebody_wrote_from_it(
    db: Database, external_id: str, automated: bool, days: int, refused: Refused | None
) -> None:
    """A mail of their own does; a form, a robot's answer and a mail of today do not."""

    def run(tx: Connection) -> None:
        story = begin(tx)
        point_id = typed(tx, story, "grace@work.test")
        mail = inbound(1, channel=Channel.EMAIL, sender="grace@work.test", text="Hello", external_id=external_id)
        intake.receive(tx, replace(mail, automated=automated), now=NOW - timedelta(days=days) + MINUTE)
        assert refusals(tx, story)[point_id] is refused

    await db.write(run)


async def test_the_shops_word_and_the_websites_word_put_a_claim_on_file(db: Database) -> None:
    def run(tx: Connection) -> None:
        story = begin(tx)
        mail_id = typed(tx, story, "grace@work.test")
        phone_id = typed(tx, story, "+84900000002", ContactKind.PHONE)
        person = Person(None, ((ContactKind.EMAIL, "grace@work.test"),), "Grace")
        recognise(tx, person, now=NOW - timedelta(days=1))
        phone = Address(ContactKind.PHONE, "+84900000002")
        contacts.verify(tx, story.customer_id, phone, now=NOW - timedelta(days=1))
        found = refusals(tx, story)
        assert (found[mail_id], found[phone_id]) == (None, None)

    await db.write(run)
