"""A person's own state as the frame shows it: presence, load, offers, wrap-ups. Only for those who handle work."""

import contextlib
import uuid
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select
from starlette.requests import Request

from agent_ui.views import Choice, Load, Offer, Switch, Wrapup
from agent_ui.views import Presence as PresenceView
from channels import health
from contact_center.accounts.permissions import Permission, may
from contact_center.accounts.users import Person
from contact_center.accounts.web import locale_of, person_of
from contact_center.core.clock import utcnow
from contact_center.core.i18n import gettext, mark
from contact_center.core.services import Services, services
from contact_center.core.sockets import Socket
from contact_center.core.templates import Templates
from routing import away_reasons, connections
from routing.pools import WEIGHTS, Medium
from routing.queries import OfferCard, OwnState, own_state
from routing.states import Activity
from tickets.notifications import UNREAD
from tickets.numbers import number_of
from tickets.queries import UNREAD_MESSAGES

# One web process, among others that serve the same floor.
PROCESS = uuid.uuid4().hex
CHANNELS = {
    Medium.CALL: "phone",
    Medium.CHAT: "chat",
    Medium.MAIL: "email",
    Medium.SMS: "sms",
    Medium.WHATSAPP: "whatsapp",
    Medium.MESSAGING: "messaging",
}
# Languages are skills by their code; people call them by their own names.
LANGUAGES = {"en": "English", "vi": "Tiếng Việt"}
DECLINE_REASONS = {
    "busy": mark("I am finishing something"),
    "skill": mark("Not my subject"),
    "language": mark("Not my language"),
    "conflict": mark("I should not handle this customer"),
    "technical": mark("My equipment does not work"),
}
DISPOSITIONS = {
    "solved": mark("Solved"),
    "follow_up": mark("Follow-up needed"),
    "callback": mark("Callback promised"),
    "no_answer": mark("Customer did not answer"),
    "wrong_contact": mark("Wrong contact"),
}
AWAY = {
    "Break": mark("Break"),
    "Lunch": mark("Lunch"),
    "Meeting": mark("Meeting"),
    "Training": mark("Training"),
    "Coaching": mark("Coaching"),
    "Back office": mark("Back office"),
    "System problem": mark("System problem"),
}
PARTS = {
    "presence": "parts/presence.html",
    "offers": "parts/offers.html",
    "wrapup": "parts/wrapup.html",
    "bell": "parts/bell.html",
    "channel-health": "parts/channel_health.html",
}
# Built once: they run for every change of what is somebody's own.
NUMBERS = select(
    UNREAD.scalar_subquery().label("notices"),
    UNREAD_MESSAGES.scalar_subquery().label("unread"),
    health.COUNT.scalar_subquery().label("troubles"),
)


@dataclass(frozen=True, slots=True)
class Own:
    """What was read of one person: None for somebody who has never been on the floor."""

    state: OwnState | None
    away: tuple[str, ...]
    now: datetime
    notices: int = 0
    unread: int = 0
    troubles: int = 0


@dataclass(frozen=True, slots=True)
class Frame:
    """The part of the shell that the own parts need, when they are rendered alone."""

    presence: PresenceView
    offers: tuple[Offer, ...]
    wrapups: tuple[Wrapup, ...]
    away_reasons: tuple[Choice, ...]
    decline_reasons: tuple[Choice, ...]
    dispositions: tuple[Choice, ...]
    notices: int
    unread: int
    troubles: int
    bell: bool = True


async def state(request: Request) -> dict[str, Any]:
    """The parts of the shell that are this person's own; only the bell for those who handle no work."""
    person = await person_of(request)
    if not may(person.role, Permission.HANDLE):
        bell = may(person.role, Permission.ADMINISTER)
        return await services(request).db.read(told, person.id) if bell else {}
    held = await services(request).db.read(read, person.id, now=utcnow())
    return shown(held, await locale_of(request))


def told(tx: Connection, user_id: int) -> dict[str, Any]:
    """What happened, for somebody who looks after the place and handles no work."""
    numbers = tx.execute(NUMBERS, {"user": user_id}).one()
    return {"bell": True, "notices": numbers.notices, "troubles": numbers.troubles}


def read(tx: Connection, user_id: int, *, now: datetime) -> Own:
    """Presence, load, offers, wrap-ups and what is unread: a fixed number of statements."""
    numbers = tx.execute(NUMBERS, {"user": user_id}).one()
    away = tuple(reason.name for reason in away_reasons.choosable(tx))
    counted = {"notices": numbers.notices, "unread": numbers.unread, "troubles": numbers.troubles}
    return Own(own_state(tx, user_id, now), away, now, **counted)


def on_contact(own: Own) -> bool:
    """Whether a live contact is running: a new status then waits for its end."""
    return own.state is not None and own.state.activity in (Activity.ON_CONTACT, Activity.ACW)


def shown(own: Own, locale: str) -> dict[str, Any]:
    """The own parts of the shell, in the person's language."""

    def choices(words: Mapping[str, str]) -> tuple[Choice, ...]:
        return tuple(Choice(key, gettext(locale, text)) for key, text in words.items())

    held = own.state
    return {
        "presence": _presence(own, locale),
        "offers": tuple(_offer(card, locale) for card in held.offers) if held else (),
        "wrapups": tuple(Wrapup(number_of(wrap.ticket_id), wrap.ended_at, wrap.wrap_until) for wrap in held.wrap_ups)
        if held
        else (),
        "away_reasons": choices({name: AWAY.get(name, name) for name in own.away}),
        "decline_reasons": choices(DECLINE_REASONS),
        "dispositions": choices(DISPOSITIONS),
        "notices": own.notices,
        "unread": own.unread,
        "troubles": own.troubles,
        "bell": True,
    }


def parts(templates: Templates, locale: str, user_id: int, own: Own) -> Mapping[str, str]:
    """Element id -> fresh content, by the templates of the first page."""
    frame = Frame(**shown(own, locale))
    return {to: templates.render(locale, name, shell=frame) for to, name in PARTS.items()}


def _presence(own: Own, locale: str) -> PresenceView:
    held = own.state
    if held is None:
        return PresenceView("offline", "", own.now)
    return PresenceView(
        state=held.presence.value,
        reason=gettext(locale, AWAY.get(held.reason or "", held.reason or "")),
        since=held.since,
        next_state=held.next_presence.value if held.next_presence else "",
        next_reason=gettext(locale, AWAY.get(held.next_reason or "", held.next_reason or "")),
        on_contact=on_contact(own),
        load=Load(
            held.live_items,
            max(1, held.live.capacity // WEIGHTS[Medium.CHAT]),
            held.deferred_items,
            max(1, held.deferred.capacity // WEIGHTS[Medium.MAIL]),
        ),
        channels=tuple(Switch(medium.value, CHANNELS[medium], medium in held.media) for medium in CHANNELS),
    )


def _offer(card: OfferCard, locale: str) -> Offer:
    return Offer(
        offer_id=card.offer_id,
        number=number_of(card.ticket_id),
        channel=CHANNELS.get(card.medium, card.medium.value),
        queue=card.queue,
        customer=card.customer or gettext(locale, "Visitor"),
        # What a call's entry says stands in the card's other lines already.
        first_message="" if card.medium is Medium.CALL else card.preview or card.subject,
        offered_at=card.offered_at,
        expires_at=card.expires_at,
        waiting_since=card.waiting_since,
        priority=card.priority,
        skills=tuple(LANGUAGES.get(skill, skill) for skill in card.skills),
        reasons=tuple(_reasons(card, locale)),
    )


def _reasons(card: OfferCard, locale: str) -> list[str]:
    """Why this agent, in sentences: who was free, how they rank, what kept others out."""
    why = card.why
    found: list[str] = []
    agent = why.get("agent")
    candidates = why.get("candidates") or []
    score = next((one.get("score") or {} for one in candidates if one.get("agent") == agent), {})
    count = int(why.get("candidate_count") or 0)
    if (why.get("step") or {}).get("only") == agent and agent is not None:
        found.append(gettext(locale, "You know this customer: it came to you first."))
    if count == 1:
        found.append(gettext(locale, "You were the only one free for it."))
    elif count > 1:
        found.append(gettext(locale, "You came first of %(count)s who were free for it.", count=count))
    free_since, at = score.get("free_since"), why.get("at")
    if isinstance(free_since, int | float) and isinstance(at, int | float):
        minutes = int((at - free_since) // 60)
        if minutes > 0:
            found.append(gettext(locale, "Free for %(minutes)s min.", minutes=minutes))
    if card.skills:
        names = ", ".join(LANGUAGES.get(skill, skill) for skill in card.skills)
        found.append(gettext(locale, "It asks for: %(skills)s.", skills=names))
    if card.locale and card.locale_share is not None:
        name, sure = LANGUAGES.get(card.locale, card.locale), f"{int(card.locale_share * 100)} %"
        found.append(gettext(locale, "Language: %(name)s, from the text, %(share)s.", name=name, share=sure))
    if card.transfers:
        found.append(gettext(locale, "A colleague passed it on."))
    return found


@contextlib.asynccontextmanager
async def connected(services: Services, person: Person, socket: Socket) -> AsyncIterator[None]:
    """Keep the person's connection on the floor while their socket is open."""
    if not may(person.role, Permission.HANDLE):
        yield
        return
    connection_id = socket.connection_id = uuid.uuid4().hex
    await services.db.write(connections.connected, person.id, connection_id, PROCESS, now=utcnow())
    try:
        yield
    finally:
        await services.db.write(connections.disconnected, connection_id, now=utcnow())


async def renew_lease(services: Services) -> bool:
    """A loop's step: this web process lives, so its connections count."""
    lines = {
        socket.connection_id: socket.user_id
        for socket in services.hub.sockets
        if socket.connection_id is not None and socket.user_id is not None
    }
    await services.db.write(connections.renew_lease, PROCESS, lines, now=utcnow())
    return False
