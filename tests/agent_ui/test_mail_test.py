"""The test mail on an account's page: sent by a button, told in words, never called fine before anything came."""

from typing import Any

from sqlalchemy import Connection, insert, select, update

from channels.email import loopback
from channels.email.loopback import State
from channels.email.models import MailTest
from channels.models import DeliveryAttempt
from contact_center.accounts.permissions import Role
from contact_center.core.clock import utcnow
from tests.agent_ui.console import PAGE, SAME_ORIGIN, Console
from tests.channels.email.servers import other_server
from tests.conftest import NOW
from tests.factories import make_account, make_ticket
from tickets import channel_accounts
from tickets.states import Channel

FORM = {**PAGE, **SAME_ORIGIN}


def account(tx: Connection, port: int, **more: Any) -> int:
    smtp = {"host": "127.0.0.1", "port": port, "security": "none"}
    return make_account(tx, Channel.EMAIL, name="Support", settings={"smtp": smtp, **more})


async def test_a_test_mail_leaves_by_a_button_and_its_way_is_told(console: Console) -> None:
    seat = await console.sit(Role.ADMIN)
    async with other_server() as other:
        account_id = await console.write(account, other.port, receiver=True)
        page = f"/admin/channels/{account_id}"
        assert "Send a test mail through" in (await seat.page(page)).text
        answer = await seat.post(f"{page}/test-mail", FORM)
        assert answer.headers["location"] == f"{page}#test-mail"
        assert len(other.mails) == 1
    waiting = (await seat.part(f"{page}/test-mail")).text
    assert "It has left" in waiting
    assert "load delay" in waiting

    await console.write(lambda tx: tx.execute(update(MailTest).values(sent_at=NOW)))
    assert "has not come back since" in (await seat.part(f"{page}/test-mail")).text
    back = {"state": State.BACK.value, "back_at": NOW.replace(second=4, microsecond=240_000)}
    await console.write(lambda tx: tx.execute(update(MailTest).values(**back)))

    done = (await seat.part(f"{page}/test-mail")).text
    assert "It came back after 4.2 s" in done
    assert "load delay" not in done


async def test_what_stops_it_is_said(console: Console) -> None:
    seat = await console.sit(Role.ADMIN)
    async with other_server() as other:
        other.rcpt.append("550 5.7.1 not from here")
        account_id = await console.write(account, other.port, receiver=True)
        await seat.post(f"/admin/channels/{account_id}/test-mail", FORM)

    page = (await seat.page(f"/admin/channels/{account_id}")).text

    assert "It could not be sent" in page
    assert "550 5.7.1 not from here" in page


async def test_an_account_that_only_sends_promises_nothing(console: Console) -> None:
    seat = await console.sit(Role.ADMIN)
    async with other_server() as other:
        account_id = await console.write(account, other.port)
        await seat.post(f"/admin/channels/{account_id}/test-mail", FORM)

    page = (await seat.page(f"/admin/channels/{account_id}")).text

    assert "nobody sees here whether it arrives" in page
    assert "load delay" not in page


async def test_nothing_is_fine_before_anything_came(console: Console) -> None:
    seat = await console.sit(Role.ADMIN)
    account_id = await console.write(account, 25, receiver=True)
    for path in ("/admin/channels", f"/admin/channels/{account_id}"):
        assert "Fine" not in (await seat.page(path)).text

    await console.write(channel_accounts.report, account_id, now=utcnow(), error=None)

    for path in ("/admin/channels", f"/admin/channels/{account_id}"):
        assert "Fine" in (await seat.page(path)).text


async def test_an_account_that_only_sends_says_when_something_left_last(console: Console) -> None:
    seat = await console.sit(Role.ADMIN)

    def sends(tx: Connection) -> None:
        ticket = make_ticket(tx, account_id=account(tx, 25))
        values = {"message_id": ticket.message_id, "number": 1, "lease_until": NOW, "started_at": NOW}
        tx.execute(insert(DeliveryAttempt), {**values, "state": "sent", "finished_at": NOW})

    assert "Sent last" not in (await seat.page("/admin/channels")).text
    await console.write(sends)

    assert "Sent last" in (await seat.page("/admin/channels")).text


async def test_only_administrators_send_one_and_only_by_mail(console: Console) -> None:
    admin, agent = await console.sit(Role.ADMIN), await console.sit(Role.AGENT)
    account_id = await console.write(account, 25)
    phone = await console.write(lambda tx: make_account(tx, Channel.PHONE, name="Line"))

    assert (await agent.post(f"/admin/channels/{account_id}/test-mail", FORM)).status_code == 403
    assert (await admin.post(f"/admin/channels/{phone}/test-mail", FORM)).status_code == 404
    assert await console.db.read(lambda tx: tx.execute(select(MailTest.id)).all()) == []
    assert await console.db.read(loopback.last, account_id) is None
