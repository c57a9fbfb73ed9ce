"""Makers of test data through the real use cases, with defaults that do not matter to the test."""

import itertools
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert

from contact_center.accounts.models import User
from contact_center.accounts.permissions import Role
from contact_center.core.secrets import Vault
from tests.conftest import NOW
from tickets import channel_accounts, intake, queues
from tickets.inbound import Address, InboundMessage, Receipt
from tickets.states import Channel, ContactKind

VAULT = Vault("tests-only-secret-tests-only-secret-0000")
_ids = itertools.count(1)


def unique(prefix: str) -> str:
    """A value nobody used before in this run."""
    return f"{prefix}{next(_ids)}"


def make_user(tx: Connection, *, name: str | None = None, role: Role = Role.AGENT, email: str | None = None) -> int:
    """A user whose password cannot be used (hashing one costs 20 ms)."""
    name = name or unique("Agent ")
    return tx.execute(
        insert(User).returning(User.id),
        {
            "email": email or f"{name.lower().replace(' ', '.')}@example.test",
            "name": name,
            "role": role.value,
            "password": "!",
            "preferences": {},
            "active": True,
            "created_at": NOW,
        },
    ).scalar_one()


def make_queue(tx: Connection, name: str | None = None, **values: Any) -> int:
    return queues.create(tx, name or unique("Queue "), now=NOW, **values)


def make_account(tx: Connection, channel: Channel = Channel.SMS, *, queue_id: int | None = None, **values: Any) -> int:
    """A channel account, with a queue of its own if none is given."""
    addresses = {
        Channel.EMAIL: "support@shop.test",
        Channel.SMS: "+15005550006",
        Channel.PHONE: "+15005550007",
        Channel.WHATSAPP: "+15005550008",
    }
    return channel_accounts.create(
        tx,
        VAULT,
        **{
            "channel": channel,
            "name": unique(channel.value),
            "address": addresses.get(channel) or unique(channel.value),
            "queue_id": queue_id or make_queue(tx),
            "now": NOW,
            **values,
        },
    )


def inbound(account_id: int, **values: Any) -> InboundMessage:
    """An inbound SMS, or whatever `values` say."""
    channel = values.pop("channel", Channel.SMS)
    sender = values.pop("sender", "+4915112345678")
    kinds = {Channel.EMAIL: ContactKind.EMAIL, Channel.CHAT: ContactKind.VISITOR}
    return InboundMessage(
        **{
            "channel": channel,
            "account_id": account_id,
            "external_id": unique("ext-"),
            "sender": Address(kinds.get(channel, ContactKind.PHONE), sender),
            "text": "Where is my order?",
            "thread_key": None if channel is Channel.EMAIL else sender,
            **values,
        }
    )


def make_ticket(tx: Connection, *, account_id: int | None = None, now: datetime = NOW, **values: Any) -> Receipt:
    """A ticket opened by an inbound message."""
    account_id = account_id or make_account(tx, values.get("channel", Channel.SMS))
    return intake.receive(tx, inbound(account_id, **values), now=now)
