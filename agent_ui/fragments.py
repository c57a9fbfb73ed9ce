"""What changes on open screens: a poke on a topic becomes frames, rendered once per locale by the pages' templates."""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select

from agent_ui import callbar, conversation, entries, own, rows
from agent_ui.pages.inbox import rows_context
from agent_ui.pages.ticket import head_values, translate
from agent_ui.rows import Listing
from agent_ui.scheduled import as_replies
from agent_ui.views import Ticket as TicketView
from contact_center.core.bus import Poke
from contact_center.core.clock import monotonic, utcnow
from contact_center.core.errors import DomainError, NotFound
from contact_center.core.hub import Renderer, frame
from contact_center.core.loops import Loop, sleep
from contact_center.core.services import Services
from contact_center.core.sockets import REVOKED_CODE, Frame
from tickets import saved_views, scheduled
from tickets.models import Message
from tickets.queries import unread_messages
from tickets.states import MessageKind

# Lists are drawn again at most this often, whatever happens in between (seconds).
LISTS_EVERY = 0.7
# After a cut these outgoing messages get their delivery state again.
RECENT_OUTBOUND = 20
# Topics that every change of any ticket may concern.
# Something about the replies that leave later has changed.
SCHEDULE = "reply.schedule_changed"
LISTS = ("list", "counts", "views")

# These change a person's lists and numbers, never their own state.
ONLY_LISTS = frozenset({"message.created", "message.updated", "counts.changed", "ticket.read"})
# The renderer of a person's numbers; it looks at their own topic.
OWN_COUNTS = "own_counts"
# Beside the views' numbers in `counts`.
UNREAD = "unread"
# What changes one's own lists pokes oneself; the clock may change them too (seconds).
OWN_LISTS_EVERY = 5.0
OWN_LISTS = [[view.value] for view in rows.OWN_VIEWS]

Part = dict[str, str]
Frames = Mapping[str, Sequence[Frame]]


@dataclass(frozen=True, slots=True)
class Changes:
    """What a ticket's screen needs after some pokes, as read in one transaction."""

    ticket: TicketView
    raw: entries.Raw
    updated: tuple[entries.Raw, ...]
    # The replies that wait for their moment; None: nothing about them has changed.
    scheduled: Sequence[Any] | None = None


def renderers(services: Services) -> Mapping[str, Renderer]:
    """topic kind -> renderer, for wiring."""
    kinds: Mapping[str, Callable[[Services, str, Sequence[Poke], set[str]], Awaitable[Frames]]] = {
        "ticket": ticket_frames,
        "list": list_frames,
        "counts": counts_frames,
        "views": saved_frames,
        "user": user_frames,
        OWN_COUNTS: own_counts_frames,
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

    swept = 0.0

    async def step() -> bool:
        nonlocal swept
        watched = [topic for kind in LISTS for topic in services.hub.watched_topics(kind)]
        if monotonic() - swept < OWN_LISTS_EVERY:
            watched = [topic for topic in watched if topic.split(":")[1:2] not in OWN_LISTS]
        else:
            swept = monotonic()
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
    told = typing_frames(topic, pokes)
    facts = [poke.data for poke in pokes if poke.data.get("event") != "typing"]
    if not facts:
        return spread(variants, lambda _: told)
    seqs = [data["seq"] for data in facts if data.get("event") == "message.created"]
    touched = {data["message_id"] for data in facts if data.get("event") == "message.updated"}
    after = min(seqs) - 1 if seqs else None
    planned = any(data.get("event") == SCHEDULE for data in facts)
    changes = await services.db.read(changes_of, ticket_id_of(topic), after, touched, now=utcnow(), planned=planned)
    return spread(variants, lambda locale: [*told, frame_of(services, topic, changes, after, locale)])


def typing_frames(topic: str, pokes: Sequence[Poke]) -> list[Frame]:
    """Who types, as the pokes say it."""
    live = [poke.data for poke in pokes if poke.data.get("event") == "typing"]
    return [frame("typing", topic=topic, name=data.get("name", ""), on=bool(data.get("on"))) for data in live]


def ticket_id_of(topic: str) -> int:
    return int(topic.partition(":")[2])


def changes_of(
    tx: Connection, ticket_id: int, after: int | None, touched: set[int], *, now: datetime, planned: bool = False
) -> Changes:
    """The head, the entries after `after` (None: none), the touched ones, and with `planned` what leaves later."""
    ticket, _ = conversation.head(tx, ticket_id, now=now)
    raw = entries.Raw((), {}, {}) if after is None else entries.after(tx, ticket_id, after)
    waiting = scheduled.open_of(tx, ticket_id) if planned else None
    return Changes(ticket, raw, tuple(entries.one(tx, message_id) for message_id in sorted(touched)), waiting)


def entries_html(services: Services, locale: str, raw: entries.Raw, after: int) -> Part:
    """The entries after a seq, for the end of the timeline."""
    shown = [entry for entry in entries.as_entries(raw, translate(locale)) if entry.seq > after]
    return part("timeline", "append", _entries(services, locale, shown))


def frame_of(
    services: Services, topic: str, changes: Changes, after: int | None, locale: str, more: Sequence[Part] = ()
) -> Frame:
    """Entries after `after`, changed entries and the head, as one frame."""
    _ = translate(locale)
    shown = [entry for entry in entries.as_entries(changes.raw, _) if after is not None and entry.seq > after]
    changed = [entry for raw in changes.updated for entry in entries.as_entries(raw, _)]
    parts: list[Part] = []
    if shown:
        parts.append(part("timeline", "append", _entries(services, locale, shown)))
    for entry in changed:
        # A picture may come after its message: the carrier is slower with it than with the text.
        if entry.call is not None or (entry.side == "in" and entry.files):
            parts.append(part(f"e-{entry.seq}", "replace", _entries(services, locale, [entry])))
        elif entry.delivery:
            html = services.templates.render(locale, "parts/delivery.html", entry=entry)
            parts.append(part(f"d-{entry.message_id}", "replace", html))
    if changes.scheduled is not None:
        html = services.templates.render(
            locale, "parts/scheduled.html", scheduled=as_replies(changes.scheduled, locale)
        )
        parts.append(part("scheduled", "fill", html))
    head = services.templates.render(locale, "parts/ticket_head.html", **head_values(changes.ticket))
    parts += [part("thead", "fill", head), *more]
    place = {"after": after, "seq": max(entry.seq for entry in shown)} if shown else {}
    return frame("fragments", topic=topic, parts=parts, **place)


def _entries(services: Services, locale: str, shown: Sequence[Any]) -> str:
    return services.templates.render(locale, "parts/entries.html", entries=shown, older_url="")


def callbar_part(services: Services, raw: callbar.Raw | None, ticket_id: int, locale: str) -> Part:
    """The call bar of a conversation."""
    bar = callbar.shown(raw, ticket_id, locale)
    return part("callbar", "fill", services.templates.render(locale, "parts/callbar.html", bar=bar))


def part(to: str, how: str, html: str) -> Part:
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
            touched = tuple(entries.one(tx, one) for one in recent)
            return Changes(ticket, entries.Raw((), {}, {}), touched, scheduled.open_of(tx, ticket_id)), False
        return changes_of(tx, ticket_id, seq, recent, now=now, planned=True), True

    changes, newer = await services.db.read(read)
    locale = variant.partition(":")[0]
    call = callbar_part(services, await services.db.read(callbar.read, ticket_id), ticket_id, locale)
    made = frame_of(services, topic, changes, seq if newer else None, locale, more=[call])
    return [made, frame("joined", topic=topic, seq=changes.ticket.seq)]


async def list_frames(services: Services, topic: str, pokes: Sequence[Poke], variants: set[str]) -> Frames:
    """The first page of a list, fresh; nothing for a saved view that is gone."""
    listing, user_id = list_of(topic)
    now = utcnow()
    try:
        page = await services.db.read(rows.page, listing, user_id=user_id, now=now)
    except DomainError:
        return {}
    values = rows_context(listing, page, now)

    def make(locale: str) -> Sequence[Frame]:
        html = services.templates.render(locale, "parts/rows.html", **values)
        return [frame("fragments", topic=topic, parts=[part("rows-first", "fill", html)])]

    return spread(variants, make)


def list_of(topic: str) -> tuple[Listing, int]:
    """The list and the reader of a list's topic; NotFound for what is none."""
    _, _, rest = topic.partition(":")
    key, _, rest = rest.partition(":")
    sort, _, reader = rest.partition(":")
    if not key or not sort:
        raise NotFound("There is no such list.")
    return rows.chosen(key, sort), int(reader) if reader.isdecimal() else 0


async def saved_frames(services: Services, topic: str, pokes: Sequence[Poke], variants: set[str]) -> Frames:
    """The numbers beside a person's saved views."""
    user_id = int(topic.partition(":")[2])
    found = await services.db.read(saved_views.views_for, user_id, now=utcnow())
    return spread(variants, lambda _: [frame("counts", topic=topic, counts=rows.saved_counts(found))])


async def counts_frames(services: Services, topic: str, pokes: Sequence[Poke], variants: set[str]) -> Frames:
    """The numbers beside the views that everybody shares."""
    numbers = await services.db.read(rows.counts, user_id=0, now=utcnow())
    shared = {view: count for view, count in numbers.items() if view not in rows.OWN_VIEWS}
    return spread(variants, lambda _: [frame("counts", topic=topic, counts=shared)])


async def user_frames(services: Services, topic: str, pokes: Sequence[Poke], variants: set[str]) -> Frames:
    """A person's own state; their lists and numbers follow when there is time."""
    user_id = int(topic.partition(":")[2])
    mine = [one for one in services.hub.watched_topics("list") if one.endswith(f":{user_id}")]
    services.hub.poke([Poke(one, {"event": "lists"}) for one in mine])
    services.hub.look_over(OWN_COUNTS, topic)
    if pokes and all(poke.data.get("event") in ONLY_LISTS for poke in pokes):
        return {}
    state = await services.db.read(own.read, user_id, now=utcnow())

    def make(locale: str) -> Sequence[Frame]:
        parts = [part(to, "fill", html) for to, html in own.parts(services.templates, locale, user_id, state).items()]
        return [frame("fragments", topic=topic, parts=parts)]

    return spread(variants, make)


async def own_counts_frames(services: Services, topic: str, pokes: Sequence[Poke], variants: set[str]) -> Frames:
    """The numbers beside a person's own views, and how many messages they have not read."""
    counts = await services.db.read(_own_counts, int(topic.partition(":")[2]), now=utcnow())
    return spread(variants, lambda _: [frame("counts", topic=topic, counts=counts)])


def _own_counts(tx: Connection, user_id: int, *, now: datetime) -> dict[str, int]:
    numbers = rows.counts(tx, user_id=user_id, now=now)
    return {**{view.value: numbers[view.value] for view in rows.OWN_VIEWS}, UNREAD: unread_messages(tx, user_id)}


async def revoke(services: Services, topic: str, pokes: Sequence[Poke], variants: set[str]) -> Frames:
    """Close the sockets of an ended login, or all of a person whose rights changed."""
    ended = {poke.data.get("session_id") for poke in pokes if poke.data.get("event") == "session.revoked"}
    everywhere = any(poke.data.get("event") not in ("session.revoked", "resync") for poke in pokes)
    for socket in tuple(services.hub.listeners(topic)):
        if everywhere or socket.session_id in ended:
            socket.cut(REVOKED_CODE)
    return {}
