"""Live calls on the floor of `floor.py`: a customer talks with somebody here, without a carrier behind it."""

from typing import Any

from sqlalchemy import Connection, insert, select, update
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from channels.phone import calls, legs, lines
from channels.phone.legs import LegState, Role
from channels.phone.models import Call
from channels.phone.parse import CallReport
from channels.phone.states import Direction, Facts
from contact_center.accounts.models import User
from contact_center.core.clock import utcnow
from contact_center.core.services import services
from tests.factories import make_account, unique
from tickets.customers import contacts
from tickets.customers.recognise import refresh_search
from tickets.inbound import Address
from tickets.models import ChannelAccount, Queue
from tickets.states import Channel, ContactKind

CUSTOMER = "+84903123456"


async def begin(request: Request) -> Response:
    """?ticket_id=&who=: this person and the customer of the ticket talk."""
    asked = request.query_params

    def talk(tx: Connection) -> int:
        now = utcnow()
        found = select(ChannelAccount.id).where(ChannelAccount.channel == Channel.PHONE.value)
        account_id = tx.execute(found).scalar() or make_account(tx, Channel.PHONE)
        user_id = tx.execute(select(User.id).where(User.email == f"{asked['who']}@shop.test")).scalar_one()
        values: dict[str, Any] = {"external_id": unique("CA"), "source": "twilio", "direction": "in", "live": True}
        values |= {"number": CUSTOMER, "ticket_id": int(asked["ticket_id"]), "user_id": user_id, "state": "answered"}
        values |= {"rang_at": now, "answered_at": now, "created_at": now, "channel_account_id": account_id}
        call_id: int = tx.execute(insert(Call).values(**values).returning(Call.id)).scalar_one()
        here = {"state": LegState.JOINED, "now": now}
        legs.add_leg(tx, call_id, Role.CALLER, client_key=f"caller-{call_id}", **here)
        ours = {"client_key": f"agent-{call_id}", "number": "+842811112222", "user_id": user_id}
        legs.add_leg(tx, call_id, Role.AGENT, **ours, **here)
        return call_id

    return JSONResponse({"call_id": await services(request).db.write(talk)})


async def ring(request: Request) -> Response:
    """?number=&name=&other=: this number calls, which nobody has; a customer of this name has the other one."""
    asked = request.query_params

    def receive(tx: Connection) -> int:
        now = utcnow()
        known = contacts.find_or_create(tx, Address(ContactKind.PHONE, asked["other"], asked["name"]), now=now)
        refresh_search(tx, known.customer_id)
        queue_id = tx.execute(select(Queue.id).where(Queue.name == "Orders")).scalar_one()
        found = select(ChannelAccount.id).where(ChannelAccount.channel == Channel.PHONE.value)
        account_id = tx.execute(found).scalar() or make_account(tx, Channel.PHONE)
        rings = {"queue_id": queue_id, "settings": {"ring_agents": True}}
        tx.execute(update(ChannelAccount).where(ChannelAccount.id == account_id).values(**rings))
        line = lines.line_by_id(tx, account_id, source="twilio")
        key = unique("CA")
        report = CallReport(key, "AC1", Direction.IN, asked["number"], "+15005550007", Facts(rang_at=now))
        calls.receive(tx, line, report, journal_id=None, now=now)
        ticket_id: int = tx.execute(select(Call.ticket_id).where(Call.external_id == key)).scalar_one()
        return ticket_id

    return JSONResponse({"ticket_id": await services(request).db.write(receive)})


async def end(request: Request) -> Response:
    """?call_id=: everybody hangs up."""
    call_id = int(request.query_params["call_id"])

    def over(tx: Connection) -> None:
        tx.execute(update(Call).where(Call.id == call_id).values(ending="hung_up", ended_at=utcnow()))
        for leg in legs.legs_of(tx, call_id):
            legs.move_leg(tx, leg.id, LegState.LEFT, now=utcnow())

    await services(request).db.write(over)
    return JSONResponse({})


ROUTES = [Route("/test/call/ring", ring), Route("/test/call", begin), Route("/test/call/end", end)]
