"""Presence as agents and supervisors set it: available, away with a reason, offline; channels; the next status."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection

from contact_center.core.errors import Conflict, Invalid
from routing import agents, away_reasons, leaving
from routing.pools import Medium
from routing.states import OfflineReason, Presence

SETTABLE = frozenset({Presence.AVAILABLE, Presence.AWAY, Presence.OFFLINE})


def set_presence(
    tx: Connection,
    user_id: int,
    presence: Presence,
    *,
    now: datetime,
    reason: str | None = None,
    by_user_id: int | None = None,
) -> None:
    """Set by the agent, or by a supervisor for them. Away wants one of the configured reasons.

    Going offline gives open offers back at once and chats to the queue; deferred work stays owned.
    """
    if presence not in SETTABLE:
        raise Invalid("Only the system sets this status.", field="presence")
    if presence is Presence.AWAY:
        reason = _known_reason(tx, reason)
    elif presence is Presence.OFFLINE:
        reason = reason or OfflineReason.SIGNED_OUT.value
    else:
        reason = None
    if presence is not Presence.AVAILABLE:
        # Work is locked before agents, everywhere.
        leaving.rescind_offers(tx, user_id, presence.value, now=now)
    if presence is Presence.OFFLINE:
        leaving.return_chats(tx, user_id, now=now)
    agent = agents.state_of(tx, user_id, now=now)
    if not agent.active and presence is not Presence.OFFLINE:
        raise Conflict("This account does not handle contacts.")
    agents.become(tx, agent, presence, now=now, reason=reason, by_user_id=by_user_id)
    if agent.next_presence is not None:
        agents.change(tx, user_id, now=now, next_presence=None, next_reason=None)


def set_next(
    tx: Connection, user_id: int, presence: Presence | None, *, now: datetime, reason: str | None = None
) -> None:
    """The status to take on when the last live contact is wrapped up; at once when there is none. None forgets it."""
    if presence is None:
        agents.change(tx, user_id, now=now, next_presence=None, next_reason=None)
        return
    if presence not in SETTABLE:
        raise Invalid("Only the system sets this status.", field="presence")
    if not leaving.has_live_work(tx, user_id):
        set_presence(tx, user_id, presence, now=now, reason=reason)
        return
    reason = _known_reason(tx, reason) if presence is Presence.AWAY else None
    leaving.rescind_offers(tx, user_id, "leaving", now=now)
    agents.state_of(tx, user_id, now=now)
    agents.change(tx, user_id, now=now, next_presence=presence.value, next_reason=reason)


def take_next(tx: Connection, user_id: int, *, now: datetime) -> None:
    """Take on the chosen next status if the last live contact is over."""
    agent = agents.state_of(tx, user_id, now=now)
    if agent.next_presence is not None and not leaving.has_live_work(tx, user_id):
        set_presence(tx, user_id, Presence(agent.next_presence), now=now, reason=agent.next_reason)


def set_channels(tx: Connection, user_id: int, media: Sequence[Medium], *, now: datetime) -> None:
    """Switch on exactly these channels for an agent."""
    agents.state_of(tx, user_id, now=now)
    off = sorted(medium.value for medium in Medium if medium not in media)
    agents.change(tx, user_id, now=now, media_off=off)


def _known_reason(tx: Connection, reason: str | None) -> str:
    names = [row.name for row in away_reasons.choosable(tx)]
    if reason is None or reason not in names:
        raise Invalid("Choose why you are away.", field="reason")
    return reason
