"""Recordings the carrier tells us of: their words and their sound, in any order, each once."""

from itertools import permutations

from channels.phone.flow.models import CallRecording
from channels.phone.models import Call
from channels.sms.models import SmsMedia
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
