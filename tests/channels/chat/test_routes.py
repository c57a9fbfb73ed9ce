"""The widget's plain requests, through the whole web process."""

import secrets
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx2
import jwt
import pytest
from sqlalchemy import Connection, select

from channels.chat import identity
from channels.email.intake_loop import MailIntake
from contact_center.core.clock import utcnow
from contact_center.core.secrets import Vault
from tests.agent_ui.console import SAME_ORIGIN, Console, open_console
from tests.factories import make_account, make_user
from tickets import blocks, channel_accounts, inbox
from tickets.blocks import Scope
from tickets.models import Customer, JournalItem, Message, Ticket
from tickets.states import Channel


@pytest.fixture
async def console(sqlite_url: str, tmp_path: Path) -> AsyncIterator[Console]:
    async with open_console(sqlite_url, tmp_path) as opened:
        yield opened


def shop(tx: Connection, vault: Vault, *, signed: bool) -> str:
    """A widget; its secret, "" if it has none."""
    account_id = make_account(tx, Channel.CHAT, key="shop", settings={"origins": ["https://shop.example"]})
    if not signed:
        return ""
    held = identity.rotated({}, now=utcnow(), keep_old=True)
    channel_accounts.change(tx, vault, account_id, now=utcnow(), values={}, secrets=held)
    return str(held["identity"]["secret"])


def frame(console: Console) -> httpx2.AsyncClient:
    """The widget's own frame: a page of ours."""
    http = console.browser()
    http.headers.update(SAME_ORIGIN)
    return http


def token(secret: str, **claims: Any) -> str:
    exp = int((utcnow() + timedelta(minutes=5)).timestamp())
    whole = {"sub": "1001", "email": "ann@shop.example", "name": "Ann", "exp": exp, "jti": secrets.token_urlsafe(8)}
    return jwt.encode({**whole, **claims}, secret, "HS256")


async def test_a_signed_token_is_traded_once(console: Console) -> None:
    secret = await console.write(shop, console.services.vault, signed=True)
    http, raw = frame(console), token(secret)
    first = await http.post("/widget/shop/identity", json={"client_id": "browser-1", "token": raw})
    assert first.status_code == 200
    assert first.headers["cache-control"] == "no-store"
    told = first.json()
    assert (told["subject"], told["name"], told["email"]) == ("1001", "Ann", "ann@shop.example")
    assert told["identity"] != raw
    again = await http.post("/widget/shop/identity", json={"client_id": "browser-1", "token": raw})
    assert again.status_code == 200
    other = await http.post("/widget/shop/identity", json={"client_id": "browser-2", "token": raw})
    assert other.status_code == 403
    assert "used already" in other.json()["detail"]
    known = await console.db.read(lambda tx: tx.execute(select(Customer.external_id)).scalars().all())
    assert known == ["1001"]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"client_id": "browser-1", "token": token("x" * 40)}, 403),
        ({"client_id": "browser-1", "token": "x" * 5000}, 422),
        ({"client_id": "browser-1"}, 422),
        ({"token": token("x" * 40)}, 422),
        ([], 422),
    ],
)
async def test_what_proves_nothing_leaves_nothing_behind(console: Console, body: Any, status: int) -> None:
    await console.write(shop, console.services.vault, signed=True)
    answer = await frame(console).post("/widget/shop/identity", json=body)
    assert answer.status_code == status
    assert await console.db.read(lambda tx: tx.execute(select(Customer.id)).all()) == []


async def test_a_widget_without_a_secret_believes_nobody(console: Console) -> None:
    await console.write(shop, console.services.vault, signed=False)
    answer = await frame(console).post(
        "/widget/shop/identity", json={"client_id": "browser-1", "token": token("x" * 40)}
    )
    assert answer.status_code == 403
    assert "not switched on" in answer.json()["detail"]


async def test_a_flood_of_tokens_is_slowed_down(console: Console, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("channels.chat.routes.IDENTITIES", 3)
    await console.write(shop, console.services.vault, signed=True)
    body = {"client_id": "browser-1", "token": token("x" * 40)}
    http = frame(console)
    codes = [(await http.post("/widget/shop/identity", json=body)).status_code for _ in range(4)]
    assert codes == [403, 403, 403, 429]


async def test_it_says_whether_somebody_can_answer_now(console: Console) -> None:
    await console.write(shop, console.services.vault, signed=False)
    answer = await frame(console).get("/widget/shop/answers")
    assert (answer.json(), answer.headers["cache-control"]) == ({"able": False}, "no-store")
    assert (await frame(console).get("/widget/other/answers")).status_code == 404


async def test_a_program_that_fills_in_the_hidden_field_is_thanked_and_forgotten(console: Console) -> None:
    await console.write(shop, console.services.vault, signed=False)
    http = frame(console)
    ticket = (await http.get("/widget/shop/status")).json()["ticket"]
    form = {"client_id": "client-01", "ticket": ticket, "name": "Ann", "email": "ann@shop.example", "text": "Buy this"}
    trapped = await http.post("/widget/shop/offline", json={**form, "website": "https://spam.example"})
    assert (trapped.status_code, trapped.json()) == (201, {"number": None})
    assert await console.db.read(lambda tx: tx.execute(select(Customer.id)).all()) == []
    taken = await http.post("/widget/shop/offline", json={**form, "website": ""})
    assert taken.json()["number"] > 0


async def test_a_blocked_writers_form_is_thanked_kept_and_can_be_let_through(console: Console) -> None:
    await console.write(shop, console.services.vault, signed=False)
    await console.write(make_account, Channel.EMAIL)
    user_id = await console.write(make_user)
    await console.write(blocks.add, Scope.EMAIL, "ann@ads.example", reason="", user_id=user_id, now=utcnow())
    http = frame(console)
    ticket = (await http.get("/widget/shop/status")).json()["ticket"]
    form = {"client_id": "client-01", "ticket": ticket, "name": "Ann Ad", "email": "ann@ads.example", "text": "Mua đi!"}
    answer = await http.post("/widget/shop/offline", json=form)
    assert (answer.status_code, answer.json()) == (201, {"number": None})
    item = await console.db.read(lambda tx: tx.execute(select(JournalItem.__table__)).one())
    assert (item.state, item.reason) == ("suppressed", "blocked: ann@ads.example")
    await console.write(inbox.release, item.id, now=utcnow())
    loop = MailIntake(console.services)
    await loop.run_once()
    await loop.close()
    said = await console.db.read(
        lambda tx: tx.execute(
            select(Message.text, Customer.name).join(Ticket, Ticket.id == Message.ticket_id).join(Customer)
        ).one()
    )
    assert tuple(said) == ("Mua đi!", "Ann Ad")
