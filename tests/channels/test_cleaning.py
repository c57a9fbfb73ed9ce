"""Clean-up of stored bytes: what nothing names goes after a week, and no upload loses by it, whatever the order."""

import os
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Connection, insert

from channels.chat.uploads import kept
from channels.cleaning import DRAFTS_KEPT, LEAST_AGE, FileCleaning
from contact_center.core.clock import utcnow
from contact_center.core.files import MARKER, SHELVES, FileStore, digest_of
from tests.channels.desk import Desk
from tests.conftest import NOW
from tests.factories import make_account, make_ticket, make_user, unique
from tickets import draft_files, inbox
from tickets.draft_files import DraftFile
from tickets.drafts import Draft
from tickets.inbound import StoredFile
from tickets.inbox import RawItem
from tickets.models import JournalItem
from tickets.states import Channel

LONG_AGO = (utcnow() - LEAST_AGE - timedelta(days=1)).timestamp()
BEFORE = (utcnow() - LEAST_AGE).timestamp()


def aged(files: FileStore, data: bytes) -> str:
    digest = files.put(data)
    os.utime(files.path(digest), (LONG_AGO, LONG_AGO))
    return digest


async def cleaned(desk: Desk) -> None:
    """One whole round."""
    loop = FileCleaning(desk.services)
    for shelf in range(SHELVES):
        assert await loop.run_once() is (shelf < SHELVES - 1)


def name_them(tx: Connection, sent: str, drafted: str, raw: str) -> None:
    account_id = make_account(tx, address=unique("+1500"))
    file = StoredFile(sent, "a.pdf", "application/pdf", 1)
    ticket_id = make_ticket(tx, account_id=account_id, attachments=(file,)).ticket_id
    file = StoredFile(drafted, "b.pdf", "application/pdf", 1)
    draft_files.attach(tx, ticket_id, make_user(tx), "reply", file, now=utcnow())
    inbox.store(tx, RawItem(Channel.SMS, account_id, "x-1", raw_digest=raw), now=NOW)


async def test_only_what_nothing_names_and_nobody_wanted_for_a_week_goes(desk: Desk) -> None:
    files = desk.services.files
    named = [aged(files, data) for data in (b"sent", b"drafted", b"raw")]
    await desk.db.write(name_them, *named)
    young, old = files.put(b"young"), aged(files, b"old")
    unfinished = files.path(old).with_name("tmpabc")
    unfinished.write_bytes(b"half")
    os.utime(unfinished, (LONG_AGO, LONG_AGO))

    await cleaned(desk)

    assert [files.has(digest) for digest in (*named, young, old)] == [True, True, True, True, False]
    assert not unfinished.exists()


async def test_a_file_taken_off_its_draft_and_an_old_raw_mail_go(sqlite_desk: Desk) -> None:
    files = sqlite_desk.services.files
    sent, drafted, raw = [aged(files, data) for data in (b"sent", b"drafted", b"raw")]
    await sqlite_desk.db.write(name_them, sent, drafted, raw)
    await sqlite_desk.db.write(lambda tx: tx.execute(DraftFile.__table__.delete()))
    # It is not taken yet: however old, it keeps its bytes.
    much_later = utcnow() + inbox.KEPT
    await sqlite_desk.db.write(inbox.purge, much_later)
    await cleaned(sqlite_desk)
    assert [files.has(digest) for digest in (sent, drafted, raw)] == [True, False, True]

    await sqlite_desk.db.write(lambda tx: tx.execute(JournalItem.__table__.update().values(state="accepted")))
    await sqlite_desk.db.write(inbox.purge, much_later)
    await cleaned(sqlite_desk)
    assert [files.has(digest) for digest in (sent, raw)] == [True, False]


async def test_files_of_a_draft_that_nobody_touched_for_a_month_go_and_its_words_stay(desk: Desk) -> None:
    files = desk.services.files
    given_up, busy = aged(files, b"given up"), aged(files, b"still written at")
    before = utcnow() - DRAFTS_KEPT - timedelta(days=1)

    def drafted(tx: Connection) -> None:
        ticket_id = make_ticket(tx, account_id=make_account(tx, address=unique("+1500"))).ticket_id
        for digest, touched in ((given_up, before), (busy, utcnow())):
            user_id = make_user(tx)
            file = StoredFile(digest, "a.pdf", "application/pdf", 1)
            draft_files.attach(tx, ticket_id, user_id, "reply", file, now=before)
            values = {"ticket_id": ticket_id, "user_id": user_id, "channel": "email", "text": "Dear Anna"}
            tx.execute(insert(Draft), {**values, "begun_at_seq": 1, "updated_at": touched})

    await desk.db.write(drafted)

    await cleaned(desk)

    assert [row.digest for row in await desk.rows(DraftFile)] == [busy]
    assert [row.text for row in await desk.rows(Draft)] == ["Dear Anna", "Dear Anna"]
    assert [files.has(digest) for digest in (given_up, busy)] == [False, True]


async def test_uploads_of_a_chat_message_in_quarantine_stay(sqlite_desk: Desk) -> None:
    digest = aged(sqlite_desk.services.files, b"upload")

    def quarantined(tx: Connection) -> None:
        values = {"channel": "chat", "external_id": "1:a", "state": "quarantined", "sender": "", "summary": ""}
        came = utcnow() - timedelta(days=7, hours=12)
        tx.execute(insert(JournalItem), {**values, "attempts": 1, "history": False, "received_at": came})

    await sqlite_desk.db.write(quarantined)
    await cleaned(sqlite_desk)
    assert sqlite_desk.services.files.has(digest)


async def test_a_copy_of_the_database_on_the_same_folder_deletes_nothing(sqlite_desk: Desk, tmp_path: Path) -> None:
    await cleaned(sqlite_desk)
    files = sqlite_desk.services.files
    assert (files.folder / MARKER).exists()
    digest = aged(files, b"theirs")

    (files.folder / MARKER).write_text("another installation")
    assert not await FileCleaning(sqlite_desk.services).run_once()
    assert files.has(digest)


Step = Callable[[FileStore, str], object]


def upload(files: FileStore, digest: str) -> None:
    files.put(b"wanted")


def aside(files: FileStore, digest: str) -> None:
    files.set_aside(digest)


def settle(files: FileStore, digest: str) -> None:
    files.settle(digest, BEFORE)


def next_round(files: FileStore, digest: str) -> None:
    for found in files.unwanted(int(digest[:2], 16), BEFORE):
        assert found != digest


ORDERS: list[list[Step]] = [
    [upload, aside, settle],
    [aside, upload, settle],
    [aside, settle, upload],
    # The cleaning process dies after its first half; the next round finds what it left.
    [upload, aside, next_round],
    [aside, upload, next_round],
    [aside, upload, next_round, aside, settle],
    # Two processes clean at once.
    [aside, upload, aside, settle, settle],
    [upload, aside, aside, settle, settle],
    [upload, aside, next_round, settle],
]


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("here", [True, False])
def test_no_upload_loses_its_bytes_whatever_the_order(tmp_path: Path, order: list[Step], here: bool) -> None:
    files = FileStore(tmp_path)
    digest = aged(files, b"wanted") if here else digest_of(b"wanted")
    for step in order:
        step(files, digest)
    assert files.get(digest) == b"wanted"


def test_a_round_without_an_upload_deletes_also_what_a_crash_set_aside(tmp_path: Path) -> None:
    files = FileStore(tmp_path)
    digest = aged(files, b"old")
    assert files.set_aside(digest)
    assert not files.has(digest)
    assert files.unwanted(int(digest[:2], 16), BEFORE) == [digest]
    assert files.set_aside(digest)
    assert files.settle(digest, BEFORE) == 3
    assert list(files.path(digest).parent.iterdir()) == []
    assert not files.keep(digest)


async def test_a_chat_message_wants_its_uploads_again(tmp_path: Path) -> None:
    files = FileStore(tmp_path)
    found = StoredFile(aged(files, b"upload"), "a.png", "image/png", 6)
    assert await kept(files, [found])
    assert files.unwanted(int(found.digest[:2], 16), BEFORE) == []
    assert not await kept(files, [found, StoredFile(digest_of(b"gone"), "b.png", "image/png", 4)])
