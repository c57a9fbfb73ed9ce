"""Recordings that the carrier tells us of: a voicemail becomes a message of the customer, a talk a file of its call.

Callbacks may come late, twice or in any order; the sound is fetched by the loop that fetches pictures
(channels.sms.media), with the account's credentials and its limits.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, func, insert, select, update

from channels.phone import calls, entries
from channels.phone.flow import callers, marks, silences
from channels.phone.flow.models import CallRecording
from channels.phone.flow.steps import Outcome
from channels.phone.lines import Line
from channels.phone.models import Call
from channels.sms.media import file_stem
from channels.sms.models import SmsMedia
from channels.sms.parse import BadForm, required
from contact_center.core.i18n import gettext, mark
from contact_center.core.schema import clean_text
from contact_center.core.upsert import insert_once
from tickets import intake
from tickets.inbound import InboundMessage
from tickets.models import Message
from tickets.states import Channel

VOICEMAIL, TALK = "voicemail", "call"
STATES = ("in-progress", "completed", "absent")
WORDS = mark("Voicemail, %(minutes)s:%(seconds)s")
LONGEST_TRANSCRIPTION = 20_000


def take_talk(tx: Connection, call_id: int, values: dict[str, str], *, now: datetime) -> None:
    """A status callback of a talk's recording; raises BadForm."""
    _take(tx, call_id, TALK, values, now=now)


def take_voicemail(tx: Connection, call_id: int, values: dict[str, str], *, now: datetime) -> None:
    """A status callback of a voicemail; raises BadForm."""
    _take(tx, call_id, VOICEMAIL, values, now=now)


def take_transcription(tx: Connection, call_id: int, values: dict[str, str], *, now: datetime) -> None:
    """The words of a recording, or the address at which they are; raises BadForm. Empty ones change nothing."""
    found = _find_or_add(tx, call_id, VOICEMAIL, required(values, "RecordingSid"), now=now)
    text = clean_text(values.get("TranscriptionText", "").strip())[:LONGEST_TRANSCRIPTION]
    url = values.get("TranscriptionUrl", "").strip()[:500]
    if values.get("TranscriptionStatus", "completed") != "completed" or not (text or url):
        return
    _change(tx, found, transcription=text, transcription_url=url if url.startswith("https://") else "")
    recording = _by_id(tx, found.id)
    if recording.message_id is not None and recording.kind == VOICEMAIL:
        _rewrite(tx, callers.line_for(tx, call_id), recording, now=now)


def _take(tx: Connection, call_id: int, kind: str, values: Mapping[str, str], *, now: datetime) -> None:
    state = values.get("RecordingStatus", "completed")
    if state not in STATES:
        raise BadForm(f"RecordingStatus {state[:40]!r} is unknown")
    recording = _find_or_add(tx, call_id, kind, required(dict(values), "RecordingSid"), now=now)
    if recording.state != "in-progress" or state == "in-progress":
        return
    seconds = values.get("RecordingDuration", "")
    _change(
        tx,
        recording,
        state=state,
        url=values.get("RecordingUrl", "")[:500],
        seconds=int(seconds) if seconds.isascii() and seconds.isdigit() and len(seconds) < 7 else 0,
        completed_at=now,
    )
    recording = _by_id(tx, recording.id)
    if state == "completed" and recording.url and (recording.seconds or kind == TALK):
        line = callers.line_for(tx, call_id)
        message_id = (
            _voicemail(tx, line, recording, now=now) if kind == VOICEMAIL else _talk(tx, line, call_id, now=now)
        )
        if message_id is not None:
            _change(tx, recording, message_id=message_id)
            position = _fetch_soon(tx, line, recording, message_id, now=now)
            if pauses := silences.pauses_of(tx, recording):
                shown = {"seconds": recording.seconds, "pauses": [list(pause) for pause in pauses]}
                marks.mark(tx, message_id, file_stem(Channel.PHONE, position), shown)


def _voicemail(tx: Connection, line: Line, recording: Row[Any], *, now: datetime) -> int | None:
    """The customer's message; it opens the call's ticket where the call has none yet."""
    call = tx.execute(select(Call.__table__).where(Call.id == recording.call_id).with_for_update()).one()
    if call.outcome is None or call.outcome.startswith("left_"):
        calls.end_as(tx, line, call, Outcome.VOICEMAIL.value, now=now)
    if call.ticket_id is None:
        calls.open_ticket(tx, line, call, now=now)
    inbound = InboundMessage(
        channel=Channel.PHONE,
        account_id=line.account.id,
        external_id=recording.external_id,
        sender=entries.sender_of(call.number, f"{line.account.id}-{call.external_id}", line.region),
        text=_text(line, recording),
        thread_key=call.external_id,
        queue_id=call.queue_id,
        locale=call.locale,
        meta={"voicemail": {"call_id": call.id, "seconds": recording.seconds}},
    )
    return intake.receive(tx, inbound, now=now).message_id


def _talk(tx: Connection, line: Line, call_id: int, *, now: datetime) -> int | None:
    """The entry of the call itself; a call without one (a line of the ledger) keeps its recording there."""
    message_id: int | None = tx.execute(
        select(Call.message_id).where(Call.id == call_id).with_for_update()
    ).scalar_one()
    return message_id


def _fetch_soon(tx: Connection, line: Line, recording: Row[Any], message_id: int, *, now: datetime) -> int:
    """Ask for the sound; its position among the files of the message."""
    position: int = tx.execute(select(func.count()).where(SmsMedia.message_id == message_id)).scalar_one()
    tx.execute(
        insert(SmsMedia).values(
            message_id=message_id,
            channel_account_id=line.account.id,
            position=position,
            url=f"{recording.url}.mp3",
            content_type="audio/mpeg",
            state="waiting",
            attempts=0,
            due_at=now,
        )
    )
    return position


def _text(line: Line, recording: Row[Any]) -> str:
    minutes, seconds = divmod(recording.seconds, 60)
    head = gettext(line.locale, WORDS, minutes=minutes, seconds=f"{seconds:02}")
    return "\n\n".join(part for part in (head, recording.transcription, recording.transcription_url) if part)


def _rewrite(tx: Connection, line: Line, recording: Row[Any], *, now: datetime) -> None:
    """The words come after the message: it gets them, and screens hear of it."""
    tx.execute(update(Message).where(Message.id == recording.message_id).values(text=_text(line, recording)))
    marks.tell(tx, recording.message_id, now=now)


def _find_or_add(tx: Connection, call_id: int, kind: str, external_id: str, *, now: datetime) -> Row[Any]:
    values = {"call_id": call_id, "external_id": external_id[:250], "kind": kind, "state": "in-progress"}
    values |= {"url": "", "seconds": 0, "transcription": "", "transcription_url": "", "created_at": now}
    insert_once(tx, CallRecording, key=["external_id"], values=values)
    statement = select(CallRecording.__table__).where(CallRecording.external_id == external_id[:250])
    found = tx.execute(statement.with_for_update()).one()
    if found.call_id != call_id:
        raise BadForm("this recording is of another call")
    return found


def _by_id(tx: Connection, recording_id: int) -> Row[Any]:
    return tx.execute(select(CallRecording.__table__).where(CallRecording.id == recording_id)).one()


def _change(tx: Connection, recording: Row[Any], **values: Any) -> None:
    tx.execute(update(CallRecording).where(CallRecording.id == recording.id).values(**values))
