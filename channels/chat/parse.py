"""The frames that a browser may send, parsed from text without any I/O (docs/widget-protocol.md)."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import orjson

FRAME_BYTES = 32_768
TEXT_CHARACTERS = 4_000
COMMENT_CHARACTERS = 2_000
FILES_PER_MESSAGE = 5
NAME_CHARACTERS = 200
ADDRESS_CHARACTERS = 254
PHONE_CHARACTERS = 40
TOKEN_CHARACTERS = 4_000
COUNTED_AT_ONCE = 50

CLIENT_ID = re.compile(r"[A-Za-z0-9_-]{8,64}")
EMAIL = re.compile(r"[^\s@<>\",;:()\[\]\\]+@[^\s@<>\",;:()\[\]\\]+\.[^\s@<>\",;:()\[\]\\]+")
UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


class BadFrame(Exception):
    """A frame that cannot be understood; `code` is one of the protocol's error codes."""

    def __init__(self, code: str = "bad_frame", client_id: str | None = None) -> None:
        super().__init__(code)
        self.code = code
        self.client_id = client_id


@dataclass(frozen=True, slots=True)
class Hello:
    """Go on with the visit of `token`, or open one with `ticket`."""

    token: str | None
    since: int
    ticket: str
    name: str
    email: str
    locale: str
    page: str
    thread: int = 0
    # What `POST …/identity` gave for the website's signed token.
    identity: str = ""
    # The invitation that the visitor has opened; 0: came by themselves.
    invitation: int = 0
    phone: str = ""
    # What it is about, of the widget's choices; 0: nobody asked.
    choice: int = 0


@dataclass(frozen=True, slots=True)
class Send:
    client_id: str
    text: str
    files: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Typing:
    on: bool


@dataclass(frozen=True, slots=True)
class Ack:
    public_seq: int


@dataclass(frozen=True, slots=True)
class Read:
    public_seq: int


@dataclass(frozen=True, slots=True)
class History:
    before: int


@dataclass(frozen=True, slots=True)
class Profile:
    name: str
    email: str


@dataclass(frozen=True, slots=True)
class End:
    pass


@dataclass(frozen=True, slots=True)
class Csat:
    score: int
    comment: str


@dataclass(frozen=True, slots=True)
class Transcript:
    email: str


@dataclass(frozen=True, slots=True)
class Ping:
    pass


@dataclass(frozen=True, slots=True)
class OfflineMessage:
    """What the closed-hours form posts; `trap` is a field that only programs fill in."""

    client_id: str
    ticket: str
    name: str
    email: str
    text: str
    locale: str
    page: str
    trap: str = ""
    invitation: int = 0
    phone: str = ""
    choice: int = 0


@dataclass(frozen=True, slots=True)
class Identify:
    """What the browser posts for the website: its signed token, under a client id that makes a retry harmless."""

    client_id: str
    token: str


Frame = Hello | Send | Typing | Ack | Read | History | Profile | End | Csat | Transcript | Ping
Fields = dict[str, Any]


def parse_frame(raw: str | bytes) -> Frame:
    """The frame in `raw`; raises BadFrame with the protocol's error code."""
    fields = _object(raw)
    kind = fields.get("t")
    parser = PARSERS.get(kind) if isinstance(kind, str) else None
    if parser is None:
        raise BadFrame
    return parser(fields)


def parse_offline(raw: bytes) -> OfflineMessage:
    """The closed-hours form; name, address and text are needed. Raises BadFrame."""
    fields = _object(raw)
    message = OfflineMessage(
        client_id=_client_id(fields),
        ticket=_string(fields, "ticket", 1_000),
        name=_line(fields, "name", NAME_CHARACTERS),
        email=_email(fields),
        text=_text(fields),
        locale=_line(fields, "locale", 35),
        page=_line(fields, "page", 2_000),
        trap=_string(fields, "website", FRAME_BYTES),
        invitation=_number(fields, "invitation", default=0),
        phone=_line(fields, "phone", PHONE_CHARACTERS),
        choice=_number(fields, "choice", default=0),
    )
    if not (message.email and message.text):
        raise BadFrame
    return message


def _object(raw: str | bytes) -> Fields:
    try:
        data = raw.encode() if isinstance(raw, str) else raw
        if len(data) > FRAME_BYTES:
            raise BadFrame("too_long")
        fields = orjson.loads(data)
    except (orjson.JSONDecodeError, UnicodeEncodeError) as error:
        raise BadFrame from error
    if not isinstance(fields, dict):
        raise BadFrame
    return fields


def parse_identify(raw: bytes) -> Identify:
    """A posted identity; raises BadFrame."""
    fields = _object(raw)
    token = _string(fields, "token", TOKEN_CHARACTERS)
    if not token:
        raise BadFrame
    return Identify(_client_id(fields), token)


def parse_counts(raw: bytes) -> dict[int, tuple[int, int]]:
    """What became of invitations in one browser: id -> (times shown, times opened). Raises BadFrame."""
    counts = _object(raw).get("counts")
    if not isinstance(counts, dict) or not 0 < len(counts) <= COUNTED_AT_ONCE:
        raise BadFrame
    return {_id(invitation): _pair(pair) for invitation, pair in counts.items()}


def _id(text: str) -> int:
    if not text.isdecimal() or len(text) > 15:
        raise BadFrame
    return int(text)


def _pair(pair: object) -> tuple[int, int]:
    match pair:
        case [int(shown), int(opened)] if 0 <= shown <= COUNTED_AT_ONCE and 0 <= opened <= COUNTED_AT_ONCE:
            return int(shown), int(opened)
    raise BadFrame


def _hello(fields: Fields) -> Hello:
    token = fields.get("token")
    if token is not None and not (isinstance(token, str) and 0 < len(token) <= 1_000):
        raise BadFrame
    return Hello(
        token=token,
        since=_number(fields, "since", default=0),
        ticket=_string(fields, "ticket", 1_000),
        name=_line(fields, "name", NAME_CHARACTERS),
        email=_email(fields, strict=False),
        locale=_line(fields, "locale", 35),
        page=_line(fields, "page", 2_000),
        thread=_number(fields, "thread", default=0),
        identity=_string(fields, "identity", TOKEN_CHARACTERS),
        invitation=_number(fields, "invitation", default=0),
        phone=_line(fields, "phone", PHONE_CHARACTERS),
        choice=_number(fields, "choice", default=0),
    )


def _send(fields: Fields) -> Send:
    client_id = _client_id(fields)
    files = fields.get("files") or []
    if not isinstance(files, list) or len(files) > FILES_PER_MESSAGE:
        raise BadFrame("bad_file", client_id)
    if not all(isinstance(one, str) and 0 < len(one) <= 1_000 for one in files):
        raise BadFrame("bad_file", client_id)
    text = _text(fields, client_id)
    if not text and not files:
        raise BadFrame(client_id=client_id)
    return Send(client_id, text, tuple(files))


def _typing(fields: Fields) -> Typing:
    return Typing(fields.get("on") is True)


def _profile(fields: Fields) -> Profile:
    return Profile(_line(fields, "name", NAME_CHARACTERS), _email(fields))


def _csat(fields: Fields) -> Csat:
    score = _number(fields, "score")
    if not 1 <= score <= 5:
        raise BadFrame
    return Csat(score, _clean(_string(fields, "comment", COMMENT_CHARACTERS)).strip())


def _transcript(fields: Fields) -> Transcript:
    email = _email(fields)
    if not email:
        raise BadFrame
    return Transcript(email)


def _clean(text: str) -> str:
    """Without what a database refuses (NUL, lone surrogates), and with one kind of line end."""
    return UNSTORABLE.sub("�", text).replace("\r\n", "\n").replace("\r", "\n")


def _string(fields: Fields, name: str, limit: int) -> str:
    value = fields.get(name) or ""
    if not isinstance(value, str) or len(value) > limit:
        raise BadFrame
    return value


def _line(fields: Fields, name: str, limit: int) -> str:
    return " ".join(_clean(_string(fields, name, limit)).split())


def _email(fields: Fields, *, strict: bool = True) -> str:
    """An address that could exist, or ""; a wrong one is refused if strict and dropped if not."""
    value = _line(fields, "email", ADDRESS_CHARACTERS)
    if not value or EMAIL.fullmatch(value):
        return value
    if strict:
        raise BadFrame
    return ""


def _number(fields: Fields, name: str, default: int | None = None) -> int:
    value = fields.get(name, default)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 2**53:
        raise BadFrame
    return value


def _client_id(fields: Fields) -> str:
    value = fields.get("client_id")
    if not isinstance(value, str) or not CLIENT_ID.fullmatch(value):
        raise BadFrame
    return value


def _text(fields: Fields, client_id: str | None = None) -> str:
    value = fields.get("text") or ""
    if not isinstance(value, str):
        raise BadFrame(client_id=client_id)
    if len(value) > TEXT_CHARACTERS:
        raise BadFrame("too_long", client_id)
    return _clean(value).strip()


PARSERS: dict[str, Callable[[Fields], Frame]] = {
    "hello": _hello,
    "send": _send,
    "typing": _typing,
    "ack": lambda fields: Ack(_number(fields, "public_seq")),
    "read": lambda fields: Read(_number(fields, "public_seq")),
    "history": lambda fields: History(_number(fields, "before")),
    "profile": _profile,
    "end": lambda fields: End(),
    "csat": _csat,
    "transcript": _transcript,
    "ping": lambda fields: Ping(),
}
