"""Fifteen hundred customers with orders, in both languages; the same ones on every machine."""

import random
import tomllib
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, select, update

from contact_center.demo.checklist import SIMULATED
from contact_center.demo.scripts import item_for
from tickets.customers import contacts, profiles
from tickets.customers import events as customer_events
from tickets.inbound import Address
from tickets.models import Customer
from tickets.states import ContactKind

COUNT = 1_500
ONE_VIP_IN = 40
VIP_NOTE = "Buys for two restaurants; answer within the hour."
NAMES = {
    key: words.split()
    for key, words in tomllib.loads((Path(__file__).parent / "names.toml").read_text("utf-8")).items()
}
# Places in the list of those whom the person in front of the demo signs in as in the shop: two of each language.
YOURS = (1, 5, 0, 6)
STATES = ("delivered", "delivered", "delivered", "shipped", "preparing", "returned")


@dataclass(frozen=True, slots=True)
class Shopper:
    """A customer as the simulation knows them."""

    name: str
    call_name: str
    locale: str
    email: str
    phone: str
    order: str
    item: str


def invent(count: int = COUNT, seed: int = 7) -> list[Shopper]:
    """Customers, the same on every machine; half write Vietnamese."""
    rng = random.Random(seed)
    return [_one(rng, n) for n in range(count)]


@cache
def yours() -> tuple[Shopper, ...]:
    """The customers that the person in front of the demo may be in the shop."""
    known = invent(max(YOURS) + 1)
    return tuple(known[place] for place in YOURS)


def others(count: int = COUNT) -> list[Shopper]:
    """The customers that the floor plays: all but those."""
    return [shopper for shopper in invent(count) if shopper not in yours()]


def _one(rng: random.Random, n: int) -> Shopper:
    locale = "vi" if rng.random() < 0.5 else "en"
    if locale == "vi":
        given = rng.choice(NAMES["given_vi"])
        name, call_name = f"{rng.choice(NAMES['family_vi'])} {rng.choice(NAMES['middle_vi'])} {given}", given
        phone = f"+849{rng.randrange(10**7, 10**8)}"
    else:
        call_name = rng.choice(NAMES["given_en"])
        name = f"{call_name} {rng.choice(NAMES['family_en'])}"
        phone = f"+1415555{n % 10_000:04d}"
    return Shopper(
        name=name,
        call_name=call_name,
        locale=locale,
        email=f"shopper{n + 1}@mail.example",
        phone=phone,
        order=f"LL-{20_000 + n * 7}",
        item=item_for(rng, locale),
    )


def store(tx: Connection, shoppers: list[Shopper], *, supervisor_id: int, now: datetime) -> None:
    """Put them into an empty database with their addresses and one to three orders each; a few are VIPs."""
    rng = random.Random(11)
    for number, shopper in enumerate(shoppers):
        contact = contacts.find_or_create(
            tx, Address(ContactKind.EMAIL, shopper.email, shopper.name, verified=True), now=now, locale=shopper.locale
        )
        contacts.add(tx, contact.customer_id, Address(ContactKind.PHONE, shopper.phone, shopper.name), now=now)
        for order in _orders(rng, shopper, now):
            customer_events.record(tx, contact.customer_id, **order, now=now)
        if number % ONE_VIP_IN == 0:
            version = tx.execute(select(Customer.version).where(Customer.id == contact.customer_id)).scalar_one()
            vip = {"vip": True, "note": VIP_NOTE}
            profiles.change(tx, contact.customer_id, vip, version=version, user_id=supervisor_id, now=now)
    tx.execute(update(Customer).values(attributes={SIMULATED: True}))


def _orders(rng: random.Random, shopper: Shopper, now: datetime) -> list[dict[str, Any]]:
    return [
        {
            "external_id": shopper.order if n == 0 else f"{shopper.order}-{n}",
            "kind": "order",
            "title": f"{shopper.order if n == 0 else f'{shopper.order}-{n}'} · {item_for(rng, shopper.locale)}",
            "state": rng.choice(STATES),
            "amount": f"{rng.randrange(15, 400)}.00",
            "currency": "USD",
            "occurred_at": now - timedelta(days=rng.randrange(1, 90)),
        }
        for n in range(rng.randrange(1, 4))
    ]
