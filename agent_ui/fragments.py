"""What changes on open screens: a poke on a topic becomes frames, rendered once per locale by the pages' templates."""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select

from agent_ui import conversation, entries, own, rows
from agent_ui.pages.inbox import list_context
from agent_ui.pages.ticket import head_values, translate
from agent_ui.views import Ticket as TicketView
from contact_center.core.bus import Poke
from contact_center.core.clock import utcnow
from contact_center.core.hub import REVOKED_CODE, Frame, Renderer, frame
from contact_center.core.loops import Loop, sleep
from contact_center.core.services import Services
from tickets.models import Message
from tickets.queries import View
from tickets.states import MessageKind

# Lists are drawn again at most this often, whatever happens in between (seconds).
LISTS_EVERY = 0.7
# After a cut these outgoing messages get their delivery state again.
RECENT_OUTBOUND = 20

Part = dict[str, str]
Frames = Mapping[str, Sequence[Frame]]


@dataclass(frozen=True, slots=True)
class Changes:
    """What a ticket's screen needs after some pokes, as read in one transaction."""

    ticket: TicketView
    raw: entries.Raw
    updated: tuple[entries.Raw, ...]


def renderers(services: Services) -> Mapping[str, Renderer]:
    """topic kind -> renderer, for wiring."""
    kinds: Mapping[str, Callable[[Services, str, Sequence[Poke], set[str]], Awaitable[Frames]]] = {
        "ticket": ticket_frames,
        "list": list_frames,
        "counts": counts_frames,
        "user": user_frames,
        "access": revoke,
    }
    return {kind: _bound(services, render) for kind, render in kinds.items()}


def _bound(
    services: Services, render: Callable[[Services, str, Sequence[Poke], set[str]], Awaitable[Frames]]
) -> Renderer:
    async def bound(topic: str, pokes: Sequence[Poke], variants: set[str]) -> Frames:
        return await render(services, topic, pokes, variants)

    return bound


def list_loop(services: Services) -> Loop:
    """Turns "some list may have changed" into one look per watched list, at most every LISTS_EVERY seconds."""

    async def step() -> bool:
        watched = [*services.hub.watched_topics("list"), *services.hub.watched_topics("counts")]
        if watched:
            services.hub.poke([Poke(topic, {"event": "lists"}) for topic in watched])
            await sleep(LISTS_EVERY)
        return False

    return Loop("lists", step, 5.0, frozenset({"lists"}))


def locales_of(variants: Iterable[str]) -> dict[str, list[str]]:
    """The locales that are looking, each with its variants."""
    found: dict[str, list[str]] = {}
    for variant in variants:
        found.setdefault(variant.partition(":")[0], []).append(variant)
    return found


def spread(variants: set[str], make: Callable[[str], Sequence[Frame]]) -> Frames:
    """Frames made once per locale, for every variant of it."""
    return {
        variant: made for locale, held in locales_of(variants).items() for made in (make(locale),) for variant in held
    }


async def ticket_frames(services: Services, topic: str, pokes: Sequence[Poke], variants: set[str]) -> Frames:
    """New entries, delivery states and the head of a conversation."""
    if any(poke.data.get("event") == "resync" for poke in pokes):
        return spread(variants, lambda _: [frame("rejoin", topic=topic)])
    live = [poke.data for poke in pokes if poke.data.get("event") == "typing"]
    told = [frame("typing", topic=topic, name=data.get("name", ""), on=bool(data.get("on"))) for data in live]
    facts = [poke.data for poke in pokes if poke.data.get("event") != "typing"]
    if not facts:
        return spread(variants, lambda _: told)
    seqs = [data["seq"] for data in facts if data.get("event") == "message.created"]
    touched = {data["message_id"] for data in facts if data.get("event") == "message.updated"}
    after = min(seqs) - 1 if seqs else None
    changes = await services.db.read(_changes, ticket_id_of(topic), after, touched, now=utcnow())
    return spread(variants, lambda locale: [*told, _ticket_frame(services, topic, changes, after, locale)])


def ticket_id_of(topic: str) -> int:
    return int(topic.partition(":")[2])


def _changes(tx: Connection, ticket_id: int, after: int | None, touched: set[int], *, now: datetime) -> Changes:
    ticket, _ = conversation.head(tx, ticket_id, now=now)
    raw = entries.Raw((), {}, {}) if after is None else entries.after(tx, ticket_id, after)
    return Changes(ticket, raw, tuple(entries.one(tx, message_id) for message_id in sorted(touched)))


def _ticket_frame(services: Services, topic: str, changes: Changes, after: int | None, locale: str) -> Frame:
    _ = translate(locale)
    shown = [entry for entry in entries.as_entries(changes.raw, _) if after is not None and entry.seq > after]
    changed = [entry for raw in changes.updated for entry in entries.as_entries(raw, _)]
    parts: list[Part] = []
    if shown:
        parts.append(_part("timeline", "append", _entries(services, locale, shown)))
    for entry in changed:
        if entry.call is not None:
            parts.append(_part(f"e-{entry.seq}", "replace", _entries(services, locale, [entry])))
        elif entry.delivery:
            html = services.templates.render(locale, "parts/delivery.html", entry=entry)
            parts.append(_part(f"d-{entry.message_id}", "replace", html))
    head = services.templates.render(locale, "parts/ticket_head.html", **head_values(changes.ticket))
    parts.append(_part("thead", "fill", head))
    place = {"after": after, "seq": max(entry.seq for entry in shown)} if shown else {}
    return frame("fragments", topic=topic, parts=parts, **place)


def _entries(services: Services, locale: str, shown: Sequence[Any]) -> str:
    return services.templates.render(locale, "parts/entries.html", entries=shown, older_url="")


def _part(to: str, how: str, html: str) -> Part:
    return {"to": to, "how": how, "html": html}


async def replay(services: Services, topic: str, seq: int, variant: str) -> Sequence[Frame]:
    """Everything after `seq` for one socket that comes back, and how its last messages fared."""
    ticket_id = ticket_id_of(topic)
    now = utcnow()

    def read(tx: Connection) -> tuple[Changes, bool]:
        recent = set(
            tx.execute(
                select(Message.id)
                .where(Message.ticket_id == ticket_id, Message.kind == MessageKind.OUTBOUND.value, Message.seq <= seq)
                .order_by(Message.seq.desc())
                .limit(RECENT_OUTBOUND)
            ).scalars()
        )
        ticket, _ = conversation.head(tx, ticket_id, now=now)
        if ticket.seq == seq:
            return Changes(ticket, entries.Raw((), {}, {}), tuple(entries.one(tx, one) for one in recent)), False
        return _changes(tx, ticket_id, seq, recent, now=now), True

    changes, newer = await services.db.read(read)
    made = _ticket_frame(services, topic, changes, seq if newer else None, variant.partition(":")[0])
    return [made, frame("joined", topic=topic, seq=changes.ticket.seq)]


async def list_frames(services: Services, topic: str, pokes: Sequence[Poke], variants: set[str]) -> Frames:
    """The first page of a list, fresh."""
    view, order, user_id = list_of(topic)
    now = utcnow()
    page, numbers = await services.db.read(rows.read, view, order, user_id=user_id, now=now)
    held = rows.shown(view, page, now)

    def make(locale: str) -> Sequence[Frame]:
        values = list_context(locale, view, order, page, held, numbers, user_id)
        html = services.templates.render(locale, "parts/rows.html", **values)
        return [frame("fragments", topic=topic, parts=[_part("rows-first", "fill", html)])]

    return spread(variants, make)


def list_of(topic: str) -> tuple[View, Any, int]:
    """View, order and reader of a list's topic; NotFound for what is none."""
    parts = topic.split(":")
    view, order = rows.chosen(parts[1] if len(parts) > 1 else "?", parts[2] if len(parts) > 2 else "?")
    return view, order, int(parts[3]) if len(parts) > 3 and parts[3].isdecimal() else 0


async def counts_frames(services: Services, topic: str, pokes: Sequence[Poke], variants: set[str]) -> Frames:
    """The numbers beside the views that everybody shares."""
    numbers = await services.db.read(rows.counts, user_id=0, now=utcnow())
    shared = {view: count for view, count in numbers.items() if view not in rows.OWN_VIEWS}
    return spread(variants, lambda _: [frame("counts", topic=topic, counts=shared)])


async def user_frames(services: Services, topic: str, pokes: Sequence[Poke], variants: set[str]) -> Frames:
    """A person's own state, and a look at their own lists."""
    user_id = int(topic.partition(":")[2])
    mine = [one for one in services.hub.watched_topics("list") if one.endswith(f":{user_id}")]
    services.hub.poke([Poke(one, {"event": "lists"}) for one in mine])
    state, numbers = await services.db.read(_own, user_id, now=utcnow())
    counts = {view: count for view, count in numbers.items() if view in rows.OWN_VIEWS}

    def make(locale: str) -> Sequence[Frame]:
        parts = [_part(to, "fill", html) for to, html in own.parts(services.templates, locale, user_id, state).items()]
        return [frame("fragments", topic=topic, parts=parts), frame("counts", topic=topic, counts=counts)]

    return spread(variants, make)


def _own(tx: Connection, user_id: int, *, now: datetime) -> tuple[Any, dict[str, int]]:
    return own.read(tx, user_id, now=now), rows.counts(tx, user_id=user_id, now=now)


async def revoke(services: Services, topic: str, pokes: Sequence[Poke], variants: set[str]) -> Frames:
    """Close the sockets of an ended login, or all of a person whose rights changed."""
    ended = {poke.data.get("session_id") for poke in pokes if poke.data.get("event") == "session.revoked"}
    everywhere = any(poke.data.get("event") not in ("session.revoked", "resync") for poke in pokes)
    for socket in tuple(services.hub.listeners(topic)):
        if everywhere or socket.session_id in ended:
            socket.cut(REVOKED_CODE)
    return {}
