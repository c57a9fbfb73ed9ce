"""When something applies: conditions over what is known of a ticket and the message that moved it. Pure.

All of one group must hold and, where there is another group, at least one of that: groups are one level deep.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from contact_center.core.errors import Invalid
from contact_center.core.i18n import mark
from contact_center.core.text import fold
from tickets.states import Channel, Priority, Status

MOST = 20
"""Conditions of one rule, in both groups together."""
LONGEST_VALUE = 300
NO_VALUE = mark("“{value}” is no value that “{name}” can have.")
YES, NO = "yes", "no"
_WORD = re.compile(r"\w+")
_LANGUAGE = re.compile(r"[a-z]{2,3}")


class Op(StrEnum):
    IS = "is"
    IS_NOT = "is_not"
    CONTAINS = "contains"
    CONTAINS_NOT = "contains_not"


class Field(StrEnum):
    """What a condition can ask about."""

    CHANNEL = "channel"
    QUEUE = "queue"
    TOPIC = "topic"
    PRIORITY = "priority"
    STATUS = "status"
    LANGUAGE = "language"
    SUBJECT = "subject"
    TEXT = "text"
    SENDER = "sender"
    VIP = "vip"
    TAG = "tag"
    ATTRIBUTE = "attribute"
    OPEN = "open"
    COMPLAINT = "complaint"


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known when something happens. `sender` is an address as stored, `open` whether the queue's hours are."""

    channel: str
    queue_id: int
    topic_id: int | None
    priority: str
    status: str
    language: str
    subject: str
    text: str
    sender: str
    vip: bool
    tags: frozenset[str]
    attributes: Mapping[str, str]
    open: bool
    complaint: bool


@dataclass(frozen=True, slots=True)
class Condition:
    """One question; `name` is the customer's field that an `attribute` asks about."""

    field: Field
    op: Op
    value: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class Conditions:
    """`every` of the first must hold, and one of `some` if there are any. Without both it always applies."""

    every: tuple[Condition, ...] = ()
    some: tuple[Condition, ...] = field(default=())


EXACT, WORDS, YES_NO = (Op.IS, Op.IS_NOT), (Op.CONTAINS, Op.CONTAINS_NOT), (Op.IS,)
OPERATORS: Mapping[Field, tuple[Op, ...]] = {
    Field.CHANNEL: EXACT,
    Field.QUEUE: EXACT,
    Field.TOPIC: EXACT,
    Field.PRIORITY: EXACT,
    Field.STATUS: EXACT,
    Field.LANGUAGE: EXACT,
    Field.SUBJECT: WORDS,
    Field.TEXT: WORDS,
    Field.SENDER: EXACT,
    Field.VIP: YES_NO,
    Field.TAG: EXACT,
    Field.ATTRIBUTE: (*EXACT, *WORDS),
    Field.OPEN: YES_NO,
    Field.COMPLAINT: YES_NO,
}
CHOICES: Mapping[Field, frozenset[str]] = {
    Field.CHANNEL: frozenset(one.value for one in Channel),
    Field.PRIORITY: frozenset(one.value for one in Priority),
    Field.STATUS: frozenset(one.value for one in Status),
    Field.VIP: frozenset({YES, NO}),
    Field.OPEN: frozenset({YES, NO}),
    Field.COMPLAINT: frozenset({YES, NO}),
}
IDS = frozenset({Field.QUEUE, Field.TOPIC})


def matches(conditions: Conditions, facts: Facts) -> tuple[Condition, ...] | None:
    """The conditions that hold, as the reasons; None if it does not apply."""
    if not all(holds(one, facts) for one in conditions.every):
        return None
    some = tuple(one for one in conditions.some if holds(one, facts))
    if conditions.some and not some:
        return None
    return (*conditions.every, *some)


def holds(condition: Condition, facts: Facts) -> bool:
    """Whether one condition does; its opposite holds exactly where it does not."""
    found = _ASKS[condition.field](condition, facts)
    return found is (condition.op in (Op.IS, Op.CONTAINS))


def has_words(phrases: str, text: str) -> bool:
    """Whether one of the phrases (divided by commas) stands in a text: whole words, whatever case and marks they have.

    "hoan tien" is in "Tôi muốn Hoàn tiền!", and "an" is not.
    """
    words = f" {_words(text)} "
    return any(f" {phrase} " in words for phrase in map(_words, phrases.split(",")) if phrase)


def _words(text: str) -> str:
    return " ".join(_WORD.findall(fold(text)))


def is_from(address: str, sender: str) -> bool:
    """Whether a sender has this address, or one at this domain or below it (`shop.test`, `@shop.test`)."""
    wanted, known = address.strip().lower(), sender.strip().lower()
    if not wanted.removeprefix("@"):
        return False
    if "@" in wanted.removeprefix("@") or wanted.startswith("+"):
        return wanted == known
    domain = known.rpartition("@")[2] if "@" in known else ""
    wanted = wanted.removeprefix("@")
    return wanted == known or domain == wanted or domain.endswith(f".{wanted}")


def _attribute(condition: Condition, facts: Facts) -> bool:
    value = facts.attributes.get(condition.name, "")
    if condition.op in WORDS:
        return has_words(condition.value, value)
    return fold(condition.value.strip()) == fold(value.strip())


def _flag(value: bool) -> str:
    return YES if value else NO


_ASKS: Mapping[Field, Callable[[Condition, Facts], bool]] = {
    Field.CHANNEL: lambda one, facts: one.value == facts.channel,
    Field.QUEUE: lambda one, facts: one.value == str(facts.queue_id),
    Field.TOPIC: lambda one, facts: one.value == str(facts.topic_id),
    Field.PRIORITY: lambda one, facts: one.value == facts.priority,
    Field.STATUS: lambda one, facts: one.value == facts.status,
    Field.LANGUAGE: lambda one, facts: one.value == facts.language,
    Field.SUBJECT: lambda one, facts: has_words(one.value, facts.subject),
    Field.TEXT: lambda one, facts: has_words(one.value, facts.text),
    Field.SENDER: lambda one, facts: is_from(one.value, facts.sender),
    Field.VIP: lambda one, facts: one.value == _flag(facts.vip),
    Field.TAG: lambda one, facts: fold(one.value) in {fold(tag) for tag in facts.tags},
    Field.ATTRIBUTE: _attribute,
    Field.OPEN: lambda one, facts: one.value == _flag(facts.open),
    Field.COMPLAINT: lambda one, facts: one.value == _flag(facts.complaint),
}


def read(data: Mapping[str, Any]) -> Conditions:
    """Conditions from their stored or posted form {"every": [{field, op, value, name}], "some": [...]}.

    Invalid names the first one that cannot be asked.
    """
    groups = tuple(_group(data.get(name, ())) for name in ("every", "some"))
    if sum(map(len, groups)) > MOST:
        raise Invalid("At most {most} conditions fit into one rule.", field="conditions", most=MOST)
    return Conditions(*groups)


def write(conditions: Conditions) -> dict[str, Any]:
    """The stored form, which `read` reads back unchanged."""
    return {"every": [_stored(one) for one in conditions.every], "some": [_stored(one) for one in conditions.some]}


def _stored(one: Condition) -> dict[str, str]:
    return {"field": one.field.value, "op": one.op.value, "value": one.value, "name": one.name}


def _group(rows: Any) -> tuple[Condition, ...]:
    if not isinstance(rows, Sequence) or isinstance(rows, str) or not all(isinstance(row, Mapping) for row in rows):
        raise Invalid("Conditions are a list.", field="conditions")
    return tuple(_condition(row) for row in rows)


def _condition(row: Mapping[str, Any]) -> Condition:
    raw, wanted = str(row.get("field", "")), str(row.get("op", ""))
    if raw not in set(Field):
        raise Invalid("“{name}” is nothing that a condition can ask about.", field="conditions", name=raw)
    asked = Field(raw)
    if wanted not in OPERATORS[asked]:
        raise Invalid("“{name}” cannot be asked by “{op}”.", field="conditions", name=raw, op=wanted)
    value, name = " ".join(str(row.get("value", "")).split()), " ".join(str(row.get("name", "")).split())
    check_value(asked, value)
    if asked is Field.ATTRIBUTE and not name:
        raise Invalid("Say which field of the customer is meant.", field="conditions")
    return Condition(asked, Op(wanted), value, name if asked is Field.ATTRIBUTE else "")


def check_value(asked: Field, value: str) -> None:
    """Invalid for a value that the field can never have."""
    if not value:
        raise Invalid("Every condition needs a value.", field="conditions")
    wrong = (
        (asked in CHOICES and value not in CHOICES[asked])
        or (asked in IDS and not (value.isascii() and value.isdecimal() and len(value) < 19))
        or (asked is Field.LANGUAGE and not _LANGUAGE.fullmatch(value))
        or (asked in (Field.SUBJECT, Field.TEXT) and not _WORD.search(fold(value)))
        or len(value) > LONGEST_VALUE
    )
    if wrong:
        raise Invalid(
            "“{value}” is no value that “{name}” can have.", field="conditions", value=value, name=asked.value
        )
