"""Transaction 2 of every mail: from the journal into its ticket, or to the end state that it deserves.

1. Read the raw mail within the time limit (`prepare`, no transaction).
2. Quarantined, suppressed, our own mail, a duplicate: the journal row says so.
3. A bounce marks our message failed; an absence notice joins its ticket quietly; everything else is received.
"""

from dataclasses import dataclass, replace
from datetime import datetime

import structlog
from sqlalchemy import Connection, Row, bindparam, select

from channels.email import bounce_effects, loopback
from channels.email.inbound import Incoming, NoSender, incoming, thread_reference
from channels.email.models import MailPrint
from channels.email.parsed import Outcome, ParsedMail
from channels.email.reader import Reader
from channels.email.send import is_own_message_id
from contact_center.accounts.models import User
from contact_center.core.files import FileStore, digest_of
from contact_center.core.secrets import Vault
from contact_center.core.upsert import insert_once
from tickets import inbox, intake, matching, past
from tickets.channel_accounts import Account
from tickets.customers import contacts
from tickets.inbound import InboundMessage, Receipt
from tickets.matching import Action
from tickets.models import ChannelAccount, JournalItem, Message
from tickets.replies import Author, note
from tickets.silence import TEST_MAIL
from tickets.states import Channel, JournalState

log = structlog.get_logger()

TAKEN_BEFORE = "the same mail was taken before"
DELETED = "the message that it became was deleted"
"""The tombstone: a mail whose message is gone stays gone, under whatever UID or by whatever way it comes again."""

_WENT_TO = select(Message.id, Message.ticket_id).where(Message.journal_id == bindparam("journal_id")).limit(1)


@dataclass(frozen=True, slots=True)
class Taken:
    """How a journaled mail ended."""

    journal_id: int
    state: JournalState
    reason: str = ""
    receipt: Receipt | None = None


@dataclass(frozen=True, slots=True)
class Prepared:
    """A journaled mail that has been read; `incoming` is None where nothing goes into a ticket."""

    journal_id: int
    account: Account
    mail: ParsedMail
    incoming: Incoming | None
    own: bool = False
    problem: str = ""
    # From before the mailbox was connected.
    history: bool = False
    # Of the raw bytes: unlike the fingerprint it stays the same when we learn to read mails better.
    digest: str = ""
    # (test, what a bounce of it says) where it is a test mail that went round.
    test: tuple[int, str] | None = None


def raw_of(row: Row[JournalItem], files: FileStore) -> bytes:
    """The bytes of a journaled mail; FileNotFoundError when the file store lost them."""
    return row.raw if row.raw is not None else files.get(row.raw_digest or "")


def prepare(
    row: Row[JournalItem], account: Account, *, reader: Reader, vault: Vault, files: FileStore, staff: frozenset[str]
) -> Prepared:
    """Read one journaled mail and store its files (blocking: call it in a thread)."""
    try:
        raw = raw_of(row, files)
        mail = reader.read(raw)
    except FileNotFoundError:
        return Prepared(row.id, account, ParsedMail(), None, problem="the raw mail is not in the file store")
    if (test := loopback.recognise(vault, mail)) is not None:
        return Prepared(row.id, account, mail, None, test=test)
    own = any(is_own_message_id(vault, found) is not None for found in (mail.message_id,) if found)
    if mail.outcome is not Outcome.ACCEPTED or mail.bounce is not None or own:
        return Prepared(row.id, account, mail, None, own=own, history=row.history)
    try:
        ready = incoming(
            mail, account, vault=vault, files=files, external_id=row.external_id, journal_id=row.id, staff=staff
        )
    except NoSender as error:
        return Prepared(row.id, account, mail, None, problem=f"the mail names no sender: {error}")
    return Prepared(row.id, account, mail, ready, history=row.history, digest=digest_of(raw))


def take(tx: Connection, prepared: Prepared, vault: Vault, *, now: datetime) -> Taken:
    """Give one read mail its end state; safe to run again for the same journal row."""
    journal_id, mail = prepared.journal_id, prepared.mail
    state = tx.execute(select(JournalItem.state).where(JournalItem.id == journal_id).with_for_update()).scalar_one()
    if state != JournalState.RECEIVED.value:
        return Taken(journal_id, JournalState(state))
    if prepared.test is not None:
        loopback.came(tx, prepared.test[0], journal_id, prepared.test[1])
        return _finish(tx, journal_id, JournalState.SUPPRESSED, TEST_MAIL, now=now)
    if prepared.problem or mail.outcome is Outcome.QUARANTINED:
        return _finish(tx, journal_id, JournalState.QUARANTINED, prepared.problem or mail.reason, now=now)
    if prepared.own or mail.outcome is Outcome.SUPPRESSED:
        return _finish(tx, journal_id, JournalState.SUPPRESSED, mail.reason or "own_mail", now=now)
    if prepared.history and (mail.bounce is not None or mail.out_of_office):
        return _finish(tx, journal_id, JournalState.SUPPRESSED, "from before the mailbox was connected", now=now)
    if mail.bounce is not None:
        reason = bounce_effects.apply(tx, mail.bounce, vault, now=now)
        return _finish(tx, journal_id, JournalState.ACCEPTED, reason, now=now)
    assert prepared.incoming is not None
    if (first := _taken_as(tx, prepared.incoming, prepared.digest, now=now)) != journal_id:
        receipt = went_to(tx, first)
        reason = DELETED if receipt.message_id is None and _made_a_message(tx, first) else TAKEN_BEFORE
        return replace(_finish(tx, journal_id, JournalState.DUPLICATE, reason, now=now), receipt=receipt)
    if _writes_to_itself(tx, mail):
        return _finish(tx, journal_id, JournalState.SUPPRESSED, "own_mail", now=now)
    message = prepared.incoming.message
    if mail.out_of_office and not _joins_a_ticket(tx, message, now=now):
        return _finish(tx, journal_id, JournalState.SUPPRESSED, "absence notice without a ticket", now=now)
    receipt = past.remember(tx, message, now=now) if prepared.history else intake.receive(tx, message, now=now)
    _remember_thread(tx, prepared.incoming, receipt)
    _keep_comment(tx, prepared.incoming, receipt, now=now)
    return Taken(journal_id, JournalState(receipt.outcome), "", receipt)


def _finish(tx: Connection, journal_id: int, state: JournalState, reason: str, *, now: datetime) -> Taken:
    inbox.finish(tx, journal_id, state, now=now, reason=reason or None)
    return Taken(journal_id, state, reason)


def went_to(tx: Connection, journal_id: int | None) -> Receipt:
    """The ticket and the message of a journaled mail, for one that says the same again; None where it has none."""
    row = tx.execute(_WENT_TO, {"journal_id": journal_id}).first()
    return Receipt(JournalState.DUPLICATE.value, row.ticket_id if row else None, row.id if row else None)


def _taken_as(tx: Connection, found: Incoming, digest: str, *, now: datetime) -> int | None:
    """The journal row as which this mail was first taken for this account, by whatever way: this one, or an earlier.

    Known by what it says, and by its bytes. The rows outlive ticket and message: they are its tombstone.
    """
    message = found.message
    first = message.journal_id
    for fingerprint in (found.fingerprint, f"raw:{digest}"):
        values = {
            "channel_account_id": message.account_id,
            "fingerprint": fingerprint,
            "journal_id": message.journal_id,
            "created_at": now,
        }
        if insert_once(tx, MailPrint, key=["channel_account_id", "fingerprint"], values=values) is None:
            earlier = select(MailPrint.journal_id).where(
                MailPrint.channel_account_id == message.account_id, MailPrint.fingerprint == fingerprint
            )
            first = min(first or 0, tx.execute(earlier).scalar_one())
    return first


def _made_a_message(tx: Connection, journal_id: int | None) -> bool:
    """Whether a journaled mail became a message once; bounces are accepted too, with what they did as the reason."""
    made = select(JournalItem.id).where(
        JournalItem.id == journal_id,
        JournalItem.state == JournalState.ACCEPTED.value,
        JournalItem.reason.is_(None),
    )
    return tx.execute(made).first() is not None


def _writes_to_itself(tx: Connection, mail: ParsedMail) -> bool:
    """A mail from one of our own mailboxes (and no Reply-To of somebody else) would go in circles."""
    if any("@" in box.address for box in mail.reply_to):
        return False
    return (
        tx.execute(
            select(ChannelAccount.id).where(
                ChannelAccount.channel == Channel.EMAIL.value, ChannelAccount.address == mail.sender.address.lower()
            )
        ).first()
        is not None
    )


def _joins_a_ticket(tx: Connection, message: InboundMessage, *, now: datetime) -> bool:
    contact = contacts.find(tx, message.sender)
    if contact is None:
        return False
    match = matching.find(tx, message, contact, now=now)
    return match is not None and match.action is not Action.FOLLOW_UP


def _remember_thread(tx: Connection, found: Incoming, receipt: Receipt) -> None:
    reference = thread_reference(found.mail)
    if reference and receipt.created and receipt.ticket_id is not None and receipt.message_id is not None:
        intake.add_reference(tx, reference, receipt.ticket_id, receipt.message_id)


def _keep_comment(tx: Connection, found: Incoming, receipt: Receipt, *, now: datetime) -> None:
    """What an agent wrote above a mail that they passed on stays inside."""
    if not found.comment.strip() or receipt.ticket_id is None or receipt.outcome != JournalState.ACCEPTED.value:
        return
    user_id = tx.execute(select(User.id).where(User.email == found.mail.sender.address.lower())).scalar_one_or_none()
    note(tx, receipt.ticket_id, found.comment[:20_000], author=Author(user_id), now=now)


def staff_addresses(tx: Connection) -> frozenset[str]:
    """The addresses of everybody who works here: what they forward is somebody else's mail."""
    return frozenset(address.lower() for address in tx.execute(select(User.email).where(User.active)).scalars())


def waiting(tx: Connection, limit: int) -> list[Row[JournalItem]]:
    """Journaled mails that nobody has taken yet, oldest first."""
    return list(
        tx.execute(
            select(JournalItem.__table__)
            .where(JournalItem.state == JournalState.RECEIVED.value, JournalItem.channel == Channel.EMAIL.value)
            .order_by(JournalItem.id)
            .limit(limit)
        ).all()
    )


def failed(prepared: Prepared, error: Exception) -> Prepared:
    """The same mail after intake refused it: it goes to quarantine with the reason, and the next one is taken."""
    return replace(prepared, incoming=None, problem=f"{type(error).__name__}: {error}"[:500])
