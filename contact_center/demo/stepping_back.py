"""A person at the agent's door gets what people write: the simulated colleagues step back."""

from datetime import datetime, timedelta
from functools import partial

from sqlalchemy import Connection, select

from contact_center.demo.checklist import SIMULATED
from contact_center.demo.colleagues import attempt
from routing import handling, offers
from routing.models import AgentConnection, AgentState, Offer
from routing.states import Presence
from tickets.models import Customer, Ticket

# So new a matter must be.
STEP_BACK = timedelta(seconds=12)


def step_back(tx: Connection, simulated: set[int], now: datetime) -> None:
    """While a person is available as an agent, colleagues leave people's own new matters to them."""
    person_id = tx.execute(
        select(AgentState.user_id)
        .join(AgentConnection, AgentConnection.user_id == AgentState.user_id)
        .where(AgentState.presence == Presence.AVAILABLE.value)
        .limit(1)
    ).scalar()
    if person_id is None:
        return
    own = (Ticket.created_at > now - STEP_BACK, Customer.attributes[SIMULATED].as_boolean().is_not(True))
    of_customer = Customer.id == Ticket.customer_id
    offered = select(Offer.id, Offer.agent_id).join(Ticket, Ticket.id == Offer.ticket_id).join(Customer, of_customer)
    for row in tx.execute(offered.where(Offer.state == "offered", Offer.agent_id.in_(simulated), *own)).all():
        attempt(partial(_hand_back, row.id, row.agent_id), tx, now)
    # Mail is assigned without an offer.
    assigned = select(Ticket.id).join(Customer, of_customer).where(Ticket.assignee_id.in_(simulated), *own)
    for ticket_id in tx.execute(assigned).scalars().all():
        attempt(partial(_give, ticket_id, person_id), tx, now)


def _hand_back(offer_id: int, agent_id: int, tx: Connection, now: datetime) -> None:
    offers.decline(tx, offer_id, agent_id, "Left to you", now=now)


def _give(ticket_id: int, person_id: int, tx: Connection, now: datetime) -> None:
    handling.assign(tx, ticket_id, person_id, by_user_id=None, now=now)
