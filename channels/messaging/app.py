"""What a messaging app must offer: read what it calls us with, prove who called, and send.

An app is a module with these few functions; docs/messaging.md describes how to add one.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

import httpx2

from channels.base import Outbound, Sent
from contact_center.core.outbound import Answered
from tickets.channel_accounts import Account
from tickets.states import Delivery

TIMEOUT = httpx2.Timeout(10.0, connect=5.0)
LONGEST_ID = 200
MOST_FILES = 10


class BadPayload(ValueError):
    """What came is not what the app sends."""


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """A file that lies with the app; it is fetched after the app has its answer."""

    url: str
    content_type: str = ""


@dataclass(frozen=True, slots=True)
class Said:
    """A message of a person. `id` is the app's own and unique in the account; `person` is who they are there."""

    id: str
    person: str
    name: str
    text: str
    files: tuple[RemoteFile, ...] = ()


@dataclass(frozen=True, slots=True)
class Reported:
    """What became of a message of ours, by the id that the app gave it, or of all to a person up to a moment."""

    state: Delivery
    id: str = ""
    person: str = ""
    until: datetime | None = None
    error: str = ""


Item = Said | Reported


@dataclass(frozen=True, slots=True)
class OutgoingFile:
    """A file of ours at a signed address, for as long as the app needs to fetch it."""

    url: str
    filename: str
    content_type: str
    size: int


@dataclass(frozen=True, slots=True)
class Line:
    """The ways out: `http` to the fixed hosts of an app, `exchange` to an address that somebody entered."""

    http: httpx2.AsyncClient
    exchange: Callable[..., Awaitable[Answered]]


class App(Protocol):
    """One messaging app. `secrets` and `settings` are the fields of its accounts' form."""

    def is_genuine(self, account: Account, headers: Mapping[str, str], body: bytes) -> bool:
        """Whether the app itself sent this."""
        ...

    def read(self, payload: Any) -> Sequence[Item]:
        """What a call tells, oldest first; raises BadPayload."""
        ...

    def challenge(self, account: Account, query: Mapping[str, str]) -> str | None:
        """The answer to the app's question whether this address is ours; None if it asks wrongly."""
        ...

    async def send(self, line: Line, outbound: Outbound, files: Sequence[OutgoingFile]) -> Sent:
        """Send one message; raises SendFailed, SendUncertain, or what the line raises."""
        ...


def text_of(values: Mapping[str, Any], name: str, *, longest: int = LONGEST_ID, required: bool = True) -> str:
    """A text of a payload; raises BadPayload if it is missing, of another kind or too long."""
    value = values.get(name)
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if value is None and not required:
        return ""
    if not isinstance(value, str) or (required and not value.strip()) or len(value) > longest:
        raise BadPayload(f"“{name}” must be a text of at most {longest} characters")
    return value


def object_of(values: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """An object of a payload; raises BadPayload."""
    value = values.get(name)
    if not isinstance(value, dict):
        raise BadPayload(f"“{name}” must be an object")
    return value


def list_of(values: Mapping[str, Any], name: str, *, most: int = 1_000) -> Sequence[Mapping[str, Any]]:
    """A list of objects of a payload, empty if there is none; raises BadPayload."""
    value = values.get(name)
    if value is None:
        return []
    if not isinstance(value, list) or len(value) > most or not all(isinstance(one, dict) for one in value):
        raise BadPayload(f"“{name}” must be a list of at most {most} objects")
    return value


def attachments_of(message: Mapping[str, Any]) -> Sequence[tuple[str, Mapping[str, Any]]]:
    """(type, payload) of what hangs at a message, as Messenger has it and Zalo after it."""
    found = list_of(message, "attachments", most=MOST_FILES)
    return [(str(one.get("type")), object_of(one, "payload")) for one in found if one.get("payload") is not None]


def answer_of(answer: httpx2.Response) -> Mapping[str, Any]:
    """The JSON object of an answer, or an empty one."""
    try:
        value = answer.json()
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}
