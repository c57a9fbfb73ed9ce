"""Files of a draft: kept within limits, taken once, by their owner only."""

import pytest
from sqlalchemy import select

from contact_center.core.db import Database
from contact_center.core.errors import Invalid, NotFound
from tests.conftest import NOW
from tests.factories import make_ticket, make_user
from tickets import draft_files, replies
from tickets.draft_files import MOST_BYTES, MOST_FILES, DraftFile
from tickets.inbound import StoredFile
from tickets.models import Attachment, Ticket
from tickets.replies import Author, Reply


def file(name: str = "bill.pdf", size: int = 100) -> StoredFile:
    return StoredFile("ab" * 32, name, "application/pdf", size)


async def drafted(db: Database) -> tuple[int, int]:
    """(ticket, user)"""
    receipt = await db.write(make_ticket)
    return receipt.ticket_id, await db.write(make_user)


async def test_files_leave_with_the_message_in_their_order(db: Database) -> None:
    ticket_id, user_id = await drafted(db)
    ids = [
        await db.write(draft_files.attach, ticket_id, user_id, "reply", file(name), now=NOW)
        for name in ("1.pdf", "2.pdf")
    ]
    files = await db.write(draft_files.take, ticket_id, user_id, list(reversed(ids)))
    sent = await db.write(replies.reply, ticket_id, Reply("", attachments=files), author=Author(user_id, "c1"), now=NOW)
    names = await db.read(
        lambda tx: list(
            tx.execute(select(Attachment.filename).where(Attachment.message_id == sent.message_id)).scalars()
        )
    )
    preview = await db.read(lambda tx: tx.execute(select(Ticket.preview).where(Ticket.id == ticket_id)).scalar_one())
    assert (names, preview) == (["1.pdf", "2.pdf"], "1.pdf")
    assert await db.read(lambda tx: tx.execute(select(DraftFile.id)).all()) == []


async def test_a_message_without_words_or_files_is_refused(db: Database) -> None:
    ticket_id, user_id = await drafted(db)
    with pytest.raises(Invalid, match="Write something"):
        await db.write(replies.reply, ticket_id, Reply(" "), author=Author(user_id), now=NOW)


async def test_a_taken_file_is_not_taken_twice(db: Database) -> None:
    ticket_id, user_id = await drafted(db)
    file_id = await db.write(draft_files.attach, ticket_id, user_id, "reply", file(), now=NOW)
    await db.write(draft_files.take, ticket_id, user_id, [file_id])
    with pytest.raises(NotFound, match="Attach it again"):
        await db.write(draft_files.take, ticket_id, user_id, [file_id])


async def test_nobody_removes_or_sends_the_files_of_another(db: Database) -> None:
    ticket_id, user_id = await drafted(db)
    other = await db.write(make_user)
    file_id = await db.write(draft_files.attach, ticket_id, user_id, "note", file(), now=NOW)
    await db.write(draft_files.remove, ticket_id, file_id, user_id=other)
    with pytest.raises(NotFound):
        await db.write(draft_files.take, ticket_id, other, [file_id])
    await db.write(draft_files.remove, ticket_id, file_id, user_id=user_id)
    assert await db.read(lambda tx: tx.execute(select(DraftFile.id)).all()) == []


@pytest.mark.parametrize(
    ("name", "size", "why"),
    [
        ("empty.txt", 0, "empty"),
        ("film.mp4", MOST_BYTES + 1, "larger than 18 MB"),
        ("setup.EXE", 10, "program"),
        ("photo.jpg.js", 10, "program"),
    ],
)
async def test_what_cannot_be_sent_is_refused_with_its_name(
    sqlite_db: Database, name: str, size: int, why: str
) -> None:
    ticket_id, user_id = await drafted(sqlite_db)
    with pytest.raises(Invalid, match=why) as caught:
        await sqlite_db.write(draft_files.attach, ticket_id, user_id, "reply", file(name, size), now=NOW)
    assert name in caught.value.detail


async def test_the_limits_hold_for_all_files_together(sqlite_db: Database) -> None:
    ticket_id, user_id = await drafted(sqlite_db)
    await sqlite_db.write(draft_files.attach, ticket_id, user_id, "reply", file(size=MOST_BYTES), now=NOW)
    with pytest.raises(Invalid, match="together"):
        await sqlite_db.write(draft_files.attach, ticket_id, user_id, "reply", file(size=1), now=NOW)
    for _ in range(MOST_FILES):
        await sqlite_db.write(draft_files.attach, ticket_id, user_id, "note", file(size=1), now=NOW)
    with pytest.raises(Invalid, match="at most 10"):
        await sqlite_db.write(draft_files.attach, ticket_id, user_id, "note", file(size=1), now=NOW)
