"""Two records of one person become one, and can become two again.

A merge moves the rows of every table that refers to a customer, and writes down which ones. Undoing it moves exactly
those back, and what has come in since at an address that goes back.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Table, select, update
from sqlalchemy.orm import Mapped

from contact_center.core.errors import Conflict, Invalid, NotFound
from contact_center.core.events import emit
from contact_center.core.schema import Base, clean_json, id_column
from tickets.customers import last_contact
from tickets.customers.recognise import refresh_search
from tickets.models import ContactPoint, Customer, Ticket, refers_to

# What the kept customer takes over when they have nothing there themselves.
FILLED = ("name", "company", "locale", "timezone", "note")


class CustomerMerge(Base):
    """One merge with everything needed to undo it."""

    __tablename__ = "customer_merges"

    id: Mapped[int] = id_column()
    kept_id: Mapped[int] = refers_to("customers.id")
    merged_id: Mapped[int] = refers_to("customers.id")
    by_user_id: Mapped[int | None] = refers_to("users.id", nullable=True, index=False)
    merged_at: Mapped[datetime]
    # Table name -> ids of the rows that were moved.
    moved: Mapped[dict[str, Any]]
    # Columns of the kept customer as they were before, of those that changed.
    before: Mapped[dict[str, Any]]
    evidence: Mapped[list[Any]]
    undone_at: Mapped[datetime | None]
    undone_by_id: Mapped[int | None] = refers_to("users.id", nullable=True, index=False)


def merge(
    tx: Connection,
    kept_id: int,
    merged_id: int,
    *,
    user_id: int | None,
    now: datetime,
    evidence: Sequence[str] = (),
) -> int:
    """Make `merged_id` a part of `kept_id`; returns the id that `undo` takes. `evidence` is what the person saw.

    `user_id` None: nobody decided it, the customer has proved who they are.
    """
    if kept_id == merged_id:
        raise Invalid("Choose another customer to merge with.", field="customer_id")
    kept, merged = _lock(tx, kept_id, merged_id)
    if kept.merged_into_id is not None or merged.merged_into_id is not None:
        raise Conflict("One of them is merged already. Look at the page again.")
    moved = {table.name: ids for table in referring() if (ids := _move(tx, table, merged_id, kept_id))}
    changes: dict[str, Any] = {name: getattr(merged, name) for name in FILLED if not getattr(kept, name)}
    changes["vip"] = kept.vip or merged.vip
    changes["attributes"] = {**merged.attributes, **kept.attributes}
    before = {name: getattr(kept, name) for name in changes}
    tx.execute(update(Customer).where(Customer.id == kept_id).values(**changes, version=Customer.version + 1))
    tx.execute(
        update(Customer).where(Customer.id == merged_id).values(merged_into_id=kept_id, version=Customer.version + 1)
    )
    refresh_search(tx, kept_id)
    last_contact.recount(tx, (kept_id,))
    merge_id: int = tx.execute(
        CustomerMerge.__table__.insert().returning(CustomerMerge.id),  # type: ignore[attr-defined]
        {
            "kept_id": kept_id,
            "merged_id": merged_id,
            "by_user_id": user_id,
            "merged_at": now,
            "moved": moved,
            "before": clean_json(before),
            "evidence": list(evidence),
        },
    ).scalar_one()
    _announce(tx, "customer.merged", merge_id, kept_id, merged_id, user_id, now=now)
    return merge_id


def undo(tx: Connection, merge_id: int, *, user_id: int, now: datetime) -> None:
    """Make two customers of them again; Conflict when it was undone before or a later merge stands on it."""
    row = tx.execute(select(CustomerMerge.__table__).where(CustomerMerge.id == merge_id).with_for_update()).first()
    if row is None:
        raise NotFound("There is no such merge.")
    kept, _ = _lock(tx, row.kept_id, row.merged_id)
    if row.undone_at is not None:
        raise Conflict("This merge was undone already.")
    if kept.merged_into_id is not None:
        raise Conflict("This customer was merged again since: undo that merge first.")
    for table in referring():
        ids = row.moved.get(table.name, [])
        for some in _chunks(ids):
            tx.execute(
                table.update()
                .where(table.c.id.in_(some), table.c.customer_id == row.kept_id)
                .values(customer_id=row.merged_id)
            )
    points = row.moved.get(ContactPoint.__tablename__, [])
    tx.execute(
        update(Ticket)
        .where(
            Ticket.customer_id == row.kept_id,
            Ticket.contact_point_id.in_(points),
            Ticket.created_at >= row.merged_at,
        )
        .values(customer_id=row.merged_id)
    )
    restored = {name: value for name, value in row.before.items() if _untouched(tx, row, kept, name)}
    tx.execute(update(Customer).where(Customer.id == row.kept_id).values(**restored, version=Customer.version + 1))
    tx.execute(
        update(Customer).where(Customer.id == row.merged_id).values(merged_into_id=None, version=Customer.version + 1)
    )
    refresh_search(tx, row.kept_id)
    refresh_search(tx, row.merged_id)
    last_contact.recount(tx, (row.kept_id, row.merged_id))
    tx.execute(update(CustomerMerge).where(CustomerMerge.id == merge_id).values(undone_at=now, undone_by_id=user_id))
    _announce(tx, "customer.unmerged", merge_id, row.kept_id, row.merged_id, user_id, now=now)


def merges_of(tx: Connection, customer_id: int) -> Sequence[Row[Any]]:
    """The merges into a customer that stand, newest first: id, merged_id, name, merged_at, evidence, by_user_id."""
    return tx.execute(
        select(
            CustomerMerge.id,
            CustomerMerge.merged_id,
            Customer.name,
            CustomerMerge.merged_at,
            CustomerMerge.evidence,
            CustomerMerge.by_user_id,
        )
        .join(Customer, Customer.id == CustomerMerge.merged_id)
        .where(CustomerMerge.kept_id == customer_id, CustomerMerge.undone_at.is_(None))
        .order_by(CustomerMerge.id.desc())
    ).all()


def _lock(tx: Connection, kept_id: int, merged_id: int) -> tuple[Row[Any], Row[Any]]:
    """Both rows, locked in the order of their ids, so that two merges cannot wait for each other."""
    rows = {
        row.id: row
        for row in tx.execute(
            select(Customer.__table__)
            .where(Customer.id.in_([kept_id, merged_id]))
            .order_by(Customer.id)
            .with_for_update()
        )
    }
    if len(rows) != 2:
        raise NotFound("There is no such customer.")
    return rows[kept_id], rows[merged_id]


def referring() -> list[Table]:
    """Every table whose rows belong to a customer, also those of layers above that this one may not import."""
    return [
        table
        for table in Base.metadata.sorted_tables
        if "customer_id" in table.c
        and any(key.target_fullname == "customers.id" for key in table.c.customer_id.foreign_keys)
    ]


def _move(tx: Connection, table: Table, from_id: int, to_id: int) -> list[int]:
    ids = tx.execute(
        table.update().where(table.c.customer_id == from_id).values(customer_id=to_id).returning(table.c.id)
    ).scalars()
    return sorted(ids)


def _untouched(tx: Connection, row: Row[Any], kept: Row[Any], name: str) -> bool:
    """Whether a column still holds what the merge put there; what people changed since stays."""
    merged = tx.execute(select(Customer.__table__).where(Customer.id == row.merged_id)).one()
    before, present = row.before[name], getattr(kept, name)
    if name == "attributes":
        return bool(present == {**merged.attributes, **before})
    if name == "vip":
        return bool(present == (before or merged.vip))
    return bool(present == getattr(merged, name))


def _chunks(ids: Sequence[int], size: int = 5000) -> list[Sequence[int]]:
    return [ids[start : start + size] for start in range(0, len(ids), size)]


def _announce(
    tx: Connection, name: str, merge_id: int, kept_id: int, merged_id: int, user_id: int | None, *, now: datetime
) -> None:
    emit(
        tx,
        name,
        {"merge_id": merge_id, "customer_id": kept_id, "merged_id": merged_id, "by_user_id": user_id},
        now=now,
        topics=[f"customer:{kept_id}", f"customer:{merged_id}", "lists"],
    )
