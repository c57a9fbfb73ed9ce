"""A visit as edges and renderers hold it, and the ids that it gives to messages."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Visit:
    """One customer's conversation in one browser.

    `key` is the thread key of its ticket. `from_seq`: what the ticket held before this visit came to it (a merge) is
    not shown, because nobody has proved who sits at this browser.
    """

    id: int
    key: str
    account_id: int
    customer_id: int
    ticket_id: int | None
    name: str
    email: str
    locale: str
    from_seq: int = 1
    # The customer's id on the website that has vouched for them; None: nobody knows who writes.
    subject: str | None = None
    # The invitation that the first message answers.
    invitation_id: int | None = None
    # Of what the customer has chosen: where the matter goes; None: to the widget's own queue.
    queue_id: int | None = None
    topic_id: int | None = None
    # Until when the website vouches for them.
    signed_until: datetime | None = None


def external_id(visit_key: str, client_id: str) -> str:
    """A message's external id, unique within the widget: `visit:client_id`."""
    return f"{visit_key}:{client_id}"


def client_id_of(visit: Visit, external: str | None) -> str | None:
    """The client id in an external id of this visit; None for anything else."""
    key, _, client_id = (external or "").partition(":")
    return client_id if key == visit.key and client_id else None
