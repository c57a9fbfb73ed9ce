"""Invitations: messages that a widget shows by itself, by rules that the browser decides (static/invite.js)."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, Row, bindparam, delete, func, insert, select, update

from channels.chat.models import ChatInvitation
from contact_center.accounts import limits
from contact_center.core.errors import Conflict, NotFound
from routing import reach
from routing.pools import Medium
from tickets.inbound import Greeting

MOST = 20
TEXT_CHARACTERS = 200
REPORTS = 120
WINDOW = timedelta(minutes=10)


class Frequency(StrEnum):
    """How often one person sees an invitation."""

    VISITOR = "visitor"
    SESSION = "session"


_ORDER = (ChatInvitation.position, ChatInvitation.id)
_OF = select(ChatInvitation.__table__).where(ChatInvitation.account_id == bindparam("account")).order_by(*_ORDER)
_ACTIVE = _OF.where(ChatInvitation.active)
_COUNT = (
    update(ChatInvitation)
    .where(ChatInvitation.id == bindparam("invitation"), ChatInvitation.account_id == bindparam("account"))
    .values(
        shown=ChatInvitation.shown + bindparam("more_shown"),
        opened=ChatInvitation.opened + bindparam("more_opened"),
    )
)


def of(tx: Connection, account_id: int) -> Sequence[Row[Any]]:
    """All invitations of a widget, in their order."""
    return tx.execute(_OF, {"account": account_id}).all()


def find(tx: Connection, account_id: int, invitation_id: int) -> Row[Any]:
    """One invitation of a widget; NotFound if there is none."""
    row = tx.execute(
        select(ChatInvitation.__table__).where(
            ChatInvitation.id == invitation_id, ChatInvitation.account_id == account_id
        )
    ).first()
    if row is None:
        raise NotFound("There is no such invitation.")
    return row


def offered(tx: Connection, account_id: int, locale: str, *, sender: str) -> list[dict[str, Any]]:
    """What a browser needs to know of the active ones in its language; `always`: it need not ask for a person first."""
    rows = [row for row in tx.execute(_ACTIVE, {"account": account_id}) if row.texts.get(locale)]
    return [
        {
            "id": row.id,
            "name": row.sender or sender,
            "text": row.texts[locale],
            "page": row.page,
            "seconds": row.seconds,
            "exit": row.on_exit,
            "visits": row.visits,
            "once": row.frequency,
            "snooze": row.snooze_days,
            "always": row.always,
        }
        for row in rows
    ]


def answered_now(tx: Connection, queue_id: int, *, now: datetime) -> bool:
    """Whether somebody can answer a chat at this moment: asked when a rule fits, not when the page is made."""
    return reach.can_answer(tx, queue_id, Medium.CHAT, now=now)


def known(tx: Connection, account_id: int, invitation_id: int) -> int | None:
    """The invitation that a browser names, if it is one of this widget."""
    if not invitation_id:
        return None
    return tx.execute(
        select(ChatInvitation.id).where(ChatInvitation.id == invitation_id, ChatInvitation.account_id == account_id)
    ).scalar_one_or_none()


def greeting(tx: Connection, invitation_id: int, locale: str) -> Greeting | None:
    """What the invitation says, as the first entry of the conversation that answers it."""
    row = tx.execute(
        select(ChatInvitation.texts, ChatInvitation.sender).where(ChatInvitation.id == invitation_id)
    ).first()
    text = row.texts.get(locale) if row is not None else None
    return Greeting(text, {"chat_invitation": invitation_id, "sender": row.sender}) if row and text else None


def count(
    tx: Connection, account_id: int, counts: Mapping[int, tuple[int, int]], *, address: str, now: datetime
) -> None:
    """Add what one browser has shown and opened; TooMany when an address reports all the time."""
    limits.enforce(tx, f"chat.invitations:{address}", limit=REPORTS, window=WINDOW, now=now)
    for invitation_id, (shown, opened) in sorted(counts.items()):
        given = {"account": account_id, "invitation": invitation_id, "more_shown": shown, "more_opened": opened}
        tx.execute(_COUNT, given)


def answered(tx: Connection, invitation_id: int | None) -> None:
    """Somebody has written because of an invitation."""
    tx.execute(
        update(ChatInvitation).where(ChatInvitation.id == invitation_id).values(answered=ChatInvitation.answered + 1)
    )


def add(tx: Connection, account_id: int, values: Mapping[str, Any], *, now: datetime) -> int:
    """A new invitation behind the others; Conflict if a widget has too many."""
    there, last = tx.execute(
        select(func.count(), func.max(ChatInvitation.position)).where(ChatInvitation.account_id == account_id)
    ).one()
    if there >= MOST:
        raise Conflict("A widget has at most {most} invitations.", most=MOST)
    given = {**values, "account_id": account_id, "position": (last or 0) + 1, "created_at": now}
    new_id: int = tx.execute(insert(ChatInvitation).returning(ChatInvitation.id), given).scalar_one()
    return new_id


def change(tx: Connection, account_id: int, invitation_id: int, values: Mapping[str, Any]) -> None:
    """Change an invitation; its counts go on."""
    find(tx, account_id, invitation_id)
    tx.execute(update(ChatInvitation).where(ChatInvitation.id == invitation_id).values(**values))


def move(tx: Connection, account_id: int, invitation_id: int, *, up: bool) -> None:
    """Change places with the one before or after; nothing at an end of the list."""
    find(tx, account_id, invitation_id)
    ids = [row.id for row in of(tx, account_id)]
    at = ids.index(invitation_id)
    to = at - 1 if up else at + 1
    if 0 <= to < len(ids):
        ids[at], ids[to] = ids[to], ids[at]
        for position, one in enumerate(ids, 1):
            tx.execute(update(ChatInvitation).where(ChatInvitation.id == one).values(position=position))


def remove(tx: Connection, account_id: int, invitation_id: int) -> None:
    """Delete an invitation with its counts; conversations that came of it stay."""
    find(tx, account_id, invitation_id)
    tx.execute(delete(ChatInvitation).where(ChatInvitation.id == invitation_id))
