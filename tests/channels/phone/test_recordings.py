"""Recordings the carrier tells us of: their words and their sound, in any order, each once."""

from datetime import datetime, timedelta
from itertools import permutations
from typing import Any

import pytest
from sqlalchemy import insert

from channels.phone.commands import Verb
from channels.phone.flow.models import CallRecording
from channels.phone.models import Call, CallCommand
from channels.sms.models import SmsMedia
from contact_center.core.clock import utcnow
from tests.channels.desk import Desk
from tests.channels.phone.calls import Talk, begin
from tickets.models import JournalItem, Message, Ticket

SOUND = "https://api.twilio.com/2010-04-01/Accounts/AC1/Recordings/RE1"
DONE = {"RecordingSid": "RE1", "RecordingStatus": "completed", "RecordingUrl": SOUND, "RecordingDuration": "65"}
WORDS = {"RecordingSid": "RE1", "TranscriptionStatus": "completed", "TranscriptionText": "Where is my sextant?"}


async def tells(talk: Talk, name: str, form: dict[str, str]) -> None:
    assert (await talk.says(name, talk.call_id, **form)).status_code == 200


async def test_a_voicemail_and_its_words_make_one_message_in_any_order(desk: Desk) -> None:
    for story in permutations((("voicemail", DONE), ("transcription", WORDS), ("voicemail", DONE))):
        number = len(await desk.rows(Call))
        talk = await begin(desk, sid=f"CA-{number}", address=f"+8428730{number:05}")
        sid = f"RE-{talk.call_id}"
        for name, form in story:
            await tells(talk, name, {**form, "RecordingSid": sid, "AccountSid": f"{name}{story.index((name, form))}"})
        said = [row for row in await desk.rows(Message) if row.external_id == sid]
        assert [row.text for row in said] == ["Voicemail, 1:05\n\nWhere is my sextant?"]
        assert len([row for row in await desk.rows(SmsMedia) if row.message_id == said[0].id]) == 1
    assert {row.outcome for row in await desk.rows(Call)} == {"voicemail"}


async def test_a_talk_is_a_file_of_its_call_and_an_empty_one_of_nothing(sqlite_desk: Desk) -> None:
    talk = await begin(sqlite_desk)
    await tells(talk, "voicemail", {**DONE, "RecordingSid": "RE0", "RecordingDuration": "0"})
    await tells(talk, "recording", {"RecordingSid": "RE2", "RecordingStatus": "absent"})
    assert (await sqlite_desk.rows(Ticket), await sqlite_desk.rows(SmsMedia)) == ([], [])
    await tells(talk, "voicemail", DONE)
    [call] = await sqlite_desk.rows(Call)
    await tells(talk, "recording", {**DONE, "RecordingSid": "RE3"})
    fetched = [(row.message_id, row.url) for row in await sqlite_desk.rows(SmsMedia)]
    assert (call.message_id, f"{SOUND}.mp3") in fetched
    assert [row.state for row in await sqlite_desk.rows(CallRecording)] == [
        "completed",
        "absent",
        "completed",
        "completed",
    ]


async def test_words_that_could_not_be_read_and_recordings_of_other_calls_change_nothing(sqlite_desk: Desk) -> None:
    talk = await begin(sqlite_desk)
    await tells(talk, "voicemail", DONE)
    await tells(talk, "transcription", {**WORDS, "TranscriptionStatus": "failed"})
    assert [row.transcription for row in await sqlite_desk.rows(CallRecording)] == [""]
    other = await begin(sqlite_desk, sid="CA-other", address="+842873009999")
    await tells(other, "voicemail", {**DONE, "AccountSid": "AC2"})
    assert [row.call_id for row in await sqlite_desk.rows(CallRecording)] == [talk.call_id]
    assert [row.state for row in await sqlite_desk.rows(JournalItem)][-1] == "quarantined"


def done(call_id: int, verb: Verb, at: datetime, *, took: int = 1, state: str = "done") -> dict[str, Any]:
    """A command that the carrier carried out at `at`, `took` seconds after it was asked."""
    asked = at - timedelta(seconds=took)
    known = {"args": {}, "error": "", "attempts": 1, "created_at": asked, "due_at": asked, "begun_at": asked}
    return {"call_id": call_id, "verb": verb.value, "state": state, **known, "done_at": at}


PAUSE, RESUME, RECORD = Verb.PAUSE_RECORDING, Verb.RESUME_RECORDING, Verb.RECORD


@pytest.mark.parametrize(
    ("orders", "pauses"),
    [
        ([], None),
        ([(RECORD, 0), (PAUSE, 10), (RESUME, 25), (PAUSE, 30), (PAUSE, 31), (RESUME, 41)], [[10, 25], [30, 41]]),
        # Nobody went on: to its end. What came after that end is cut.
        ([(RECORD, 0), (PAUSE, 50)], [[50, 65]]),
        ([(RECORD, 0), (PAUSE, 60), (RESUME, 90)], [[60, 65]]),
        ([(RECORD, 0), (PAUSE, 90), (RESUME, 95)], None),
        # Recorded again within one call: the pause is the other recording's.
        ([(RECORD, -40), (PAUSE, -30), (RESUME, -20), (RECORD, 0), (PAUSE, 5), (RESUME, 7)], [[5, 7]]),
        ([(RESUME, 3), (RECORD, 0)], None),
    ],
)
async def test_a_recording_that_was_paused_says_where(sqlite_desk: Desk, orders: Any, pauses: Any) -> None:
    talk = await begin(sqlite_desk)
    began = utcnow()
    rows = [done(talk.call_id, verb, began + timedelta(seconds=second)) for verb, second in orders]
    rows.append(done(talk.call_id, PAUSE, began + timedelta(seconds=2), state="failed"))
    await talk.do(lambda tx: tx.execute(insert(CallCommand), rows))
    await tells(talk, "voicemail", DONE)
    await tells(talk, "recording", {"RecordingSid": "RE2", "RecordingStatus": "in-progress"})
    await tells(talk, "recording", {**DONE, "RecordingSid": "RE2"})
    [call] = await sqlite_desk.rows(Call)
    [entry] = [row for row in await sqlite_desk.rows(Message) if row.id == call.message_id]
    shown = entry.meta.get("recordings", {}).get("recording-1")
    assert shown == (pauses and {"seconds": 65, "pauses": pauses})
