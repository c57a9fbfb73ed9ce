"""The timeline of a ticket: one page of entries in one statement, put into words by one more."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, bindparam, case, func, literal, select, union_all
from sqlalchemy import Row as Record
from sqlalchemy.orm import aliased

from agent_ui import sentences
from agent_ui.raster import RASTER, SOUNDS
from agent_ui.views import Call, Entry, Erased, File, Meeting, Side
from channels.email.sanitize import remote_pictures
from channels.phone import outcomes, wording
from channels.phone.flow.marks import KEY as RECORDINGS
from channels.phone.states import FINAL, CallState, Direction
from contact_center.accounts.models import User
from contact_center.core.clamav import Verdict
from tickets.customers.identities import shown_phone
from tickets.customers.names import display_name
from tickets.models import Attachment, ContactPoint, Customer, Message, Queue, Ticket, Topic
from tickets.numbers import number_of
from tickets.scans import FileScan
from tickets.sensitive.masking import HIDDEN
from tickets.states import AuthorKind, ContactKind, Delivery, MessageKind

PAGE = 50
# Entries of one author closer than this stand under one name.
TOGETHER = timedelta(minutes=5)
NAMED: Mapping[str, Any] = {"user": User, "queue": Queue, "topic": Topic}

WRITER = aliased(Customer)
_COPIED = (ContactPoint.customer_id != Ticket.customer_id) & (Message.author_kind == AuthorKind.CUSTOMER.value)

Gettext = Callable[..., str]
Names = Mapping[tuple[str, int], str]
# States of a call after which somebody can say what came of it.
OVER = frozenset(state.value for state in FINAL)
UNDER_WAY = frozenset(state.value for state in CallState) - OVER


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
            # Somebody in copy who answers is called by their own name.
            case((_COPIED, func.coalesce(func.nullif(WRITER.name, ""), ContactPoint.name)), else_=Customer.name).label(
                "customer_name"
            ),
            _COPIED.label("copied"),
            ContactPoint.value.label("address"),
            ContactPoint.kind.label("address_kind"),
            Attachment.id.label("file_id"),
            Attachment.filename,
            Attachment.content_type,
            Attachment.size,
            FileScan.state.label("scan"),
            FileScan.virus,
        )
        .join(Ticket, Ticket.id == Message.ticket_id)
        .join(Customer, Customer.id == Ticket.customer_id)
        .outerjoin(User, User.id == Message.user_id)
        .outerjoin(ContactPoint, ContactPoint.id == Message.contact_point_id)
        .outerjoin(WRITER, WRITER.id == ContactPoint.customer_id)
        .outerjoin(Attachment, Attachment.message_id == Message.id)
        .outerjoin(FileScan, FileScan.digest == Attachment.digest)
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
    call = _call(record, meta, _)
    # The card says it; what somebody wrote of a call by hand stays.
    is_said = call is not None and bool(call.said)
    return Entry(
        seq=record.seq,
        side=side,
        author=_author(record, side, _),
        at=record.created_at,
        text="" if is_said else text,
        channel=record.channel,
        message_id=record.id,
        to=_to(record) if side is Side.AGENT and record.channel != "chat" else "",
        cc=_copies(meta.get("cc")),
        bcc=_copies(meta.get("bcc")),
        copied=bool(record.copied),
        subject="" if is_said else record.subject,
        quoted=record.quoted,
        html_url=f"/messages/{record.id}/original" if record.html and side is Side.CUSTOMER else "",
        remote_images=len(remote_pictures(record.html or "")),
        delivery=record.delivery or "",
        delivery_error=sentences.why_failed(record.delivery_error or "", _),
        undo_until=_undo_until(record),
        by=record.user_id or 0,
        files=tuple(files),
        erased=_erased(meta),
        call=call,
        meeting=_meeting(meta),
        icon=sentences.ICONS.get(str(meta.get("name", "")), "info"),
        continued=continued,
        answers_to=str(meta.get("answers_to", "")),
        forwarded=str(meta.get("forwarded", "")),
        also=tuple(as_also(one) for one in meta.get("forwarded_also", ())),
        hidden=tuple(_(sentences.SENSITIVE[kind]) for kind in meta.get(HIDDEN, ()) if kind in sentences.SENSITIVE),
    )


def _erased(meta: Mapping[str, Any]) -> tuple[Erased, ...]:
    """The recordings that were deleted because their time was over."""
    return tuple(
        Erased(datetime.fromisoformat(one["deleted_at"]), int(one["kept_days"]))
        for one in meta.get(RECORDINGS, {}).values()
        if "deleted_at" in one
    )


def _undo_until(record: Any) -> datetime | None:
    """Until when an answer may be taken back: while it waits for its first try."""
    waits = record.delivery == Delivery.QUEUED.value and not record.automatic and record.delivery_error is None
    until: datetime | None = record.send_after
    return until if waits and record.user_id is not None else None


def as_file(record: Record[Any]) -> File:
    """An attachment: an image is shown, a recording played, anything else downloaded; or why nobody gets it."""
    kind = record.content_type
    scan = record.scan if record.scan != Verdict.CLEAN.value else None
    inline, sound = scan is None and kind in RASTER, scan is None and kind in SOUNDS
    url = f"/files/{record.file_id}"
    marked = (record.meta or {}).get(RECORDINGS, {}).get(record.filename.partition(".")[0], {}) if sound else {}
    return File(
        record.filename,
        url,
        record.size,
        inline,
        sound,
        scan or "",
        record.virus or "",
        seconds=int(marked.get("seconds") or 0),
        pauses=tuple((begin, end) for begin, end in marked.get("pauses", ())),
    )


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


def _call(record: Any, meta: Mapping[str, Any], _: Gettext) -> Call | None:
    if record.kind != MessageKind.CALL.value:
        return None
    call = meta.get("call") or {}
    seconds = call.get("talk_seconds")
    disposition = str(call.get("disposition") or "")
    incoming = call.get("direction") != "out"
    return Call(
        said="" if call.get("manual") else _said(call, incoming, _),
        direction="inbound" if incoming else "outbound",
        outcome=str(call.get("state") or "completed"),
        seconds=int(seconds) if seconds else None,
        disposition=_(outcomes.WORDS.get(disposition, disposition)) if disposition else "",
        cause=sentences.why_failed(str(call.get("cause") or ""), _) if call.get("state") == "failed" else "",
        ask=int(call["id"]) if call.get("live") and not disposition and call.get("state") in OVER else 0,
        recording_url=str(call.get("recording_url") or ""),
        under_way=number_of(record.ticket_id) if incoming and call.get("state") in UNDER_WAY else 0,
    )


def _said(call: Mapping[str, Any], incoming: bool, _: Gettext) -> str:
    """What the call was, in the reader's language; nothing for a state that calls of this direction do not have."""
    state = str(call.get("state") or CallState.COMPLETED.value)
    if state not in (wording.INWARD if incoming else wording.OUTWARD):
        return ""
    number, seconds = str(call.get("number") or ""), int(call.get("talk_seconds") or 0)
    shown = shown_phone(number) if number else ""
    direction = Direction.IN if incoming else Direction.OUT
    outcome = str(call.get("outcome") or "")
    return wording.said(_, direction, CallState(state), shown, talk_seconds=seconds, outcome=outcome)


def as_also(mail: Mapping[str, Any]) -> str:
    """One more mail that a colleague passed on: its author, and its subject where it has one."""
    sender = mail["from"]["name"] or mail["from"]["address"] or "?"
    return f"{sender}: {mail['subject']}" if mail["subject"] else sender


def _meeting(meta: Mapping[str, Any]) -> Meeting | None:
    told = meta.get("invitation")
    if not told:
        return None
    end = told.get("end")
    return Meeting(
        method=told["method"],
        title=told["title"],
        start=datetime.fromisoformat(told["start"]),
        end=datetime.fromisoformat(end) if end else None,
        all_day=told["all_day"],
        place=told["place"],
        organizer=told["organizer"],
        repeats=told["repeats"],
    )


def _copies(held: Any) -> str:
    """Addresses of a mail's Cc: our own are plain texts, those of a received mail boxes."""
    boxes = held if isinstance(held, list) else []
    return ", ".join(str(box.get("address") or "") if isinstance(box, dict) else str(box) for box in boxes)


def _to(record: Any) -> str:
    """The address that was written to, as people read it."""
    if record.address_kind == ContactKind.PHONE.value:
        return shown_phone(record.address)
    return record.address or ""
