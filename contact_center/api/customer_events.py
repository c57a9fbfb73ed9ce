"""`POST /api/v1/customers/events`: a shop tells us about orders and the like. See docs/customer-events.md."""

import hmac
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError
from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from contact_center.core.clock import utcnow
from contact_center.core.errors import DomainError, Invalid
from contact_center.core.services import services
from contact_center.core.web import problem
from tickets.customers import events
from tickets.customers.identities import BadAddress, normalise
from tickets.customers.recognise import Person, recognise
from tickets.states import ContactKind

MOST_EVENTS = 500
Text = Annotated[str, Field(max_length=500)]


class Who(BaseModel):
    """Whom an event is about; at least one of external_id, email and phone."""

    model_config = ConfigDict(extra="forbid")

    external_id: Text | None = None
    email: Text | None = None
    phone: Text | None = None
    name: Text = ""


class EventIn(BaseModel):
    """One event as it comes over the wire."""

    model_config = ConfigDict(extra="forbid")

    external_id: Text
    kind: Text
    title: Text
    customer: Who
    occurred_at: AwareDatetime
    state: Text = ""
    amount: Decimal | None = None
    currency: Text = ""
    url: Text = ""
    data: dict[str, Any] = {}


class Batch(BaseModel):
    """Up to 500 events that are taken together or not at all."""

    model_config = ConfigDict(extra="forbid")

    events: Annotated[list[EventIn], Field(min_length=1, max_length=MOST_EVENTS)]


def routes() -> list[BaseRoute]:
    """The routes of this resource."""
    return [Route("/api/v1/customers/events", receive, methods=["POST"])]


async def receive(request: Request) -> Response:
    """Take one event or a batch, in one transaction; sending the same again changes nothing."""
    token = services(request).settings.events_token
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    if not token:
        return problem(404, "not_configured", "Set CONTACT_CENTER_EVENTS_TOKEN to switch this endpoint on.")
    if scheme.lower() != "bearer" or not hmac.compare_digest(given.encode(), token.encode()):
        response = problem(401, "unauthorized", "A valid bearer token is needed.")
        response.headers["www-authenticate"] = "Bearer"
        return response
    try:
        # A union of models would report the mistakes of both; the shape decides which one is meant.
        body = await request.json()
        batch = isinstance(body, dict) and "events" in body
        told = Batch.model_validate(body).events if batch else [EventIn.model_validate(body)]
    except ValidationError as error:
        return problem(422, "invalid", "These events cannot be read.", errors=_mistakes(error))
    except ValueError:
        return problem(400, "bad_json", "The body is not JSON.")
    db = services(request).db
    results = await db.write(_record_all, told, region=services(request).settings.region, now=utcnow())
    return JSONResponse({"results": results})


def _record_all(tx: Connection, told: list[EventIn], *, region: str, now: datetime) -> list[dict[str, Any]]:
    results = []
    for number, event in enumerate(told):
        try:
            found = recognise(tx, _person(event.customer, region), now=now)
            outcome = events.record(
                tx,
                found.customer_id,
                external_id=event.external_id,
                kind=event.kind,
                title=event.title,
                occurred_at=event.occurred_at.astimezone(UTC),
                now=now,
                state=event.state,
                amount=event.amount,
                currency=event.currency,
                url=event.url,
                data=event.data,
            )
        except DomainError as error:
            raise Invalid(
                "Event {number}: {why}", number=number, why=error.detail, field=getattr(error, "field", "")
            ) from error
        results.append(
            {
                "external_id": event.external_id,
                "customer_id": found.customer_id,
                "outcome": outcome.value,
                "taken_addresses": list(found.taken),
            }
        )
    return results


def _person(who: Who, region: str) -> Person:
    points = []
    for kind, raw in ((ContactKind.EMAIL, who.email), (ContactKind.PHONE, who.phone)):
        if raw:
            try:
                points.append((kind, normalise(kind, raw, region=region)))
            except BadAddress as error:
                raise Invalid(str(error), field=f"customer.{kind.value}") from error
    return Person(who.external_id, tuple(points), who.name)


def _mistakes(error: ValidationError) -> list[dict[str, str]]:
    return [
        {"field": ".".join(str(part) for part in mistake["loc"]), "detail": mistake["msg"]}
        for mistake in error.errors(include_url=False, include_input=False)
    ]
