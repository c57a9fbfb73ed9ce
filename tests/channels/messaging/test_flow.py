"""Messaging apps from end to end: a call becomes a conversation, an answer leaves through the app, reports find it."""

import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial
from typing import Any

import httpx2
from sqlalchemy import Connection, select
from standardwebhooks.webhooks import Webhook

from agent_ui.pages import channel_forms
from agent_ui.pages.admin_channels import list_accounts
from channels.delivery import DeliveryLoop
from channels.messaging import again
from channels.messaging.send import MessagingSender
from channels.sms.media import MediaLoop
from contact_center.core.clock import utcnow
from contact_center.core.outbound import Fetched
from contact_center.core.secrets import Vault
from tests.channels.desk import PUBLIC, Desk
from tests.channels.messaging.test_apps import SECRET, ZALO_TEXT, page
from tests.factories import make_user
from tickets import channel_accounts, inbox, replies
from tickets.channel_accounts import Account
from tickets.inbound import StoredFile
from tickets.models import Attachment, ContactPoint, Customer, JournalItem, Message, Ticket
from tickets.replies import Author, Reply
from tickets.states import Channel

PAST = timedelta(minutes=1)
HELLO = {"type": "message", "id": "7", "from": {"id": "u-1", "name": "An Nguyen"}, "text": "Where is my order?"}


@dataclass
class App:
    """A stand-in of whatever is behind our requests: it keeps them and answers from a list."""

    answers: list[tuple[int, Any]] = field(default_factory=list)
    asked: list[httpx2.Request] = field(default_factory=list)
    # What happens elsewhere while it is asked for the n-th time.
    meanwhile: dict[int, Callable[[], Awaitable[None]]] = field(default_factory=dict)

    @property
    def transport(self) -> httpx2.AsyncBaseTransport:
        return httpx2.MockTransport(self._answer)

    async def _answer(self, request: httpx2.Request) -> httpx2.Response:
        if len(self.asked) in self.meanwhile:
            await self.meanwhile[len(self.asked)]()
        self.asked.append(request)
        status, body = self.answers.pop(0)

        async def told() -> AsyncIterator[bytes]:
            yield json.dumps(body).encode()

        return httpx2.Response(status, content=told())


async def somewhere_public(host: str, port: int) -> list[str]:
    return ["93.184.215.14"]


async def webhook(desk: Desk, **settings: Any) -> Account:
    values = {"app": "webhook", "target": "https://bridge.test/out", **settings}
    return await desk.account(Channel.MESSAGING, address="shop", secrets={"secret": SECRET}, settings=values)


async def call(desk: Desk, account: Account, payload: Any, *, secret: str = SECRET) -> httpx2.Response:
    """What a bridge posts, signed."""
    body, now = json.dumps(payload), utcnow()
    headers = {
        "content-type": "application/json",
        "webhook-id": "call",
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": Webhook(secret).sign("call", now, body),
    }
    return await desk.http.post(f"/hooks/messaging/{account.key}", content=body, headers=headers)


async def answer(desk: Desk, text: str, **more: Any) -> int:
    """An agent's reply whose undo time is over; the message id."""

    def write(tx: Connection) -> int:
        ticket_id = tx.execute(select(Ticket.id).order_by(Ticket.id.desc()).limit(1)).scalar_one()
        author = Author(make_user(tx))
        return replies.reply(tx, ticket_id, Reply(text, **more), author=author, now=utcnow() - PAST).message_id

    return await desk.db.write(write)


async def deliver(desk: Desk, app: App) -> None:
    await DeliveryLoop(
        desk.services, {"messaging": MessagingSender(desk.services, app.transport, somewhere_public)}
    ).run_once()


async def states(desk: Desk) -> list[tuple[str | None, str | None]]:
    return [(row.delivery, row.delivery_error) for row in await desk.rows(Message) if row.kind == "outbound"]


async def test_a_call_becomes_a_conversation_once(desk: Desk) -> None:
    account = await webhook(desk)
    assert (await call(desk, account, HELLO)).json() == {"taken": ["accepted"]}
    assert (await call(desk, account, HELLO)).json() == {"taken": ["duplicate"]}
    assert (await call(desk, account, {**HELLO, "id": "8", "text": "Hello?"})).json() == {"taken": ["accepted"]}
    [ticket] = await desk.rows(Ticket)
    assert (ticket.channel, ticket.subject) == ("messaging", "Where is my order?")
    assert [row.text for row in await desk.rows(Message)] == ["Where is my order?", "Hello?"]
    [point] = await desk.rows(ContactPoint)
    assert (point.kind, point.value) == ("handle", f"{account.id}:u-1")
    assert [row.name for row in await desk.rows(Customer)] == ["An Nguyen"]


async def test_the_same_person_in_another_account_is_somebody_else(desk: Desk) -> None:
    await call(desk, await webhook(desk), HELLO)
    other = await desk.account(
        Channel.MESSAGING, address="other", secrets={"secret": SECRET}, settings={"app": "webhook"}
    )
    assert (await call(desk, other, HELLO)).json() == {"taken": ["accepted"]}
    assert len(await desk.rows(Ticket)) == len(await desk.rows(Customer)) == 2


async def test_an_answer_leaves_signed_and_its_report_finds_it(desk: Desk) -> None:
    account, app = await webhook(desk), App([(200, {"id": "out-1"})])
    await call(desk, account, HELLO)
    message_id = await answer(desk, "It is on its way.")
    await deliver(desk, app)
    [request] = app.asked
    Webhook(SECRET).verify(request.content, dict(request.headers))
    told = json.loads(request.content)
    assert (told["id"], told["to"]["id"], told["text"]) == (f"message-{message_id}", "u-1", "It is on its way.")
    assert await states(desk) == [("sent", None)]
    await call(desk, account, {"type": "report", "id": "out-1", "state": "read"})
    # Late and unknown ones change nothing.
    await call(desk, account, {"type": "report", "id": "out-1", "state": "delivered"})
    assert (await call(desk, account, {"type": "report", "id": "nobody", "state": "read"})).json() == {"taken": []}
    assert await states(desk) == [("read", None)]


async def test_what_the_program_answers_decides_what_becomes_of_a_message(desk: Desk) -> None:
    await call(desk, await webhook(desk), HELLO)
    refused, busy, broken = App([(422, {"detail": "They left"})]), App([(429, {})]), App([(502, {})])
    for app in (refused, busy, broken):
        await answer(desk, "Hello")
        await deliver(desk, app)
    assert [state for state, _ in await states(desk)] == ["failed", "queued", "uncertain"]
    assert (await states(desk))[0][1] == "They left"


async def test_a_program_in_our_own_network_is_not_asked_unless_the_operator_allows_it(desk: Desk) -> None:
    await call(desk, await webhook(desk, target="http://127.0.0.1:6379/"), HELLO)
    await answer(desk, "Hello")
    app = App([(200, {})])
    sender = MessagingSender(desk.services, app.transport)
    await DeliveryLoop(desk.services, {"messaging": sender}).run_once()
    assert app.asked == []
    assert [state for state, _ in await states(desk)] == ["queued"]


async def test_files_are_fetched_and_given_at_signed_addresses(desk: Desk) -> None:
    async def fetch(url: str, **limits: Any) -> Fetched:
        assert (url, limits["most_bytes"] > 0) == ("https://cdn.test/y.pdf", True)
        return Fetched(b"%PDF-1.4", "application/pdf")

    account, app = await webhook(desk), App([(204, None)])
    await call(desk, account, {**HELLO, "text": "", "files": [{"url": "https://cdn.test/y.pdf"}]})
    await MediaLoop(desk.services, fetch_public=fetch).run_once()
    [file] = await desk.rows(Attachment)
    assert (file.filename, file.content_type, file.size) == ("file-1.pdf", "application/pdf", 8)
    ours = StoredFile(desk.services.files.put(b"bill"), "Hóa đơn.pdf", "application/pdf", 4)
    await answer(desk, "Here is yours.", attachments=(ours,))
    await deliver(desk, app)
    [given] = json.loads(app.asked[0].content)["files"]
    assert given["name"] == "Hóa đơn.pdf"
    fetched = await desk.http.get(given["url"].removeprefix(PUBLIC))
    assert (fetched.status_code, fetched.content) == (200, b"bill")
    assert (await desk.http.get(given["url"].removeprefix(PUBLIC) + "x")).status_code == 404


async def test_nobody_else_may_call(desk: Desk) -> None:
    account = await webhook(desk)
    wrong = "whsec_" + "A" * 32
    assert (await call(desk, account, HELLO, secret=wrong)).status_code == 403
    assert (await desk.http.post(f"/hooks/messaging/{account.key}", json=HELLO)).status_code == 403
    assert (await desk.http.post("/hooks/messaging/nobody", json=HELLO)).status_code == 404
    assert await desk.rows(JournalItem) == []


async def test_what_cannot_be_read_is_kept_and_can_be_tried_again(desk: Desk) -> None:
    account = await webhook(desk)
    refused = await call(desk, account, {"type": "message", "id": "7"})
    assert refused.status_code == 422
    assert "“from” must be an object" in refused.json()["detail"]
    [item] = await desk.rows(JournalItem)
    assert item.state == "quarantined"
    await desk.db.write(inbox.retry, item.id, now=utcnow())
    await again.run_once(desk.services)
    assert [row.state for row in await desk.rows(JournalItem)] == ["quarantined"]
    # A call that only our own fault kept from being taken.
    whole = inbox.RawItem(Channel.MESSAGING, account.id, "7", raw=json.dumps(HELLO).encode())
    broken_id = await desk.db.write(inbox.quarantine, whole, "broken", now=utcnow())
    assert broken_id is not None
    await desk.db.write(inbox.retry, broken_id, now=utcnow())
    await again.run_once(desk.services)
    assert [row.text for row in await desk.rows(Message)] == ["Where is my order?"]
    assert [row.state for row in await desk.rows(JournalItem)] == ["quarantined", "accepted"]


async def test_messenger_from_its_question_to_the_read_mark(desk: Desk) -> None:
    secrets = {"app_secret": "s", "page_token": "t", "verify_token": "words"}
    account = await desk.account(
        Channel.MESSAGING, address="PAGE", secrets=secrets, settings={"app": "messenger", "human_agent": True}
    )
    asked = {"hub.mode": "subscribe", "hub.verify_token": "words", "hub.challenge": "42"}
    assert (await desk.http.get(f"/hooks/messaging/{account.key}", params=asked)).text == "42"

    async def told(*events: dict[str, Any]) -> Any:
        body = json.dumps(page(*events)).encode()
        mac = hmac.new(b"s", body, hashlib.sha256).hexdigest()
        headers = {"x-hub-signature-256": f"sha256={mac}"}
        return (await desk.http.post(f"/hooks/messaging/{account.key}", content=body, headers=headers)).json()

    hello = [{"message": {"mid": f"m_{number}", "text": "hello"}} for number in (1, 2)]
    assert await told(*hello) == {"taken": ["accepted", "accepted"]}
    assert await told(*hello) == {"taken": ["duplicate", "duplicate"]}
    await answer(desk, "Good morning")
    window_over = {"error": {"message": "outside of allowed window", "code": 10, "error_subcode": 2018278}}
    app = App([(400, window_over), (200, {"recipient_id": "PSID", "message_id": "m_9"})])
    await deliver(desk, app)
    tags = [json.loads(request.content).get("tag") for request in app.asked]
    assert tags == [None, "HUMAN_AGENT"]
    assert [request.headers["authorization"] for request in app.asked] == ["Bearer t"] * 2
    assert await states(desk) == [("sent", None)]
    await told({"read": {"watermark": int(utcnow().timestamp() * 1000)}})
    assert await states(desk) == [("read", None)]


@asynccontextmanager
async def zalo(desk: Desk) -> AsyncIterator[tuple[Account, Callable[[], Any]]]:
    secrets = {"oa_secret": "o", "app_secret": "a", "access_token": "old", "refresh_token": "once"}
    account = await desk.account(
        Channel.MESSAGING, address="OA", secrets=secrets, settings={"app": "zalo", "app_id": ZALO_TEXT["app_id"]}
    )
    body = json.dumps(ZALO_TEXT).encode()
    mac = hashlib.sha256(str(ZALO_TEXT["app_id"]).encode() + body + b"154390853474" + b"o").hexdigest()
    await desk.http.post(f"/hooks/messaging/{account.key}", content=body, headers={"x-zevent-signature": f"mac={mac}"})
    yield account, partial(desk.db.read, channel_accounts.by_id, desk.services.vault, account.id)


async def test_zalo_renews_its_tokens_and_keeps_them(desk: Desk) -> None:
    async with zalo(desk) as (_, stored):
        await answer(desk, "Đơn hàng đang trên đường.")
        app = App(
            [
                (200, {"error": -216, "message": "Access token is invalid"}),
                (200, {"access_token": "new", "refresh_token": "next", "expires_in": "90000"}),
                (200, {"error": 0, "data": {"message_id": "z1", "user_id": "246845883529197922"}}),
            ]
        )
        await deliver(desk, app)
        first, login, second = app.asked
        assert json.loads(second.content)["recipient"] == {"user_id": "246845883529197922"}
        assert [first.headers["access_token"], second.headers["access_token"]] == ["old", "new"]
        assert (login.headers["secret_key"], b"refresh_token=once" in login.content) == ("a", True)
        assert await states(desk) == [("sent", None)]
        secrets = (await stored()).secrets
        assert (secrets["access_token"], secrets["refresh_token"], secrets["oa_secret"]) == ("new", "next", "o")


async def test_zalo_uses_what_another_process_has_renewed(desk: Desk) -> None:
    async with zalo(desk) as (account, stored):
        await answer(desk, "Chào bạn")
        theirs = {**account.secrets, "access_token": "theirs", "refresh_token": "next"}

        def change(tx: Connection) -> None:
            channel_accounts.change(tx, desk.services.vault, account.id, now=utcnow(), values={}, secrets=theirs)

        refused = {"error": -14014, "message": "Invalid refresh token."}
        app = App([(200, {"error": -216}), (200, refused), (200, {"error": 0, "data": {"message_id": "z1"}})])
        app.meanwhile[1] = partial(desk.db.write, change)
        await deliver(desk, app)
        assert app.asked[2].headers["access_token"] == "theirs"
        assert await states(desk) == [("sent", None)]
        assert (await stored()).secrets == theirs


async def test_zalo_whose_tokens_are_over_for_good_says_so(desk: Desk) -> None:
    async with zalo(desk):
        await answer(desk, "Chào bạn")
        await deliver(desk, App([(200, {"error": -216}), (200, {"error": -14014})]))
        [(state, error)] = await states(desk)
        assert (state, "enter new ones" in str(error)) == ("failed", True)


async def test_zalo_says_why_it_takes_nothing(desk: Desk) -> None:
    async with zalo(desk):
        await answer(desk, "Chào bạn")
        await deliver(desk, App([(200, {"error": -230, "message": "User has not interacted with the OA in 7 days"})]))
        [(state, error)] = await states(desk)
        assert (state, "7 days" in str(error)) == ("failed", True)


async def test_an_account_is_complete_with_the_secrets_of_its_own_app(desk: Desk) -> None:
    account = await webhook(desk)
    assert channel_forms.has_secrets(account)
    assert not channel_forms.has_secrets(replace(account, settings={"app": "zalo"}))
    vault = desk.services.vault

    def another_app(tx: Connection) -> None:
        values = {"settings": {"app": "messenger"}}
        channel_accounts.change(tx, vault, account.id, now=utcnow(), values=values)

    async def gaps(key: Vault) -> tuple[str, ...]:
        found = {line.id: line for line in await desk.db.read(list_accounts, key, utcnow())}
        return found[account.id].gaps

    assert await gaps(vault) == ()
    assert await gaps(Vault("another-key-" * 4)) == ("no credentials",)
    await desk.db.write(another_app)
    assert await gaps(vault) == ("no credentials",)
