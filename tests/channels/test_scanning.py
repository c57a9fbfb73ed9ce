"""Files and the virus scanner, against a stand-in that speaks INSTREAM: clean, infected, too large, down."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, select, update

from channels import delivery
from channels.base import Outbound, Sent
from channels.delivery import DeliveryLoop
from channels.models import DeliveryAttempt
from channels.scanning import FileScans, admit
from contact_center import check
from contact_center.core import clamav
from contact_center.core.clamav import Scanned, ScannerDown, Verdict
from contact_center.core.clock import utcnow
from contact_center.core.errors import Conflict, Forbidden
from contact_center.core.events import EventRow
from contact_center.core.settings import Settings
from tests.channels.clamd import EICAR, NAME, Clamd, clamd
from tests.channels.desk import Desk, open_desk
from tests.conftest import NOW
from tests.factories import make_account, make_ticket, make_user, unique
from tickets import replies
from tickets.inbound import StoredFile
from tickets.models import Message
from tickets.replies import Author, Reply
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


class Post:
    """A sender that keeps what it was given."""

    idempotent = True

    def __init__(self) -> None:
        self.given: list[int] = []

    async def send(self, outbound: Outbound) -> Sent:
        self.given.append(outbound.message_id)
        return Sent()


async def answered(desk: Desk, data: bytes) -> int:
    """An agent's answer with a file, due now; its message."""
    file = StoredFile(desk.services.files.put(data), "offer.pdf", "application/pdf", len(data))

    def story(tx: Connection) -> int:
        found = make_ticket(tx, account_id=make_account(tx, address=unique("+1500555")), sender=unique("+1415"))
        answer = Reply("Here.", attachments=(file,))
        message_id = replies.reply(tx, found.ticket_id, answer, author=Author(make_user(tx)), now=NOW).message_id
        tx.execute(update(Message).where(Message.id == message_id).values(send_after=NOW))
        return message_id

    return await desk.db.write(story)


async def state_of(desk: Desk, message_id: int) -> tuple[str, str | None]:
    query = select(Message.delivery, Message.delivery_error).where(Message.id == message_id)
    return await desk.db.read(lambda tx: tuple(tx.execute(query).one()))


async def test_what_we_send_is_scanned_first(scanned: Desk, scanner: Clamd) -> None:
    clean, bad, large = [await answered(scanned, data) for data in (b"a", EICAR, b"x" * 3_000_000)]
    post = Post()
    await DeliveryLoop(scanned.services, {"sms": post}).run_once()

    assert post.given == [clean]
    assert await state_of(scanned, clean) == ("sent", None)
    assert await state_of(scanned, bad) == ("failed", delivery.INFECTED)
    assert await state_of(scanned, large) == ("failed", delivery.TOO_LARGE)
    attempt = next(row for row in await scanned.rows(DeliveryAttempt) if row.message_id == bad)
    assert attempt.answer == f"offer.pdf: {NAME}"


async def test_what_we_send_waits_for_a_scanner_that_is_down_however_long(scanned: Desk, scanner: Clamd) -> None:
    scanner.mode = "cut"
    message_id = await answered(scanned, b"hello")
    post = Post()
    loop = DeliveryLoop(scanned.services, {"sms": post})
    due = update(Message).values(send_after=NOW)
    for _ in range(delivery.MAX_ATTEMPTS + 2):
        await scanned.db.write(lambda tx: tx.execute(due))
        await loop.run_once()
    assert await state_of(scanned, message_id) == ("queued", delivery.SCANNER_DOWN)
    assert post.given == []

    scanner.mode = "well"
    await scanned.db.write(lambda tx: tx.execute(due))
    await loop.run_once()
    assert await state_of(scanned, message_id) == ("sent", None)


def checked(address: str, tmp_path: Path) -> list[str]:
    found = check.findings(Settings(data_dir=tmp_path, port=1, clamav=address))
    return [f"{one.level}: {one.what()}" for one in found if "scanner" in one.what()]


async def test_the_check_asks_whether_the_scanner_answers_and_how_old_its_signatures_are(
    scanner: Clamd, tmp_path: Path
) -> None:
    async def said() -> list[str]:
        return await asyncio.to_thread(checked, scanner.address, tmp_path)

    scanner.version = f"ClamAV 1.4.3/27800/{utcnow():%a %b %d %H:%M:%S %Y}"
    assert await said() == [f"ok: The virus scanner {scanner.address} answers: ClamAV 1.4.3."]
    scanner.version = "ClamAV 1.4.3/27800/Mon Nov  2 08:40:11 2020"
    assert await said() == ["warning: The virus scanner's signatures are of 2020-11-02."]
    scanner.version = "nonsense"
    [line] = await said()
    assert line.startswith(f"error: The virus scanner {scanner.address} does not answer")
    assert checked("/nowhere/clamd.sock", tmp_path)[0].startswith("error")
    assert checked("", tmp_path) == []


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
