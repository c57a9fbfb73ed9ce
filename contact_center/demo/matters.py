"""The customers of the past: they write, go on, call, give up waiting and rate; acts on the real use cases.

Who received our mails and texts, and who was at the other end of the line, exists only in this history; everything
from the parsed message inwards is the product.
"""

import itertools
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from urllib.parse import urlencode

from sqlalchemy import Connection, bindparam, select

from channels import delivery
from channels.base import Sent
from channels.chat import lineup
from channels.phone import reports
from channels.phone.parse import parse_twilio
from contact_center.demo.cast import ALWAYS_OPEN, PHONE_NUMBER, TWILIO_ACCOUNT, Cast
from contact_center.demo.colleagues import Act, Plan
from contact_center.demo.days import arrivals
from contact_center.demo.shoppers import Shopper
from contact_center.demo.talk import Talk, opening
from tickets import intake
from tickets.channel_accounts import Account
from tickets.inbound import Address, InboundMessage
from tickets.inbox import RawItem
from tickets.models import Ticket
from tickets.quality import surveys
from tickets.quality.models import Survey
from tickets.states import DONE_STATUSES, Channel, ContactKind, Delivery

CHANNELS = (
    (Channel.CHAT, 0.36, "Shop chat"),
    (Channel.EMAIL, 0.34, "Shop mail"),
    (Channel.SMS, 0.20, "Shop SMS"),
    (Channel.PHONE, 0.10, "Shop line"),
)
SHARES = [share for _, share, _ in CHANNELS]
ACCOUNTS = {channel: account for channel, _, account in CHANNELS}
DONE = frozenset(status.value for status in DONE_STATUSES)
# Of those who open a chat: how many give up before somebody is there, and when.
IMPATIENT = 0.12
PATIENCE = (6.0, 45.0)
SILENT = 0.06
RATED = 0.35
COMMENTED = 0.4
BOUNCED = 0.006
RINGS_FOR = timedelta(seconds=45)
# A carrier's report of a call names the line's region, as the server's own setting would.
REGION = "VN"
RATINGS = {False: (3, 4, 10, 33, 50), True: (30, 30, 20, 15, 5)}
COMMENTS = {
    "en": {
        True: ("Quick and kind, thank you!", "Solved in two minutes.", "She knew exactly what to do.", "Great help."),
        False: ("Nobody read what I wrote.", "Took too long.", "I had to ask twice.", "Friendly, but no solution."),
    },
    "vi": {
        True: ("Nhanh và nhiệt tình, cảm ơn shop!", "Giải quyết trong hai phút.", "Bạn tư vấn rất hiểu việc.", "Tốt."),
        False: ("Không ai đọc kỹ tin của tôi.", "Chờ lâu quá.", "Phải hỏi hai lần.", "Lịch sự nhưng chưa xong."),
    },
}


@dataclass(slots=True)
class Matter:
    """One ticket as its customer sees it; `call` is the carrier's id of a call that is still going."""

    talk: Talk
    shopper: Shopper
    channel: Channel
    call: str = ""
    picked_up_at: datetime | None = None
    said: int = 1


class Customers:
    """Everybody who writes or calls in one stretch of the past; `key` keeps their external ids apart from others'."""

    def __init__(
        self,
        cast: Cast,
        shoppers: Sequence[Shopper],
        line: Account,
        rng: random.Random,
        *,
        key: str,
    ) -> None:
        self.cast = cast
        self.line = line
        self.rng = rng
        self.key = key
        self.opened = 0
        self.matters: dict[int, Matter] = {}
        self._by_locale = {
            locale: [one for one in shoppers if one.locale == locale] for locale in sorted({s.locale for s in shoppers})
        }
        self._count = itertools.count(1)

    def arrivals(self, begin: datetime, end: datetime, count: int) -> list[tuple[datetime, Act]]:
        """`count` customers who write between two moments."""
        return [
            (moment, partial(self._writes, self.rng.choice(self._by_locale[locale])))
            for moment, locale in arrivals(self.rng, begin, end, count)
        ]

    def on_change(self, data: Mapping[str, Any]) -> list[Plan]:
        """What an event about one of their tickets makes a customer do."""
        ticket_id = data.get("ticket_id")
        if not isinstance(ticket_id, int) or ticket_id not in self.matters:
            return []
        matter = self.matters[ticket_id]
        match data.get("event"):
            case "message.created" if data.get("kind") == "outbound" and data.get("user_id") is not None:
                return self._after_answer(ticket_id, matter)
            case "ticket.resolved" if matter.call:
                return [Plan(timedelta(seconds=1), partial(self._hangs_up, ticket_id))]
            case "ticket.assigned" if matter.call and matter.picked_up_at is None:
                return [Plan(timedelta(seconds=2), partial(self._is_connected, ticket_id))]
            case "survey.sent" if self.rng.random() < RATED:
                # In a chat at once, by mail when they look at it.
                minutes = self.rng.uniform(0.2, 2) if matter.channel is Channel.CHAT else self.rng.uniform(20, 900)
                return [Plan(timedelta(minutes=minutes), partial(self._rates, ticket_id, data["survey_id"]))]
        return []

    def _after_answer(self, ticket_id: int, matter: Matter) -> list[Plan]:
        if self.rng.random() < SILENT:
            return []
        chat = matter.channel is Channel.CHAT
        seconds = self.rng.uniform(15, 60) if chat else self.rng.uniform(300, 7200)
        return [Plan(timedelta(seconds=seconds), partial(self._goes_on, ticket_id))]

    def _writes(self, shopper: Shopper, tx: Connection, now: datetime) -> list[Plan]:
        channel = self.rng.choices(list(ACCOUNTS), SHARES)[0]
        if channel is Channel.PHONE:
            return self._calls(shopper, tx, now)
        script = opening(self.rng)
        if channel is Channel.CHAT and script.queue not in ALWAYS_OPEN:
            # A queue with hours is not offered for a chat.
            channel = Channel.EMAIL
        talk = Talk(0, shopper.call_name, shopper.locale, script, shopper.order, shopper.item)
        first = talk.line(0)
        assert first is not None
        subject = script.words[shopper.locale].subject.format(order=shopper.order, item=shopper.item, name="")
        message = replace(
            self._message(shopper, channel, self.cast.accounts[ACCOUNTS[channel]], first, now),
            subject=subject if channel is Channel.EMAIL else "",
            queue_id=self.cast.queues[script.queue],
        )
        receipt = intake.receive(tx, message, now=now)
        if receipt.ticket_id is None:
            return []
        self.opened += receipt.created
        self.matters[receipt.ticket_id] = Matter(replace(talk, ticket_id=receipt.ticket_id), shopper, channel)
        if channel is Channel.CHAT and self.rng.random() < IMPATIENT:
            patience = timedelta(seconds=self.rng.uniform(*PATIENCE))
            return [Plan(patience, partial(_leaves, receipt.ticket_id))]
        return []

    def _message(self, shopper: Shopper, channel: Channel, account_id: int, text: str, now: datetime) -> InboundMessage:
        key = f"{self.key}-{next(self._count)}"
        by_phone = channel is Channel.SMS
        return InboundMessage(
            channel=channel,
            account_id=account_id,
            external_id=key,
            sender=Address(
                ContactKind.PHONE if by_phone else ContactKind.EMAIL,
                shopper.phone if by_phone else shopper.email,
                shopper.name,
            ),
            text=text,
            thread_key={Channel.SMS: shopper.phone, Channel.CHAT: key}.get(channel),
            locale=shopper.locale,
            sent_at=now,
        )

    def _goes_on(self, ticket_id: int, tx: Connection, now: datetime) -> None:
        matter = self.matters[ticket_id]
        status, thread, account_id = tx.execute(_STANDS, {"ticket": ticket_id}).one()
        text = matter.talk.line(matter.said)
        if text is None or status in DONE or account_id is None:
            return
        matter.said += 1
        message = self._message(matter.shopper, matter.channel, account_id, text, now)
        token = ticket_id if matter.channel is Channel.EMAIL else None
        intake.receive(tx, replace(message, thread_key=thread, ticket_token=token), now=now)

    def _rates(self, ticket_id: int, survey_id: int, tx: Connection, now: datetime) -> None:
        token = tx.execute(select(Survey.token).where(Survey.id == survey_id)).scalar_one()
        matter = self.matters[ticket_id]
        script = matter.talk.script
        rating = self.rng.choices((1, 2, 3, 4, 5), RATINGS[script is not None and script.angry])[0]
        comment = ""
        if self.rng.random() < COMMENTED:
            comment = self.rng.choice(COMMENTS[matter.shopper.locale][rating > 3])
        surveys.answer(tx, token, rating, comment=comment, now=now)

    def _calls(self, shopper: Shopper, tx: Connection, now: datetime) -> list[Plan]:
        sid = f"CA{self.rng.getrandbits(128):032x}"
        self._report(tx, sid, shopper.phone, "ringing", now)
        ticket_id = tx.execute(select(Ticket.id).where(Ticket.thread_key == sid)).scalar_one()
        talk = Talk(ticket_id, shopper.call_name, shopper.locale, None)
        self.opened += 1
        self.matters[ticket_id] = Matter(talk, shopper, Channel.PHONE, call=sid)
        return [Plan(RINGS_FOR, partial(self._gives_up, ticket_id))]

    def _is_connected(self, ticket_id: int, tx: Connection, now: datetime) -> None:
        matter = self.matters[ticket_id]
        if not matter.call or matter.picked_up_at is not None:
            return
        matter.picked_up_at = now
        leg = {"CallSid": f"CA{self.rng.getrandbits(128):032x}", "ParentCallSid": matter.call}
        self._report(tx, matter.call, matter.shopper.phone, "in-progress", now, **leg, Direction="outbound-dial")

    def _hangs_up(self, ticket_id: int, tx: Connection, now: datetime) -> None:
        matter = self.matters[ticket_id]
        if matter.call:
            begun = matter.picked_up_at or now
            seconds = str(round((now - begun).total_seconds()))
            sid, matter.call = matter.call, ""
            self._report(tx, sid, matter.shopper.phone, "completed", now, CallDuration=seconds)

    def _gives_up(self, ticket_id: int, tx: Connection, now: datetime) -> None:
        matter = self.matters[ticket_id]
        if matter.call and matter.picked_up_at is None:
            sid, matter.call = matter.call, ""
            self._report(tx, sid, matter.shopper.phone, "no-answer", now)

    def _report(self, tx: Connection, sid: str, number: str, status: str, now: datetime, **more: str) -> None:
        """What the carrier tells of a call, as its signed webhook would."""
        form = {
            "CallSid": sid,
            "AccountSid": TWILIO_ACCOUNT,
            "From": number,
            "To": PHONE_NUMBER,
            "Direction": "inbound",
            "CallStatus": status,
            "Timestamp": f"{now:%a, %d %b %Y %H:%M:%S +0000}",
            **more,
        }
        key, raw = f"{self.key}-{next(self._count)}", urlencode(form).encode()
        raw_item = RawItem(Channel.PHONE, self.line.id, key, raw=raw, sender=number, summary=sid)
        report = parse_twilio(list(form.items()), now=now)
        reports.receive(tx, self.line, reports.TWILIO, raw_item, report, region=REGION, now=now)

    def deliver(self, tx: Connection, now: datetime) -> None:
        """Take our mails and texts; a few addresses refuse them."""
        channels = [Channel.EMAIL.value, Channel.SMS.value]
        claimed = None
        while claimed is None or len(claimed) == delivery.BATCH:
            claimed = delivery.claim(tx, channels, now)
            for message_id, attempt_id in claimed:
                outcome = delivery.Outcome(Delivery.SENT, Sent(external_id=f"{self.key}-sent-{attempt_id}"))
                if self.rng.random() < BOUNCED:
                    outcome = delivery.Outcome(Delivery.FAILED, code="552", text="5.2.2 The mailbox is full.")
                delivery.record(tx, message_id, attempt_id, outcome, now)


def _leaves(ticket_id: int, tx: Connection, now: datetime) -> None:
    lineup.left(tx, ticket_id, now=now)


_STANDS = select(Ticket.status, Ticket.thread_key, Ticket.channel_account_id).where(Ticket.id == bindparam("ticket"))
