"""The built-in mail receiver: "250" is said only after the mail is in the journal.

It takes mail for the addresses of our enabled e-mail accounts (and their plus-addresses and aliases), nothing
else, so it cannot be used as a relay. With a certificate it offers STARTTLS; without, it belongs on a private network.
"""

import asyncio
import ssl
from datetime import datetime
from pathlib import Path
from typing import Any

import structlog
from aiosmtpd.smtp import SMTP, Envelope, Session
from sqlalchemy import Connection

from channels.email.addresses import without_tag
from channels.email.journaling import raw_item, store
from channels.email.limits import MAX_BYTES
from contact_center.core.clock import utcnow
from contact_center.core.files import digest_of
from contact_center.core.secrets import Vault
from contact_center.core.services import Services
from tickets import channel_accounts
from tickets.channel_accounts import Account
from tickets.inbox import RawItem
from tickets.states import Channel

log = structlog.get_logger()

MAX_RECIPIENTS = 50
UNKNOWN_MAILBOX = "550 5.1.1 There is no such mailbox here"
TOO_MANY = "452 4.5.3 Too many recipients"
TAKEN = "250 2.0.0 Taken"
TRY_LATER = "451 4.3.0 The mail could not be stored, try again later"


class Certificate:
    """The receiver's certificate; read again when its files change, so that a renewed one needs no restart."""

    def __init__(self, chain: Path, key: Path | None) -> None:
        self.chain, self.key = chain, key
        self._read = self._times()
        self._context = self._load()

    def context(self) -> ssl.SSLContext:
        """For the next connection; while new files cannot be read (half written), the one before."""
        try:
            times = self._times()
            if times != self._read:
                self._context, self._read = self._load(), times
        except OSError as error:
            log.error("email.certificate_unreadable", file=str(self.chain), error=str(error))
        return self._context

    def _times(self) -> tuple[int, ...]:
        return tuple(path.stat().st_mtime_ns for path in (self.chain, self.key) if path is not None)

    def _load(self) -> ssl.SSLContext:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(self.chain, self.key)
        return context


class Protocol(SMTP):
    """aiosmtpd's server with room for the long lines that real HTML mail has."""

    line_length_limit = 1 << 20


class MailReceiver:
    """The listening socket and what it does with each mail."""

    def __init__(self, services: Services) -> None:
        self.services = services
        self._server: asyncio.Server | None = None
        self._certificate: Certificate | None = None

    @property
    def port(self) -> int:
        """The port it listens on; 0 before it has started."""
        return int(self._server.sockets[0].getsockname()[1]) if self._server else 0

    async def run_once(self) -> bool:
        """Listen where the settings name a port, if that is not the case yet; the loop's step."""
        if self._server is None and self.services.settings.smtp_in_port:
            await self.start(self.services.settings.smtp_in_host, self.services.settings.smtp_in_port)
        return False

    async def start(self, host: str, port: int) -> None:
        """Listen on an address; port 0 takes a free one."""
        loop = asyncio.get_running_loop()
        settings = self.services.settings
        if settings.smtp_in_certificate is not None:
            self._certificate = await asyncio.to_thread(Certificate, settings.smtp_in_certificate, settings.smtp_in_key)
        self._server = await loop.create_server(self._protocol, host, port)
        log.info("email.receiver_started", host=host, port=self.port, tls=self._certificate is not None)

    async def close(self) -> None:
        """Take no more connections; what is under way ends by itself."""
        if self._server is not None:
            self._server.close()
            self._server = None

    def _protocol(self) -> SMTP:
        return Protocol(
            self,
            data_size_limit=min(MAX_BYTES, self.services.settings.max_body_mb * 1024 * 1024),
            enable_SMTPUTF8=True,
            hostname="contact-center",
            ident="contact-center",
            loop=asyncio.get_running_loop(),
            tls_context=self._certificate.context() if self._certificate else None,
            require_starttls=self.services.settings.smtp_in_require_tls,
        )

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, rcpt_options: list[str]
    ) -> str:
        """Take a recipient that is one of our accounts."""
        if len(envelope.rcpt_tos) >= MAX_RECIPIENTS:
            return TOO_MANY
        if await self.services.db.read(account_for, self.services.vault, address, receiver=True) is None:
            return UNKNOWN_MAILBOX
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        """Journal the mail once per account and commit; only then say so."""
        content = envelope.content
        raw = content if isinstance(content, bytes) else str(content).encode("utf-8", "surrogateescape")
        await self._take(envelope.mail_from or "", list(envelope.rcpt_tos), raw)
        return TAKEN

    async def handle_exception(self, error: Exception) -> str:
        """Whatever fails here is temporary for the sender: it keeps the mail and tries again."""
        log.error("email.receive_failed", exc_info=error)
        return TRY_LATER

    async def _take(self, sender: str, recipients: list[str], raw: bytes) -> None:
        by_account: dict[int, list[str]] = {}
        for address in recipients:
            account = await self.services.db.read(account_for, self.services.vault, address, receiver=True)
            if account is None:
                raise LookupError(f"the account of {address} was switched off while it received a mail")
            by_account.setdefault(account.id, []).append(address)
        items = await asyncio.to_thread(self._items, sender, by_account, raw)
        await self.services.db.write(store_all, items, now=utcnow())

    def _items(self, sender: str, by_account: dict[int, list[str]], raw: bytes) -> list[RawItem]:
        """The mail with its envelope on top, once per account."""
        items = []
        for account_id, addresses in by_account.items():
            trace = f"Return-Path: <{sender}>\r\n" + "".join(f"Delivered-To: {address}\r\n" for address in addresses)
            items.append(
                raw_item(
                    self.services.files, account_id, f"smtp:{digest_of(raw)}", trace.encode("utf-8", "replace") + raw
                )
            )
        return items


def store_all(tx: Connection, items: list[RawItem], *, now: datetime) -> list[int | None]:
    """Journal a mail for each of its accounts; None where it is there already (the sender sent it again)."""
    stored = [store(tx, item, now=now) for item in items]
    for item in items:
        if item.account_id is not None:
            channel_accounts.report(tx, item.account_id, now=now, error=None)
    return stored


def account_for(tx: Connection, vault: Vault, address: str, *, receiver: bool = False) -> Account | None:
    """The enabled account that takes mail for an address (with or without a tag), or None.

    `receiver`: only one whose mail comes here; taken from its mailbox as well, it would be there twice.
    """
    wanted = {address.strip().lower(), without_tag(address.strip()).lower()}
    for account in channel_accounts.enabled(tx, vault, Channel.EMAIL):
        own = {account.address.lower(), *_aliases(account.settings.get("aliases"))}
        if wanted & own and (account.settings.get("receiver") or not receiver):
            return account
    return None


def _aliases(value: Any) -> set[str]:
    return {str(alias).lower() for alias in value} if isinstance(value, list | tuple) else set()
