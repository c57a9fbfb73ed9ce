"""Rows of an import become customers: found by the shop's id or an address, filled where empty, never merged."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, delete, func, insert, select, update

from contact_center.core.events import emit
from contact_center.core.schema import clean_json
from contact_center.core.upsert import insert_for
from tickets.customers.contacts import search_text
from tickets.customers.imports import Candidate
from tickets.customers.recognise import Person, recognise, refresh_search
from tickets.models import ContactPoint, Customer
from tickets.states import ContactKind

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
    """Write some rows in one transaction; an import that was interrupted simply runs again.

    Rows of which nothing is known yet go in with two statements for all of them; the others are completed one by one.
    """
    known = _known_rows(tx, candidates)
    new = [candidate for candidate in candidates if candidate.row not in known]
    stored = _insert_all(tx, new, now=now)
    done = {row.row for row in stored}
    stored += [_store(tx, candidate, now=now) for candidate in candidates if candidate.row not in done]
    changed = [
        outcome for outcome in (Outcome.CREATED, Outcome.UPDATED) if any(row.outcome is outcome for row in stored)
    ]
    if changed:
        ids = {outcome.value: [row.customer_id for row in stored if row.outcome is outcome] for outcome in changed}
        emit(tx, "customers.imported", ids, now=now, topics=["customers"])
    return sorted(stored, key=lambda row: row.row)


def _known_rows(tx: Connection, candidates: Sequence[Candidate]) -> set[int]:
    """The rows whose id or one of whose addresses is in the database."""
    by_id = {candidate.external_id: candidate.row for candidate in candidates if candidate.external_id}
    by_point = {point: candidate.row for candidate in candidates for point in candidate.points}
    ids = tx.execute(select(Customer.external_id).where(Customer.external_id.in_(by_id))).scalars()
    points = tx.execute(
        select(ContactPoint.kind, ContactPoint.value).where(
            ContactPoint.value.in_({value for _, value in by_point}),
        )
    )
    found = {by_id[external_id] for external_id in ids if external_id is not None}
    return found | {by_point[key] for row in points if (key := (ContactKind(row.kind), row.value)) in by_point}


def _insert_all(tx: Connection, candidates: Sequence[Candidate], *, now: datetime) -> list[Stored]:
    """Insert customers with their addresses; rows that somebody else inserted meanwhile are left out."""
    customer_ids = _insert_customers(tx, candidates, now=now)
    points = [
        {"customer_id": customer_ids[candidate.row], "kind": kind.value, "value": value, "created_at": now}
        for candidate in candidates
        if candidate.row in customer_ids
        for kind, value in candidate.points
    ]
    kept: set[tuple[str, str]] = set()
    if points:
        statement = insert_for(tx, ContactPoint).on_conflict_do_nothing(index_elements=["kind", "value"])
        returned = tx.execute(statement.returning(ContactPoint.kind, ContactPoint.value), points)
        kept = {(row.kind, row.value) for row in returned}
    stored = []
    for candidate in candidates:
        taken = tuple(value for kind, value in candidate.points if (kind.value, value) not in kept)
        if candidate.row not in customer_ids:
            continue
        if not candidate.external_id and len(taken) == len(candidate.points):
            # Somebody was first with every address: complete their customer, leave no orphan.
            tx.execute(delete(Customer).where(Customer.id == customer_ids[candidate.row]))
            continue
        stored.append(Stored(candidate.row, customer_ids[candidate.row], Outcome.CREATED, taken))
    return stored


def _insert_customers(tx: Connection, candidates: Sequence[Candidate], *, now: datetime) -> dict[int, int]:
    """Row number -> id of its new customer."""
    named = [candidate for candidate in candidates if candidate.external_id]
    unnamed = [candidate for candidate in candidates if not candidate.external_id]
    customer_ids: dict[int, int] = {}
    if named:
        statement = insert_for(tx, Customer).on_conflict_do_nothing(index_elements=["external_id"])
        returned = tx.execute(
            statement.returning(Customer.id, Customer.external_id), [_values(each, now) for each in named]
        )
        by_external_id = {row.external_id: row.id for row in returned}
        customer_ids = {
            each.row: by_external_id[each.external_id] for each in named if each.external_id in by_external_id
        }
    if unnamed:
        ids = tx.execute(
            insert(Customer).returning(Customer.id, sort_by_parameter_order=True),
            [_values(each, now) for each in unnamed],
        ).scalars()
        customer_ids.update(zip((each.row for each in unnamed), ids, strict=True))
    return customer_ids


def _values(candidate: Candidate, now: datetime) -> dict[str, Any]:
    addresses = [value for kind, value in candidate.points if kind is not ContactKind.VISITOR]
    return {
        "name": candidate.name,
        "search": search_text(candidate.name, candidate.company, candidate.external_id or "", *addresses),
        "company": candidate.company,
        "locale": candidate.locale,
        "note": candidate.note,
        "external_id": candidate.external_id,
        "attributes": clean_json(dict(candidate.attributes)),
        "created_at": now,
    }


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
    return Stored(candidate.row, found.customer_id, outcome, found.taken)


def _points(tx: Connection, customer_id: int, *, since: datetime) -> int:
    """How many addresses the customer got in this run."""
    return tx.execute(
        select(func.count()).where(ContactPoint.customer_id == customer_id, ContactPoint.created_at >= since)
    ).scalar_one()
