"""What people change on a customer: fields, addresses, suppressions, merges and their undoing."""

from collections.abc import Awaitable, Callable
from datetime import datetime

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from agent_ui.forms import blank, read_form
from agent_ui.pages import customer_calls, number_flags
from agent_ui.pages.admin import choices, go
from agent_ui.pages.customers_profile import KINDS, may_edit, may_lift, render
from agent_ui.shell import page
from channels.sms import consent
from channels.sms.errors import OPTED_OUT
from contact_center.accounts.audit import record
from contact_center.accounts.web import locale_of, signed_in
from contact_center.core.clock import utcnow
from contact_center.core.errors import Forbidden, Invalid
from contact_center.core.i18n import mark
from contact_center.core.services import services
from tickets.customers import contacts, merge, profiles, unsubscribes
from tickets.states import ContactKind

LOCALES = {"": mark("Not known"), "en": mark("English"), "vi": mark("Vietnamese")}
LONGEST_REASON = 500
CUSTOMER = "/customers/{customer_id:int}"

Endpoint = Callable[[Request], Awaitable[Response]]


def routes() -> list[Route]:
    """The commands, each for those who may edit customers."""
    return [
        Route(f"{CUSTOMER}/edit", _guarded(edit), methods=["GET", "POST"]),
        Route(f"{CUSTOMER}/addresses", _guarded(add_address), methods=["POST"]),
        Route(f"{CUSTOMER}/addresses/{{point_id:int}}/remove", _guarded(remove_address), methods=["POST"]),
        Route(f"{CUSTOMER}/addresses/{{point_id:int}}/lift", _guarded(lift), methods=["POST"]),
        Route(f"{CUSTOMER}/addresses/{{point_id:int}}/confirm", _guarded(confirm_address), methods=["POST"]),
        Route(f"{CUSTOMER}/unsubscribes/{{unsubscribe_id:int}}/lift", _guarded(subscribe), methods=["POST"]),
        Route(f"{CUSTOMER}/addresses/{{point_id:int}}/flag", _guarded(number_flags.flag), methods=["POST"]),
        Route(f"{CUSTOMER}/addresses/{{point_id:int}}/unflag", _guarded(number_flags.unflag), methods=["POST"]),
        Route(f"{CUSTOMER}/addresses/{{point_id:int}}/call", _guarded(customer_calls.call), methods=["POST"]),
        Route(f"{CUSTOMER}/merge", _guarded(merge_with), methods=["POST"]),
        Route(f"{CUSTOMER}/merges/{{merge_id:int}}/undo", _guarded(undo_merge), methods=["POST"]),
    ]


def _guarded(endpoint: Endpoint) -> Endpoint:
    async def guarded(request: Request) -> Response:
        if not may_edit(request.state.person.role):
            raise Forbidden(
                "Your role ({role}) does not allow this. Ask an administrator.", role=request.state.person.role.value
            )
        return await endpoint(request)

    return signed_in(guarded)


async def edit(request: Request) -> Response:
    """The fields of a customer; whoever saves second sees that somebody was first."""
    held = services(request)
    customer_id = request.path_params["customer_id"]
    profile = await held.db.read(profiles.profile, customer_id, region=held.settings.region)
    locale = await locale_of(request)
    stored = {
        "name": profile.name,
        "company": profile.company,
        "locale": profile.locale or "",
        "vip": "1" if profile.vip else "",
        "note": profile.note,
        "version": str(profile.version),
    }
    form = await read_form(request) if request.method == "POST" else blank(locale, stored)
    if request.method == "POST":
        values = {
            "name": form.text("name", required=True, longest=120),
            "company": form.text("company", longest=120),
            "locale": form.one_of("locale", list(LOCALES)) or None,
            "vip": form.flag("vip"),
            "note": form.text("note", longest=profiles.LONGEST_NOTE),
        }
        version = form.number("version", 1, 2**31)
        if form.ok:
            saving = held.db.write(
                profiles.change,
                profile.id,
                values,
                version=version,
                user_id=request.state.person.id,
                now=utcnow(),
            )
            await form.attempt(saving)
        if form.ok:
            return go(f"/customers/{profile.id}", "saved")
        form.values["version"] = str(profile.version)
    return await page(
        request,
        "customers/edit.html",
        here="customers",
        status=200 if form.ok else 422,
        c=profile,
        form=form,
        locales=choices(locale, LOCALES),
    )


async def add_address(request: Request) -> Response:
    """One more address; one that somebody else has is refused with a hint to merge."""
    held = services(request)
    customer_id = request.path_params["customer_id"]
    form = await read_form(request)
    kind, address = form.one_of("kind", list(KINDS)), form.text("address", required=True)
    if form.ok:
        adding = held.db.write(
            profiles.add_address,
            customer_id,
            ContactKind(kind),
            address,
            user_id=request.state.person.id,
            now=utcnow(),
            region=held.settings.region,
        )
        await form.attempt(adding, name="address")
    return go(f"/customers/{customer_id}", "added") if form.ok else await render(request, form)


async def confirm_address(request: Request) -> Response:
    """Somebody had only typed it; a colleague knows that it is theirs."""
    await services(request).db.write(
        profiles.confirm_address, request.path_params["point_id"], user_id=request.state.person.id, now=utcnow()
    )
    return go(f"/customers/{request.path_params['customer_id']}", "saved")


async def remove_address(request: Request) -> Response:
    """Take away an address that was never used."""
    await services(request).db.write(
        profiles.remove_address, request.path_params["point_id"], user_id=request.state.person.id, now=utcnow()
    )
    return go(f"/customers/{request.path_params['customer_id']}", "removed")


async def lift(request: Request) -> Response:
    """Send to an address again; what the customer asked for is lifted by a supervisor, with a reason."""
    form = await read_form(request)
    role = request.state.person.role
    lifting = services(request).db.write(
        lift_suppression,
        request.path_params["point_id"],
        reason=form.text("reason", longest=LONGEST_REASON),
        opt_outs=may_lift(role),
        by=request.state.person.id,
        now=utcnow(),
    )
    await form.attempt(lifting)
    return go(f"/customers/{request.path_params['customer_id']}", "lifted") if form.ok else await render(request, form)


def lift_suppression(tx: Connection, point_id: int, *, reason: str, opt_outs: bool, by: int, now: datetime) -> None:
    """Lift a suppression, and audit who did and why."""
    if contacts.suppression(tx, point_id) == OPTED_OUT:
        if not opt_outs:
            raise Forbidden("The customer asked us to stop. Only a supervisor may send to this number again.")
        consent.lift(tx, point_id, reason=reason, user_id=by, now=now)
    else:
        contacts.lift(tx, point_id)
    details = {"reason": reason} if reason else None
    record(tx, "contact_point.lifted", f"contact_point:{point_id}", now=now, user_id=by, details=details)


async def subscribe(request: Request) -> Response:
    """Ask a customer again who had unsubscribed: a supervisor's choice, with a reason."""
    form = await read_form(request)
    if not may_lift(request.state.person.role):
        raise Forbidden("The customer asked us to stop. Only a supervisor may ask them again.")
    lifting = services(request).db.write(
        lift_unsubscribe,
        request.path_params["unsubscribe_id"],
        reason=form.text("reason", longest=LONGEST_REASON),
        by=request.state.person.id,
        now=utcnow(),
    )
    await form.attempt(lifting)
    return go(f"/customers/{request.path_params['customer_id']}", "lifted") if form.ok else await render(request, form)


def lift_unsubscribe(tx: Connection, unsubscribe_id: int, *, reason: str, by: int, now: datetime) -> None:
    """Lift it, and audit who did and why."""
    point_id = unsubscribes.lift(tx, unsubscribe_id, reason=reason, user_id=by, now=now)
    details = {"reason": reason}
    record(tx, "contact_point.subscribed", f"contact_point:{point_id}", now=now, user_id=by, details=details)


async def merge_with(request: Request) -> Response:
    """Make another customer a part of this one."""
    customer_id = request.path_params["customer_id"]
    form = await read_form(request)
    other = form.reference("other", required=True)
    if other is None:
        raise Invalid("Choose another customer to merge with.", field="customer_id")
    await services(request).db.write(
        merge.merge,
        customer_id,
        other,
        user_id=request.state.person.id,
        now=utcnow(),
        evidence=form.several("evidence"),
    )
    return go(f"/customers/{customer_id}", "merged")


async def undo_merge(request: Request) -> Response:
    """Make two customers of them again."""
    await services(request).db.write(
        merge.undo, request.path_params["merge_id"], user_id=request.state.person.id, now=utcnow()
    )
    return go(f"/customers/{request.path_params['customer_id']}", "unmerged")
