"""What rules wait for, and which events mean it. Pure."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from tickets.states import MessageKind


class Trigger(StrEnum):
    TICKET_OPENED = "ticket_opened"
    CUSTOMER_WROTE = "customer_wrote"
    AGENT_WROTE = "agent_wrote"
    STATUS_CHANGED = "status_changed"
    RESOLVED = "resolved"
    SLA_WARNING = "sla_warning"
    SLA_BREACHED = "sla_breached"


BY_EVENT: Mapping[str, frozenset[Trigger]] = {
    "ticket.created": frozenset({Trigger.TICKET_OPENED}),
    "message.created": frozenset({Trigger.CUSTOMER_WROTE, Trigger.AGENT_WROTE}),
    "ticket.status_changed": frozenset({Trigger.STATUS_CHANGED}),
    "ticket.reopened": frozenset({Trigger.STATUS_CHANGED}),
    "ticket.resolved": frozenset({Trigger.STATUS_CHANGED, Trigger.RESOLVED}),
    "sla.warning": frozenset({Trigger.SLA_WARNING}),
    "sla.breached": frozenset({Trigger.SLA_BREACHED}),
}


def meant(name: str, payload: Mapping[str, Any]) -> frozenset[Trigger]:
    """The triggers of an event. A message means one only if a person wrote it, and a ticket's first one opened it."""
    if name != "message.created":
        return BY_EVENT.get(name, frozenset())
    if payload.get("automatic"):
        return frozenset()
    if payload["kind"] == MessageKind.INBOUND.value and payload["seq"] > 1:
        return frozenset({Trigger.CUSTOMER_WROTE})
    if payload["kind"] == MessageKind.OUTBOUND.value and payload.get("user_id") is not None:
        return frozenset({Trigger.AGENT_WROTE})
    return frozenset()
