"""What a list of tickets holds and how it is sorted: the built-in views, and filters that somebody has set."""

from dataclasses import dataclass
from enum import StrEnum

from tickets.states import Channel, Kind, Priority, Status


class Order(StrEnum):
    """How a list is sorted."""

    WAITING = "waiting"  # the customer who has waited longest first
    SLA = "sla"  # the target that ends soonest first
    NEWEST = "newest"  # the last change first


class View(StrEnum):
    """The lists that everybody has."""

    MINE = "mine"
    MINE_WAITING = "mine_waiting"
    UNASSIGNED = "unassigned"
    OPEN = "open"
    WAITING = "waiting"
    LATE = "late"
    RESOLVED = "resolved"
    SPAM = "spam"
    NEWSLETTERS = "newsletters"
    ALL = "all"


OPEN = (Status.NEW, Status.OPEN)
WAITING = (Status.PENDING, Status.ON_HOLD, Status.SNOOZED)


@dataclass(frozen=True, slots=True)
class Filters:
    """What a ticket must match; an empty part matches all. `late` wants a missed or broken target.

    What is kept apart is in lists that ask for it by its status or by its customer, and in no other.
    """

    statuses: tuple[Status, ...] = ()
    queue_ids: tuple[int, ...] = ()
    channels: tuple[Channel, ...] = ()
    priorities: tuple[Priority, ...] = ()
    kinds: tuple[Kind, ...] = ()
    topic_ids: tuple[int, ...] = ()
    tag: str = ""
    assignee_id: int | None = None
    unassigned: bool = False
    customer_id: int | None = None
    late: bool = False


def filters_of(view: View, user_id: int) -> Filters:
    """What a built-in view holds for this user."""
    return {
        View.MINE: Filters(OPEN, assignee_id=user_id),
        View.MINE_WAITING: Filters(WAITING, assignee_id=user_id),
        View.UNASSIGNED: Filters(OPEN, unassigned=True),
        View.OPEN: Filters(OPEN),
        View.WAITING: Filters(WAITING),
        View.LATE: Filters(late=True),
        View.RESOLVED: Filters((Status.RESOLVED,)),
        View.SPAM: Filters((Status.SPAM,)),
        View.NEWSLETTERS: Filters((Status.NEWSLETTER,)),
        View.ALL: Filters(),
    }[view]
