"""Files and the virus scanner, against a stand-in that speaks INSTREAM: clean, infected, too large, down."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, select, update

from channels.scanning import FileScans, admit
from contact_center.core import clamav
from contact_center.core.clamav import Scanned, ScannerDown, Verdict
from contact_center.core.errors import Conflict, Forbidden
from contact_center.core.events import EventRow
from tests.channels.clamd import EICAR, NAME, Clamd, clamd
from tests.channels.desk import Desk, open_desk
from tests.conftest import NOW
from tests.factories import make_account, make_ticket, unique
from tickets.inbound import StoredFile
from tickets.scans import FileScan


@pytest.fixture
async def scanner() -> AsyncIterator[Clamd]:
    async with clamd() as found:
        yield found


@pytest.fixture
async def scanned(database_url: str, tmp_path: Path, scanner: Clamd) -> AsyncIterator[Desk]:
    """A desk that scans files."""
    async with open_desk(database_url, tmp_path, clamav=scanner.address) as found:
        yield found


def put(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"hello", Scanned(Verdict.CLEAN)),
        (b"", Scanned(Verdict.CLEAN)),
        (b"x" * 200_000 + EICAR, Scanned(Verdict.INFECTED, NAME)),
        (b"x" * 3_000_000, Scanned(Verdict.TOO_LARGE)),
    ],
)
async def test_a_file_is_judged(tmp_path: Path, scanner: Clamd, data: bytes, expected: Scanned) -> None:
    assert await clamav.scan(scanner.address, put(tmp_path / "file", data)) == expected


async def test_a_socket_is_an_address_too(tmp_path: Path) -> None:
    async with clamd(str(tmp_path / "clamd.sock")) as scanner:
        assert (await clamav.scan(scanner.address, put(tmp_path / "file", EICAR))).virus == NAME


@pytest.mark.parametrize("mode", ["cut", "garbled"])
async def test_anything_but_a_clear_answer_is_no_verdict(tmp_path: Path, scanner: Clamd, mode: str) -> None:
    scanner.mode = mode
    with pytest.raises(ScannerDown):
        await clamav.scan(scanner.address, put(tmp_path / "file", b"hello" * 100_000))


async def test_nobody_there_is_no_verdict(tmp_path: Path) -> None:
    with pytest.raises(ScannerDown):
        await clamav.scan("127.0.0.1:1", put(tmp_path / "file", b"hello"))


async def attached(desk: Desk, data: bytes) -> str:
    """A message with a file; the file's digest."""
    digest = desk.services.files.put(data)
    file = StoredFile(digest, "invoice.pdf", "application/pdf", len(data))

    def story(tx: Connection) -> None:
        account_id = make_account(tx, address=unique("+1500555"))
        make_ticket(tx, account_id=account_id, attachments=(file,))

    await desk.db.write(story)
    return digest


async def state(desk: Desk, digest: str) -> Any:
    query = select(FileScan.state, FileScan.virus).where(FileScan.digest == digest)
    return await desk.db.read(lambda tx: tuple(tx.execute(query).one()))


async def test_new_files_are_scanned_once_and_the_infected_one_is_named_on_its_message(
    scanned: Desk, scanner: Clamd
) -> None:
    clean, bad = await attached(scanned, b"hello"), await attached(scanned, EICAR)
    loop = FileScans(scanned.services)
    for _ in range(2):
        assert not await loop.run_once()

    assert len(scanner.asked) == 2
    assert await state(scanned, clean) == ("clean", "")
    assert await state(scanned, bad) == ("infected", NAME)
    await admit(scanned.services, clean)
    with pytest.raises(Forbidden, match=NAME):
        await admit(scanned.services, bad)
    told = [row for row in await scanned.rows(EventRow) if row.name == "message.updated"]
    assert len(told) == 1


async def test_whoever_comes_before_the_loop_waits_for_the_verdict(scanned: Desk, scanner: Clamd) -> None:
    clean, bad, large = [await attached(scanned, data) for data in (b"a", EICAR, b"x" * 3_000_000)]

    await admit(scanned.services, clean)
    with pytest.raises(Forbidden, match=NAME):
        await admit(scanned.services, bad)
    with pytest.raises(Forbidden, match="larger"):
        await admit(scanned.services, large)
    assert (await state(scanned, large))[0] == "too_large"


async def test_a_scanner_that_is_down_keeps_files_waiting_and_is_asked_again(scanned: Desk, scanner: Clamd) -> None:
    scanner.mode = "cut"
    first, second = await attached(scanned, b"one"), await attached(scanned, b"two")
    loop = FileScans(scanned.services)
    await loop.run_once()
    assert {(await state(scanned, one))[0] for one in (first, second)} == {"waiting"}
    with pytest.raises(Conflict):
        await admit(scanned.services, first)

    scanner.mode = "well"
    await loop.run_once()
    # Not yet: it was asked a moment ago.
    assert (await state(scanned, second))[0] == "waiting"
    await scanned.db.write(lambda tx: tx.execute(update(FileScan).values(next_at=NOW)))
    await loop.run_once()

    assert {(await state(scanned, one))[0] for one in (first, second)} == {"clean"}
    await admit(scanned.services, first)


async def test_without_a_scanner_nothing_is_asked_and_what_was_found_stays_out(
    scanned: Desk, scanner: Clamd, tmp_path: Path
) -> None:
    bad, other = await attached(scanned, EICAR), await attached(scanned, b"hello")
    await FileScans(scanned.services).run_once()
    asked = len(scanner.asked)

    settings = scanned.services.settings
    async with open_desk(settings.database_url, settings.data_dir) as off:
        assert not await FileScans(off.services).run_once()
        await admit(off.services, other)
        with pytest.raises(Forbidden):
            await admit(off.services, bad)
    assert len(scanner.asked) == asked
