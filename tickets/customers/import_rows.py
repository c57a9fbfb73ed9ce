"""Rows of an import become customers: found by the shop's id or an address, filled where empty, never merged."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, func, select, update

from contact_center.core.events import emit
from tickets.customers.imports import Candidate
from tickets.customers.recognise import Person, recognise, refresh_search
from tickets.models import ContactPoint, Customer

BATCH = 200


class Outcome(StrEnum):
    """What became of a row."""

    CREATED = "created"
    UPDATED = "updated"
    # Everything in the row was known: running an import again changes nothing.
    UNCHANGED = "unchanged"


@dataclass(frozen=True, slots=True)
class Stored:
    """A row's customer; `taken` are its addresses that belong to somebody else and stay there."""

    row: int
    customer_id: int
    outcome: Outcome
    taken: tuple[str, ...]


def store_batch(tx: Connection, candidates: Sequence[Candidate], *, now: datetime) -> list[Stored]:
    """Write some rows in one transaction; an import that was interrupted simply runs again."""
    return [_store(tx, candidate, now=now) for candidate in candidates]


def _store(tx: Connection, candidate: Candidate, *, now: datetime) -> Stored:
    found = recognise(tx, Person(candidate.external_id, candidate.points, candidate.name), now=now)
    before = tx.execute(select(Customer.__table__).where(Customer.id == found.customer_id)).one()
    changes: dict[str, Any] = {
        name: value
        for name, value in (
            ("company", candidate.company),
            ("locale", candidate.locale),
            ("note", candidate.note),
        )
        if value and not getattr(before, name)
    }
    attributes = {**before.attributes, **candidate.attributes}
    if attributes != before.attributes:
        changes["attributes"] = attributes
    if changes:
        tx.execute(
            update(Customer).where(Customer.id == found.customer_id).values(**changes, version=Customer.version + 1)
        )
        refresh_search(tx, found.customer_id)
    if found.created:
        outcome = Outcome.CREATED
    elif changes or _points(tx, found.customer_id, since=now) > 0:
        outcome = Outcome.UPDATED
    else:
        outcome = Outcome.UNCHANGED
    if outcome is not Outcome.UNCHANGED:
        name = "customer.created" if found.created else "customer.updated"
        payload = {"customer_id": found.customer_id, "fields": sorted(changes), "by_user_id": None}
        emit(tx, name, payload, now=now, topics=[f"customer:{found.customer_id}"])
    return Stored(candidate.row, found.customer_id, outcome, found.taken)


def _points(tx: Connection, customer_id: int, *, since: datetime) -> int:
    """How many addresses the customer got in this run."""
    return tx.execute(
        select(func.count()).where(ContactPoint.customer_id == customer_id, ContactPoint.created_at >= since)
    ).scalar_one()
