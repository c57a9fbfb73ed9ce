"""The comparison's walk through a mailbox: one connection of its own, the headers of what nobody knows, in windows."""

import asyncio
from collections.abc import Sequence

import structlog

from channels.email import reconcile
from channels.email.beginning import Beginning, begin
from channels.email.grants import AccessTokens
from channels.email.journaling import raw_item, store_all
from channels.email.mailbox import Fetched, Mailbox, MailboxErrors, NotSetUp, external_id_of
from channels.email.oauth import NoToken
from channels.email.reconcile import TAKEABLE, Missing, Tally, recognise
from channels.email.signing_in import Login, sign_in
from contact_center.core.clock import utcnow
from contact_center.core.services import Stores
from tickets import channel_accounts
from tickets.channel_accounts import Account
from tickets.inbox import RawItem

log = structlog.get_logger()

# Lines that break in a row before the comparison gives up; it goes on where it was.
MOST_BREAKS = 5


class Walk:
    """One comparison of one mailbox."""

    def __init__(self, stores: Stores, account: Account, tokens: AccessTokens, *, takes: bool) -> None:
        self.stores = stores
        self.account = account
        self.tokens = tokens
        self.takes = takes
        self.settings = account.settings.get("imap") or {}
        self.tally = Tally()
        self._uidvalidity = 0
        self._cursor = 0
        self._breaks = 0

    async def run(self) -> Tally:
        """Compare everything; raises what the mailbox raises when it breaks again and again."""
        while True:
            try:
                await self._through()
                return self.tally
            except MailboxErrors:
                self._breaks += 1
                if self._breaks > MOST_BREAKS:
                    raise

    async def _through(self) -> None:
        mailbox = await self._open()
        try:
            begun = await self.stores.db.write(
                begin, self.account.id, mailbox.folder, mailbox.uidvalidity, mailbox.uidnext, now=utcnow()
            )
            if self._uidvalidity != mailbox.uidvalidity:
                # UIDs were dealt anew in between: what was counted by the old ones counts no more.
                self._uidvalidity, self._cursor, self.tally = mailbox.uidvalidity, 0, Tally(total=mailbox.size)
            while uids := await asyncio.to_thread(mailbox.new_uids, self._cursor):
                await self._window(mailbox, begun, uids)
                self._cursor, self._breaks = uids[-1], 0
                await self.stores.db.write(reconcile.progress, self.account.id, self.tally, now=utcnow())
        except BaseException:
            mailbox.abort()
            raise
        finally:
            await asyncio.to_thread(mailbox.close)

    async def _open(self) -> Mailbox:
        opened: list[Mailbox] = []

        async def connect(login: Login) -> None:
            opened.append(await asyncio.to_thread(Mailbox, self.settings, login))

        await sign_in(self.account, self.tokens, connect)
        return opened[0]

    async def _window(self, mailbox: Mailbox, begun: Beginning, uids: Sequence[int]) -> None:
        """Compare a few hundred mails: those that the journal names, then the others by their heads."""
        names = {external_id_of(mailbox.uidvalidity, uid): uid for uid in uids}
        rows = await self.stores.db.read(reconcile.journaled, self.account.id, list(names))
        found = [reconcile.judge_journaled(names[name], row) for name, row in rows.items()]
        taken = sum(one is None for one in found)
        unknown = [uid for name, uid in names.items() if name not in rows]
        heads = await asyncio.to_thread(mailbox.heads, unknown)
        fields = {uid: recognise(head) for uid, head in heads.items()}
        elsewhere = await self.stores.db.read(reconcile.taken_elsewhere, self.account.id, fields)
        cursor = begun.last_uid if begun.uidvalidity_read == mailbox.uidvalidity else 0
        missing = [one for one in found if one is not None]
        missing += [
            reconcile.judge_unknown(uid, fields[uid], heads[uid].arrived_at, begun, self.settings, cursor)
            for uid in unknown
            if uid in heads and uid not in elsewhere
        ]
        handed_in = await self._take(mailbox, begun, missing) if self.takes else set()
        self.tally.seen += len(rows) + len(heads)
        self.tally.taken += taken + len(elsewhere) + len(handed_in)
        self.tally.handed_in += len(handed_in)
        for one in sorted(missing, key=lambda one: one.uid):
            if one.uid not in handed_in:
                self.tally.add(one)

    async def _take(self, mailbox: Mailbox, begun: Beginning, missing: Sequence[Missing]) -> set[int]:
        """Journal what can be taken, the past as history; the UIDs that are journaled now."""
        wanted = [one.uid for one in missing if one.why in TAKEABLE]
        done: set[int] = set()
        while wanted:
            mails, last = await asyncio.to_thread(mailbox.fetch, wanted)
            items = await asyncio.to_thread(self._items, mailbox, begun, mails)
            await self.stores.db.write(store_all, items, now=utcnow())
            done.update(mail.uid for mail in mails)
            wanted = [uid for uid in wanted if uid > last]
            await self.stores.db.write(reconcile.progress, self.account.id, self.tally, now=utcnow())
        return done

    def _items(self, mailbox: Mailbox, begun: Beginning, mails: Sequence[Fetched]) -> list[tuple[RawItem, bool]]:
        return [
            (
                raw_item(
                    self.stores.files,
                    self.account.id,
                    external_id_of(mailbox.uidvalidity, mail.uid),
                    mail.raw,
                    history=begun.is_past(self.settings, mail),
                ),
                mail.oversize,
            )
            for mail in mails
        ]


async def compare(stores: Stores, account: Account, tokens: AccessTokens, *, takes: bool) -> bool:
    """Run the comparison that this process holds, and note its end; False where the mailbox could not be read."""
    walk = Walk(stores, account, tokens, takes=takes)
    error = None
    try:
        await walk.run()
    except (*MailboxErrors, NotSetUp, NoToken) as failed:
        error = str(failed) or type(failed).__name__
        log.warning("email.mailbox_not_compared", account=account.name, error=error)
    await stores.db.write(reconcile.finish, account.id, walk.tally, now=utcnow(), error=error)
    return error is None


class Reconciler:
    """The loop's step: one comparison that somebody asked for."""

    def __init__(self, stores: Stores, tokens: AccessTokens | None = None) -> None:
        self.stores = stores
        self.tokens = tokens or AccessTokens(stores)

    async def run_once(self) -> bool:
        """Compare one mailbox; True when there may be another."""
        row = await self.stores.db.write(reconcile.claim, now=utcnow())
        if row is None:
            return False
        account = await self.stores.db.read(channel_accounts.by_id, self.stores.vault, row.channel_account_id)
        await compare(self.stores, account, self.tokens, takes=row.takes)
        return True
