"""The timeline of a ticket: one page of entries in one statement, put into words by one more."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, bindparam, literal, select, union_all
from sqlalchemy import Row as Record

from agent_ui import sentences
from agent_ui.views import Call, Entry, File, Side
from contact_center.accounts.models import User
from tickets.customers.identities import shown_phone
from tickets.customers.names import display_name
from tickets.models import Attachment, ContactPoint, Customer, Message, Queue, Ticket, Topic
from tickets.states import AuthorKind, ContactKind, MessageKind

PAGE = 50
# Entries of one author closer than this stand under one name.
TOGETHER = timedelta(minutes=5)
RASTER = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})
NAMED: Mapping[str, Any] = {"user": User, "queue": Queue, "topic": Topic}

Gettext = Callable[..., str]
Names = Mapping[tuple[str, int], str]


@dataclass(frozen=True, slots=True)
class Raw:
    """Entries as they lie in the database, in order, with the names that their events mention."""

    records: tuple[Record[Any], ...]
    files: Mapping[int, tuple[Record[Any], ...]]
    names: Names
    more: bool = False


def _entries_of(page: Any) -> Any:
    """The statement for the entries whose ids `page` selects, one row per file or one without."""
    return (
        select(
            Message.__table__,
            User.name.label("user_name"),
            Customer.name.label("customer_name"),
            ContactPoint.value.label("address"),
            ContactPoint.kind.label("address_kind"),
            Attachment.id.label("file_id"),
            Attachment.filename,
            Attachment.content_type,
            Attachment.size,
        )
        .join(Ticket, Ticket.id == Message.ticket_id)
        .join(Customer, Customer.id == Ticket.customer_id)
        .outerjoin(User, User.id == Message.user_id)
        .outerjoin(ContactPoint, ContactPoint.id == Message.contact_point_id)
        .outerjoin(Attachment, Attachment.message_id == Message.id)
        .where(Message.id.in_(page))
        .order_by(Message.seq, Attachment.id)
    )


# Built once: they run for every message on every open screen, and building costs more than running.
_OF_TICKET = select(Message.id).where(Message.ticket_id == bindparam("ticket"))
_DOWN = Message.seq.desc()
NEWEST = _entries_of(_OF_TICKET.order_by(_DOWN).limit(bindparam("most")))
BEFORE = _entries_of(_OF_TICKET.where(Message.seq < bindparam("place")).order_by(_DOWN).limit(bindparam("most")))
AFTER = _entries_of(_OF_TICKET.where(Message.seq >= bindparam("place")).order_by(Message.seq).limit(bindparam("most")))
ONE = _entries_of(select(Message.id).where(Message.id == bindparam("message")))
NAMES = union_all(
    *(
        select(literal(kind).label("kind"), model.id, model.name).where(
            model.id.in_(bindparam(f"{kind}_ids", expanding=True))
        )
        for kind, model in NAMED.items()
    )
)


def before(tx: Connection, ticket_id: int, seq: int | None = None, *, limit: int = PAGE) -> Raw:
    """The newest entries, or those before `seq`; two statements."""
    if seq is None:
        rows = tx.execute(NEWEST, {"ticket": ticket_id, "most": limit + 1})
    else:
        rows = tx.execute(BEFORE, {"ticket": ticket_id, "place": seq, "most": limit + 1})
    records, files = _grouped(rows)
    more = len(records) > limit
    if more:
        records = records[1:]
    return Raw(records, files, _names(tx, _mentioned(records)), more)


def after(tx: Connection, ticket_id: int, seq: int, *, limit: int = 500) -> Raw:
    """What was added after `seq`, and the entry before it (for who continues)."""
    return _live(tx, tx.execute(AFTER, {"ticket": ticket_id, "place": seq, "most": limit}))


def one(tx: Connection, message_id: int) -> Raw:
    """A single entry."""
    return _live(tx, tx.execute(ONE, {"message": message_id}))


def _live(tx: Connection, rows: Iterable[Any]) -> Raw:
    """Few entries for open screens: names are only looked up where an event mentions some."""
    records, files = _grouped(rows)
    mentioned = _mentioned(records)
    return Raw(records, files, _names(tx, mentioned) if mentioned else {})


def _grouped(rows: Iterable[Any]) -> tuple[tuple[Any, ...], Mapping[int, tuple[Any, ...]]]:
    records: dict[int, Any] = {}
    files: dict[int, list[Any]] = {}
    for record in rows:
        records.setdefault(record.id, record)
        if record.file_id is not None:
            files.setdefault(record.id, []).append(record)
    return tuple(records.values()), {key: tuple(value) for key, value in files.items()}


def _mentioned(records: Iterable[Any]) -> set[tuple[str, int]]:
    """The users, queues and topics that events speak of."""
    events = (record.meta for record in records if record.kind == MessageKind.EVENT.value)
    return {mention for meta in events for mention in sentences.mentions(meta)}


def _names(tx: Connection, mentioned: set[tuple[str, int]]) -> Names:
    """Their names, in one statement."""
    wanted = {f"{kind}_ids": sorted({0} | {number for of, number in mentioned if of == kind}) for kind in NAMED}
    return {(row.kind, row.id): row.name for row in tx.execute(NAMES, wanted)}


def as_entries(raw: Raw, _: Gettext) -> tuple[Entry, ...]:
    """Entries for the template, in order."""
    entries: list[Entry] = []
    previous: Record[Any] | None = None
    for record in raw.records:
        files = tuple(as_file(file) for file in raw.files.get(record.id, ()))
        entries.append(as_entry(record, files, raw.names, _, continued=continues(previous, record)))
        previous = record
    return tuple(entries)


def as_entry(record: Any, files: Sequence[File], names: Names, _: Gettext, *, continued: bool) -> Entry:
    """One entry; `record` has the columns of a message and user_name, customer_name, address."""
    side = _side(record)
    meta = record.meta or {}
    text = sentences.event(meta, names, record.user_name, _) if side is Side.EVENT else record.text
    return Entry(
        seq=record.seq,
        side=side,
        author=_author(record, side, _),
        at=record.created_at,
        text=text,
        channel=record.channel,
        message_id=record.id,
        to=_to(record) if side is Side.AGENT and record.channel != "chat" else "",
        subject=record.subject,
        quoted=record.quoted,
        html_url=f"/messages/{record.id}/original" if record.html and side is Side.CUSTOMER else "",
        remote_images="http" in (record.html or "") and "<img" in (record.html or ""),
        delivery=record.delivery or "",
        delivery_error=record.delivery_error or "",
        files=tuple(files),
        call=_call(record, meta),
        icon=sentences.ICONS.get(str(meta.get("name", "")), "info"),
        continued=continued,
    )


def as_file(record: Record[Any]) -> File:
    """An attachment; a raster image is shown, anything else is downloaded."""
    return File(record.filename, f"/files/{record.file_id}", record.size, record.content_type in RASTER)


def continues(previous: Any, record: Any) -> bool:
    """Whether an entry stands under the name of the one before."""
    if previous is None or record.kind in (MessageKind.EVENT.value, MessageKind.CALL.value):
        return False
    same = (previous.kind, previous.user_id, previous.channel) == (record.kind, record.user_id, record.channel)
    soon: bool = record.created_at - previous.created_at < TOGETHER
    return same and soon and not record.subject


def _side(record: Any) -> Side:
    if record.kind == MessageKind.EVENT.value:
        return Side.EVENT
    if record.kind == MessageKind.NOTE.value:
        return Side.NOTE
    if record.author_kind == AuthorKind.CUSTOMER.value:
        return Side.CUSTOMER
    return Side.AGENT


def _author(record: Any, side: Side, _: Gettext) -> str:
    """Who wrote: the agent, the customer by name or by the best that the address tells, or the system."""
    if record.user_name:
        return str(record.user_name)
    if side is not Side.CUSTOMER:
        return _("Automatic")
    kind = ContactKind(record.address_kind) if record.address_kind else ContactKind.VISITOR
    return record.customer_name or display_name("", kind, record.address or "")


def _call(record: Any, meta: Mapping[str, Any]) -> Call | None:
    if record.kind != MessageKind.CALL.value:
        return None
    call = meta.get("call") or {}
    seconds = call.get("talk_seconds")
    return Call(
        direction="outbound" if call.get("direction") == "out" else "inbound",
        outcome=str(call.get("state") or "completed"),
        seconds=int(seconds) if seconds else None,
        disposition=str(call.get("disposition") or ""),
        recording_url=str(call.get("recording_url") or ""),
    )


def _to(record: Any) -> str:
    """The address that was written to, as people read it."""
    if record.address_kind == ContactKind.PHONE.value:
        return shown_phone(record.address)
    return record.address or ""
