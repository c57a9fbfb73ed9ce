"""Sending mail through the account's SMTP server: the e-mail channel's side of delivery.

The Message-ID is made of the message's id, so that a repeated attempt is the same mail: receivers drop the second.
Account settings: `smtp` {host, port, security: starttls | tls | none}, `sender_name`, `domain`, `envelope_sender`;
secrets: `smtp` {user, password}. With `oauth.sends` the provider's permission takes the place of the password.
`dkim` is described in channels.email.dkim_keys.
"""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import aiosmtplib
import structlog

from channels.base import Outbound, SendFailed, Sent
from channels.email import send_errors, unsubscribing
from channels.email.addresses import PURPOSE, tagged_address
from channels.email.compose import File, Letter, composed, reply_subject
from channels.email.dkim_keys import signer_of
from channels.email.grants import AccessTokens
from channels.email.oauth import NoToken
from channels.email.send_errors import MailError
from channels.email.signature import facts_of, signature_of
from channels.email.texts import footer_of
from channels.email.unsubscribing import Link
from contact_center.core.clock import utcnow
from contact_center.core.errors import Invalid
from contact_center.core.files import FileStore
from contact_center.core.secrets import Vault
from tickets.channel_accounts import Account
from tickets.customers.unsubscribes import What

log = structlog.get_logger()

TIMEOUT_SECONDS = 30
DEFAULT_PORTS = {"tls": 465, "starttls": 587, "none": 25}


class MailSender:
    """The e-mail channel's sending side. The same message keeps its Message-ID, so sending again is safe."""

    idempotent = True

    def __init__(
        self,
        vault: Vault,
        files: FileStore,
        tokens: AccessTokens | None = None,
        *,
        public_url: str = "",
        dkim_key: str = "",
    ) -> None:
        self.vault = vault
        self.public_url = public_url
        self.files = files
        self.tokens = tokens
        # PEM; for mailboxes that sign and have no key of their own.
        self.dkim_key = dkim_key

    async def send(self, outbound: Outbound) -> Sent:
        """Hand one mail to the account's server; raises SendFailed."""
        message_id = message_id_of(self.vault, outbound.message_id, _domain(outbound))
        try:
            letter = self.letter(outbound, message_id)
            raw = composed(letter)
        except ValueError as error:
            raise _failed(send_errors.BAD_ADDRESS) from error
        except FileNotFoundError as error:
            raise _failed(send_errors.FILE_MISSING) from error
        raw = _signed(outbound.account, raw, self.dkim_key)
        # Whom nobody else sees is told to the server alone: no field of the mail names them.
        unseen = _addresses(outbound.meta.get("bcc"))
        recipients = list(dict.fromkeys([outbound.to, *letter.cc, *unseen]))
        answer = await self.hand_over_raw(outbound.account, raw, recipients)
        return Sent(external_id=answer.partition("\n")[0][:200], reference=message_id, said=answer)

    async def hand_over_raw(self, account: Account, raw: bytes, recipients: list[str]) -> str:
        """Give one mail to the account's server; its answer. Raises SendFailed.

        With the password, or with a token; one that the server refuses is renewed once.
        """
        envelope = str(account.settings.get("envelope_sender") or account.address)
        server, login = _section(account.settings, "smtp"), _section(account.secrets, "smtp")

        async def attempt(login: Mapping[str, Any]) -> str:
            return await hand_over(raw, sender=envelope, recipients=recipients, server=server, login=login)

        if self.tokens is None or not _section(account.settings, "oauth").get("sends"):
            return await attempt(login)
        user = login.get("user") or _section(account.secrets, "imap").get("user") or account.address
        try:
            token = await self.tokens.of(account)
            try:
                return await attempt({"user": user, "token": token})
            except SendFailed as error:
                if error.code != send_errors.LOGIN_REFUSED.code:
                    raise
            return await attempt({"user": user, "token": await self.tokens.of(account, refused=token)})
        except NoToken as error:
            raise _failed(replace(send_errors.NO_PERMISSION, text=error.text, retryable=not error.final)) from error

    def letter(self, outbound: Outbound, message_id: str) -> Letter:
        """What the mail says, from what the message says."""
        account = outbound.account
        team = str(account.settings.get("sender_name") or account.name)
        name = f"{outbound.author} · {team}" if outbound.author else team
        thread = [reference for reference in outbound.references if reference != message_id]
        return Letter(
            message_id=message_id,
            sender_name=name,
            sender_address=account.address,
            to_name=outbound.to_name,
            to_address=outbound.to,
            subject=reply_subject(outbound.subject, outbound.ticket_number),
            text=outbound.text,
            html=outbound.html,
            date=outbound.created_at or utcnow(),
            reply_to=tagged_address(self.vault.key(PURPOSE), account.address, outbound.ticket_id),
            cc=_addresses(outbound.meta.get("cc")),
            references=thread,
            signature=None if outbound.automatic else signature_of(outbound.signature, facts(outbound, team)),
            footer=footer_of(outbound.locale, outbound.ticket_number, automatic=outbound.automatic),
            history=outbound.history,
            automatic=outbound.automatic,
            locale=outbound.locale,
            unsubscribe_url=self._unsubscribe_url(outbound),
            files=[
                File(file.filename, file.content_type, self.files.get(file.digest), file.content_id or "")
                for file in outbound.attachments
            ],
        )

    def _unsubscribe_url(self, outbound: Outbound) -> str:
        """Where the recipient ends mails of this kind; "" for those that are answers."""
        kind, point = outbound.meta.get("unsubscribe"), outbound.contact_point_id
        if not kind or point is None or not self.public_url:
            return ""
        return unsubscribing.url(self.vault, self.public_url, Link(point, What(kind), outbound.locale))


async def hand_over(
    raw: bytes, *, sender: str, recipients: list[str], server: Mapping[str, Any], login: Mapping[str, Any]
) -> str:
    """Give one mail to a server; its answer to DATA (with its queue id). Raises SendFailed.

    `login`: {user, password}, {user, token}, or empty for a server that wants none.
    """
    if not server.get("host"):
        raise _failed(send_errors.NOT_SET_UP)
    security = str(server.get("security") or "starttls")
    token = login.get("token")

    async def token_of() -> str:
        return str(token)

    client = aiosmtplib.SMTP(
        hostname=str(server["host"]),
        port=int(server.get("port") or DEFAULT_PORTS.get(security, 587)),
        use_tls=security == "tls",
        start_tls=security == "starttls",
        timeout=TIMEOUT_SECONDS,
        username=str(login["user"]) if login.get("user") else None,
        password=str(login.get("password") or "") if login.get("user") and not token else None,
        oauth_token_generator=token_of if token else None,
    )
    try:
        async with client:
            refused, answer = await client.sendmail(sender, recipients, raw)
    except aiosmtplib.SMTPException as error:
        log.warning("email.not_sent", to=recipients[0], error=str(error)[:500])
        raise _failed(_meaning(error), _words(error)) from error
    except OSError as error:
        raise _failed(send_errors.NO_CONNECTION, str(error)) from error
    if recipients[0] in refused:
        code, words = refused[recipients[0]]
        raise _failed(send_errors.from_recipient_reply(code, words), f"{code} {words}")
    if refused:
        log.warning("email.copies_refused", addresses=list(refused))
    return "\n".join([answer, *(f"{address}: {code} {words}" for address, (code, words) in refused.items())])


def message_id_of(vault: Vault, message_id: int, domain: str) -> str:
    """The Message-ID (without brackets) of one of our messages: the same for every attempt, not guessable."""
    digest = hmac.new(vault.key("email-message-id"), str(message_id).encode(), hashlib.sha256).hexdigest()[:24]
    return f"cc.{message_id}.{digest}@{domain}"


def _signed(account: Account, raw: bytes, shared: str) -> bytes:
    """With the account's DKIM signature, where it signs; unsigned mail never leaves in its place."""
    try:
        signer = signer_of(account, shared)
    except Invalid as error:
        raise _failed(send_errors.DKIM_KEY, error.detail) from error
    return raw if signer is None else signer.signed(raw)


def _section(values: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = values.get(name)
    return found if isinstance(found, Mapping) else {}


def is_own_message_id(vault: Vault, reference: str) -> int | None:
    """The message of ours that a Message-ID belongs to; None when it is not ours (or forged)."""
    parts = reference.partition("@")[0].split(".")
    if len(parts) != 3 or parts[0] != "cc" or not parts[1].isdecimal() or len(parts[1]) > 18:
        return None
    message_id = int(parts[1])
    genuine = message_id_of(vault, message_id, "x").partition("@")[0].split(".")[2]
    return message_id if hmac.compare_digest(parts[2], genuine) else None


def facts(outbound: Outbound, company: str) -> dict[str, str]:
    """What the placeholders of a signature stand for."""
    return facts_of(
        agent=outbound.author,
        queue=outbound.queue_name,
        company=company,
        mailbox=outbound.account.address,
        number=outbound.ticket_number,
    )


def _domain(outbound: Outbound) -> str:
    return str(outbound.account.settings.get("domain") or outbound.account.address.rpartition("@")[2] or "localhost")


def _addresses(value: object) -> tuple[str, ...]:
    return tuple(str(item) for item in value if "@" in str(item))[:50] if isinstance(value, list | tuple) else ()


def _failed(error: MailError, said: str = "") -> SendFailed:
    return SendFailed(error.code, error.text, retryable=error.retryable, suppress=error.suppress, said=said)


def _words(error: aiosmtplib.SMTPException) -> str:
    """What the server said, word for word, or what the library says of the connection."""
    if isinstance(error, aiosmtplib.SMTPRecipientsRefused) and error.recipients:
        return f"{error.recipients[0].code} {error.recipients[0].message}"
    if isinstance(error, aiosmtplib.SMTPResponseException):
        return f"{error.code} {error.message}"
    return str(error)


def _meaning(error: aiosmtplib.SMTPException) -> MailError:
    """An SMTP failure as one of our errors. The same Message-ID makes a doubtful end safe to try again."""
    if isinstance(error, aiosmtplib.SMTPRecipientsRefused) and error.recipients:
        first = error.recipients[0]
        return send_errors.from_recipient_reply(first.code, first.message)
    if isinstance(error, aiosmtplib.SMTPAuthenticationError):
        return send_errors.LOGIN_REFUSED
    if isinstance(error, aiosmtplib.SMTPSenderRefused):
        return (
            send_errors.SENDER_REFUSED if error.code >= 500 else send_errors.from_data_reply(error.code, error.message)
        )
    if isinstance(error, aiosmtplib.SMTPResponseException):
        return send_errors.from_data_reply(error.code, error.message)
    if isinstance(error, aiosmtplib.SMTPTimeoutError):
        return send_errors.TIMEOUT
    if isinstance(error, aiosmtplib.SMTPConnectError):
        return send_errors.NO_CONNECTION
    if isinstance(error, aiosmtplib.SMTPNotSupported):
        return send_errors.NO_TLS
    return send_errors.BROKEN_OFF
