"""Administration of queues: hours, promises, acceptance, what customers are sent, and how work is handed out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, func, select
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from agent_ui.forms import Form, blank, read_form
from agent_ui.pages import below
from agent_ui.pages.admin import admin_page, administer, choices, go
from agent_ui.views import Choice
from channels.email.signature import LONGEST, PLACEHOLDERS, check
from contact_center.accounts.audit import record
from contact_center.accounts.web import locale_of
from contact_center.core.clock import utcnow
from contact_center.core.errors import Conflict, Invalid, NotFound
from contact_center.core.i18n import gettext, mark
from contact_center.core.services import services
from routing import queue_rules, queue_settings
from routing.facts import Acceptance, Ordering, Selection
from routing.models import ProfileRow
from routing.pools import Medium
from tickets import queues
from tickets.models import Calendar, ChannelAccount, Queue, SlaPolicy

SELECTIONS = {
    Selection.LONGEST_IDLE.value: mark("Who has been idle longest"),
    Selection.MOST_SPARE.value: mark("Who has the most room"),
    Selection.ROUND_ROBIN.value: mark("In turn"),
}
ORDERINGS = {
    Ordering.AGE.value: mark("What has waited longest"),
    Ordering.TIME_TO_BREACH.value: mark("What is due soonest"),
}
ACCEPTANCES = {
    Acceptance.OFFER.value: mark("The agent is asked and accepts"),
    Acceptance.AUTO.value: mark("It simply arrives"),
}
LOCALES = {"en": mark("English"), "vi": mark("Vietnamese")}
FLAGS = ("acknowledge", "survey", "active")
SECONDS = {
    "timeout_call": ("timeouts", Medium.CALL),
    "timeout_chat": ("timeouts", Medium.CHAT),
    "wrap_call": ("wrap_up", Medium.CALL),
    "wrap_chat": ("wrap_up", Medium.CHAT),
}


def routes() -> list[Route]:
    """/admin/queues and one queue."""
    return [
        administer("/queues", index),
        administer("/queues/new", edit, "GET", "POST"),
        administer("/queues/{queue_id:int}", edit, "GET", "POST"),
        administer("/queues/signature", below.preview, "POST"),
    ]


def list_queues(tx: Connection) -> Sequence[Row[*tuple[Any, ...]]]:
    """Every queue with its hours, policy, agents and accounts, in one statement."""
    agents = (
        select(func.count()).where(ProfileRow.queue_id == Queue.id).correlate(Queue).scalar_subquery().label("agents")
    )
    accounts = (
        select(func.count())
        .where(ChannelAccount.queue_id == Queue.id)
        .correlate(Queue)
        .scalar_subquery()
        .label("accounts")
    )
    return tx.execute(
        select(
            Queue.id,
            Queue.name,
            Queue.active,
            Queue.target_share,
            Queue.target_seconds,
            Calendar.name.label("calendar"),
            SlaPolicy.name.label("policy"),
            agents,
            accounts,
        )
        .outerjoin(Calendar, Calendar.id == Queue.calendar_id)
        .outerjoin(SlaPolicy, SlaPolicy.id == Queue.sla_policy_id)
        .order_by(Queue.active.desc(), Queue.name)
    ).all()


async def index(request: Request) -> Response:
    """All queues."""
    found = await services(request).db.read(list_queues)
    return await admin_page(request, "queues.html", "queues", queues=found)


@dataclass(frozen=True, slots=True)
class Opened:
    """A queue with the rows it may refer to; `queue` is None for a new one."""

    queue: Row[Any] | None
    calendars: tuple[Choice, ...]
    policies: tuple[Choice, ...]
    others: tuple[Choice, ...]


def open_queue(tx: Connection, queue_id: int | None) -> Opened:
    """A queue by id, or what a new one may refer to."""
    queue = tx.execute(select(Queue.__table__).where(Queue.id == queue_id)).first() if queue_id is not None else None
    if queue_id is not None and queue is None:
        raise NotFound("There is no such queue.")
    calendars = tx.execute(select(Calendar.id, Calendar.name).order_by(Calendar.name))
    policies = tx.execute(select(SlaPolicy.id, SlaPolicy.name).order_by(SlaPolicy.name))
    others = tx.execute(
        select(Queue.id, Queue.name).where(Queue.active, Queue.id != (queue_id or 0)).order_by(Queue.name)
    )
    return Opened(
        queue, *(tuple(Choice(str(row.id), row.name) for row in rows) for rows in (calendars, policies, others))
    )


async def edit(request: Request) -> Response:
    """A new queue, or one that exists."""
    held = services(request)
    queue_id = request.path_params.get("queue_id")
    opened = await held.db.read(open_queue, queue_id)
    locale = await locale_of(request)
    if request.method == "GET":
        return await _show(request, opened, blank(locale, stored(opened.queue)))
    form = await read_form(request)
    name, columns, routing = (
        form.text("name", required=True, longest=80),
        read_columns(form),
        read_routing(form, opened),
    )
    if form.ok:
        saving = held.db.write(save, queue_id, name, columns, routing, by=request.state.person.id, now=utcnow())
        saved = await form.attempt(saving, name="name")
        if saved is not None:
            return go(f"/admin/queues/{saved}", "saved" if queue_id else "created")
    return await _show(request, opened, form)


def stored(queue: Row[Any] | None) -> dict[str, str]:
    """A queue's row as the values of its form; the defaults for a new one."""
    values = {
        "locale": "en",
        "target_share": "80",
        "target_seconds": "20",
        "acknowledge": "1",
        "survey": "1",
        "active": "1",
    }
    settings = queue_settings.read(queue.routing if queue else {})
    if queue is not None:
        plain = ("name", "locale", "target_share", "target_seconds", "signature", "calendar_id", "sla_policy_id")
        values = {name: "" if getattr(queue, name) is None else str(getattr(queue, name)) for name in plain}
        values |= {name: "1" if getattr(queue, name) else "" for name in FLAGS}
    values |= {
        "selection": settings.selection.value,
        "ordering": settings.ordering.value,
        "live_acceptance": settings.live_acceptance.value,
        "deferred_acceptance": settings.deferred_acceptance.value,
        "credit_minutes": str(settings.credit // 60),
        "max_offers": str(settings.max_offers),
        "pull": "1" if settings.pull else "",
        "closed": settings.closed or "",
    }
    for name, (part, medium) in SECONDS.items():
        values[name] = str(getattr(settings, part).get(medium, 0))
    for number, overflow in enumerate(settings.overflows[:2]):
        values |= {f"overflow_{number}": str(overflow.queue_id), f"after_{number}": str(int(overflow.after))}
    return values


def read_columns(form: Form) -> dict[str, Any]:
    """The columns of a queue, checked."""
    return {
        "locale": form.one_of("locale", list(LOCALES)),
        "calendar_id": form.reference("calendar_id"),
        "sla_policy_id": form.reference("sla_policy_id"),
        "target_share": form.number("target_share", 1, 100),
        "target_seconds": form.number("target_seconds", 1, 86_400),
        "signature": _signature(form),
        **{name: form.flag(name) for name in FLAGS},
    }


def _signature(form: Form) -> str:
    template = form.text("signature", longest=LONGEST)
    try:
        return check(template)
    except Invalid as error:
        form.refuse(error)
        return template


def read_routing(form: Form, opened: Opened) -> dict[str, Any]:
    """The routing settings that this form shows."""
    kept = queue_settings.read(opened.queue.routing if opened.queue else {}).model_dump(mode="json")
    changed: dict[str, Any] = {
        "selection": form.choice("selection", Selection, Selection.LONGEST_IDLE).value,
        "ordering": form.choice("ordering", Ordering, Ordering.AGE).value,
        "live_acceptance": form.choice("live_acceptance", Acceptance, Acceptance.OFFER).value,
        "deferred_acceptance": form.choice("deferred_acceptance", Acceptance, Acceptance.AUTO).value,
        "credit": form.number("credit_minutes", -1440, 1440, default=0) * 60,
        "max_offers": form.number("max_offers", 1, 100),
        "pull": form.flag("pull"),
        "closed": form.text("closed") or None,
    }
    for name, (part, medium) in SECONDS.items():
        least = 5 if part == "timeouts" else 0
        changed.setdefault(part, dict(kept[part]))[medium.value] = form.number(name, least, 600)
    changed["overflows"] = [
        {"queue_id": other, "after": form.number(f"after_{number}", 0, 604_800, default=60)}
        for number in range(2)
        if (other := form.reference(f"overflow_{number}")) is not None
    ]
    _check_overflows(form, opened)
    return changed


def _check_overflows(form: Form, opened: Opened) -> None:
    """Every overflow is another queue, once."""
    chosen = [form.reference(f"overflow_{number}") for number in range(2)]
    known = {other.value for other in opened.others}
    for number, other in enumerate(chosen):
        if other is not None and str(other) not in known:
            form.fail(f"overflow_{number}", mark("Choose one of the values."))
    if chosen[0] is not None and chosen[0] == chosen[1]:
        form.fail("overflow_1", mark("This queue is named twice."))


def save(
    tx: Connection,
    queue_id: int | None,
    name: str,
    columns: Mapping[str, Any],
    routing: Mapping[str, Any],
    *,
    by: int,
    now: datetime,
) -> int:
    """Create or change a queue, and audit it."""
    if queue_id is None:
        queue_id = queues.create(tx, name, now=now, **columns, routing=queue_settings.write(routing))
        record(tx, "queue.created", f"queue:{queue_id}", now=now, user_id=by, details={"name": name})
        return queue_id
    taken = tx.execute(select(Queue.id).where(Queue.name == name, Queue.id != queue_id)).first()
    if taken is not None:
        raise Conflict("There is already a queue called {name}.", name=name)
    queue_rules.change(tx, queue_id, routing, now=now, columns={**columns, "name": name})
    details = {"name": name, **columns, "routing": dict(routing)}
    record(tx, "queue.changed", f"queue:{queue_id}", now=now, user_id=by, details=details)
    return queue_id


async def _show(request: Request, opened: Opened, form: Form) -> Response:
    locale = await locale_of(request)
    none = Choice("", gettext(locale, "None"))
    return await admin_page(
        request,
        "queue.html",
        "queues",
        status=200 if form.ok else 422,
        opened=opened,
        form=form,
        placeholders=PLACEHOLDERS,
        locales=choices(locale, LOCALES),
        calendars=[Choice("", gettext(locale, "Always open")), *opened.calendars],
        policies=[Choice("", gettext(locale, "No promise")), *opened.policies],
        others=[none, *opened.others],
        selections=choices(locale, SELECTIONS),
        orderings=choices(locale, ORDERINGS),
        acceptances=choices(locale, ACCEPTANCES),
    )
