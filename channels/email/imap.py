"""Watching mailboxes: every new mail is in the journal before the cursor moves past it.

1. A process takes the mailbox (a lease, so that two never read one at a time).
2. Everything above the cursor UIDVALIDITY + UID is fetched in batches; journal rows and cursor in one transaction.
3. IDLE waits for more, with a look of our own every few minutes. Errors are shown on the account and retried.
"""

import asyncio
import random
import secrets
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial
from typing import Any, TypeVar

import structlog
from sqlalchemy import Connection, or_, update

from channels.email import grants
from channels.email.beginning import Beginning, begin
from channels.email.grants import AccessTokens
from channels.email.journaling import raw_item, store_all
from channels.email.mailbox import BATCH, Fetched, Mailbox, MailboxErrors, NotSetUp, external_id_of
from channels.email.models import MailboxCursor
from channels.email.oauth import NoToken
from channels.email.signing_in import sign_in
from contact_center.core.clock import utcnow
from contact_center.core.loops import sleep
from contact_center.core.services import Services
from contact_center.core.upsert import insert_once
from tickets import channel_accounts
from tickets.channel_accounts import Account
from tickets.inbox import RawItem
from tickets.states import Channel

log = structlog.get_logger()
T = TypeVar("T")

LEASE = timedelta(seconds=60)
# A look of our own at least this often: some servers forget an IDLE without a word. Well under the 10 minutes
# after which an IDLE must be issued again.
IDLE_SECONDS = 240.0
POLL_SECONDS = 60.0
# Seconds after the first failure, and the longest.
PAUSES = (1.0, 300.0)


class Watcher:
    """Reads one mailbox, in a task of its own and with a thread of its own for the blocking connection."""

    def __init__(
        self,
        services: Services,
        account: Account,
        pauses: tuple[float, float] = PAUSES,
        *,
        tokens: AccessTokens | None = None,
        granted_at: datetime | None = None,
    ) -> None:
        self.services = services
        self.account = account
        self.pauses = pauses
        self.tokens = tokens or AccessTokens(services)
        # When the permission was given by which it signs in; after a new one it begins anew.
        self.granted_at = granted_at
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=f"imap-{account.id}")
        self._mailbox: Mailbox | None = None
        self._task: asyncio.Task[None] | None = None
        # Without any mail taken in between.
        self._failures = 0

    def start(self) -> None:
        self._task = asyncio.create_task(self.run(), name=f"imap:{self.account.name}")

    async def stop(self) -> None:
        """End the task and cut its connection."""
        if self._task is not None:
            self._task.cancel()
        if self._mailbox is not None:
            self._mailbox.abort()
        if self._task is not None:
            with suppress(asyncio.CancelledError):
                await self._task
        await asyncio.to_thread(self._thread.shutdown)

    async def run(self) -> None:
        """Connect, catch up, wait; after an error wait longer each time and begin again."""
        while True:
            try:
                await self._connect()
                # After a failure in smaller steps: a bad line gets on by what it carries before it breaks.
                await self._catch_up(most=max(1, BATCH >> self._failures))
                self._failures = 0
                await self.services.db.write(channel_accounts.recovered, self.account.id)
                while True:
                    await self._wait()
                    await self._catch_up(most=BATCH)
            except (*MailboxErrors, NotSetUp, NoToken) as error:
                self._failures += 1
                log.warning(
                    "email.mailbox_failed", account=self.account.name, error=str(error), failures=self._failures
                )
                await self._report(error)
            finally:
                self._drop()
            first, longest = self.pauses
            await sleep(min(first * 2 ** min(self._failures - 1, 10), longest) * random.uniform(0.7, 1.3))

    async def _connect(self) -> None:
        server = self.account.settings.get("imap") or {}

        async def connect(login: Mapping[str, Any]) -> None:
            # Kept from within the thread: a connection must be closed even if nobody waits for it any more.
            def connect_here() -> None:
                self._mailbox = Mailbox(server, login)

            await self._in_thread(connect_here)

        await sign_in(self.account, self.tokens, connect)

    async def _catch_up(self, *, most: int) -> None:
        """Journal everything above the cursor."""
        mailbox = self._opened()
        begun = await self.services.db.write(
            begin, self.account.id, mailbox.folder, mailbox.uidvalidity, mailbox.uidnext, now=utcnow()
        )
        cursor = self._cursor(mailbox, begun)
        if cursor < begun.uid - 1:
            since = begun.since(self.account.settings.get("imap") or {})
            await self._journal(mailbox, begun, cursor, most, upto=begun.uid - 1, since=since)
            cursor = begun.uid - 1
        await self._journal(mailbox, begun, cursor, most)

    async def _journal(self, mailbox: Mailbox, begun: Beginning, cursor: int, most: int, **bounds: Any) -> None:
        """Journal what the server lists above the cursor, and move the cursor with it."""
        while uids := await self._in_thread(partial(mailbox.new_uids, cursor, **bounds)):
            while uids:
                # What the server listed and no longer has was deleted meanwhile: it is passed over.
                found, cursor = await self._in_thread(partial(mailbox.fetch, uids, most))
                items = await self._in_thread(partial(self._items, mailbox, found, begun))
                await self.services.db.write(
                    keep, self.account.id, mailbox.folder, mailbox.uidvalidity, cursor, items, now=utcnow()
                )
                self._failures = 0
                uids = [uid for uid in uids if uid > cursor]

    def _cursor(self, mailbox: Mailbox, begun: Beginning) -> int:
        """The last UID taken; 0 after a change of UIDVALIDITY: everything is looked at anew, nothing taken twice."""
        if begun.uidvalidity_read == mailbox.uidvalidity:
            return begun.last_uid
        start = (self.account.settings.get("imap") or {}).get("start")
        # Nothing was taken yet: what came since the first look is still to be taken.
        nothing_yet = begun.uidvalidity_read == 0 and not begun.by_time
        return begun.uid - 1 if nothing_yet and start == "new" else 0

    def _items(self, mailbox: Mailbox, found: list[Fetched], begun: Beginning) -> list[tuple[RawItem, bool]]:
        """What is to be journaled; what lay there before is history, or passed over."""
        settings = self.account.settings.get("imap") or {}
        items = []
        for mail in found:
            old = begun.is_past(settings, mail)
            if old and not begun.keeps(settings, mail):
                continue
            external_id = external_id_of(mailbox.uidvalidity, mail.uid)
            item = raw_item(self.services.files, self.account.id, external_id, mail.raw, history=old)
            items.append((item, mail.oversize))
        return items

    async def _wait(self) -> None:
        mailbox = self._opened()
        if mailbox.can_idle:
            await self._in_thread(lambda: mailbox.wait(IDLE_SECONDS))
        else:
            await sleep(POLL_SECONDS)
        # UIDNEXT and UIDVALIDITY as they are now.
        await self._in_thread(mailbox.select)

    async def _report(self, error: BaseException) -> None:
        text = str(error) or type(error).__name__
        await self.services.db.write(channel_accounts.report, self.account.id, now=utcnow(), error=text)

    def _opened(self) -> Mailbox:
        assert self._mailbox is not None
        return self._mailbox

    def _drop(self) -> None:
        """Cut and close the connection, or the one that is just being made, after what runs in the thread."""
        if self._mailbox is not None:
            self._mailbox.abort()
        self._thread.submit(self._close)

    def _close(self) -> None:
        mailbox, self._mailbox = self._mailbox, None
        if mailbox is not None:
            mailbox.close()

    async def _in_thread(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)


class Mailboxes:
    """The loop's step: one watcher for every mailbox whose lease this process holds."""

    def __init__(
        self, services: Services, pauses: tuple[float, float] = PAUSES, tokens: AccessTokens | None = None
    ) -> None:
        self.services = services
        self.pauses = pauses
        self.tokens = tokens or AccessTokens(services)
        self.holder = secrets.token_hex(16)
        self._watchers: dict[int, Watcher] = {}

    async def run_once(self) -> bool:
        """Renew leases; start and stop watchers as accounts come, change and go."""
        accounts = await self.services.db.read(mailboxes, self.services.vault)
        granted = await self.services.db.read(grants.granted_at)
        held = await self.services.db.write(hold, accounts, self.holder, now=utcnow())
        wanted = {account.id: account for account in accounts if account.id in held}
        for account_id, watcher in list(self._watchers.items()):
            if wanted.get(account_id) != watcher.account or granted.get(account_id) != watcher.granted_at:
                del self._watchers[account_id]
                await watcher.stop()
        for account_id, account in wanted.items():
            if account_id not in self._watchers:
                self._watchers[account_id] = Watcher(
                    self.services, account, self.pauses, tokens=self.tokens, granted_at=granted.get(account_id)
                )
                self._watchers[account_id].start()
        return False

    async def close(self) -> None:
        """Stop all watchers and give the leases back."""
        watchers, self._watchers = list(self._watchers.values()), {}
        await asyncio.gather(*(watcher.stop() for watcher in watchers))
        await self.services.db.write(release, self.holder)


def mailboxes(tx: Connection, vault: Any) -> list[Account]:
    """Enabled e-mail accounts that name an IMAP server."""
    return [
        account
        for account in channel_accounts.enabled(tx, vault, Channel.EMAIL)
        if (account.settings.get("imap") or {}).get("host")
    ]


def folder_of(account: Account) -> str:
    return str((account.settings.get("imap") or {}).get("folder") or "INBOX")


def hold(tx: Connection, accounts: list[Account], holder: str, *, now: datetime) -> set[int]:
    """Take or renew the lease of each mailbox; the ids of the accounts that `holder` has now."""
    held: set[int] = set()
    for account in accounts:
        folder = folder_of(account)
        insert_once(
            tx,
            MailboxCursor,
            key=["channel_account_id", "folder"],
            values={"channel_account_id": account.id, "folder": folder, "uidvalidity": 0, "last_uid": 0, "holder": ""},
        )
        done = tx.execute(
            update(MailboxCursor)
            .where(
                MailboxCursor.channel_account_id == account.id,
                MailboxCursor.folder == folder,
                or_(
                    MailboxCursor.holder == holder,
                    MailboxCursor.held_until.is_(None),
                    MailboxCursor.held_until <= now,
                ),
            )
            .values(holder=holder, held_until=now + LEASE)
        )
        if done.rowcount:
            held.add(account.id)
    return held


def release(tx: Connection, holder: str) -> None:
    """Give all leases of a process back."""
    tx.execute(update(MailboxCursor).where(MailboxCursor.holder == holder).values(holder="", held_until=None))


def keep(
    tx: Connection,
    account_id: int,
    folder: str,
    uidvalidity: int,
    last_uid: int,
    items: list[tuple[RawItem, bool]],
    *,
    now: datetime,
) -> int:
    """Journal a batch and move the cursor, both or neither; how many were new."""
    new = store_all(tx, items, now=now)
    values = {"uidvalidity": uidvalidity, "last_uid": last_uid, "checked_at": now}
    where = (MailboxCursor.channel_account_id == account_id, MailboxCursor.folder == folder)
    done = tx.execute(update(MailboxCursor).where(*where).values(**values))
    if not done.rowcount:
        insert_once(
            tx,
            MailboxCursor,
            key=["channel_account_id", "folder"],
            values={"channel_account_id": account_id, "folder": folder, "holder": "", **values},
        )
    if new:
        channel_accounts.report(tx, account_id, now=now, error=None)
    return new
