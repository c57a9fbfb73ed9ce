"""One customer: who they are, every address, everything that happened over all channels, orders, duplicates."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, func, select
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from agent_ui.forms import Form, blank
from agent_ui.pages.admin import choices, done_text
from agent_ui.pages.context import HINTS
from agent_ui.shell import page
from channels.phone import placing
from channels.sms import consent
from channels.sms.errors import OPTED_OUT
from contact_center.accounts.permissions import Permission, Role, may
from contact_center.accounts.web import locale_of, signed_in
from contact_center.core.i18n import mark
from contact_center.core.services import services
from tickets.customers import events, merge, profiles, suggestions, timeline, unsubscribes
from tickets.customers.duplicates import Hint, Suggestion
from tickets.customers.names import display_name
from tickets.customers.profiles import Profile
from tickets.customers.timeline import History
from tickets.customers.wrong_person import NOT_THIS_PERSON
from tickets.models import ContactPoint, Customer, Ticket
from tickets.numbers import number_of
from tickets.quality.models import Complaint, Survey
from tickets.states import RESTING_STATUSES, ContactKind

MOST_TICKETS = 12
ALL_HINTS = {
    **HINTS,
    Hint.OTHER_NAME: mark("but another name"),
    Hint.OTHER_EXTERNAL_ID: mark("but another customer number"),
}
KINDS = {ContactKind.EMAIL.value: mark("E-mail"), ContactKind.PHONE.value: mark("Phone")}
SUPPRESSIONS = {
    "hard_bounce": mark("mail to it came back"),
    "opted_out": mark("asked us to stop"),
    NOT_THIS_PERSON: mark("not this person"),
}
DONE = [status.value for status in RESTING_STATUSES]


def routes() -> list[Route]:
    """/customers/{id}."""
    return [Route("/customers/{customer_id:int}", signed_in(show, Permission.VIEW_TICKETS), methods=["GET"])]


def may_edit(role: Role) -> bool:
    """Whether a role may change customers: whoever handles work, and administrators."""
    return may(role, Permission.HANDLE) or may(role, Permission.ADMINISTER)


def may_lift(role: Role) -> bool:
    """Whether a role may open a number again that had opted out: supervisors and administrators."""
    return may(role, Permission.ASSIGN_OTHERS) or may(role, Permission.ADMINISTER)


@dataclass(frozen=True, slots=True)
class Opened:
    """Everything on a customer's page; `others` are the names and addresses behind the suggestions."""

    profile: Profile
    tickets: Sequence[Row[*tuple[Any, ...]]]
    history: History
    orders: Sequence[Row[Any]]
    suggestions: Sequence[tuple[Suggestion, str]]
    merges: Sequence[Row[Any]]
    rating: float | None
    ratings: int
    complaints: int
    consents: Sequence[Row[*tuple[Any, ...]]]
    unsubscribes: Sequence[Row[*tuple[Any, ...]]]


def open_customer(tx: Connection, customer_id: int, *, cursor: str | None, region: str) -> Opened:
    """A customer by id; a constant number of statements."""
    profile = profiles.profile(tx, customer_id, region=region)
    answers = tx.execute(
        select(func.avg(Survey.rating), func.count(Survey.rating)).where(
            Survey.customer_id == profile.id, Survey.rating.is_not(None)
        )
    ).one()
    complaints = select(func.count()).select_from(Complaint).join(Ticket, Ticket.id == Complaint.ticket_id)
    found = suggestions.possible_duplicates(tx, profile.id, region=region)
    return Opened(
        profile=profile,
        tickets=tx.execute(
            select(Ticket.id, Ticket.subject, Ticket.status, Ticket.channel, Ticket.updated_at)
            .where(Ticket.customer_id == profile.id, Ticket.status.not_in(DONE))
            .order_by(Ticket.updated_at.desc())
            .limit(MOST_TICKETS)
        ).all(),
        history=timeline.history(tx, profile.id, cursor=cursor),
        orders=events.events_of(tx, profile.id, limit=8),
        suggestions=_named(tx, found[:5]),
        merges=merge.merges_of(tx, profile.id),
        rating=float(answers[0]) if answers[1] else None,
        ratings=answers[1],
        consents=consent.ledger(tx, profile.id),
        unsubscribes=unsubscribes.ledger(tx, profile.id),
        complaints=tx.execute(complaints.where(Ticket.customer_id == profile.id)).scalar_one(),
    )


def _named(tx: Connection, found: Sequence[Suggestion]) -> list[tuple[Suggestion, str]]:
    ids = [one.customer_id for one in found]
    rows = tx.execute(
        select(Customer.id, Customer.name, ContactPoint.kind, ContactPoint.value)
        .outerjoin(ContactPoint, ContactPoint.customer_id == Customer.id)
        .where(Customer.id.in_(ids))
        .order_by(Customer.id, ContactPoint.id)
    )
    names: dict[int, str] = {}
    for row in rows:
        shown = row.name or (display_name("", ContactKind(row.kind), row.value) if row.kind else f"#{row.id}")
        names.setdefault(row.id, shown)
    return [(one, names.get(one.customer_id, f"#{one.customer_id}")) for one in found]


async def show(request: Request) -> Response:
    """The customer; one who was merged leads to whom they were merged into."""
    return await render(request, None)


async def render(request: Request, form: Form | None) -> Response:
    """The customer's page; `form` holds what was refused."""
    held = services(request)
    customer_id = request.path_params["customer_id"]
    cursor = request.query_params.get("cursor") or None
    opened = await held.db.read(open_customer, customer_id, cursor=cursor, region=held.settings.region)
    if opened.profile.id != customer_id:
        return RedirectResponse(f"/customers/{opened.profile.id}", 303)
    locale = await locale_of(request)
    editor = may_edit(request.state.person.role)
    return await page(
        request,
        "customers/profile.html",
        here="customers",
        status=200 if form is None else 422,
        c=opened.profile,
        opened=opened,
        number_of=number_of,
        hints=ALL_HINTS,
        suppressions=SUPPRESSIONS,
        kinds=choices(locale, KINDS),
        form=form or blank(locale, {"kind": ContactKind.EMAIL.value}),
        may_edit=editor,
        may_call=editor and await held.db.read(placing.can_call),
        call_key=secrets.token_hex(8),
        may_lift=may_lift(request.state.person.role),
        opted_out=OPTED_OUT,
        done=done_text(request, locale),
        first_page=cursor is None,
        older=f"/customers/{customer_id}?cursor={opened.history.cursor}#history" if opened.history.cursor else "",
    )
