"""A parsed mail as the InboundMessage that tickets take; pure except for storing the files by digest."""

import base64
import binascii
import hashlib
from dataclasses import dataclass
from typing import Any

from channels.email.addresses import PURPOSE, ticket_of
from channels.email.authentication import Verdict, verdict
from channels.email.invitations import Invitation, read_invitation
from channels.email.newsletters import is_own_list
from channels.email.parsed import Forwarded, Mailbox, ParsedMail
from channels.email.robots import is_no_reply
from channels.email.sanitize import sanitised
from contact_center.core.files import FileStore
from contact_center.core.secrets import Vault
from tickets.channel_accounts import Account
from tickets.customers.identities import BadAddress, normalise_email
from tickets.inbound import Address, InboundMessage, StoredFile
from tickets.matching import THREAD_INDEX
from tickets.states import Channel, ContactKind

MAX_TEXT = 200_000
MAX_REFERENCES = 100


class NoSender(Exception):
    """The mail names nobody who could be answered."""


@dataclass(frozen=True, slots=True)
class Incoming:
    """A mail on its way into a ticket: what tickets take, and what only this channel knows."""

    mail: ParsedMail
    message: InboundMessage
    fingerprint: str
    # What an agent wrote above a mail that they passed on; kept as a note.
    comment: str = ""


def incoming(
    mail: ParsedMail,
    account: Account,
    *,
    vault: Vault,
    files: FileStore,
    external_id: str,
    journal_id: int,
    staff: frozenset[str],
) -> Incoming:
    """What intake needs (blocking: stores files); raises NoSender. `staff`: the addresses of our own agents."""
    by_staff = mail.sender.address.lower() in staff
    passed_on = mail.forwarded if by_staff and mail.forwarded and mail.forwarded.sender.address else None
    sender = passed_on.sender if passed_on else _who(mail, account)
    try:
        address = normalise_email(sender.address)
    except BadAddress as error:
        raise NoSender(str(error)) from error
    judged = verdict(mail.authentication_results, str(account.settings.get("trusted_host") or ""))
    text = _words_of(mail, passed_on)
    invitation = read_invitation((*mail.attachments, *(passed_on.attachments if passed_on else ())))
    message = InboundMessage(
        channel=Channel.EMAIL,
        account_id=account.id,
        external_id=external_id,
        sender=Address(
            ContactKind.EMAIL, address, sender.name[:200], verified=judged is Verdict.PASS and not passed_on
        ),
        text=text[:MAX_TEXT] or (invitation.title if invitation else "") or _placeholder(mail),
        subject=_subject(mail, passed_on=bool(passed_on)),
        html=sanitised(passed_on.html if passed_on and passed_on.text else mail.html) or None,
        quoted="" if passed_on else mail.quoted_text[:MAX_TEXT],
        ticket_token=_ticket_token(vault, account, mail),
        references=() if judged is Verdict.FAIL else _references(mail),
        own_reference=mail.message_id or None,
        automated=mail.auto_submitted,
        newsletter=_newsletter(mail, account),
        disowned=judged is Verdict.FAIL,
        attachments=tuple(
            StoredFile(
                files.put(file.content), file.filename, file.content_type, file.size, file.inline, file.content_id
            )
            for file in (*mail.attachments, *(passed_on.attachments if passed_on else ()))
        ),
        meta=_facts(mail, judged, invitation, forwarded_by=mail.sender.address if passed_on else ""),
        journal_id=journal_id,
        sent_at=mail.date,
    )
    return Incoming(mail, message, fingerprint_of(mail), mail.reply_text if passed_on else "")


def fingerprint_of(mail: ParsedMail) -> str:
    """Message-ID and what else makes a mail itself: two mails that share it are one mail."""
    date = mail.date.isoformat() if mail.date else ""
    parts = (mail.message_id, mail.sender.address.lower(), date, mail.subject, mail.text, mail.html)
    return hashlib.sha256("\0".join(parts).encode("utf-8", "replace")).hexdigest()


def thread_reference(mail: ParsedMail) -> str:
    """Outlook's Thread-Index as a reference: its first 22 bytes name the conversation. Empty when there is none."""
    try:
        data = base64.b64decode(mail.thread_index[:200].replace(" ", ""), validate=True)
    except (binascii.Error, ValueError):
        return ""
    return f"{THREAD_INDEX}{data[:22].hex()}" if len(data) >= 22 else ""


def _words_of(mail: ParsedMail, passed_on: Forwarded | None) -> str:
    """What the customer wrote: below the agent's words, or in the mail that the agent attached."""
    if passed_on is None:
        return mail.reply_text or mail.text
    return passed_on.text or mail.quoted_text or mail.text


def _who(mail: ParsedMail, account: Account) -> Mailbox:
    """The person to answer: From, or Reply-To where From is a machine's or our own address (contact forms)."""
    own = {account.address.lower(), *(str(alias).lower() for alias in account.settings.get("aliases") or ())}
    first = next((box for box in mail.reply_to if "@" in box.address), None)
    machine = is_no_reply(mail.sender.address) or mail.sender.address.lower() in own
    return first if first is not None and machine else mail.sender


def _targets(mail: ParsedMail) -> list[str]:
    return [*mail.delivered_to, *(box.address for box in (*mail.to, *mail.cc))]


def _ticket_token(vault: Vault, account: Account, mail: ParsedMail) -> int | None:
    """The ticket of a signed plus-address, of this mailbox's address or of one that it had before."""
    key, targets = vault.key(PURPOSE), _targets(mail)
    for address in (account.address, *map(str, account.settings.get("aliases") or ())):
        if (found := ticket_of(key, address, targets)) is not None:
            return found
    return None


def _references(mail: ParsedMail) -> tuple[str, ...]:
    """In-Reply-To first, then References from the latest back, then Outlook's thread."""
    found = [*mail.in_reply_to, *reversed(mail.references), thread_reference(mail)]
    return tuple(dict.fromkeys(reference for reference in found if reference))[:MAX_REFERENCES]


def _newsletter(mail: ParsedMail, account: Account) -> str:
    """The list that a mail went to, if this mailbox keeps newsletters apart and the list is not one of ours."""
    if not account.settings.get("newsletters_apart", True):
        return ""
    own = (account.address, *map(str, account.settings.get("aliases") or ()))
    return "" if is_own_list(mail.newsletter, own) else mail.newsletter


def _subject(mail: ParsedMail, *, passed_on: bool) -> str:
    return mail.forwarded.subject or mail.subject if passed_on and mail.forwarded else mail.subject


def _placeholder(mail: ParsedMail) -> str:
    """A mail of files alone still shows what it brought."""
    return ", ".join(file.filename for file in mail.attachments)[:1000]


def _facts(mail: ParsedMail, judged: Verdict, invitation: Invitation | None, *, forwarded_by: str) -> dict[str, Any]:
    facts: dict[str, Any] = {
        "message_id": mail.message_id,
        "from": mail.sender.as_dict(),
        "to": [box.as_dict() for box in mail.to[:50]],
        "cc": [box.as_dict() for box in mail.cc[:50]],
        "date": mail.date.isoformat() if mail.date else None,
        "answerable": mail.answerable,
        "authentication": judged.value,
    }
    if invitation is not None:
        facts["invitation"] = invitation.as_dict()
    if forwarded_by:
        facts["forwarded_by"] = forwarded_by
        if mail.forwarded is not None and mail.forwarded.others:
            facts["forwarded_also"] = [other.as_dict() for other in mail.forwarded.others]
    return facts
