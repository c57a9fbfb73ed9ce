"""A test mail that goes round: out by our SMTP to the account's own address, back by whatever way its mail comes in.

It carries a signed token in its Message-ID and its subject (some servers write a Message-ID of their own), is
recognised before anything else, and never becomes a conversation.
"""

import hashlib
import hmac
import re
from datetime import datetime, timedelta
from email.message import EmailMessage
from email.utils import format_datetime, formataddr
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from channels.base import SendFailed
from channels.email.grants import AccessTokens
from channels.email.models import MailTest
from channels.email.parsed import ParsedMail
from channels.email.send import MailSender
from contact_center.core.clock import utcnow
from contact_center.core.i18n import gettext, mark
from contact_center.core.secrets import Vault
from contact_center.core.services import Stores
from tickets.channel_accounts import Account
from tickets.models import JournalItem
from tickets.silence import TEST_MAIL

# After this time a test that is not back is called lost; it may come all the same.
PATIENCE = timedelta(minutes=5)
SUBJECT = mark("Test mail of %(name)s")
TEXT = mark("This mail goes round to show that the mailbox works. It becomes no conversation.")
_TOKEN = re.compile(r"\bcct\.(\d{1,18})\.([0-9a-f]{24})\b")


class State(StrEnum):
    """How far a test is."""

    SENDING = "sending"
    SENT = "sent"
    BACK = "back"
    FAILED = "failed"


def token_of(vault: Vault, test_id: int) -> str:
    """The signed name of a test."""
    digest = hmac.new(vault.key("email-test"), str(test_id).encode(), hashlib.sha256).hexdigest()[:24]
    return f"cct.{test_id}.{digest}"


def test_of(vault: Vault, *texts: str) -> int | None:
    """The test whose genuine token one of the texts carries."""
    for text in texts:
        for found in _TOKEN.finditer(text):
            if hmac.compare_digest(found[0], token_of(vault, int(found[1]))):
                return int(found[1])
    return None


def recognise(vault: Vault, mail: ParsedMail) -> tuple[int, str] | None:
    """The test that a mail is, with what its bounce says ("" where it is the test itself); None for other mails."""
    if mail.bounce is not None:
        test_id = test_of(vault, *mail.bounce.original_message_ids)
        said = "; ".join(one.diagnostic or one.status for one in mail.bounce.recipients)
        return (test_id, said or "bounce") if test_id is not None else None
    test_id = test_of(vault, mail.message_id, mail.subject)
    return (test_id, "") if test_id is not None else None


def composed(vault: Vault, account: Account, test_id: int, locale: str, *, now: datetime) -> bytes:
    """The test mail."""
    token = token_of(vault, test_id)
    mail = EmailMessage()
    mail["From"] = formataddr((account.name, account.address))
    mail["To"] = account.address
    mail["Subject"] = f"{gettext(locale, SUBJECT, name=account.name)} [{token}]"
    mail["Date"] = format_datetime(now)
    mail["Message-ID"] = f"<{token}@{account.address.rpartition('@')[2] or 'localhost'}>"
    mail["Auto-Submitted"] = "auto-generated"
    mail["X-Auto-Response-Suppress"] = "All"
    mail.set_content(gettext(locale, TEXT))
    return mail.as_bytes()


async def send(stores: Stores, account: Account, *, by: int | None, locale: str) -> int:
    """Send a test mail and note what the server said; the id of the test."""
    now = utcnow()
    test_id = await stores.db.write(begin, account.id, by=by, now=now)
    sender = MailSender(stores.vault, stores.files, AccessTokens(stores))
    raw = composed(stores.vault, account, test_id, locale, now=now)
    try:
        answer = await sender.hand_over_raw(account, raw, [account.address])
    except SendFailed as error:
        await stores.db.write(sent, test_id, State.FAILED, error=error.text, said=error.said)
    else:
        await stores.db.write(sent, test_id, State.SENT, error=None, said=answer)
    return test_id


def begin(tx: Connection, account_id: int, *, by: int | None, now: datetime) -> int:
    """Note that a test leaves."""
    values = {"channel_account_id": account_id, "state": State.SENDING.value, "sent_by_id": by, "sent_at": now}
    return tx.execute(insert(MailTest).values(**values).returning(MailTest.id)).scalar_one()


def sent(tx: Connection, test_id: int, state: State, *, error: str | None, said: str) -> None:
    """Note the server's answer; a test that is back already stays back."""
    mine = update(MailTest).where(MailTest.id == test_id)
    tx.execute(mine.values(said=said[:1000]))
    tx.execute(mine.where(MailTest.state == State.SENDING.value).values(state=state.value, error=error))


def came(tx: Connection, test_id: int, journal_id: int, bounced: str) -> None:
    """A test is back in the journal, or its bounce is; the first of them counts."""
    received_at = tx.execute(select(JournalItem.received_at).where(JournalItem.id == journal_id)).scalar_one()
    state = State.FAILED if bounced else State.BACK
    open_ = MailTest.state.in_([State.SENDING.value, State.SENT.value])
    values = {"state": state.value, "back_at": received_at, "journal_id": journal_id, "error": bounced[:500] or None}
    tx.execute(update(MailTest).where(MailTest.id == test_id, open_).values(**values))


def last(tx: Connection, account_id: int) -> Row[Any] | None:
    """The latest test of an account."""
    query = select(MailTest.__table__).where(MailTest.channel_account_id == account_id)
    return tx.execute(query.order_by(MailTest.id.desc()).limit(1)).first()


__all__ = ["PATIENCE", "TEST_MAIL", "State", "came", "last", "recognise", "send", "test_of", "token_of"]
