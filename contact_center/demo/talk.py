"""What a simulated conversation is about and how far it has come."""

import random
import re
from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, func, select

from contact_center.demo.cast import ALWAYS_OPEN
from contact_center.demo.scripts import BY_KEY, SCRIPTS, Script, fill
from tickets.models import Customer, Message, Ticket
from tickets.states import MessageKind

PLACES = re.compile(r"\\\{(name|order|item|agent)\\\}")
KINDLY = {
    "en": ("Thank you for writing, {name}. I am looking into it now and will come back to you here.",
           "Thank you for waiting, {name}. I have found it and taken care of it: everything is settled now.",
           "With pleasure. Is there anything else that I can do for you?"),
    "vi": ("Cảm ơn {name} đã liên hệ. Em đang kiểm tra và sẽ trả lời ngay tại đây ạ.",
           "Cảm ơn {name} đã chờ. Em đã tìm ra và xử lý xong rồi ạ.",
           "Dạ không có gì ạ. Em có thể giúp gì thêm không?"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Talk:
    """One conversation: whose, in which language, along which script (None: a person improvises)."""

    ticket_id: int
    name: str
    locale: str
    script: Script | None
    order: str = ""
    item: str = ""

    def line(self, number: int) -> str | None:
        """What the customer says as their n-th message; None when they have said all."""
        if self.script is None:
            return None
        lines = self.script.words[self.locale].lines
        return self._filled(lines[number]) if number < len(lines) else None

    def answer(self, number: int) -> str | None:
        """What a good colleague answers as their n-th reply."""
        answers = self.script.words[self.locale].answers if self.script else KINDLY[self.locale]
        return self._filled(answers[number]) if number < len(answers) else None

    def good_news(self) -> str:
        """What a colleague writes when something that was waited for has come."""
        return self._filled(KINDLY[self.locale][1])

    def is_last_answer(self, number: int) -> bool:
        """Whether the n-th reply settles the matter."""
        answers = self.script.words[self.locale].answers if self.script else KINDLY[self.locale]
        return number >= len(answers) - 1

    def _filled(self, text: str) -> str:
        return fill(text, name=self.name, order=self.order, item=self.item)


def opening(rng: random.Random) -> Script:
    """What the next customer writes about; complaints are rare, and so are companies."""
    script = rng.choice(SCRIPTS)
    rare = script.complaint or script.queue not in ALWAYS_OPEN
    return rng.choice(SCRIPTS) if rare and rng.random() < 0.6 else script


def _pattern(text: str) -> re.Pattern[str]:
    seen: set[str] = set()

    def place(match: re.Match[str]) -> str:
        name = match.group(1)
        if name in seen:
            return ".+?"
        seen.add(name)
        return f"(?P<{name}>.+?)"

    return re.compile(PLACES.sub(place, re.escape(text)) + r"\s*$", re.S)


_PATTERNS = [
    (script.key, locale, _pattern(words.lines[0])) for script in SCRIPTS for locale, words in script.words.items()
]


# Built once: every answer of a simulated colleague begins with it.
_SAID = (
    select(
        Ticket.locale,
        Customer.name,
        Customer.locale.label("customer_locale"),
        select(Message.text)
        .where(Message.ticket_id == bindparam("ticket"), Message.kind == MessageKind.INBOUND.value)
        .order_by(Message.seq)
        .limit(1)
        .scalar_subquery()
        .label("first"),
        select(func.count())
        .where(
            Message.ticket_id == bindparam("ticket"),
            Message.kind == MessageKind.OUTBOUND.value,
            Message.automatic.is_(False),
        )
        .scalar_subquery()
        .label("replies"),
    )
    .join(Customer, Customer.id == Ticket.customer_id)
    .where(Ticket.id == bindparam("ticket"))
)


def recognise(tx: Connection, ticket_id: int) -> tuple[Talk, int]:
    """The talk of any ticket, read from its messages, and how often a person here has answered."""
    row = tx.execute(_SAID, {"ticket": ticket_id}).one()
    locale = row.customer_locale or row.locale or "en"
    name = call_name(row.name, locale)
    return _recognised(ticket_id, row.first or "", name, "vi" if locale == "vi" else "en"), row.replies


def _recognised(ticket_id: int, text: str, name: str, locale: str) -> Talk:
    for key, language, pattern in _PATTERNS:
        found = pattern.match(text.strip())
        if found:
            places = found.groupdict()
            return Talk(ticket_id, name, language, BY_KEY[key], places.get("order") or "", places.get("item") or "")
    return Talk(ticket_id, name, locale, None)


def call_name(name: str, locale: str) -> str:
    """How a colleague addresses somebody: the given name, which Vietnamese puts last."""
    words = name.split()
    if not words:
        return "there" if locale == "en" else "anh/chị"
    return words[-1] if locale == "vi" else words[0]
