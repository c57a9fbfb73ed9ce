"""Recordings that a line keeps no longer: deleted here and at the carrier, each once, and the conversation says so."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import update

from channels.phone.flow.models import CallRecording
from channels.phone.flow.retention import KEEP_DAYS, Retention
from channels.sms.models import SmsMedia
from contact_center.accounts.models import AuditEntry
from contact_center.core.clock import utcnow
from tests.channels.phone.conftest import Line
from tests.channels.phone.reception import CLOSED, RECORDED, Reception, close_queue, open_reception
from tickets.models import Attachment, Message


async def spoken(line: Line, *, days: int | None = 90, age: int = 91, fetched: bool = True) -> Reception:
    """A voicemail of so many days ago on a line that keeps them for `days`."""
    keeps = {} if days is None else {KEEP_DAYS: days}
    reception = await open_reception(line, CLOSED, **keeps)
    await close_queue(reception)
    caller = await reception.calls()
    await line.twilio.speak(caller, 12)
    await reception.settle()
    if fetched:
        await reception.fetch()
    await reception.do(lambda tx: tx.execute(update(CallRecording).values(created_at=utcnow() - timedelta(days=age))))
    return reception


def loop(line: Line) -> Retention:
    return Retention(line.desk.services, line.twilio.open_http)


async def audited(line: Line) -> list[str]:
    return [row.action for row in await line.desk.rows(AuditEntry) if row.action.startswith("recording.deleted")]


def deletions(line: Line) -> list[str]:
    return [path for method, path, _ in line.twilio.rest.requests if method == "DELETE"]


async def test_what_is_past_its_days_goes_here_and_at_the_carrier_once(phone_line: Line) -> None:
    await spoken(phone_line)
    assert [row.filename for row in await phone_line.desk.rows(Attachment)] == ["recording-1.mp3"]
    [sid] = phone_line.twilio.world.recordings
    await asyncio.gather(*(loop(phone_line).run_once() for _ in range(3)))
    await loop(phone_line).run_once()
    assert await phone_line.desk.rows(Attachment) == []
    assert (deletions(phone_line), phone_line.twilio.world.recordings) == ([f"/Recordings/{sid}.json"], {})
    assert sorted(await audited(phone_line)) == ["recording.deleted", "recording.deleted_at_carrier"]
    [marked] = [row.meta["recordings"] for row in await phone_line.desk.rows(Message) if "recordings" in row.meta]
    assert (list(marked), marked["recording-1"]["kept_days"]) == (["recording-1"], 90)


@pytest.mark.parametrize(("days", "age"), [(90, 89), (None, 4000)])
async def test_what_is_younger_or_kept_for_ever_stays(sqlite_line: Line, days: int | None, age: int) -> None:
    await spoken(sqlite_line, days=days, age=age)
    assert not await loop(sqlite_line).run_once()
    assert len(await sqlite_line.desk.rows(Attachment)) == len(sqlite_line.twilio.world.recordings) == 1
    assert await audited(sqlite_line) == []


async def test_the_carrier_is_asked_again_until_it_has_it_no_more(sqlite_line: Line) -> None:
    await spoken(sqlite_line)
    for fault in ("internal", "busy", "refused"):
        sqlite_line.twilio.rest.faults.append(fault)
        await loop(sqlite_line).run_once()
        [row] = await sqlite_line.desk.rows(CallRecording)
        assert row.deleted_at is not None
        assert row.carrier_due_at > utcnow()
        await due_now(sqlite_line)
    sqlite_line.twilio.lost.append("answer lost")
    await loop(sqlite_line).run_once()
    await due_now(sqlite_line)
    # It did it, and says now that there is none.
    await loop(sqlite_line).run_once()
    [row] = await sqlite_line.desk.rows(CallRecording)
    assert (row.carrier_due_at, sqlite_line.twilio.world.recordings) == (None, {})
    assert await audited(sqlite_line) == ["recording.deleted", "recording.deleted_at_carrier"]


async def due_now(line: Line) -> None:
    def pull(tx: Any) -> None:
        tx.execute(update(CallRecording).values(carrier_due_at=utcnow()))

    await line.desk.db.write(pull)


async def test_a_sound_that_was_never_fetched_is_not_fetched_any_more(sqlite_line: Line) -> None:
    reception = await spoken(sqlite_line, fetched=False)
    await loop(sqlite_line).run_once()
    await reception.fetch()
    assert [row.state for row in await sqlite_line.desk.rows(SmsMedia)] == ["deleted"]
    assert await sqlite_line.desk.rows(Attachment) == []


async def test_a_recorded_talk_leaves_the_words_of_its_call(sqlite_line: Line) -> None:
    reception = await open_reception(sqlite_line, RECORDED, **{KEEP_DAYS: 1})
    await reception.agent()
    caller = await reception.calls()
    await reception.presses(caller, "1")
    await reception.accepts()
    [phone] = sqlite_line.twilio.ringing()
    await sqlite_line.twilio.answer(phone)
    await reception.settle()
    await sqlite_line.twilio.hang_up(caller)
    await reception.settle()
    await reception.fetch()
    before = [(row.id, row.text) for row in await reception.rows(Message)]
    await reception.do(lambda tx: tx.execute(update(CallRecording).values(created_at=utcnow() - timedelta(days=2))))
    await loop(sqlite_line).run_once()
    assert [(row.id, row.text) for row in await reception.rows(Message)] == before
    assert (await reception.rows(Attachment), sqlite_line.twilio.world.recordings) == ([], {})
