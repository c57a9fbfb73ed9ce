"""What an agent's screens read of routing, each in a fixed number of statements."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, func, select

from routing import contacts
from routing.models import AgentState, Decision, Offer, PresenceEntry, Skill, WorkItem
from routing.pools import Medium, Pool, PoolName
from routing.states import Activity, OfferState, Presence, WorkItemState
from tickets.customers.names import display_name
from tickets.models import ContactPoint, Customer, Queue, Ticket
from tickets.states import ContactKind

TODAY = timedelta(hours=24)
_CARD = (
    select(
        Offer.id.label("offer_id"),
        Offer.work_item_id,
        Offer.ticket_id,
        Offer.offered_at,
        Offer.expires_at,
        Offer.queue_id,
        Queue.name.label("queue"),
        WorkItem.medium,
        WorkItem.pool,
        WorkItem.priority,
        WorkItem.waiting_since,
        WorkItem.enqueued_at,
        WorkItem.transfers,
        WorkItem.skills,
        WorkItem.wishes,
        Ticket.subject,
        Ticket.preview,
        Ticket.channel,
        Ticket.locale,
        Ticket.locale_share,
        Customer.name.label("customer"),
        ContactPoint.kind.label("address_kind"),
        ContactPoint.value.label("address"),
        Customer.vip,
        Decision.record,
    )
    .join(WorkItem, WorkItem.id == Offer.work_item_id)
    .join(Ticket, Ticket.id == Offer.ticket_id)
    .join(Customer, Customer.id == Ticket.customer_id)
    .join(Queue, Queue.id == Offer.queue_id)
    .outerjoin(ContactPoint, ContactPoint.id == Ticket.contact_point_id)
    .outerjoin(Decision, Decision.offer_id == Offer.id)
)


@dataclass(frozen=True, slots=True)
class OfferCard:
    """All that the offer card shows. `why` is the record behind "why me"; `skills` are names."""

    offer_id: int
    work_item_id: int
    ticket_id: int
    queue_id: int
    queue: str
    medium: Medium
    priority: str
    customer: str
    vip: bool
    subject: str
    preview: str
    skills: tuple[str, ...]
    waiting_since: datetime
    enqueued_at: datetime
    offered_at: datetime
    expires_at: datetime
    transfers: int
    # The customer's language, and how sure their words made us of it (None: their channel or a person said it).
    locale: str | None
    locale_share: float | None
    why: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class WrapUp:
    """A contact that is over and waits for its disposition or its timer."""

    work_item_id: int
    ticket_id: int
    medium: Medium
    ended_at: datetime
    wrap_until: datetime


@dataclass(frozen=True, slots=True)
class OwnState:
    """An agent's own state, for the top bar. `missed`: the last offer ran out and they have not come back since."""

    presence: Presence
    reason: str | None
    since: datetime
    next_presence: Presence | None
    next_reason: str | None
    media: frozenset[Medium]
    live: Pool
    deferred: Pool
    live_items: int
    deferred_items: int
    activity: Activity
    connected: bool
    offers: tuple[OfferCard, ...]
    wrap_ups: tuple[WrapUp, ...]

    @property
    def missed(self) -> bool:
        return self.presence is Presence.NOT_RESPONDING


def own_state(tx: Connection, user_id: int, now: datetime) -> OwnState | None:
    """An agent's presence, load, open offers and wrap-ups; None for people who are not on the floor."""
    row = tx.execute(select(AgentState.__table__).where(AgentState.user_id == user_id)).first()
    if row is None:
        return None
    items = tx.execute(items_in_hand().where(WorkItem.agent_id == user_id)).all()
    wraps = tuple(
        WrapUp(item.id, item.ticket_id, Medium(item.medium), item.ended_at, item.wrap_until)
        for item in items
        if item.state == WorkItemState.WRAPPING.value
    )
    live, deferred = counts(items)
    return OwnState(
        presence=Presence(row.presence),
        reason=row.reason,
        since=row.since,
        next_presence=Presence(row.next_presence) if row.next_presence else None,
        next_reason=row.next_reason,
        media=frozenset(medium for medium in Medium if medium.value not in row.media_off),
        live=Pool(row.live_capacity, row.live_held),
        deferred=Pool(row.deferred_capacity, row.deferred_held),
        live_items=live,
        deferred_items=deferred,
        activity=activity_of(items),
        connected=row.lost_at is None,
        offers=open_offers(tx, user_id),
        wrap_ups=wraps,
    )


def open_offers(tx: Connection, user_id: int) -> tuple[OfferCard, ...]:
    """The offers that an agent has on screen, oldest first."""
    rows = tx.execute(
        _CARD.where(Offer.agent_id == user_id, Offer.state == OfferState.OFFERED.value).order_by(Offer.id)
    ).all()
    if not rows:
        return ()
    names = {row.id: row.name for row in tx.execute(select(Skill.id, Skill.name))}
    return tuple(_card(row, names) for row in rows)


def work_of(tx: Connection, ticket_id: int) -> Row[Any] | None:
    """The newest work item of a ticket, open or not."""
    return tx.execute(
        select(WorkItem.__table__).where(WorkItem.ticket_id == ticket_id).order_by(WorkItem.id.desc()).limit(1)
    ).first()


def wait_before_transfer(tx: Connection, queue_id: int, medium: Medium, now: datetime) -> tuple[int, int | None]:
    """What a transfer there would mean: how many wait, and the average wait of the last hour in seconds."""
    waiting = tx.execute(
        select(func.count())
        .select_from(WorkItem)
        .where(WorkItem.queue_id == queue_id, WorkItem.state == WorkItemState.QUEUED.value)
    ).scalar_one()
    return waiting, contacts.average_wait(tx, queue_id, medium.value, now=now)


def presence_timeline(tx: Connection, user_id: int, since: datetime) -> list[Row[Any]]:
    """An agent's presences that were not over at `since`, oldest first."""
    return list(
        tx.execute(
            select(PresenceEntry.__table__)
            .where(
                PresenceEntry.user_id == user_id,
                PresenceEntry.ended_at.is_(None) | (PresenceEntry.ended_at > since),
            )
            .order_by(PresenceEntry.started_at, PresenceEntry.id)
        )
    )


def activity_of(items: Sequence[Row[Any]]) -> Activity:
    """What somebody with this work in hand is doing; deferred work counts only while it is in focus, which the
    screen knows."""
    states = {(item.pool, item.state) for item in items}
    live = PoolName.LIVE.value
    if (live, WorkItemState.ASSIGNED.value) in states:
        return Activity.ON_CONTACT
    if (live, WorkItemState.RESERVED.value) in states:
        return Activity.INCOMING
    return Activity.ACW if (live, WorkItemState.WRAPPING.value) in states else Activity.IDLE


def items_in_hand() -> Any:
    """The statement that finds offered, owned and wrapping work."""
    states = [WorkItemState.RESERVED.value, WorkItemState.ASSIGNED.value, WorkItemState.WRAPPING.value]
    return select(
        WorkItem.id,
        WorkItem.ticket_id,
        WorkItem.agent_id,
        WorkItem.medium,
        WorkItem.pool,
        WorkItem.state,
        WorkItem.ended_at,
        WorkItem.wrap_until,
    ).where(WorkItem.state.in_(states))


def counts(items: Sequence[Row[Any]]) -> tuple[int, int]:
    """(live, deferred) pieces of work."""
    live = sum(1 for item in items if item.pool == PoolName.LIVE.value)
    return live, len(items) - live


def _by_address(row: Any) -> str:
    """A nameless customer by their number or address; a visitor's tells people nothing."""
    kind = ContactKind(row.address_kind or ContactKind.VISITOR)
    return "" if kind is ContactKind.VISITOR else display_name("", kind, row.address)


def _card(row: Any, names: Mapping[int, str]) -> OfferCard:
    wanted = [skill for skill, _ in row.skills] + list(row.wishes)
    return OfferCard(
        offer_id=row.offer_id,
        work_item_id=row.work_item_id,
        ticket_id=row.ticket_id,
        queue_id=row.queue_id,
        queue=row.queue,
        medium=Medium(row.medium),
        priority=row.priority,
        customer=row.customer or _by_address(row),
        vip=row.vip,
        subject=row.subject,
        preview=row.preview,
        skills=tuple(names[skill] for skill in wanted if skill in names),
        waiting_since=row.waiting_since,
        enqueued_at=row.enqueued_at,
        offered_at=row.offered_at,
        expires_at=row.expires_at,
        transfers=row.transfers,
        locale=row.locale,
        locale_share=row.locale_share,
        why=row.record or {},
    )
