"""What macros and rules ask and do, in words, and the names of what their values mean."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, select

from agent_ui.sentences import PRIORITIES, STATUSES, Gettext
from agent_ui.views import Choice
from contact_center.accounts.models import User
from contact_center.automations.actions import ME, SNOOZES, TEXTS, Action, Do
from contact_center.automations.actions import STATUSES as SETTABLE
from contact_center.core.i18n import mark
from tickets.models import Queue, Topic

DOES: Mapping[Do, str] = {
    Do.QUEUE: mark("Move to the queue"),
    Do.ASSIGN: mark("Assign to"),
    Do.PRIORITY: mark("Set the priority"),
    Do.TOPIC: mark("Set the topic"),
    Do.TAG: mark("Add the tag"),
    Do.UNTAG: mark("Remove the tag"),
    Do.NOTE: mark("Add an internal note"),
    Do.ASK_IDENTITY: mark("Send a code to confirm the identity"),
    Do.DRAFT: mark("Put a reply into the composer"),
    Do.REPLY: mark("Send a reply at once"),
    Do.STATUS: mark("Set the status"),
    Do.SNOOZE: mark("Snooze"),
}
DID: Mapping[Do, str] = {
    Do.QUEUE: mark("Moves to the queue %(value)s"),
    Do.ASSIGN: mark("Assigns to %(value)s"),
    Do.PRIORITY: mark("Sets the priority: %(value)s"),
    Do.TOPIC: mark("Sets the topic: %(value)s"),
    Do.TAG: mark("Adds the tag %(value)s"),
    Do.UNTAG: mark("Removes the tag %(value)s"),
    Do.NOTE: mark("Adds an internal note"),
    Do.ASK_IDENTITY: mark("Sends the customer a code to confirm who they are"),
    Do.DRAFT: mark("Puts this reply into the composer; you send it"),
    Do.REPLY: mark("Sends this reply at once"),
    Do.STATUS: mark("Sets the status: %(value)s"),
    Do.SNOOZE: mark("Snoozes for %(value)s"),
}
ICONS: Mapping[Do, str] = {
    Do.QUEUE: "arrow-left-right",
    Do.ASSIGN: "user-round",
    Do.PRIORITY: "flag",
    Do.TOPIC: "layers",
    Do.TAG: "tag",
    Do.UNTAG: "tag",
    Do.NOTE: "lock",
    Do.ASK_IDENTITY: "key-round",
    Do.DRAFT: "pencil",
    Do.REPLY: "send",
    Do.STATUS: "circle-dot",
    Do.SNOOZE: "alarm-clock",
}
FOR = {
    "1h": mark("1 hour"),
    "4h": mark("4 hours"),
    "1d": mark("1 day"),
    "3d": mark("3 days"),
    "7d": mark("7 days"),
}
GONE = mark("(gone)")

# (kind, id) -> name, for queues, users and topics.
Names = Mapping[tuple[str, str], str]


@dataclass(frozen=True, slots=True)
class Told:
    """One action as people read it; `text` is what is written to somebody, if anything."""

    icon: str
    line: str
    text: str = ""


def names(tx: Connection) -> Names:
    """The names of all queues, people and topics, also of those that are not used any more."""
    found: dict[tuple[str, str], str] = {}
    for kind, model in (("queue", Queue), ("topic", Topic), ("user", User)):
        for row in tx.execute(select(model.id, model.name)):
            found[kind, str(row.id)] = row.name
    return found


def told(one: Action, known: Names, _: Gettext) -> Told:
    """An action in words."""
    if one.do in TEXTS:
        return Told(ICONS[one.do], _(DID[one.do]), one.value)
    return Told(ICONS[one.do], _(DID[one.do], value=_shown(one, known, _)))


def _shown(one: Action, known: Names, _: Gettext) -> str:
    kind = {Do.QUEUE: "queue", Do.ASSIGN: "user", Do.TOPIC: "topic"}.get(one.do)
    if one.do is Do.ASSIGN and one.value == ME:
        return _("whoever runs it")
    if kind is not None:
        return known.get((kind, one.value)) or _(GONE)
    words = {Do.PRIORITY: PRIORITIES, Do.STATUS: STATUSES, Do.SNOOZE: FOR}.get(one.do, {})
    return _(words[one.value]) if one.value in words else one.value


def choices(tx: Connection, allowed: Sequence[Do], _: Gettext) -> Mapping[str, list[Choice]]:
    """The options of every action that has some: what can be chosen today."""
    queues = tx.execute(select(Queue.id, Queue.name).where(Queue.active).order_by(Queue.name))
    topics = tx.execute(select(Topic.id, Topic.name).where(Topic.active).order_by(Topic.name))
    people = tx.execute(
        select(User.id, User.name).where(User.active, User.role.in_(("agent", "supervisor"))).order_by(User.name)
    )
    me = [Choice(ME, _("Whoever runs it"))] if Do.DRAFT in allowed else []
    return {
        Do.QUEUE.value: [Choice(str(row.id), row.name) for row in queues],
        Do.TOPIC.value: [Choice(str(row.id), row.name) for row in topics],
        Do.ASSIGN.value: [*me, *(Choice(str(row.id), row.name) for row in people)],
        Do.PRIORITY.value: [Choice(key, _(word)) for key, word in PRIORITIES.items()],
        Do.STATUS.value: [Choice(key, _(STATUSES[key])) for key in SETTABLE],
        Do.SNOOZE.value: [Choice(key, _(FOR[key])) for key in SNOOZES],
    }
