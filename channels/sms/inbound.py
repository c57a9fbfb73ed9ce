"""One inbound SMS or WhatsApp message: into its conversation, or into the consent ledger when it is STOP or START."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, bindparam, insert, or_, select

from channels.models import DeliveryAttempt
from channels.receipts import find_attempt_of
from channels.sms import consent, whatsapp
from channels.sms.gateway.config import is_gateway
from channels.sms.keywords import Keyword, Wish, recognise
from channels.sms.models import SmsMedia
from channels.sms.numbers import Kind, Party, identify
from channels.sms.parse import BadForm, InboundSms
from contact_center.core.db import in_one
from contact_center.core.i18n import gettext, mark
from contact_center.core.text import first_line
from tickets import inbox, intake, past
from tickets.channel_accounts import Account
from tickets.customers import contacts
from tickets.inbound import Address, InboundMessage, Receipt
from tickets.inbox import RawItem
from tickets.matching import REOPEN_WITHIN
from tickets.models import ContactPoint, Customer, Message, Ticket
from tickets.states import AuthorKind, Channel, ContactKind, Delivery, JournalState, MessageKind, Status
from tickets.timeline import Entry, add_event, append

PICTURE = mark("Picture message")
FILE = mark("File")
LOCATION = mark("Location:")
LONGEST_QUOTE = 160
CANNOT_ANSWER = mark("Senders of this kind take no replies.")
CONFIRM = {
    Wish.STOP: mark("You will get no more messages from us. Send START to get them again."),
    Wish.START: mark("You will get our messages again. Send STOP to end them."),
}
FETCH_AFTER = timedelta(seconds=1)  # Twilio's own copy of a picture may lag behind its webhook
_CARRIERS_WISH = {"STOP": Wish.STOP, "START": Wish.START, "HELP": Wish.HELP}


@dataclass(frozen=True, slots=True)
class Arrival:
    """A parsed SMS with where it came in and its raw form; `journal_id` if it lies in the journal already."""

    sms: InboundSms
    account: Account
    raw: bytes
    region: str
    journal_id: int | None = None


def receive_in_one(tx: Connection, arrival: Arrival, *, now: datetime) -> JournalState | None:
    """The same for a plain text in a running conversation: no keyword, no picture, a number one can answer."""
    party = _party(arrival)
    if party is None or party.kind is not Kind.NUMBER or arrival.sms.media or _keyword(arrival):
        return None
    if arrival.sms.told.answers_to:
        return None
    receipt = intake.receive_in_one(tx, _inbound(arrival, party), now=now)
    return JournalState.ACCEPTED if receipt is not None else None


@in_one(receive_in_one)
def receive(tx: Connection, arrival: Arrival, *, now: datetime) -> JournalState:
    """Take one SMS; the state its journal item ended in. Raises BadForm for a sender that is none."""
    sms = arrival.sms
    party = _party(arrival)
    if party is None or party.kind is Kind.HIDDEN:
        raise BadForm(f"From is no sender: {sms.sender[:40]!r}")
    inbound = _with_quote(tx, _inbound(arrival, party))
    keyword = _keyword(arrival)
    if keyword and keyword.wish is not Wish.HELP:
        opted_out = consent.is_opted_out(tx, inbound.sender)
        # START is an everyday word: it is a message unless it undoes a STOP.
        if keyword.wish is Wish.STOP or opted_out:
            return _obey(tx, arrival, inbound, keyword, told=opted_out, now=now)
    receipt = intake.receive(tx, inbound, now=now)
    if receipt.outcome != JournalState.ACCEPTED.value:
        return JournalState(receipt.outcome)
    if party.kind is not Kind.NUMBER:
        contacts.suppress(tx, _contact(tx, inbound, now), CANNOT_ANSWER, now=now)
    _remember_media(tx, arrival, receipt, now=now)
    return JournalState.ACCEPTED


def _party(arrival: Arrival) -> Party | None:
    """Who wrote; None for an address that does not belong into this kind of account."""
    sender = arrival.sms.sender
    if arrival.account.channel is Channel.WHATSAPP:
        number = whatsapp.without_prefix(sender)
        return identify(number, arrival.region) if number else None
    return identify(sender, arrival.region)


def _inbound(arrival: Arrival, party: Party) -> InboundMessage:
    """The message for the sender's conversation."""
    sms = arrival.sms
    locale = str(arrival.account.settings.get("locale", "en"))
    text = _words(sms, locale)
    return InboundMessage(
        channel=arrival.account.channel,
        account_id=arrival.account.id,
        external_id=sms.sid,
        sender=Address(ContactKind.PHONE, party.address, sms.told.name),
        text=text,
        subject="" if text.strip() else gettext(locale, FILE if sms.told is not whatsapp.NOTHING else PICTURE),
        thread_key=party.address,
        meta=_facts(arrival),
        raw=arrival.raw,
        journal_id=arrival.journal_id,
    )


def _words(sms: InboundSms, locale: str) -> str:
    """What was said, written, pressed or shown on a map."""
    told = sms.told
    text = sms.body if sms.body.strip() else told.button
    if told.location is None:
        return text
    # Twilio repeats the place's name as the body.
    words = [text] if text.strip() and text.strip() not in told.location.name else []
    name = f" {told.location.name}" if told.location.name else ""
    return "\n".join([*words, f"{gettext(locale, LOCATION)}{name}", told.location.url()])


def _facts(arrival: Arrival) -> dict[str, Any]:
    sms, told = arrival.sms, arrival.sms.told
    facts: dict[str, Any] = {} if arrival.account.channel is Channel.WHATSAPP else {"segments": sms.segments}
    if sms.media:
        facts["media"] = len(sms.media)
    extra = {"forwarded": told.forwarded, "answers_to_sid": told.answers_to, "button": told.payload}
    return facts | {name: value for name, value in extra.items() if value}


def _with_quote(tx: Connection, inbound: InboundMessage) -> InboundMessage:
    """With the words of the message that it answers to, ours or theirs, where we know it."""
    sid = inbound.meta.get("answers_to_sid")
    if not sid:
        return inbound
    attempt_id = find_attempt_of(tx, inbound.account_id, sid)
    of_ours = select(DeliveryAttempt.message_id).where(DeliveryAttempt.id == attempt_id).scalar_subquery()
    of_theirs = (Message.channel_account_id == inbound.account_id) & (Message.external_id == sid)
    found = tx.execute(select(Message.text).where(of_theirs if attempt_id is None else Message.id == of_ours)).first()
    if found is None or not found.text.strip():
        return inbound
    return replace(inbound, meta={**inbound.meta, "answers_to": first_line(found.text, LONGEST_QUOTE)})


def _keyword(arrival: Arrival) -> Keyword | None:
    """What the carrier made of it (its words can be configured there), else what we do."""
    sms = arrival.sms
    if is_gateway(arrival.account.settings) or arrival.account.channel is Channel.WHATSAPP:
        found = None if sms.media else recognise(sms.body)
        # Twilio alone confirms its words by itself, and only by SMS.
        return replace(found, carrier_answers=False) if found else None
    if wish := _CARRIERS_WISH.get(sms.opt_out):
        return Keyword(wish, sms.body.strip()[:60], carrier_answers=True)
    return None if sms.media else recognise(sms.body)


def _contact(tx: Connection, inbound: InboundMessage, now: datetime) -> int:
    return contacts.find_or_create(tx, inbound.sender, now=now).contact_point_id


def _obey(
    tx: Connection, arrival: Arrival, inbound: InboundMessage, keyword: Keyword, *, told: bool, now: datetime
) -> JournalState:
    """Note the wish; shown in the conversation if there is one, which it neither opens nor wakes.

    `told`: the number has opted out already, and was told so when it did.
    """
    answers = not keyword.carrier_answers and not (told and keyword.wish is Wish.STOP)
    ticket_id = _conversation(tx, inbound, now=now)
    if ticket_id is not None:
        receipt = intake.receive(tx, replace(inbound, automated=True), now=now)
        state = JournalState(receipt.outcome)
    elif answers:
        # We owe an answer, and an answer needs a place: a ticket that is closed from the first.
        receipt = past.remember(tx, replace(inbound, automated=True), now=now)
        state, ticket_id = JournalState(receipt.outcome), receipt.ticket_id
    else:
        state = _journal_only(tx, arrival, inbound, keyword, now=now)
    if state is JournalState.DUPLICATE:
        return state
    contact_point_id = _contact(tx, inbound, now)
    consent.record(
        tx,
        contact_point_id,
        keyword.wish,
        account_id=inbound.account_id,
        source=consent.KEYWORD,
        word=keyword.word,
        now=now,
    )
    if keyword.wish is Wish.START:
        consent.reopen(tx, contact_point_id)
    elif not told:
        # After that nothing can be on its way but our confirmation.
        consent.stop_queued(tx, contact_point_id, now=now)
    if ticket_id is not None:
        add_event(tx, ticket_id, f"sms_{keyword.wish.value}", {"word": keyword.word}, now=now)
        if answers:
            _confirm(tx, ticket_id, inbound, keyword, contact_point_id, now=now)
    if keyword.wish is Wish.STOP:
        consent.close(tx, contact_point_id, now=now)
    return state


def _conversation(tx: Connection, inbound: InboundMessage, *, now: datetime) -> int | None:
    """The latest ticket of this number that a message still goes to without opening another."""
    return tx.execute(
        select(Ticket.id)
        .where(
            Ticket.channel_account_id == inbound.account_id,
            Ticket.thread_key == inbound.thread_key,
            Ticket.status != Status.CLOSED.value,
            or_(Ticket.status != Status.RESOLVED.value, Ticket.resolved_at > now - REOPEN_WITHIN),
            Ticket.merged_into_id.is_(None),
        )
        .order_by(Ticket.id.desc())
        .limit(1)
    ).scalar_one_or_none()


def _journal_only(
    tx: Connection, arrival: Arrival, inbound: InboundMessage, keyword: Keyword, *, now: datetime
) -> JournalState:
    reason = f"sms_{keyword.wish.value}"
    if arrival.journal_id is not None:
        inbox.finish(tx, arrival.journal_id, JournalState.SUPPRESSED, now=now, reason=reason)
        return JournalState.SUPPRESSED
    stored = inbox.store(tx, raw_item(arrival), now=now, state=JournalState.SUPPRESSED, reason=reason)
    return JournalState.DUPLICATE if stored is None else JournalState.SUPPRESSED


def raw_item(arrival: Arrival) -> RawItem:
    """The journal's view of an SMS."""
    return RawItem(
        channel=arrival.account.channel,
        account_id=arrival.account.id,
        external_id=arrival.sms.sid,
        raw=arrival.raw,
        sender=arrival.sms.sender[:80],
        summary=arrival.sms.body,
    )


_LOCALE_OF = (
    select(Customer.locale)
    .join(ContactPoint, ContactPoint.customer_id == Customer.id)
    .where(ContactPoint.id == bindparam("point"))
)


def _confirm(
    tx: Connection, ticket_id: int, inbound: InboundMessage, keyword: Keyword, contact_point_id: int, *, now: datetime
) -> None:
    """One confirmation in the customer's language, or else that of the word; it alone leaves after a STOP."""
    locale = tx.execute(_LOCALE_OF, {"point": contact_point_id}).scalar_one() or keyword.locale
    answer = Entry(
        kind=MessageKind.OUTBOUND,
        channel=inbound.channel.value,
        author_kind=AuthorKind.SYSTEM,
        text=gettext(locale, CONFIRM[keyword.wish]),
        public=True,
        channel_account_id=inbound.account_id,
        contact_point_id=contact_point_id,
        automatic=True,
        delivery=Delivery.QUEUED.value,
        send_after=now,
        meta={"consent": keyword.wish.value},
    )
    append(tx, ticket_id, answer, now=now)


def _remember_media(tx: Connection, arrival: Arrival, receipt: Receipt, *, now: datetime) -> None:
    """Pictures are fetched after the carrier has its 200: its timeout is shorter than a download."""
    if not arrival.sms.media or receipt.message_id is None:
        return
    tx.execute(
        insert(SmsMedia),
        [
            {
                "message_id": receipt.message_id,
                "channel_account_id": arrival.account.id,
                "position": position,
                "url": media.url,
                "content_type": media.content_type,
                "state": "waiting",
                "due_at": now + FETCH_AFTER,
            }
            for position, media in enumerate(arrival.sms.media)
        ],
    )
