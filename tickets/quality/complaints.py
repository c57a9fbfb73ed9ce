"""Complaints: opened from a ticket by an agent, the customer or a rule, then moved through their stages."""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from contact_center.core.among import among
from contact_center.core.errors import Invalid, NotFound
from contact_center.core.events import Event, emit, together
from contact_center.core.i18n import mark
from contact_center.core.text import first_line, fold
from contact_center.core.upsert import insert_once
from tickets import lifecycle
from tickets.models import Message, Ticket
from tickets.quality.complaint_stages import ComplaintFacts, Decision, Opener, Severity, Stage, check_move, due_at
from tickets.quality.models import Complaint, ComplaintStep
from tickets.states import APART_STATUSES, Kind, MessageKind
from tickets.timeline import add_event

TOPIC = "complaints"
TEXTS = ("summary", "acknowledgement", "findings", "reasons", "remedy", "communicated")
PEOPLE = ("owner_id", "subject_agent_id")
CHOICES: Mapping[str, frozenset[str]] = {
    "severity": frozenset(severity.value for severity in Severity),
    "decision": frozenset(decision.value for decision in Decision),
}
# A short list, so that causes can be counted; the findings tell the rest.
ROOT_CAUSES = {
    "product": mark("Product or quality"),
    "delivery": mark("Delivery"),
    "billing": mark("Price or billing"),
    "information": mark("Wrong or missing information"),
    "conduct": mark("Conduct of a person"),
    "waiting": mark("Waiting time"),
    "process": mark("Process or rule of ours"),
    "system": mark("Technical failure"),
    "third_party": mark("Third party"),
    "none": mark("No fault of ours"),
}
LONGEST_TEXT = 10_000

# What customers write when they complain in so many words (folded); anger alone is no complaint.
_COMPLAINS = re.compile(
    "|".join(
        (
            r"\b(?:i|we) (?:want|wish|would like|am going|are going|intend|need) to (?:make |file |lodge |raise )?"
            r"(?:a |an )?(?:formal |official )?complain",
            r"\b(?:formal|official|written) complaint\b",
            r"\b(?:make|file|filing|lodge|lodging|raise|raising|submit|submitting) (?:a|my|this) complaint\b",
            r"\bthis is a complaint\b",
            r"\b(?:ombudsman|consumer protection|small claims)\b",
            r"\b(?:muon|can|se|xin|phai|gui|lam) (?:gui |lam )?(?:don )?(?:khieu nai|to cao)\b",
            r"\bdon khieu nai\b",
            r"\bbao ve nguoi tieu dung\b",
        )
    )
)
# Built once: it runs for every batch of inbound messages.
_WRITTEN = (
    select(Message.ticket_id, Message.text, Message.automatic)
    .join(Ticket, Ticket.id == Message.ticket_id)
    .where(among(Message.id, "messages"), Ticket.status.not_in(sorted(APART_STATUSES)))
    .order_by(Message.id)
)


@together
def on_message_created(tx: Connection, events: Sequence[Event], now: datetime) -> None:
    """The rule: an inbound message that complains in so many words makes its ticket a complaint."""
    messages = {event.payload["message_id"] for event in events if _may_complain(event.payload)}
    for row in tx.execute(_WRITTEN, {"messages": messages}).all() if messages else ():
        if not row.automatic and complains(row.text):
            summary = first_line(row.text, 300)
            open_(tx, row.ticket_id, opener=Opener.RULE, user_id=None, summary=summary, now=now)


def _may_complain(payload: Mapping[str, Any]) -> bool:
    return payload.get("kind") == MessageKind.INBOUND.value and not payload.get("automatic")


def complains(text: str) -> bool:
    """Whether a customer says that they complain."""
    return bool(_COMPLAINS.search(" ".join(fold(text[:5000]).split())))


def open_(
    tx: Connection,
    ticket_id: int,
    *,
    opener: Opener,
    user_id: int | None,
    summary: str,
    now: datetime,
    subject_agent_id: int | None = None,
) -> int:
    """Make the ticket a complaint and return the complaint's id; a ticket that is one already keeps it."""
    if not summary.strip():
        raise Invalid("Say in a sentence what the customer complains about.", field="summary")
    lifecycle.access(tx, ticket_id, lock=True)
    received = ComplaintFacts(Stage.RECEIVED, now)
    values = {
        "ticket_id": ticket_id,
        "stage": Stage.RECEIVED.value,
        "opener": opener.value,
        "opened_by_id": user_id,
        "summary": summary.strip()[:LONGEST_TEXT],
        "subject_agent_id": subject_agent_id,
        **dict.fromkeys((*TEXTS[1:], "root_cause"), ""),
        "received_at": now,
        "updated_at": now,
        "due_at": due_at(received),
        "version": 1,
    }
    complaint_id = insert_once(tx, Complaint, key=["ticket_id"], values=values)
    if complaint_id is None:
        existing: int = tx.execute(select(Complaint.id).where(Complaint.ticket_id == ticket_id)).scalar_one()
        return existing
    lifecycle.set_fields(tx, ticket_id, user_id=user_id, kind=Kind.COMPLAINT, now=now)
    add_event(tx, ticket_id, "complaint_opened", {"opener": opener.value}, now=now, user_id=user_id)
    _log(tx, complaint_id, None, Stage.RECEIVED, user_id=user_id, now=now)
    _announce(tx, complaint_id, ticket_id, "complaint.opened", {"opener": opener.value}, now=now)
    return complaint_id


def change(tx: Connection, complaint_id: int, values: Mapping[str, Any], *, user_id: int | None, now: datetime) -> None:
    """Write down facts: severity, owner_id, findings …; every change is kept in the log."""
    complaint = access(tx, complaint_id, lock=True)
    changed = _changed(complaint, _checked(values))
    if not changed:
        return
    _write(tx, complaint, changed, Stage(complaint.stage), now=now)
    differences = {name: [getattr(complaint, name), value] for name, value in changed.items()}
    stage = Stage(complaint.stage)
    _log(tx, complaint_id, stage, stage, user_id=user_id, now=now, changes=differences)
    _announce(tx, complaint_id, complaint.ticket_id, "complaint.changed", {"fields": sorted(changed)}, now=now)


def move(
    tx: Connection,
    complaint_id: int,
    target: Stage,
    *,
    user_id: int | None,
    now: datetime,
    reason: str = "",
    values: Mapping[str, Any] | None = None,
) -> None:
    """Move to another stage, writing down `values` first; IllegalMove says what is missing, and nothing is written."""
    complaint = access(tx, complaint_id, lock=True)
    changed = _changed(complaint, _checked(values or {}))
    facts = facts_of({**complaint._mapping, **changed})
    check_move(facts, target, reason=reason)
    _write(tx, complaint, changed, target, now=now)
    differences = {name: [getattr(complaint, name), value] for name, value in changed.items()}
    source = Stage(complaint.stage)
    _log(tx, complaint_id, source, target, user_id=user_id, now=now, reason=reason, changes=differences)
    steps = {"from": source.value, "to": target.value}
    add_event(tx, complaint.ticket_id, "complaint_moved", steps, now=now, user_id=user_id)
    _announce(tx, complaint_id, complaint.ticket_id, "complaint.moved", steps, now=now)


def access(tx: Connection, complaint_id: int, *, lock: bool = False) -> Row[Any]:
    """The complaint's row, locked on request; NotFound if there is none."""
    statement = select(Complaint.__table__).where(Complaint.id == complaint_id)
    row = tx.execute(statement.with_for_update() if lock else statement).first()
    if row is None:
        raise NotFound("There is no such complaint.")
    return row


def facts_of(complaint: Mapping[str, Any]) -> ComplaintFacts:
    """A complaint's columns as the guards see them."""
    return ComplaintFacts(
        stage=Stage(complaint["stage"]),
        received_at=complaint["received_at"],
        severity=Severity(complaint["severity"]) if complaint["severity"] else None,
        owner_id=complaint["owner_id"],
        subject_agent_id=complaint["subject_agent_id"],
        acknowledgement=complaint["acknowledgement"],
        findings=complaint["findings"],
        decision=Decision(complaint["decision"]) if complaint["decision"] else None,
        reasons=complaint["reasons"],
        remedy=complaint["remedy"],
        root_cause=complaint["root_cause"],
        communicated=complaint["communicated"],
    )


def _checked(values: Mapping[str, Any]) -> dict[str, Any]:
    """Known facts only, choices from their lists, texts trimmed."""
    clean: dict[str, Any] = {}
    for name, value in values.items():
        if name in TEXTS:
            clean[name] = str(value or "").strip()[:LONGEST_TEXT]
        elif name in PEOPLE:
            clean[name] = int(value) if value else None
        elif name in CHOICES and (not value or value in CHOICES[name]):
            clean[name] = str(value) if value else None
        elif name == "root_cause" and (not value or value in ROOT_CAUSES):
            clean[name] = str(value or "")
        else:
            raise Invalid("“{value}” is not possible here.", field=name, value=value)
    if clean.get("summary") == "":
        raise Invalid("Say in a sentence what the customer complains about.", field="summary")
    return clean


def _changed(complaint: Row[Any], values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if getattr(complaint, name) != value}


def _write(tx: Connection, complaint: Row[Any], changed: Mapping[str, Any], stage: Stage, *, now: datetime) -> None:
    facts = facts_of({**complaint._mapping, **changed, "stage": stage.value})
    steps: dict[str, Any] = {
        **changed,
        "stage": stage.value,
        "due_at": due_at(facts),
        "updated_at": now,
        "version": Complaint.version + 1,
    }
    if stage is Stage.DECISION_COMMUNICATED and stage.value != complaint.stage:
        steps["decided_at"] = now
    steps["closed_at"] = (complaint.closed_at or now) if stage is Stage.CLOSED else None
    tx.execute(update(Complaint).where(Complaint.id == complaint.id).values(**steps))


def _log(
    tx: Connection,
    complaint_id: int,
    source: Stage | None,
    target: Stage,
    *,
    user_id: int | None,
    now: datetime,
    reason: str = "",
    changes: Mapping[str, Any] | None = None,
) -> None:
    tx.execute(
        insert(ComplaintStep),
        {
            "complaint_id": complaint_id,
            "source": source.value if source else None,
            "target": target.value,
            "user_id": user_id,
            "reason": reason.strip()[:LONGEST_TEXT],
            "changes": dict(changes or {}),
            "at": now,
        },
    )


def _announce(
    tx: Connection, complaint_id: int, ticket_id: int, name: str, values: Mapping[str, Any], *, now: datetime
) -> None:
    payload = {"complaint_id": complaint_id, "ticket_id": ticket_id, **values}
    emit(tx, name, payload, now=now, topics=[TOPIC, f"ticket:{ticket_id}"])
