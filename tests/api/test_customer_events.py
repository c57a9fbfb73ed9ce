"""The events endpoint over HTTP: token, batches, idempotency, and what its documentation promises."""

import json
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from sqlalchemy import select

from contact_center.app import build
from contact_center.core.services import Services
from contact_center.core.settings import Settings
from tickets.customers.events import CustomerEvent
from tickets.models import Customer

DOCS = Path(__file__).parents[2] / "docs" / "customer-events.md"
PATH = "/api/v1/customers/events"
TOKEN = {"authorization": "Bearer shop-token"}
ORDER: dict[str, Any] = {
    "external_id": "order-1",
    "kind": "order",
    "title": "2 shirts",
    "customer": {"external_id": "C1", "email": "Jane@Example.com"},
    "occurred_at": "2026-11-02T09:00:00Z",
}


@pytest.fixture
async def client(sqlite_url: str, tmp_path: Path) -> AsyncIterator[httpx2.AsyncClient]:
    settings = Settings(database_url=sqlite_url, data_dir=tmp_path, events_token="shop-token", secret_key="k" * 40)
    app = build(settings, loops=["none"])
    async with (
        app.router.lifespan_context(app),
        httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app), base_url="http://test") as http,
    ):
        http.services = app.state.services  # type: ignore[attr-defined]
        yield http


def held(client: httpx2.AsyncClient) -> Services:
    return client.services  # type: ignore[attr-defined,no-any-return]


async def test_an_order_is_taken_once(client: httpx2.AsyncClient) -> None:
    answers = [await client.post(PATH, json=ORDER, headers=TOKEN) for _ in range(2)]
    assert [answer.json()["results"][0]["outcome"] for answer in answers] == ["created", "known"]
    rows = await held(client).db.read(lambda tx: tx.execute(select(CustomerEvent.__table__)).all())
    assert len(rows) == 1


async def test_a_batch_is_taken_whole_or_not_at_all(client: httpx2.AsyncClient) -> None:
    bad = ORDER | {"external_id": "order-2", "customer": {"phone": "12"}}
    refused = await client.post(PATH, json={"events": [ORDER, bad]}, headers=TOKEN)
    assert refused.status_code == 422
    assert refused.headers["content-type"] == "application/problem+json"
    assert "Event 1" in refused.json()["detail"]
    assert await held(client).db.read(lambda tx: tx.execute(select(Customer.id)).all()) == []
    taken = await client.post(PATH, json={"events": [ORDER, ORDER | {"external_id": "order-3"}]}, headers=TOKEN)
    assert [result["outcome"] for result in taken.json()["results"]] == ["created", "created"]


@pytest.mark.parametrize("headers", [{}, {"authorization": "Bearer wrong"}, {"authorization": "Basic shop-token"}])
async def test_without_the_token_nothing_is_taken(client: httpx2.AsyncClient, headers: dict[str, str]) -> None:
    answer = await client.post(PATH, json=ORDER, headers=headers)
    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        (b"nonsense", 400, None),
        (b"[]", 422, ""),
        (json.dumps(ORDER | {"colour": "red"}).encode(), 422, "colour"),
        (json.dumps(ORDER | {"occurred_at": "2026-11-02T09:00:00"}).encode(), 422, "occurred_at"),
        (json.dumps({"events": []}).encode(), 422, "events"),
        (json.dumps({"events": [ORDER | {"title": 5}]}).encode(), 422, "events.0.title"),
    ],
)
async def test_a_body_it_cannot_read_is_explained(
    client: httpx2.AsyncClient, body: bytes, status: int, field: str | None
) -> None:
    answer = await client.post(PATH, content=body, headers=TOKEN)
    assert answer.status_code == status
    assert field is None or [mistake["field"] for mistake in answer.json()["errors"]] == [field]


async def test_the_documented_example_works_and_every_field_is_documented(client: httpx2.AsyncClient) -> None:
    text = DOCS.read_text()
    example = json.loads(re.findall(r"```json\n(.*?)```", text, re.S)[0])
    answer = await client.post(PATH, json=example, headers=TOKEN)
    assert answer.json()["results"] == [
        {"external_id": "order-1001", "customer_id": 1, "outcome": "created", "taken_addresses": []}
    ]
    assert all(f"`{name}`" in text for name in example)


async def test_it_is_off_until_a_token_is_set(sqlite_url: str, tmp_path: Path) -> None:
    app = build(Settings(database_url=sqlite_url, data_dir=tmp_path, secret_key="k" * 40), loops=["none"])
    async with (
        app.router.lifespan_context(app),
        httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app), base_url="http://test") as http,
    ):
        assert (await http.post(PATH, json=ORDER, headers={"authorization": "Bearer "})).status_code == 404
