"""What Twilio tells us of calls, conferences and recordings: signed callbacks, delivered when its driver says."""

import contextlib
import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from urllib.parse import urlencode

import httpx2
from twilio.request_validator import RequestValidator

from contact_center.core.clock import utcnow
from contact_center.demo.voice.world import (
    ACCOUNT_SID,
    AUTH_TOKEN,
    EVENT_OF,
    Conference,
    Leg,
    Participant,
    Recording,
    stamp,
)


@dataclass(eq=False)
class Post:
    """A callback on its way to us."""

    url: str
    form: dict[str, str]


@dataclass(eq=False)
class Teller:
    """Tells. Callbacks wait in `outbox` until `settle` delivers them, so that its driver decides when."""

    hooks: httpx2.AsyncClient | None = None
    outbox: list[Post] = field(default_factory=list)
    shift: timedelta = timedelta()

    def now(self) -> datetime:
        """Twilio's clock, which a test may move."""
        return utcnow() + self.shift

    async def post(self, url: str, form: Mapping[str, str], *, token: str = AUTH_TOKEN) -> httpx2.Response:
        """A request as Twilio makes it: a form, signed over the address that it calls."""
        signature = RequestValidator(token).compute_signature(url, dict(form))
        headers = {"x-twilio-signature": signature, "content-type": "application/x-www-form-urlencoded"}
        assert self.hooks is not None
        return await self.hooks.post(url, content=urlencode(form).encode(), headers=headers)

    async def settle(self, *, shuffled: int | None = None, times: int = 1) -> None:
        """Deliver what waits and what comes of it: in order or `shuffled` by a seed, each `times` times."""
        while self.outbox:
            batch, self.outbox = self.outbox * times, []
            if shuffled is not None:
                random.Random(shuffled).shuffle(batch)
            for post in batch:
                with contextlib.suppress(httpx2.HTTPError):
                    # A callback that nobody takes is dropped, as Twilio does after its tries.
                    await self.post(post.url, post.form)

    def tell_call(self, leg: Leg) -> None:
        """Call progress, if this call has an address for it."""
        event = EVENT_OF.get(leg.status, "completed")
        callback = leg.callback
        if callback is None or event not in callback.events:
            return
        form = {**leg.form(), "Timestamp": stamp(self.now()), "CallbackSource": "call-progress-events"}
        form["SequenceNumber"] = str(callback.sequence)
        callback.sequence += 1
        if event == "completed":
            form |= {"CallDuration": str(leg.seconds), "Duration": str(-(-leg.seconds // 60))}
        self.outbox.append(Post(callback.url, form))

    def tell_room(self, room: Conference, event: str, who: Participant | None = None, **more: str) -> None:
        """A conference event; `event` is Twilio's StatusCallbackEvent."""
        callback = room.callback
        kind = event.removeprefix("participant-").removeprefix("conference-").replace("un", "")
        if callback is None or kind not in callback.events:
            return
        callback.sequence += 1
        form = {
            "ConferenceSid": room.sid,
            "FriendlyName": room.name,
            "AccountSid": ACCOUNT_SID,
            "SequenceNumber": str(callback.sequence),
            "Timestamp": stamp(self.now()),
            "StatusCallbackEvent": event,
            **(who.form() if who else {}),
            **more,
        }
        self.outbox.append(Post(callback.url, form))

    def tell_recording(self, recording: Recording, status: str) -> None:
        """A recording's own callback."""
        callback = recording.callback
        if callback is None or status not in callback.events:
            return
        form = {
            "AccountSid": ACCOUNT_SID,
            "CallSid": recording.leg.sid,
            "RecordingSid": recording.sid,
            "RecordingUrl": f"https://api.twilio.com{recording.address}",
            "RecordingStatus": status,
            "RecordingChannels": str(recording.channels),
            "RecordingStartTime": stamp(recording.at),
            "RecordingSource": recording.source,
        }
        if recording.conference:
            form["ConferenceSid"] = recording.conference.sid
        if status == "completed":
            form["RecordingDuration"] = str(recording.seconds)
        self.outbox.append(Post(callback.url, form))
