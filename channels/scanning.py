"""Files and the virus scanner: each is asked about before anybody gets it or we send it, and ahead of that by a loop.

With no scanner set nothing is asked, and what was once found infected stays out. A scanner that does not answer keeps
the file waiting; it never passes by silence.
"""

import structlog

from contact_center.core import clamav
from contact_center.core.clamav import Scanned, ScannerDown, Verdict
from contact_center.core.clock import utcnow
from contact_center.core.errors import Conflict, Forbidden
from contact_center.core.services import Services
from tickets import scans

log = structlog.get_logger()

BATCH = 20
# Attachments before the start that are asked about ahead of somebody opening them.
LOOK_BACK = 1_000
# Somebody waits for it in their browser.
DOOR_SECONDS = 20.0


async def admit(services: Services, digest: str) -> None:
    """Return if a file may be shown or downloaded; Forbidden or Conflict says why not."""
    try:
        found = await verdict(services, digest)
    except ScannerDown as error:
        raise Conflict(
            "This file waits for the virus scanner, which does not answer. Try again in a minute."
        ) from error
    if found is not None and found.verdict is Verdict.INFECTED:
        raise Forbidden("This file is kept out: it contains {virus}.", virus=found.virus)
    if found is not None and found.verdict is Verdict.TOO_LARGE:
        raise Forbidden("This file is larger than the virus scanner takes. An administrator can raise its limit.")


async def verdict(services: Services, digest: str) -> Scanned | None:
    """What the scanner says of a file, asked now where nobody has yet; None where nothing scans.

    Raises ScannerDown, and the file is asked about again by the loop.
    """
    known = await services.db.read(scans.of, digest)
    if known is not None and known.state == Verdict.INFECTED.value:
        return Scanned(Verdict.INFECTED, known.virus)
    address = services.settings.clamav
    if not address or not services.files.has(digest):
        return None
    if known is not None and known.state != scans.WAITING:
        return Scanned(Verdict(known.state))
    try:
        scanned = await clamav.scan(address, services.files.path(digest), seconds=DOOR_SECONDS)
    except ScannerDown as error:
        log.warning("files.scanner_down", error=str(error))
        await services.db.write(scans.waits, digest, now=utcnow())
        raise
    await services.db.write(scans.judged, digest, scanned, now=utcnow())
    return scanned


class FileScans:
    """The loop's step: asks about new files, and again about those that wait."""

    def __init__(self, services: Services) -> None:
        self.services = services
        self._seen: int | None = None

    async def run_once(self) -> bool:
        """Ask about a batch; True when there may be more."""
        if not self.services.settings.clamav:
            return False
        if self._seen is None:
            self._seen = max(0, await self.services.db.read(scans.newest) - LOOK_BACK)
        for digest in await self.services.db.read(scans.due, limit=BATCH, now=utcnow()):
            if not await self._ask(digest):
                break
        fresh = await self.services.db.read(scans.unasked, self._seen, limit=BATCH)
        answers = True
        for row in fresh:
            if row.state is None and answers:
                answers = await self._ask(row.digest)
            elif row.state is None:
                await self.services.db.write(scans.waits, row.digest, now=utcnow())
            self._seen = row.id
        return len(fresh) == BATCH

    async def _ask(self, digest: str) -> bool:
        """Whether the scanner answered, or there was nothing to ask."""
        db, files = self.services.db, self.services.files
        if not files.has(digest):
            # Its bytes are not in this data folder: nobody gets it, and nobody has asked about it.
            await db.write(scans.waits, digest, now=utcnow())
            return True
        try:
            scanned = await clamav.scan(self.services.settings.clamav, files.path(digest))
        except ScannerDown as error:
            log.warning("files.scanner_down", error=str(error))
            await db.write(scans.waits, digest, now=utcnow())
            return False
        if scanned.verdict is Verdict.INFECTED:
            log.warning("files.infected", digest=digest, virus=scanned.virus)
        await db.write(scans.judged, digest, scanned, now=utcnow())
        return True
