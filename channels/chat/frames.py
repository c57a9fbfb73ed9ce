"""The frames that a browser gets (docs/widget-protocol.md), from plain values; nothing internal has a place here."""

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import IntEnum, StrEnum
from typing import Any

import orjson


class AuthorKind(StrEnum):
    """Who wrote a message, as a customer may know it."""

    CUSTOMER = "customer"
    AGENT = "agent"
    SYSTEM = "system"


class EndedBy(StrEnum):
    AGENT = "agent"
    CUSTOMER = "customer"
    TIMEOUT = "timeout"


class Close(IntEnum):
    """Why the server closes a line."""

    TOO_SLOW = 4001
    NO_HELLO = 4400
    BAD_TOKEN = 4401
    NOT_ALLOWED = 4403
    TOO_MANY = 4429
    FAILED = 1011
    RESTART = 1012


RETRYABLE = {
    "bad_frame": False,
    "too_long": False,
    "too_fast": True,
    "bad_file": False,
    "not_done": False,
}


@dataclass(frozen=True, slots=True)
class File:
    """An attachment as the customer gets it; `image` only for what was re-detected as a raster image."""

    id: str
    name: str
    type: str
    size: int
    url: str
    image: bool = False
    width: int | None = None
    height: int | None = None


@dataclass(frozen=True, slots=True)
class PublicMessage:
    """One message that the customer may see."""

    public_seq: int
    id: int
    author: AuthorKind
    name: str
    text: str
    sent_at: datetime
    client_id: str | None = None
    files: tuple[File, ...] = ()


@dataclass(frozen=True, slots=True)
class Place:
    """The place in line, from 1, and the estimated wait in seconds if it is known."""

    position: int
    wait_s: int | None


@dataclass(frozen=True, slots=True)
class VisitState:
    """Everything that a browser needs to show a visit, beside its messages. `thread`: the ticket's number or 0.

    `survey_score` 0: asked, not answered; None: nobody asks.
    """

    visit: int
    thread: int
    public_seq: int
    agent: str | None
    queue: Place | None
    read: int
    seen: int
    ended: bool
    survey_score: int | None
    email: str


def _frame(t: str, **fields: Any) -> bytes:
    return orjson.dumps({"t": t, **fields})


def _time(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _message(message: PublicMessage) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "public_seq": message.public_seq,
        "id": message.id,
        "author": {"kind": message.author, "name": message.name},
        "text": message.text,
        "attachments": [_file(one) for one in message.files],
        "sent_at": _time(message.sent_at),
    }
    if message.client_id:
        fields["client_id"] = message.client_id
    return fields


def _file(file: File) -> dict[str, Any]:
    return {
        "id": file.id,
        "name": file.name,
        "type": file.type,
        "size": file.size,
        "url": file.url,
        "image": file.image,
        "width": file.width,
        "height": file.height,
    }


def _agent(name: str | None) -> dict[str, str] | None:
    return None if name is None else {"name": name}


def hello(state: VisitState, messages: list[PublicMessage], *, token: str | None) -> bytes:
    """The visit as it is now, with every message after the browser's `since`."""
    place = state.queue
    return _frame(
        "hello",
        visit=state.visit,
        thread=state.thread,
        **({"token": token} if token else {}),
        public_seq=state.public_seq,
        first=messages[0].public_seq if messages else state.public_seq + 1,
        messages=[_message(one) for one in messages],
        agent=_agent(state.agent),
        queue=None if place is None else {"position": place.position, "wait_s": place.wait_s},
        read=state.read,
        seen=state.seen,
        ended=state.ended,
        survey=None if state.survey_score is None else {"score": state.survey_score or None},
        email=state.email,
    )


def message(one: PublicMessage) -> bytes:
    return _frame("message", **_message(one))


def ack(client_id: str, public_seq: int, sent_at: datetime) -> bytes:
    """Stored for good; `public_seq` 0: kept for a person to look at, because it could not be taken."""
    return _frame("ack", client_id=client_id, public_seq=public_seq, sent_at=_time(sent_at))


def history(messages: list[PublicMessage]) -> bytes:
    more = bool(messages) and messages[0].public_seq > 1
    return _frame("history", messages=[_message(one) for one in messages], more=more)


def typing(on: bool, name: str) -> bytes:
    return _frame("typing", on=on, name=name)


def read(public_seq: int) -> bytes:
    return _frame("read", public_seq=public_seq)


def seen(public_seq: int) -> bytes:
    return _frame("seen", public_seq=public_seq)


def presence(agent: str | None) -> bytes:
    return _frame("presence", agent=_agent(agent))


def queue(place: Place | None) -> bytes:
    return _frame("queue", position=place.position if place else 0, wait_s=place.wait_s if place else None)


def ended(by: EndedBy, *, survey: bool) -> bytes:
    return _frame("ended", by=by, survey=survey)


def csat(score: int) -> bytes:
    return _frame("csat", score=score)


def transcript(email: str) -> bytes:
    return _frame("transcript", email=email)


def profile(name: str, email: str) -> bytes:
    return _frame("profile", name=name, email=email)


def resync() -> bytes:
    return _frame("resync")


def pong() -> bytes:
    return _frame("pong")


def error(code: str, client_id: str | None = None, *, about: str | None = None) -> bytes:
    """`code` is one of RETRYABLE; `client_id` names the message, `about` the kind of frame that could not be done."""
    fields = {"client_id": client_id, "about": about}
    return _frame("error", code=code, retryable=RETRYABLE[code], **{k: v for k, v in fields.items() if v})
