"""The bridge of the documentation, between a stand-in of Telegram and our own web process, both ways."""

import importlib.util
import json
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx2
import pytest

from channels.delivery import DeliveryLoop
from channels.messaging.send import MessagingSender
from tests.channels.desk import PUBLIC, Desk
from tests.channels.messaging.test_apps import SECRET
from tests.channels.messaging.test_flow import answer, somewhere_public, states, webhook
from tickets.models import Message

BRIDGE = Path(__file__).parents[3] / "docs" / "examples" / "telegram_bridge.py"
UPDATE = {
    "update_id": 10000,
    "message": {
        "message_id": 1365,
        "date": 1441645532,
        "chat": {"id": 1111111, "type": "private", "first_name": "An"},
        "from": {"id": 1111111, "is_bot": False, "first_name": "An"},
        "text": "Where is my order?",
    },
}


class Internet(httpx2.AsyncBaseTransport):
    """Telegram answers, and everything else is us."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.telegram: list[Any] = []

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        if request.url.host == "api.telegram.org":
            self.telegram.append((request.url.path, json.loads(request.content)))
            return httpx2.Response(200, json={"ok": True, "result": {"message_id": 1366}})
        return await self.desk.http.post(request.url.path, content=request.content, headers=dict(request.headers))


def bridge(monkeypatch: pytest.MonkeyPatch, **variables: str) -> ModuleType:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    found = importlib.util.spec_from_file_location("telegram_bridge", BRIDGE)
    assert found is not None
    assert found.loader is not None
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module


async def test_the_bridge_of_the_documentation_works(sqlite_desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    account = await webhook(sqlite_desk, target="https://bridge.test/desk")
    address = f"{PUBLIC}/hooks/messaging/{account.key}"
    variables = {"TELEGRAM_TOKEN": "T", "TELEGRAM_SECRET": "S", "DESK_SECRET": SECRET, "DESK_URL": address}
    module = bridge(monkeypatch, **variables)
    internet = Internet(sqlite_desk)
    module.http = httpx2.AsyncClient(transport=internet)
    transport = httpx2.ASGITransport(app=module.app)
    async with httpx2.AsyncClient(transport=transport, base_url="https://bridge.test") as telegram:
        right = {"x-telegram-bot-api-secret-token": "S"}
        assert (await telegram.post("/telegram", json=UPDATE)).status_code == 403
        for _ in range(2):
            assert (await telegram.post("/telegram", json=UPDATE, headers=right)).status_code == 200
    assert [row.text for row in await sqlite_desk.rows(Message)] == ["Where is my order?"]
    await answer(sqlite_desk, "On its way.")
    sender = MessagingSender(sqlite_desk.services, transport, somewhere_public)
    await DeliveryLoop(sqlite_desk.services, {"messaging": sender}).run_once()
    assert internet.telegram == [("/botT/sendMessage", {"chat_id": "1111111", "text": "On its way."})]
    assert await states(sqlite_desk) == [("sent", None)]
