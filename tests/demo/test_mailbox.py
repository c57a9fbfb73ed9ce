"""Your mailbox: mail goes out and comes in by real SMTP, and waits while its receiver is away."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from email.message import EmailMessage
from email.utils import make_msgid
from pathlib import Path

import aiosmtplib
import pytest
from sqlalchemy import Connection

from channels.email import loopback
from contact_center.core.clock import utcnow
from contact_center.demo import mailbox
from contact_center.demo.mailbox import YOU
from tests.demo.served import Served, served
from tests.factories import make_user
from tickets import channel_accounts, replies
from tickets.channel_accounts import Account
from tickets.models import Message, Ticket
from tickets.replies import Author, Reply
from tickets.states import Channel

LOOPS = ("relay", "delivery", "mail-intake", "mail-receiver")


@pytest.fixture
async def post(sqlite_url: str, tmp_path: Path) -> AsyncIterator[Served]:
    """The demo with the loops that read and send mail."""
    async with served(sqlite_url, tmp_path, loops=LOOPS) as running:
        await until(lambda: running.mail.controller.server is not None)
        yield running


async def until(done: Callable[[], bool]) -> None:
    for _ in range(800):
        if done():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it did not happen")


async def write(demo: Served, **form: str) -> None:
    answer = await demo.http.post(**demo.at("shop", "/demo/mailbox"), data=form)
    assert (answer.status_code, answer.headers["location"]) == (303, "/demo/mailbox")


async def received(demo: Served, count: int) -> list[Message]:
    """The messages, once there are so many."""
    for _ in range(800):
        rows = [row for row in await demo.rows(Message) if row.kind == "inbound"]
        if len(rows) == count:
            return rows
        await asyncio.sleep(0.01)
    raise AssertionError("nothing came in")


def answer(tx: Connection, ticket_id: int) -> None:
    """An agent answers."""
    wanted = Reply("Here it is: 4711.", undo=timedelta(0))
    replies.reply(tx, ticket_id, wanted, author=Author(make_user(tx)), now=utcnow())


async def test_a_letter_becomes_a_ticket_and_its_answer_comes_back(post: Served) -> None:
    await write(post, subject="My invoice", text="Please send it again.\nRobin")
    [message] = await received(post, 1)
    assert message.text == "Please send it again.\nRobin"
    assert post.mail.letters[0].delivered_at is not None

    await post.services.db.write(answer, message.ticket_id)
    await until(lambda: any("4711" in letter.text for letter in post.mail.letters))
    letter = next(one for one in post.mail.letters if "4711" in one.text)
    assert (letter.outgoing, letter.read, letter.subject.startswith("Re: My invoice")) == (False, False, True)
    page = await post.http.get(**post.at("shop", f"/demo/mailbox?letter={letter.number}"))
    assert ("4711" in page.text, letter.read) == (True, True)

    await write(post, to=str(letter.number), text="Thank you!")
    again = await received(post, 2)
    assert [row.ticket_id for row in again] == [message.ticket_id] * 2
    assert len(await post.rows(Ticket)) == 1


async def test_the_shops_test_mail_goes_round(post: Served) -> None:
    held = post.services

    async def shop_mail() -> Account:
        return await held.db.read(channel_accounts.by_name, held.vault, "Shop mail", Channel.EMAIL)

    async def state() -> str:
        row = await held.db.read(loopback.last, account.id)
        assert row is not None
        return str(row.state)

    async with asyncio.timeout(20):
        # The mail server tells the account where it listens a moment after it began to.
        while "smtp" not in (account := await shop_mail()).settings:
            await asyncio.sleep(0.01)
        await loopback.send(held, account, by=None, locale="en")
        while (now := await state()) == "sent":
            await asyncio.sleep(0.01)
    assert now == "back"
    assert await post.rows(Ticket) == []


async def test_the_list_says_what_is_on_its_way_and_looking_again_opens_nothing(post: Served) -> None:
    await write(post, subject="Hello", text="One")
    first = (await post.http.get(**post.at("shop", "/demo/mailbox/state"))).json()
    assert first["state"] == "1:True:True"
    letter = EmailMessage()
    letter["From"], letter["To"], letter["Subject"] = "help@lotus-lane.example", YOU, "News"
    letter["Message-ID"] = make_msgid()
    letter.set_content("For you")
    await aiosmtplib.send(letter, hostname="127.0.0.1", port=post.mail.controller.port, start_tls=False)
    page = await post.http.get(**post.at("shop", "/demo/mailbox?again=1"))
    assert ("News" in page.text, post.mail.letters[-1].read) == (True, False)


async def test_a_letter_waits_while_its_receiver_is_away(
    sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mailbox, "LONGEST_RETRY_SECONDS", 0)
    async with served(sqlite_url, tmp_path) as demo:
        await write(demo, subject="Hello", text="Anybody there?")
        [letter] = demo.mail.letters
        assert letter.delivered_at is None
        assert "on its way" in (await demo.http.get(**demo.at("shop", "/demo/mailbox"))).text
        taken: list[bytes] = []
        server = await asyncio.start_server(
            lambda reader, writer: taker(reader, writer, taken), "127.0.0.1", demo.services.settings.smtp_in_port
        )
        async with server:
            for _ in range(3):
                await demo.mail.step()
        assert letter.delivered_at is not None
        assert [b"Anybody there?" in mail for mail in taken] == [True]


async def taker(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, taken: list[bytes]) -> None:
    """A mail server that takes whatever comes."""
    writer.write(b"220 here\r\n")
    while command := await reader.readline():
        if command.upper().startswith(b"DATA"):
            writer.write(b"354 go on\r\n")
            taken.append(await reader.readuntil(b"\r\n.\r\n"))
        writer.write(b"221 bye\r\n" if command.upper().startswith(b"QUIT") else b"250 fine\r\n")
        if command.upper().startswith(b"QUIT"):
            break
    writer.close()


async def test_an_empty_letter_is_not_sent_and_an_answer_needs_its_letter(demo: Served) -> None:
    await write(demo, subject="Nothing", text="  ")
    assert list(demo.mail.letters) == []
    answer = await demo.http.post(**demo.at("shop", "/demo/mailbox"), data={"to": "9", "text": "To whom?"})
    assert answer.status_code == 404


async def test_the_mail_server_listens_on_this_machine_only(post: Served) -> None:
    assert post.mail.controller.server is not None
    addresses = {listening.getsockname()[0] for listening in post.mail.controller.server.sockets}
    assert addresses == {"127.0.0.1"}
