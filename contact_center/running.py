"""What the rows tell of a running installation: work that nobody takes, what failed, promises that were broken."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import Connection, Select, func, select

from contact_center.accounts.models import User
from contact_center.accounts.permissions import TABLE, Permission
from contact_center.core.events import EventRow, HandlerFailure
from contact_center.core.i18n import gettext, mark
from contact_center.core.metrics import STUCK
from routing.invariants import violations
from routing.models import ProfileRow
from tickets.models import ChannelAccount, JournalItem, Message, Queue
from tickets.silence import silent
from tickets.states import Delivery, JournalState

BEHIND = timedelta(seconds=60)
# No more is counted, so that a look stays cheap.
MOST = 1000
WORKER = mark("Start a worker (contact-center worker), or serve with its loops.")
WORDS = {
    "events": (mark("Events that have waited for their handlers for more than 60 s: %(count)s."), WORKER),
    "inbound": (mark("Inbound items that have waited to be taken for more than 60 s: %(count)s."), WORKER),
    "outbound": (mark("Messages that should have gone out more than 60 s ago: %(count)s."), WORKER),
    "quarantined": (
        mark("Inbound items in quarantine: %(count)s."),
        mark("Read why and try again: Administration → Journal → Quarantined."),
    ),
    "given_up": (
        mark("Handlers that were given up after their last attempt: %(count)s."),
        mark("Read why and try again: Administration → Failed handlers."),
    ),
}


@dataclass(frozen=True, slots=True)
class Finding:
    """`level` is ok, warning or error; `message` and `advice` are marked texts whose places `params` fill."""

    level: str
    message: str
    advice: str = ""
    params: Mapping[str, object] = field(default_factory=dict)

    def what(self, locale: str = "en") -> str:
        """What was found."""
        params = {
            name: gettext(locale, str(value)) if name == "error" else value for name, value in self.params.items()
        }
        return gettext(locale, self.message, **params)

    def fix(self, locale: str = "en") -> str:
        """What to do about it."""
        return gettext(locale, self.advice, **self.params)


def look(tx: Connection, now: datetime) -> Sequence[Finding]:
    """Everything that needs a person, or one line that says that nothing does. Warnings only: the set-up is right."""
    found = [*_people(tx), *_accounts(tx), *_silence(tx, now), *_stuck(tx, now), *_invariants(tx, now)]
    return found or [Finding("ok", mark("Nothing waits for a person: no failures, no quarantine, no broken promise."))]


def _people(tx: Connection) -> Iterator[Finding]:
    able = [role.value for role, granted in TABLE.items() if Permission.ADMINISTER in granted]
    if tx.execute(select(User.id).where(User.active, User.role.in_(able)).limit(1)).first() is None:
        yield Finding("warning", mark("There is no administrator."), mark("Run: contact-center createadmin"))
    served = select(ProfileRow.user_id).join(User, User.id == ProfileRow.user_id)
    served = served.where(ProfileRow.queue_id == Queue.id, User.active)
    alone = tx.execute(select(Queue.name).where(Queue.active, ~served.exists()).order_by(Queue.name)).scalars().all()
    if alone:
        yield Finding(
            "warning",
            mark("Nobody serves these queues: %(names)s."),
            mark("Choose agents: Administration → Queues → Agents, or switch the queue off."),
            {"names": ", ".join(alone)},
        )


def _accounts(tx: Connection) -> Iterator[Finding]:
    broken = select(ChannelAccount.name, ChannelAccount.last_error).where(
        ChannelAccount.enabled, ChannelAccount.last_error.is_not(None)
    )
    for row in tx.execute(broken.order_by(ChannelAccount.name)):
        yield Finding(
            "warning",
            mark("The channel account %(name)s does not work: %(error)s"),
            mark("Mend it, or switch it off: Administration → Channel accounts."),
            {"name": row.name, "error": row.last_error},
        )


def _silence(tx: Connection, now: datetime) -> Iterator[Finding]:
    for one in silent(tx, now):
        yield Finding(
            "warning",
            mark("%(name)s took nothing for %(minutes)s minutes; %(normal)s an hour are normal at this time."),
            mark("Write to it yourself. If that does not arrive, look at the account's page and at its server."),
            {"name": one.name, "minutes": one.minutes, "normal": one.normal},
        )


def export(tx: Connection, now: datetime) -> None:
    """Set the gauges."""
    for kind, count in stuck(tx, now).items():
        STUCK.labels(kind).set(count)


def stuck(tx: Connection, now: datetime) -> dict[str, int]:
    """Kind -> how much of it waits for a person (quarantined, given_up) or longer than it should (the rest)."""
    late = now - BEHIND
    waiting: dict[str, Select[*tuple[int, ...]]] = {
        "events": select(EventRow.id).where(EventRow.dispatched_at.is_(None), EventRow.created_at < late),
        "inbound": select(JournalItem.id).where(
            JournalItem.state == JournalState.RECEIVED.value, JournalItem.received_at < late
        ),
        "outbound": select(Message.id).where(Message.delivery == Delivery.QUEUED.value, Message.send_after < late),
        "quarantined": select(JournalItem.id).where(JournalItem.state == JournalState.QUARANTINED.value),
        "given_up": select(HandlerFailure.id).where(HandlerFailure.dead_at.is_not(None)),
    }
    counted = {kind: select(func.count()).select_from(one.limit(MOST).subquery()) for kind, one in waiting.items()}
    row = tx.execute(select(*(one.scalar_subquery().label(kind) for kind, one in counted.items()))).one()
    return dict(row._mapping)


def _stuck(tx: Connection, now: datetime) -> Iterator[Finding]:
    for kind, count in stuck(tx, now).items():
        if count:
            yield Finding("warning", *WORDS[kind], {"count": f"≥ {count}" if count == MOST else count})


def _invariants(tx: Connection, now: datetime) -> Iterator[Finding]:
    for name, count in violations(tx, now).items():
        if count:
            yield Finding(
                "warning",
                mark("A promise of routing is broken: %(name)s (%(count)s)."),
                mark("docs/metrics.md says what it means and what to do."),
                {"name": name, "count": count},
            )
