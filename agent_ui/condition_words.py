"""What rules ask and wait for, in words: conditions as phrases, and why a rule ran."""

from collections.abc import Callable, Mapping, Sequence

from contact_center.automations.conditions import NO, YES, Field, Op
from contact_center.automations.triggers import Trigger
from contact_center.core.i18n import mark
from tickets.states import Channel

Gettext = Callable[..., str]

TRIGGERS: Mapping[Trigger, str] = {
    Trigger.TICKET_OPENED: mark("A conversation is opened"),
    Trigger.CUSTOMER_WROTE: mark("The customer writes again"),
    Trigger.AGENT_WROTE: mark("A colleague answers"),
    Trigger.STATUS_CHANGED: mark("The status changes"),
    Trigger.RESOLVED: mark("A conversation is resolved"),
    Trigger.SLA_WARNING: mark("A service level is at risk"),
    Trigger.SLA_BREACHED: mark("A service level was missed"),
}
FIELDS: Mapping[Field, str] = {
    Field.CHANNEL: mark("Channel"),
    Field.QUEUE: mark("Queue"),
    Field.TOPIC: mark("Topic"),
    Field.PRIORITY: mark("Priority"),
    Field.STATUS: mark("Status"),
    Field.LANGUAGE: mark("Language"),
    Field.SUBJECT: mark("Subject"),
    Field.TEXT: mark("Text"),
    Field.SENDER: mark("Sender"),
    Field.VIP: mark("VIP customer"),
    Field.TAG: mark("Tag"),
    Field.ATTRIBUTE: mark("Customer field"),
    Field.OPEN: mark("Queue is open"),
    Field.COMPLAINT: mark("Complaint"),
}
OPS: Mapping[Op, str] = {
    Op.IS: mark("is"),
    Op.IS_NOT: mark("is not"),
    Op.CONTAINS: mark("contains one of"),
    Op.CONTAINS_NOT: mark("contains none of"),
}
CHANNELS = {
    Channel.EMAIL.value: mark("E-mail"),
    Channel.CHAT.value: mark("Chat"),
    Channel.SMS.value: mark("SMS"),
    Channel.WHATSAPP.value: mark("WhatsApp"),
    Channel.PHONE.value: mark("Phone"),
    Channel.MESSAGING.value: mark("Messaging app"),
    Channel.DESK.value: mark("Visit or letter"),
}
YES_NO = {YES: mark("yes"), NO: mark("no")}
FLAGS = (Field.VIP.value, Field.OPEN.value, Field.COMPLAINT.value)


def because(rows: Sequence[Sequence[str]], tables: Mapping[str, Mapping[str, str]], _: Gettext) -> str:
    """The conditions [field, op, value, name] that held, as one phrase; "" for none. `tables`: words of values."""
    return ", ".join(phrase(*row, tables=tables, _=_) for row in rows)


def phrase(field: str, op: str, value: str, name: str, *, tables: Mapping[str, Mapping[str, str]], _: Gettext) -> str:
    """One condition: `Subject contains one of “refund”`."""
    words = {"channel": CHANNELS, **dict.fromkeys(FLAGS, YES_NO), **tables}.get(field, {})
    asked = _(FIELDS[Field(field)]) if field in set(Field) else field
    told = _(OPS[Op(op)]) if op in set(Op) else op
    shown = _(words[value]) if value in words else f"“{value}”"
    return f"{asked} {name} {told} {shown}" if name else f"{asked} {told} {shown}"
