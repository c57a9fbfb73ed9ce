"""Calls of blocked numbers: a line of the ledger that says so, and nothing else."""

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, select

from channels.phone.models import Call
from channels.phone.states import CallState, Direction
from tickets import blocks
from tickets.inbound import Address


def is_stopped(tx: Connection, call: Row[Any], sender: Address, *, now: datetime) -> bool:
    """Whether a block stands against a customer's call that has no conversation yet; each call is counted once."""
    if call.state == CallState.BLOCKED.value:
        return True
    if call.ticket_id is not None or call.direction == Direction.OUT.value:
        return False
    block = blocks.against(tx, sender, now=now)
    if block is not None:
        blocks.count(tx, block.id, now=now)
    return block is not None


def was_stopped(tx: Connection, account_id: int, external_id: str) -> bool:
    """Whether a line's call, by the exchange's id, was stopped."""
    own = (Call.channel_account_id == account_id, Call.external_id == external_id)
    return tx.execute(select(Call.id).where(*own, Call.state == CallState.BLOCKED.value)).first() is not None
