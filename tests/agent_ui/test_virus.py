"""An infected file on its message: named, kept out at every door, and shown again when it was only waiting."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import Connection

from channels.scanning import FileScans
from tests.agent_ui.console import Console, open_console
from tests.channels.clamd import EICAR, NAME, Clamd, clamd
from tests.factories import make_account, make_ticket
from tickets.inbound import StoredFile
from tickets.numbers import number_of


@pytest.fixture
async def scanner() -> AsyncIterator[Clamd]:
    async with clamd() as found:
        yield found


@pytest.fixture
async def scanning(sqlite_url: str, tmp_path: Path, scanner: Clamd) -> AsyncIterator[Console]:
    async with open_console(sqlite_url, tmp_path, clamav=scanner.address) as found:
        yield found


async def mail_with(console: Console, *contents: bytes) -> int:
    """A ticket whose message brings files; its number."""
    held = console.services.files
    files = tuple(
        StoredFile(held.put(data), f"file{index}.txt", "text/plain", len(data)) for index, data in enumerate(contents)
    )

    def story(tx: Connection) -> int:
        return make_ticket(tx, account_id=make_account(tx), attachments=files).ticket_id or 0

    return number_of(await console.write(story))


async def test_an_infected_file_is_named_and_nobody_gets_it(scanning: Console) -> None:
    seat = await scanning.sit()
    number = await mail_with(scanning, b"hello", EICAR)
    await FileScans(scanning.services).run_once()

    page = (await seat.page(f"/tickets/{number}")).text
    assert f"Kept out: {NAME}" in page
    assert 'href="/files/1"' in page
    assert 'href="/files/2"' not in page
    assert (await seat.page("/files/1")).content == b"hello"
    refused = await seat.page("/files/2")
    assert refused.status_code == 403
    assert NAME in refused.text
    assert EICAR not in refused.content


async def test_a_file_waits_while_the_scanner_is_down(scanning: Console, scanner: Clamd) -> None:
    seat = await scanning.sit(locale="vi")
    number = await mail_with(scanning, b"hello")
    scanner.mode = "cut"

    refused = await seat.page("/files/1")
    assert refused.status_code == 409
    assert "chờ quét virus" in (await seat.page(f"/tickets/{number}")).text

    scanner.mode = "well"
    assert (await seat.page("/files/1")).content == b"hello"
    assert "chờ quét virus" not in (await seat.page(f"/tickets/{number}")).text
