"""Deletes stored bytes that nothing names any more: files of drafts given up, uploads never sent, old raw mails.

A file goes only when no row names it and nobody wanted it for a week (core.files tells the order that makes it safe
beside uploads), and only from a folder that belongs to this database: a copy of it on the same folder deletes nothing.
"""

import asyncio
import secrets
from datetime import timedelta

import structlog

from contact_center.core import installation
from contact_center.core.clock import utcnow
from contact_center.core.files import SHELVES
from contact_center.core.metrics import FILES_DELETED, FILES_DELETED_BYTES
from contact_center.core.services import Services
from tickets import draft_files, stored_files

log = structlog.get_logger()

# Longer than any upload waits for its message, a weekend with a closed laptop included.
LEAST_AGE = timedelta(days=7)
# A draft with files that nobody has touched for so long is given up: its words stay, its files go.
DRAFTS_KEPT = timedelta(days=30)
BATCH = 500
FACT = "files"


class FileCleaning:
    """The loop's step: one shelf of the store after the other, then a day's rest."""

    def __init__(self, services: Services) -> None:
        self.services = services
        self._shelf = 0

    async def run_once(self) -> bool:
        """Clean one shelf; True while there are more."""
        if self._shelf == 0 and not await self._ours():
            return False
        if self._shelf == 0:
            await self._give_up_drafts()
        waiting = await self.services.db.read(stored_files.oldest_waiting_chat)
        # What waits in quarantine names its uploads by signed ids, which no statement can look into.
        before = (min(utcnow(), waiting or utcnow()) - LEAST_AGE).timestamp()
        found = await asyncio.to_thread(self.services.files.unwanted, self._shelf, before)
        for start in range(0, len(found), BATCH):
            await self._clean(found[start : start + BATCH], before)
        self._shelf = (self._shelf + 1) % SHELVES
        return self._shelf != 0

    async def _give_up_drafts(self) -> None:
        before = utcnow() - DRAFTS_KEPT
        while await self.services.db.write(draft_files.expire, before, BATCH) == BATCH:
            pass

    async def _clean(self, digests: list[str], before: float) -> None:
        named = await self.services.db.read(stored_files.named, digests)
        for digest in digests:
            if digest not in named and (freed := await asyncio.to_thread(self._delete, digest, before)):
                FILES_DELETED.inc()
                FILES_DELETED_BYTES.inc(freed)
                log.info("files.deleted", digest=digest, bytes=freed)

    def _delete(self, digest: str, before: float) -> int:
        files = self.services.files
        return files.settle(digest, before) if files.set_aside(digest) else 0

    async def _ours(self) -> bool:
        fact = {"id": secrets.token_hex(16)}
        mine = str((await self.services.db.write(installation.once, FACT, fact))["id"])
        owner = await asyncio.to_thread(self.services.files.owner, mine)
        if owner != mine:
            log.warning("files.of_another_installation", folder=str(self.services.files.folder))
        return owner == mine
