"""Click-to-call: our own phone rings first, then the customer's, into one conference.

1. `place` checks who calls whom by which line, writes the call into the ticket and wishes for our leg.
2. Our leg joined: the customer is dialled (`on_leg_changed`). Ours failed: nobody is dialled, and the call says why.
3. The customer's leg tells what became of the call; when it is over, nobody of ours is left alone in the conference.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, select, update

from channels.phone import calls, consent, entries, legs, lines
from channels.phone.commands import Verb, command, commands_of
from channels.phone.legs import ALIVE, OVER, LegState, Role
from channels.phone.models import Call, CallLeg
from channels.phone.people import phone_of
from channels.phone.states import CallState, Direction, Ending, Facts
from channels.phone.verbs import conference_name
from channels.sms.errors import OPTED_OUT
from contact_center.accounts.models import User
from contact_center.core.errors import Conflict, Invalid
from contact_center.core.events import Event
from contact_center.core.i18n import mark
from contact_center.core.secrets import Vault
from contact_center.core.upsert import insert_once
from routing import beside
from tickets import blocks, channel_accounts, lifecycle
from tickets.channel_accounts import Account
from tickets.customers.wrong_person import NOT_THIS_PERSON
from tickets.inbound import Address
from tickets.models import ChannelAccount, ContactPoint, Ticket
from tickets.opening import Opening, open_
from tickets.replies import Author
from tickets.states import AuthorKind, Channel, ContactKind, MessageKind, Status
from tickets.timeline import Entry, append

SOURCE = "console"
OUR_PHONE = mark("Your own phone did not answer.")
# An address that only SMS bounced from may still be called.
NEVER_CALL = (OPTED_OUT, NOT_THIS_PERSON)
ENDINGS = {
    "busy": Ending.BUSY,
    "no-answer": Ending.NO_ANSWER,
    "canceled": Ending.CANCELED,
    "": Ending.CANCELED,
}


@dataclass(frozen=True, slots=True)
class Placed:
    """A call that is under way, and the conversation that it stands in."""

    call_id: int
    ticket_id: int


def place(
    tx: Connection,
    vault: Vault,
    ticket_id: int,
    *,
    author: Author,
    contact_point_id: int | None = None,
    now: datetime,
) -> Placed:
    """Call the customer of a ticket; a repeated client id gives the first call again.

    Invalid or Conflict say why not: no line, no phone of one's own, a number that is blocked or opted out.
    """
    ticket = lifecycle.access(tx, ticket_id, lock=True)
    if known := _known(tx, author):
        return known
    point = _number(tx, ticket, contact_point_id)
    line = _line(tx, vault, ticket.queue_id)
    if ticket.status == Status.CLOSED.value:
        raise Conflict("This ticket is closed. Open a follow-up to go on with the matter.")
    own = _own_phone(tx, author.user_id)
    check_number(tx, point.value, now=now)
    return _begin(tx, line, ticket_id, point, own, author=author, now=now)


def place_to(tx: Connection, vault: Vault, contact_point_id: int, *, author: Author, now: datetime) -> Placed:
    """Call a number of a customer: in the matter that they have open, else in a new one."""
    point = tx.execute(
        select(ContactPoint.__table__).where(
            ContactPoint.id == contact_point_id, ContactPoint.kind == ContactKind.PHONE.value
        )
    ).first()
    if point is None:
        raise Invalid("This customer has no such phone number.")
    if known := _known(tx, author):
        return known
    # Before a conversation is opened for it.
    check_number(tx, point.value, now=now)
    _own_phone(tx, author.user_id)
    line = _line(tx, vault, None)
    ticket_id = calls.open_matter(tx, point.customer_id)
    if ticket_id is None:
        opening = Opening(
            subject=entries.call_to(tx, line, point.value),
            queue_id=line.queue_id,
            channel=Channel.PHONE,
            to=Address(ContactKind.PHONE, point.value),
            customer_id=point.customer_id,
        )
        ticket_id = open_(tx, opening, author=Author(author.user_id, f"{author.client_id}t"), now=now)
    return place(tx, vault, ticket_id, author=author, contact_point_id=contact_point_id, now=now)


# A line of ours that has what calling needs.
_ABLE = select(ChannelAccount.id).where(
    ChannelAccount.channel == Channel.PHONE.value, ChannelAccount.enabled, ChannelAccount.secrets.is_not(None)
)


def can_call(tx: Connection) -> bool:
    """Whether any line of ours could call somebody."""
    return tx.execute(_ABLE.limit(1)).first() is not None


def numbers_of(tx: Connection, ticket_id: int) -> Sequence[Row[int, str]]:
    """The customer's numbers (id, value), if any line of ours could call them; their own of this ticket first."""
    return tx.execute(
        select(ContactPoint.id, ContactPoint.value)
        .join(Ticket, Ticket.customer_id == ContactPoint.customer_id)
        .where(Ticket.id == ticket_id, ContactPoint.kind == ContactKind.PHONE.value, _ABLE.exists())
        .order_by((ContactPoint.id == Ticket.contact_point_id).desc(), ContactPoint.id)
    ).all()


def check_number(tx: Connection, number: str, *, now: datetime) -> None:
    """Conflict with the reason where nobody may call this number (E.164)."""
    blocked = blocks.of_number(tx, number, now=now)
    if blocked is not None:
        raise Conflict("This number is blocked: {reason}", reason=blocked or number)
    suppressed = tx.execute(
        select(ContactPoint.suppressed_reason).where(
            ContactPoint.kind == ContactKind.PHONE.value, ContactPoint.value == number
        )
    ).scalar_one_or_none()
    if suppressed == OPTED_OUT:
        raise Conflict("The customer wants no calls or messages at this number.")
    if suppressed in NEVER_CALL:
        raise Conflict(suppressed)


def _number(tx: Connection, ticket: Row[Any], contact_point_id: int | None) -> Row[Any]:
    """The chosen number of the ticket's customer, else the one they use here, else their first."""
    wanted = contact_point_id or ticket.contact_point_id
    point = tx.execute(
        select(ContactPoint.__table__)
        .where(ContactPoint.customer_id == ticket.customer_id, ContactPoint.kind == ContactKind.PHONE.value)
        .order_by((ContactPoint.id == wanted).desc(), ContactPoint.id)
        .limit(1)
    ).first()
    if point is None or (contact_point_id is not None and point.id != contact_point_id):
        raise Invalid("This customer has no such phone number.")
    return point


def _line(tx: Connection, vault: Vault, queue_id: int | None) -> Account:
    """The line that shows as the caller: the queue's own, else the first that can call."""
    able = [
        account
        for account in channel_accounts.enabled(tx, vault, Channel.PHONE)
        if account.secrets.get("account_sid") and account.secrets.get("auth_token")
    ]
    if not able:
        raise Invalid("No phone line is set up to call from. Ask an administrator.")
    return min(able, key=lambda account: (account.queue_id != queue_id, account.id))


def _own_phone(tx: Connection, user_id: int | None) -> str:
    """The caller's own number; one call at a time each, so their row is locked."""
    tx.execute(select(User.id).where(User.id == user_id).with_for_update())
    own = phone_of(tx, user_id or 0)
    if not own:
        raise Invalid("Enter your phone in your settings first: it rings before the customer's.")
    busy = select(CallLeg.id).where(CallLeg.user_id == user_id, CallLeg.state.in_(ALIVE))
    if tx.execute(busy.limit(1)).first() is not None:
        raise Conflict("You are on the phone already.")
    return own


def _known(tx: Connection, author: Author) -> Placed | None:
    """The call that this person's screen has asked for before by the same client id."""
    row = tx.execute(select(Call.id, Call.ticket_id).where(Call.external_id == _name(author))).first()
    return Placed(row.id, row.ticket_id) if row else None


def _name(author: Author) -> str:
    return f"{SOURCE}:{author.key()}"


def _begin(
    tx: Connection,
    line: Account,
    ticket_id: int,
    point: Row[Any],
    own: str,
    *,
    author: Author,
    now: datetime,
) -> Placed:
    """The call in ledger and conversation, its two legs, and the wish that ours rings."""
    call_id = insert_once(
        tx,
        Call,
        key=["channel_account_id", "external_id"],
        values={
            "channel_account_id": line.id,
            "external_id": _name(author),
            "source": SOURCE,
            "direction": Direction.OUT.value,
            "state": CallState.RINGING.value,
            "number": point.value,
            "line": line.address,
            "live": True,
            "contact_point_id": point.id,
            "ticket_id": ticket_id,
            "user_id": author.user_id,
            "agent": "",
            "queue": "",
            "rang_at": now,
            "cause": "",
            "wait_seconds": 0,
            "talk_seconds": 0,
            "created_at": now,
        },
    )
    # Whoever held the ticket's lock before us has committed, and `_known` would have found their call.
    assert call_id is not None
    call = tx.execute(select(Call.__table__).where(Call.id == call_id)).one()
    entry = Entry(
        kind=MessageKind.CALL,
        channel=Channel.PHONE.value,
        author_kind=AuthorKind.AGENT,
        user_id=author.user_id,
        text=entries.sentence_of(lines.line_by_id(tx, line.id, source=SOURCE), call),
        public=False,
        channel_account_id=line.id,
        contact_point_id=point.id,
        external_id=_name(author),
        meta=entries.meta_of(call),
    )
    appended = append(tx, ticket_id, entry, now=now)
    tx.execute(update(Call).where(Call.id == call_id).values(message_id=appended.message_id))
    ours = legs.add_leg(
        tx, call_id, Role.AGENT, client_key=_own_key(call_id), number=own, user_id=author.user_id, now=now
    )
    legs.add_leg(tx, call_id, Role.CALLER, client_key=f"caller-{call_id}", number=point.value, now=now)
    command(tx, call_id, Verb.DIAL, leg_id=ours.id, user_id=author.user_id, now=now)
    return Placed(call_id, ticket_id)


def on_leg_changed(tx: Connection, event: Event, now: datetime) -> None:
    """What follows for a call that we placed; the rows are read again, so an old event does no harm."""
    state = event.payload["state"]
    if state not in (LegState.WANTED.value, LegState.JOINED.value, *OVER):
        return
    call = tx.execute(select(Call.__table__).where(Call.id == event.payload["call_id"]).with_for_update()).one()
    if call.source != SOURCE:
        return
    known = legs.legs_of(tx, call.id)
    leg = next(one for one in known if one.id == event.payload["leg_id"])
    caller = next((one for one in reversed(known) if one.role == Role.CALLER.value), None)
    if caller is None:
        return
    hold_room(tx, call, known, caller, now=now)
    if leg.state == LegState.WANTED.value:
        return
    if leg.id == caller.id:
        _customer(tx, call, caller, known, now=now)
    elif leg.state == LegState.JOINED.value:
        _dial_customer(tx, call, caller, now=now)
    elif caller.state == LegState.WANTED.value and not any(one.state in ALIVE for one in known if one.id != caller.id):
        # Nobody dialled the customer, so no callback will tell that this is over.
        legs.move_leg(tx, caller.id, LegState.FAILED, reason=OUR_PHONE, now=now)


def hold_room(tx: Connection, call: Row[Any], known: Sequence[Row[Any]], caller: Row[Any], *, now: datetime) -> None:
    """Whoever calls, and a colleague who takes the call over, has no room for another live contact: from the moment
    their phone rings (or the call is theirs) until they or the customer left; wrap-up follows a talk."""
    for leg in known:
        if leg.role != Role.AGENT.value or leg.user_id is None or call.ticket_id is None:
            continue
        is_first = leg.client_key == _own_key(call.id)
        name = conference_name(call.id) if is_first else f"{conference_name(call.id)}-{leg.id}"
        if leg.state in ALIVE and caller.state in ALIVE:
            beside.begin(tx, call.ticket_id, leg.user_id, name, now=now)
        else:
            talked = leg.joined_at is not None and caller.joined_at is not None
            beside.end(tx, name, talked=talked, now=now)


def _own_key(call_id: int) -> str:
    return f"agent-{call_id}"


def _dial_customer(tx: Connection, call: Row[Any], caller: Row[Any], *, now: datetime) -> None:
    """Ours picked up: now the customer, once."""
    if caller.state != LegState.WANTED.value:
        return
    if all(one.leg_id != caller.id or one.verb != Verb.DIAL.value for one in commands_of(tx, call.id)):
        command(tx, call.id, Verb.DIAL, leg_id=caller.id, now=now)


def _customer(tx: Connection, call: Row[Any], caller: Row[Any], known: Sequence[Row[Any]], *, now: datetime) -> None:
    """The customer's leg says what the call is; once it is over, ours is taken out too."""
    line = lines.line_by_id(tx, call.channel_account_id, source=SOURCE)
    facts = Facts(answered_at=caller.joined_at)
    told: dict[str, Any] = {}
    if caller.state in OVER:
        spoke = caller.joined_at is not None
        ending = Ending.HUNG_UP if spoke else ENDINGS.get(caller.reason, Ending.FAILED)
        facts = Facts(answered_at=caller.joined_at, ended_at=caller.left_at, ending=ending)
        told = {"cause": caller.reason} if ending is Ending.FAILED else {}
    after = calls.merge(tx, line, call, facts, told, now=now)
    if caller.state == LegState.JOINED.value and call.answered_at is None:
        consent.on_answered(tx, call, caller.id, now=now)
    if after.state == CallState.COMPLETED.value and call.state != after.state:
        _is_an_answer(tx, call.ticket_id, now=now)
    if caller.state in OVER:
        for leg in known:
            if leg.id != caller.id and leg.state == LegState.JOINED.value:
                command(tx, call.id, Verb.DROP, leg_id=leg.id, now=now)


def _is_an_answer(tx: Connection, ticket_id: int, *, now: datetime) -> None:
    """A talk with the customer: they wait no longer."""
    tx.execute(update(Ticket).where(Ticket.id == ticket_id).values(waiting_since=None, last_outbound_at=now))
    first = (Ticket.id == ticket_id) & Ticket.first_response_at.is_(None)
    tx.execute(update(Ticket).where(first).values(first_response_at=now))
