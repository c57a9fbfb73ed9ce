"""The stand-in for Twilio Voice does what Twilio's documentation says, asked by Twilio's own SDK."""

import io
import wave
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from urllib.parse import parse_qsl

import httpx2
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from twilio.base.exceptions import TwilioRestException
from twilio.request_validator import RequestValidator
from twilio.rest import Client

from contact_center.demo.voice.playing import BROKEN
from contact_center.demo.voice.world import AUTH_TOKEN
from tests.channels.phone.voice.standin import Twilio, open_twilio

PUBLIC = "https://desk.test"
ROOM = '<Response><Dial action="/over"><Conference statusCallback="{0}/room" {1}>r1</Conference></Dial></Response>'
CALLBACKS = 'statusCallbackEvent="start end join leave mute hold"'


@dataclass
class Desk:
    """Answers each path with its document and keeps what it was told."""

    documents: dict[str, str] = field(default_factory=dict)
    told: list[tuple[str, dict[str, str]]] = field(default_factory=list)

    async def hear(self, request: Request) -> Response:
        form = dict(parse_qsl((await request.body()).decode(), keep_blank_values=True))
        signature = request.headers["x-twilio-signature"]
        assert RequestValidator(AUTH_TOKEN).validate(PUBLIC + request.url.path, form, signature)
        self.told.append((request.url.path, form))
        return Response(self.documents.get(request.url.path, ""), media_type="text/xml")

    def events(self, path: str, name: str) -> list[str]:
        return [form[name] for told, form in self.told if told == path]


@dataclass
class Stage:
    desk: Desk
    twilio: Twilio
    client: Client

    async def caller(self, document: str, sender: str = "+84903123456") -> object:
        self.desk.documents["/voice"] = document
        return await self.twilio.call(f"{PUBLIC}/voice", sender=sender, to="+15005550007")


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    desk = Desk()
    app = Starlette(routes=[Route("/{path:path}", desk.hear, methods=["POST"])])
    async with (
        httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app), base_url=PUBLIC) as hooks,
        open_twilio(hooks) as twilio,
        twilio.open_http() as http,
    ):
        yield Stage(desk, twilio, twilio.client(http))


async def test_a_menu_leads_by_keys_into_a_queue_and_out_of_it(stage: Stage) -> None:
    stage.desk.documents |= {
        "/chosen": '<Response><Enqueue action="/left" waitUrl="/wait">orders</Enqueue></Response>',
        "/wait": "<Response><Say>You are first.</Say></Response>",
        "/left": "<Response><Say>Goodbye.</Say></Response>",
    }
    caller = await stage.caller('<Response><Gather action="/chosen"><Say>Press 1.</Say></Gather></Response>')
    await stage.twilio.press(caller, "1")
    assert (caller.heard, caller.status) == (["Press 1.", "You are first."], "in-progress")
    assert dict(stage.desk.told)["/chosen"]["Digits"] == "1"
    await stage.twilio.leave_queue(caller, "leave")
    assert (caller.heard[-1], caller.status) == ("Goodbye.", "completed")


async def test_a_caller_who_presses_nothing_hears_the_next_verb(stage: Stage) -> None:
    caller = await stage.caller("<Response><Gather><Say>Press.</Say></Gather><Say>Too late.</Say></Response>")
    await stage.twilio.silence(caller)
    assert (caller.heard, caller.status) == (["Press.", "Too late."], "completed")


async def test_a_document_that_cannot_be_played_ends_the_call(stage: Stage) -> None:
    caller = await stage.caller("<Response><Redirect>/nowhere</Redirect></Response>")
    assert (caller.heard, caller.status) == ([BROKEN], "completed")


async def test_a_conference_tells_of_everybody_who_comes_goes_and_is_held(stage: Stage) -> None:
    caller = await stage.caller(ROOM.format(PUBLIC, CALLBACKS))
    room = stage.client.conferences("r1")
    made = await room.participants.create_async(
        from_="+15005550007",
        to="+842812345678",
        label="lan",
        status_callback=f"{PUBLIC}/leg",
        status_callback_event=["initiated", "ringing", "answered", "completed"],
    )
    [lan] = stage.twilio.ringing()
    assert (made.call_sid, made.status, lan.joins.label) == (lan.sid, "ringing", "lan")
    await stage.twilio.answer(lan)
    [conference] = await stage.client.conferences.list_async(friendly_name="r1", status="in-progress")
    held = await stage.client.conferences(conference.sid).participants(caller.sid).update_async(hold=True, muted=True)
    assert (held.hold, held.muted, stage.twilio.inside()) == (True, True, {caller.to: "held", "lan": "talking"})
    await stage.twilio.hang_up(lan)
    await stage.client.calls(caller.sid).update_async(status="completed")
    await stage.twilio.settle()
    assert stage.desk.events("/leg", "CallStatus") == ["initiated", "ringing", "in-progress", "completed"]
    assert stage.desk.events("/leg", "SequenceNumber") == ["0", "1", "2", "3"]
    assert stage.desk.events("/room", "StatusCallbackEvent") == [
        "participant-join",
        "conference-start",
        "participant-join",
        "participant-mute",
        "participant-hold",
        "participant-leave",
        "participant-leave",
        "conference-end",
    ]
    assert stage.twilio.world.running("r1") is None


async def test_callbacks_can_come_twice_and_out_of_order(stage: Stage) -> None:
    caller = await stage.caller(ROOM.format(PUBLIC, CALLBACKS))
    await stage.twilio.hang_up(caller)
    await stage.twilio.settle(shuffled=4, times=2)
    told = [int(number) for number in stage.desk.events("/room", "SequenceNumber")]
    assert sorted(told) == [1, 1, 2, 2, 3, 3, 4, 4]
    assert told != sorted(told)


async def test_who_ends_the_conference_by_leaving_sends_the_others_on(stage: Stage) -> None:
    stage.desk.documents["/over"] = "<Response><Say>Thank you.</Say></Response>"
    first = await stage.caller(ROOM.format(PUBLIC, 'endConferenceOnExit="true"'))
    second = await stage.caller(ROOM.format(PUBLIC, ""), sender="+84912345678")
    await stage.twilio.hang_up(first)
    assert (second.heard, second.status) == (["Thank you."], "completed")


async def test_a_call_is_sent_on_by_a_new_document(stage: Stage) -> None:
    caller = await stage.caller(ROOM.format(PUBLIC, ""))
    twiml = '<Response><Gather action="/x"><Say>One moment.</Say></Gather></Response>'
    await stage.client.calls(caller.sid).update_async(twiml=twiml)
    assert (caller.heard, caller.conference, caller.status) == (["One moment."], None, "in-progress")


async def test_a_recording_pauses_goes_on_and_can_be_fetched_with_the_credentials(stage: Stage) -> None:
    caller = await stage.caller(ROOM.format(PUBLIC, ""))
    recordings = stage.client.calls(caller.sid).recordings
    made = await recordings.create_async(recording_status_callback=f"{PUBLIC}/rec")
    current = stage.client.calls(caller.sid).recordings("Twilio.CURRENT")
    assert (await current.update_async(status="paused", pause_behavior="silence")).status == "paused"
    assert (await current.update_async(status="in-progress")).status == "in-progress"
    await stage.twilio.hang_up(caller)
    await stage.twilio.settle()
    [(_, told)] = [pair for pair in stage.desk.told if pair[0] == "/rec"]
    assert (told["RecordingSid"], told["RecordingStatus"], told["RecordingDuration"]) == (made.sid, "completed", "3")
    async with stage.twilio.open_http() as http:
        address = stage.twilio.api + stage.twilio.world.recordings[made.sid].address
        assert (await http.get(f"{address}.wav")).status_code == 401
        sound = await http.get(f"{address}.wav", auth=(stage.client.username, stage.client.password))
        with wave.open(io.BytesIO(sound.content)) as file:
            assert file.getnframes() == 3 * file.getframerate()
    with pytest.raises(TwilioRestException, match="not eligible"):
        await recordings.create_async()


async def test_a_voicemail_is_recorded_and_its_words_come_later(stage: Stage) -> None:
    stage.desk.documents["/left"] = "<Response><Hangup/></Response>"
    record = f'<Record action="/left" recordingStatusCallback="{PUBLIC}/rec"/>'
    caller = await stage.caller(f"<Response><Say>Speak.</Say>{record}</Response>")
    recording = await stage.twilio.speak(caller, 7)
    stage.twilio.transcribe(recording, f"{PUBLIC}/words", "Please call me")
    await stage.twilio.settle()
    assert stage.desk.events("/left", "RecordingDuration") == ["7"]
    assert stage.desk.events("/rec", "RecordingStatus") == ["completed"]
    assert stage.desk.events("/words", "TranscriptionText") == ["Please call me"]


async def test_a_phone_that_is_dialled_is_bridged_or_not_and_the_caller_goes_on(stage: Stage) -> None:
    stage.desk.documents["/after"] = "<Response><Say>Nobody is there.</Say></Response>"
    dial = '<Response><Dial action="/after"><Number>+842812345678</Number></Dial></Response>'
    caller = await stage.caller(dial)
    [phone] = stage.twilio.ringing()
    await stage.twilio.refuse(phone, "no-answer")
    assert stage.desk.events("/after", "DialCallStatus") == ["no-answer"]
    assert caller.heard == ["Nobody is there."]


async def test_it_refuses_bad_credentials_bad_numbers_and_what_is_over(stage: Stage) -> None:
    stage.twilio.rest.refusals["+84900"] = (400, 21215, "Account not authorized to call +84900.")
    calls = stage.client.calls
    for to, said in (("+84900", "21215|not authorized"), ("hello", "not valid")):
        with pytest.raises(TwilioRestException, match=said):
            await calls.create_async(to=to, from_="+15005550007", twiml="<Response/>")
    caller = await stage.caller("<Response><Hangup/></Response>")
    with pytest.raises(TwilioRestException, match="not in-progress"):
        await stage.client.calls(caller.sid).update_async(status="completed")
    stage.twilio.rest.faults += ["busy", "internal"]
    for status in (429, 500):
        with pytest.raises(TwilioRestException) as error:
            await stage.client.calls(caller.sid).fetch_async()
        assert error.value.status == status


async def test_the_line_to_it_fails_before_or_after_it_did_what_was_asked(stage: Stage) -> None:
    stage.twilio.lost += ["unreachable", "answer lost"]
    for error in (httpx2.ConnectError, httpx2.ReadTimeout):
        with pytest.raises(error):
            await stage.client.calls.create_async(to="+84912345678", from_="+15005550007", twiml="<Response/>")
    assert len(stage.twilio.ringing()) == 1
    [found] = await stage.client.calls.list_async(to="+84912345678", limit=20)
    assert (found.status, found.direction) == ("ringing", "outbound-api")
