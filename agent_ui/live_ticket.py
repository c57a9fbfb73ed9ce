"""The live side of a conversation: a customer's message is shown from what its writer held, without reading again.

Its head (status, targets, "last message 2 s ago") follows from a read when there is time.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from types import SimpleNamespace
from typing import Any

from agent_ui import callbar, conversation, entries, fragments
from agent_ui.fragments import Frames, frame_of, part, spread, ticket_id_of
from agent_ui.pages.ticket import head_values
from contact_center.core.bus import Poke
from contact_center.core.clock import monotonic, utcnow
from contact_center.core.hub import Renderer, frame
from contact_center.core.services import Services
from tickets.states import MessageKind

HEAD = "ticket_head"
CALLBAR = "callbar"
# What moves the call bar of a conversation.
CALLS = frozenset({"call.changed", "call_leg.changed", "call_command.changed"})
# What an entry says of whoever wrote it: the same for the next one from the same address.
WRITERS = ("customer_name", "address", "address_kind", "copied")
# So long the names on a conversation's last entry are taken for the next one (seconds), of so many conversations.
KNOWN_SECONDS = 60.0
MOST_KNOWN = 2_000


@dataclass(frozen=True, slots=True)
class Known:
    """The last entry that everybody who looks at a conversation has, with its names; those are believed until a moment.

    Who came since has it by what was read for them; a message that is told again (by a relay that came late) is theirs
    already.
    """

    record: Any
    until: float


def renderers(services: Services) -> Mapping[str, Renderer]:
    """Topic kinds for wiring."""
    ticket = TicketRenderer(services)
    return {"ticket": ticket, HEAD: ticket.head, CALLBAR: ticket.callbar}


class TicketRenderer:
    """Renders `ticket:` topics."""

    def __init__(self, services: Services) -> None:
        self.services = services
        self._known: dict[int, Known] = {}

    async def __call__(self, topic: str, pokes: Sequence[Poke], variants: set[str]) -> Frames:
        """New entries and delivery states at once; what only changes the head waits for it."""
        if any(poke.data.get("event") == "resync" for poke in pokes):
            return await fragments.ticket_frames(self.services, topic, pokes, variants)
        if any(poke.data.get("event") in CALLS for poke in pokes):
            self.services.hub.look_over(CALLBAR, topic)
        ticket_id = ticket_id_of(topic)
        shown = self._known[ticket_id].record.seq if ticket_id in self._known else 0
        said = [poke for poke in pokes if poke.data.get("event") == "message.created" and poke.data["seq"] > shown]
        updated = {poke.data["message_id"] for poke in pokes if poke.data.get("event") == "message.updated"}
        planned = any(poke.data.get("event") == fragments.SCHEDULE for poke in pokes)
        typing = fragments.typing_frames(topic, pokes)
        raw = self._written(ticket_id, said) if said and not updated and not planned else None
        if updated or planned or (said and raw is None):
            return await self._read(topic, said, updated, typing, variants, planned=planned)
        if len(typing) < len(pokes):
            self.services.hub.look_over(HEAD, topic)
        if raw is None:
            return spread(variants, lambda _: typing)
        after = raw.records[0].seq
        self._remember(ticket_id, raw)
        return spread(variants, lambda locale: [*typing, self._entries(topic, raw, after, locale)])

    async def _read(
        self,
        topic: str,
        said: Sequence[Poke],
        updated: set[int],
        typing: Sequence[bytes],
        variants: set[str],
        *,
        planned: bool,
    ) -> Frames:
        after = min(poke.data["seq"] for poke in said) - 1 if said else None
        ticket_id = ticket_id_of(topic)
        changes = await self.services.db.read(
            fragments.changes_of, ticket_id, after, updated, now=utcnow(), planned=planned
        )
        if after is not None:
            self._remember(ticket_id, changes.raw)
        return spread(variants, lambda locale: [*typing, frame_of(self.services, topic, changes, after, locale)])

    def _written(self, ticket_id: int, said: Sequence[Poke]) -> entries.Raw | None:
        """The entry before and the new ones, if the writer's values are all it takes to show them."""
        known = self._known.get(ticket_id)
        values = [poke.local for poke in said]
        if known is None or known.until < monotonic() or any(not _is_plain(one) for one in values):
            return None
        records = [known.record]
        for one in sorted(values, key=lambda held: int(held["seq"])):
            same = one["contact_point_id"] == known.record.contact_point_id
            if one["seq"] != records[-1].seq + 1 or not same:
                return None
            names = {name: getattr(known.record, name) for name in WRITERS}
            records.append(SimpleNamespace(**{**one, **names, "user_name": None}))
        return entries.Raw(tuple(records), {}, {})

    def _remember(self, ticket_id: int, raw: entries.Raw) -> None:
        """Keep the last entry: what follows is shown after it."""
        known = self._known.pop(ticket_id, None)
        last = raw.records[-1] if raw.records else None
        if last is None:
            return
        # A chain of messages shown from values must end too: the names on them were read once.
        grown = known is not None and isinstance(last, SimpleNamespace)
        until = known.until if known is not None and grown else monotonic() + KNOWN_SECONDS
        self._known[ticket_id] = Known(last, until)
        if len(self._known) > MOST_KNOWN:
            del self._known[next(iter(self._known))]

    def _entries(self, topic: str, raw: entries.Raw, after: int, locale: str) -> bytes:
        shown = fragments.entries_html(self.services, locale, raw, after)
        return frame("fragments", topic=topic, parts=[shown], after=after, seq=raw.records[-1].seq)

    async def head(self, topic: str, pokes: Sequence[Poke], variants: set[str]) -> Frames:
        """The head of a conversation as it is now."""
        ticket, _ = await self.services.db.read(conversation.head, ticket_id_of(topic), now=utcnow())

        def make(locale: str) -> Sequence[bytes]:
            html = self.services.templates.render(locale, "parts/ticket_head.html", **head_values(ticket))
            return [frame("fragments", topic=topic, parts=[part("thead", "fill", html)])]

        return spread(variants, make)

    async def callbar(self, topic: str, pokes: Sequence[Poke], variants: set[str]) -> Frames:
        """Who is on the phone now; empty when nobody is any more."""
        raw = await self.services.db.read(callbar.read, ticket_id_of(topic))
        bar = partial(fragments.callbar_part, self.services, raw, ticket_id_of(topic))
        return spread(variants, lambda locale: [frame("fragments", topic=topic, parts=[bar(locale)])])


def _is_plain(values: Mapping[str, Any] | None) -> bool:
    """A customer's message without files: its values are known whole."""
    return (
        values is not None
        and values.get("kind") == MessageKind.INBOUND.value
        and values.get("attachments") is not None
        and not values["attachments"]
        and values.get("user_id") is None
    )
