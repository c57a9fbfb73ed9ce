"""What is to be done to a ticket, by a macro or a rule: checked and put in order here, done in `doing`. Pure."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any

from contact_center.automations import placeholders
from contact_center.core.errors import Invalid
from tickets.states import Priority, Status

MOST = 12
LONGEST_TEXT = 10_000
LONGEST_TAG = 50
ME = "me"


class Do(StrEnum):
    """The actions, in the order in which they are done: work before its ticket, as everything locks."""

    QUEUE = "queue"
    ASSIGN = "assign"
    PRIORITY = "priority"
    TOPIC = "topic"
    TAG = "tag"
    UNTAG = "untag"
    NOTE = "note"
    ASK_IDENTITY = "ask_identity"
    DRAFT = "draft"
    REPLY = "reply"
    STATUS = "status"
    SNOOZE = "snooze"


_PLACE = {kind: place for place, kind in enumerate(Do)}
TEXTS = frozenset({Do.NOTE, Do.DRAFT, Do.REPLY})
FOR_MACROS = tuple(Do)
# Nobody reads a rule's draft, and only a colleague asks a customer who they are.
FOR_RULES = tuple(kind for kind in Do if kind not in (Do.DRAFT, Do.ASK_IDENTITY))
OFTEN = frozenset({Do.TAG, Do.UNTAG})
APART = ((Do.DRAFT, Do.REPLY), (Do.STATUS, Do.SNOOZE))
STATUSES = (Status.OPEN.value, Status.PENDING.value, Status.RESOLVED.value)
SNOOZES: Mapping[str, timedelta] = {
    "1h": timedelta(hours=1),
    "4h": timedelta(hours=4),
    "1d": timedelta(days=1),
    "3d": timedelta(days=3),
    "7d": timedelta(days=7),
}
_CHOICES: Mapping[Do, Collection[str]] = {
    Do.PRIORITY: frozenset(one.value for one in Priority),
    Do.STATUS: STATUSES,
    Do.SNOOZE: SNOOZES,
}


@dataclass(frozen=True, slots=True)
class Action:
    """One thing to do; `value` is an id, a word of a choice or a text, "" for `ask_identity`."""

    do: Do
    value: str = ""


def read(data: Any, *, allowed: Collection[Do]) -> tuple[Action, ...]:
    """Actions from their stored or posted form [{do, value}], in the order in which they are done.

    Invalid for what is unknown, not `allowed` here, twice or against each other.
    """
    if not isinstance(data, Sequence) or isinstance(data, str) or not all(isinstance(row, Mapping) for row in data):
        raise Invalid("Actions are a list.", field="actions")
    found = [_action(row, allowed) for row in data]
    if not found:
        raise Invalid("Choose what is to be done.", field="actions")
    if len(found) > MOST:
        raise Invalid("At most {most} actions fit here.", field="actions", most=MOST)
    kinds = [one.do for one in found]
    for kind in kinds:
        if kind not in OFTEN and kinds.count(kind) > 1:
            raise Invalid("“{name}” can be there only once.", field="actions", name=kind.value)
    for one, other in APART:
        if one in kinds and other in kinds:
            raise Invalid("“{name}” and “{other}” contradict each other.", field="actions", name=one, other=other)
    return tuple(sorted(found, key=lambda one: _PLACE[one.do]))


def write(actions: Sequence[Action]) -> list[dict[str, str]]:
    """The stored form, which `read` reads back unchanged."""
    return [{"do": one.do.value, "value": one.value} for one in actions]


def _action(row: Mapping[str, Any], allowed: Collection[Do]) -> Action:
    raw = str(row.get("do", ""))
    if raw not in set(Do):
        raise Invalid("“{name}” is nothing that can be done.", field="actions", name=raw)
    kind = Do(raw)
    if kind not in allowed:
        raise Invalid("“{name}” needs a person: only a macro can do it.", field="actions", name=raw)
    value = str(row.get("value", "")).strip()
    if kind is Do.ASK_IDENTITY:
        return Action(kind)
    if not value:
        raise Invalid("“{name}” needs a value.", field="actions", name=raw)
    if kind in TEXTS:
        return Action(kind, _text(value))
    value = " ".join(value.lower().split())
    if kind in OFTEN:
        if len(value) > LONGEST_TAG or "," in value:
            raise Invalid("A tag has at most {most} characters and no comma.", field="actions", most=LONGEST_TAG)
    elif not _possible(kind, value, allowed):
        raise Invalid("“{value}” is no value that “{name}” can have.", field="actions", value=value, name=raw)
    return Action(kind, value)


def _text(value: str) -> str:
    if len(value) > LONGEST_TEXT:
        raise Invalid("This text is longer than {most} characters.", field="actions", most=LONGEST_TEXT)
    placeholders.check(value, field="actions")
    return value


def _possible(kind: Do, value: str, allowed: Collection[Do]) -> bool:
    if kind in _CHOICES:
        return value in _CHOICES[kind]
    if kind is Do.ASSIGN and value == ME:
        # Whoever runs a macro; a rule is nobody.
        return Do.DRAFT in allowed
    return value.isascii() and value.isdecimal() and len(value) < 19
