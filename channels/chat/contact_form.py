"""The contact form of a widget as a plain page: what its fields must say, and the message that they become."""

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from channels.chat.asking import chosen, phone_of
from channels.chat.page import Widget
from channels.chat.parse import (
    EMAIL,
    NAME_CHARACTERS,
    PHONE_CHARACTERS,
    TEXT_CHARACTERS,
    UNSTORABLE,
    OfflineMessage,
)
from contact_center.core.errors import Invalid

MOST_FILES = 5
MOST_BYTES = 20 * 1024 * 1024
# The name under which the trap stands: programs fill it in, people never see it.
TRAP = "website"
FORM_ID = re.compile(r"[A-Za-z0-9_-]{16,40}")


@dataclass(frozen=True, slots=True)
class Filled:
    """What was typed, as it is shown again, and what is wrong with it: field -> sentence (English)."""

    values: Mapping[str, str] = field(default_factory=dict)
    wrong: Mapping[str, str] = field(default_factory=dict)
    phone: str = ""

    def __getitem__(self, name: str) -> str:
        return self.values.get(name, "")


def read(get: Callable[[str], str], widget: Widget, texts: Mapping[str, str], regions: Sequence[str]) -> Filled:
    """The posted fields; `texts` are the widget's sentences in the reader's language."""
    values = {name: _line(get(name)) for name in ("name", "email", "phone", "choice")}
    values["text"] = UNSTORABLE.sub("�", get("text")).replace("\r\n", "\n").strip()
    wrong: dict[str, str] = {}
    if widget.ask_name == "required" and not values["name"]:
        wrong["name"] = texts["need_name"]
    if not EMAIL.fullmatch(values["email"]):
        wrong["email"] = texts["need_email"]
    if not 0 < len(values["text"]) <= TEXT_CHARACTERS:
        wrong["text"] = texts["need_text"] if not values["text"] else texts["too_long"]
    phone = ""
    if values["phone"] and widget.ask_phone != "never":
        try:
            phone = phone_of(values["phone"][:PHONE_CHARACTERS], regions)
        except Invalid:
            wrong["phone"] = texts["need_phone"]
    elif widget.ask_phone == "required":
        wrong["phone"] = texts["need_phone"]
    if widget.choices and chosen(widget.choices, _number(values["choice"])) is None:
        wrong["choice"] = texts["need_choice"]
    return Filled({**values, "name": values["name"][:NAME_CHARACTERS]}, wrong, phone)


def message_of(filled: Filled, form_id: str, digests: Sequence[str], *, locale: str, page: str) -> OfflineMessage:
    """What was filled in, under an id of its own words: the same form sent twice is one message.

    Another text in the same page (somebody went back and wrote more) is another message.
    """
    said = "\0".join((form_id, filled["email"], filled["name"], filled["text"], *digests))
    return OfflineMessage(
        client_id=hashlib.sha256(said.encode()).hexdigest()[:40],
        ticket="",
        name=filled["name"],
        email=filled["email"],
        text=filled["text"],
        locale=locale,
        page=page,
        phone=filled.phone,
        choice=_number(filled["choice"]),
    )


def _line(text: str) -> str:
    return " ".join(UNSTORABLE.sub("�", text).split())[:2_000]


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else 0
