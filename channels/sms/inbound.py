"""One inbound SMS: into its conversation, or into the consent ledger when it is STOP or START."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import Connection, insert, or_, select

from channels.sms import consent
from channels.sms.keywords import Keyword, Wish, recognise
from channels.sms.models import SmsMedia
from channels.sms.numbers import Kind, identify
from channels.sms.parse import BadForm, InboundSms
from contact_center.core.i18n import gettext, mark
from tickets import inbox, intake
from tickets.channel_accounts import Account
from tickets.customers import contacts
from tickets.inbound import Address, InboundMessage, Receipt
from tickets.inbox import RawItem
from tickets.matching import REOPEN_WITHIN
from tickets.models import Ticket
from tickets.replies import SYSTEM, Reply, reply
from tickets.states import Channel, ContactKind, JournalState, Status
from tickets.timeline import add_event

PICTURE = mark("Picture message")
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


def receive(tx: Connection, arrival: Arrival, *, now: datetime) -> JournalState:
    """Take one SMS; the state its journal item ended in. Raises BadForm for a sender that is none."""
    sms = arrival.sms
    party = identify(sms.sender, arrival.region)
    if party is None or party.kind is Kind.HIDDEN:
        raise BadForm(f"From is no sender: {sms.sender[:40]!r}")
    inbound = InboundMessage(
        channel=Channel.SMS,
        account_id=arrival.account.id,
        external_id=sms.sid,
        sender=Address(ContactKind.PHONE, party.address),
        text=sms.body,
        subject="" if sms.body.strip() else gettext(arrival.account.settings.get("locale", "en"), PICTURE),
        thread_key=party.address,
        meta={"segments": sms.segments, "media": len(sms.media)} if sms.media else {"segments": sms.segments},
        raw=arrival.raw,
        journal_id=arrival.journal_id,
    )
    keyword = _keyword(sms)
    if keyword and keyword.wish is not Wish.HELP:
        opted_out = consent.is_opted_out(tx, inbound.sender)
        # START is an everyday word: it is a message unless it undoes a STOP.
        if keyword.wish is Wish.STOP or opted_out:
            return _obey(tx, arrival, inbound, keyword, now=now)
    receipt = intake.receive(tx, inbound, now=now)
    if receipt.outcome == JournalState.DUPLICATE.value:
        return JournalState.DUPLICATE
    if party.kind is not Kind.NUMBER:
        contacts.suppress(tx, _contact(tx, inbound, now), CANNOT_ANSWER, now=now)
    _remember_media(tx, arrival, receipt, now=now)
    return JournalState.ACCEPTED


def _keyword(sms: InboundSms) -> Keyword | None:
    """What the carrier made of it (its words can be configured there), else what we do."""
    if wish := _CARRIERS_WISH.get(sms.opt_out):
        return Keyword(wish, sms.body.strip()[:60], carrier_answers=True)
    return None if sms.media else recognise(sms.body)


def _contact(tx: Connection, inbound: InboundMessage, now: datetime) -> int:
    return contacts.find_or_create(tx, inbound.sender, now=now).contact_point_id


def _obey(
    tx: Connection, arrival: Arrival, inbound: InboundMessage, keyword: Keyword, *, now: datetime
) -> JournalState:
    """Note the wish once; shown in the conversation if there is one, which it neither opens nor wakes."""
    ticket_id = _conversation(tx, inbound, now=now)
    if ticket_id is not None:
        receipt = intake.receive(tx, replace(inbound, automated=True), now=now)
        state = JournalState(receipt.outcome)
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
    else:
        consent.stop_queued(tx, contact_point_id, now=now)
    if ticket_id is not None:
        add_event(tx, ticket_id, f"sms_{keyword.wish.value}", {"word": keyword.word}, now=now)
        if not keyword.carrier_answers:
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
        channel=Channel.SMS,
        account_id=arrival.account.id,
        external_id=arrival.sms.sid,
        raw=arrival.raw,
        sender=arrival.sms.sender[:80],
        summary=arrival.sms.body,
    )


def _confirm(
    tx: Connection, ticket_id: int, inbound: InboundMessage, keyword: Keyword, contact_point_id: int, *, now: datetime
) -> None:
    """One confirmation in the language of the word; it is the only SMS that leaves after a STOP."""
    answer = Reply(
        gettext(keyword.locale, CONFIRM[keyword.wish]),
        channel=Channel.SMS,
        account_id=inbound.account_id,
        contact_point_id=contact_point_id,
        automatic=True,
        meta={"consent": keyword.wish.value},
    )
    reply(tx, ticket_id, answer, author=SYSTEM, now=now)


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
