"""The badge of a chat whose website has signed its customer in: it comes and goes without anybody's doing."""

from datetime import datetime

from sqlalchemy import Connection

from channels.chat.visit import Visit
from tickets import identity_checks
from tickets.identity_checks import Method


def vouch(tx: Connection, visit: Visit, *, now: datetime) -> None:
    """Note in the visit's conversation that its website says who this is, until its word runs out.

    A colleague's check or a code, which prove more, stay; what a colleague has withdrawn does not come back.
    """
    if visit.ticket_id is None or visit.subject is None or visit.signed_until is None or visit.signed_until <= now:
        return
    told = f"{visit.name} ({visit.subject})" if visit.name else visit.subject
    identity_checks.hold(tx, visit.ticket_id, Method.SIGNED_IN, until=visit.signed_until, note=told, now=now)
