"""Why a target was missed or is in danger: the clocks of a ticket told by who held it, out of its timeline."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, select

from contact_center.accounts.models import User
from contact_center.core.errors import NotFound
from tickets.models import Message, Queue, Ticket
from tickets.service_levels import terms_of
from tickets.sla import SlaState, overall
from tickets.sla_clocks import clocks_of
from tickets.sla_explain import Explanation, Phase, Stage, explain
from tickets.states import MessageKind

TELLING = frozenset({"assigned", "unassigned", "queue_changed"})


def explanations(tx: Connection, ticket_id: int, *, now: datetime) -> list[Explanation]:
    """Every clock of a ticket with its stretches, in the order of their start; six statements."""
    ticket = tx.execute(select(Ticket.created_at, Ticket.queue_id).where(Ticket.id == ticket_id)).first()
    if ticket is None:
        raise NotFound("There is no such ticket.")
    stages = list(_stages(tx, ticket_id, ticket))
    calendar = terms_of(tx, ticket.queue_id).calendar
    return [explain(clock, calendar, stages, now) for clock in clocks_of(tx, ticket_id)]


def standing(tx: Connection, ticket_id: int, *, now: datetime) -> SlaState:
    """How the ticket stands by all its targets together; pending too when it has none."""
    queue_id = tx.execute(select(Ticket.queue_id).where(Ticket.id == ticket_id)).scalar_one()
    promised = [clock for clock in clocks_of(tx, ticket_id) if clock.target is not None]
    return overall(promised, terms_of(tx, queue_id).calendar, now)


def _stages(tx: Connection, ticket_id: int, ticket: Row[datetime, int]) -> Iterator[Stage]:
    rows = tx.execute(
        select(Message.meta, Message.created_at)
        .where(Message.ticket_id == ticket_id, Message.kind == MessageKind.EVENT.value)
        .order_by(Message.seq)
    ).all()
    changes = [row for row in rows if row.meta.get("name") in TELLING]
    first_move = next((row.meta for row in changes if row.meta["name"] == "queue_changed"), None)
    queue_id = first_move["from_queue_id"] if first_move else ticket.queue_id
    queues = _names(tx, Queue, {queue_id, *(row.meta.get("to_queue_id") for row in changes)})
    agents = _names(tx, User, {row.meta.get("to_user_id") for row in changes})
    stage = Stage(ticket.created_at, Phase.WAITING, queues.get(queue_id, ""))
    yield stage
    for row in changes:
        stage = _after(stage, row.meta, row.created_at, queues, agents)
        yield stage


def _after(
    stage: Stage, meta: Mapping[str, Any], at: datetime, queues: Mapping[int, str], agents: Mapping[int, str]
) -> Stage:
    match meta["name"]:
        case "assigned":
            return Stage(at, Phase.OWNED, stage.queue, agents.get(meta["to_user_id"], ""))
        case "unassigned":
            return Stage(at, Phase.WAITING, stage.queue)
        case _:
            return Stage(at, stage.phase, queues.get(meta["to_queue_id"], ""), stage.agent)


def _names(tx: Connection, model: type[Queue | User], ids: set[int | None]) -> dict[int, str]:
    wanted = [each for each in ids if each is not None]
    if not wanted:
        return {}
    return {row[0]: row[1] for row in tx.execute(select(model.id, model.name).where(model.id.in_(wanted)))}
