"""An agent's own corner: the bell and its menu, unread numbers, channels on and off, who is on the line."""

from datetime import timedelta

from sqlalchemy import Connection, insert

from channels import health
from channels.chat import visits
from channels.chat.models import ChatVisit
from channels.phone.models import Call
from contact_center.accounts.permissions import Role
from contact_center.core.clock import utcnow
from contact_center.core.relay import Relay
from contact_center.wiring import HANDLERS
from routing.pools import Medium
from routing.queries import own_state
from tests.agent_ui.console import SCRIPT, Console
from tests.agent_ui.test_live import connected
from tests.agent_ui.test_ticket import make_mail, path
from tests.conftest import NOW
from tests.factories import make_account, make_ticket, unique
from tickets import assignments, channel_accounts, replies
from tickets.replies import Author
from tickets.states import AssignmentReason, Channel


async def given(console: Console, user_id: int, by: int) -> int:
    """A mail that somebody gives to a person."""

    def give(tx: Connection) -> int:
        ticket_id = make_ticket(tx, account_id=make_account(tx, address=unique("+1500555"))).ticket_id or 0
        assignments.assign(tx, ticket_id, user_id, reason=AssignmentReason.ASSIGNED, by_user_id=by, now=NOW)
        return ticket_id

    ticket_id: int = await console.write(give)
    await Relay(console.db, HANDLERS).run_once()
    return ticket_id


async def test_the_menu_tells_what_happened_and_opening_the_ticket_reads_it(console: Console) -> None:
    seat, boss = await console.sit(), await console.sit(Role.SUPERVISOR, name="Sara Lind")
    ticket_id = await given(console, seat.user_id, boss.user_id)
    page = await seat.page("/inbox")
    assert "Notifications, 1 unread" in page.text
    assert 'data-unread="1"' in page.text
    menu = await seat.part("/me/notifications")
    assert "Sara Lind gave you #100" in menu.text
    assert 'href="/tickets/100"' in menu.text
    await seat.post(path(ticket_id, "/read"), SCRIPT, seq="5")
    page = await seat.page("/inbox")
    assert "Notifications, 0 unread" in page.text
    assert 'data-unread="0"' in page.text
    assert "Mark all as read" not in (await seat.part("/me/notifications")).text


async def test_all_is_read_by_one_press_and_only_ones_own(console: Console) -> None:
    seat, other = await console.sit(locale="vi"), await console.sit()
    await given(console, seat.user_id, other.user_id)
    await given(console, other.user_id, seat.user_id)
    menu = await seat.post("/me/notifications/read")
    assert "đã giao #100 cho bạn" in menu.text
    assert "Thông báo, 0 chưa đọc" in (await seat.page("/inbox")).text
    assert "Notifications, 1 unread" in (await other.page("/inbox")).text


async def test_an_empty_menu_says_what_will_be_there(console: Console) -> None:
    seat = await console.sit()
    assert "Nothing has happened to you yet" in (await seat.part("/me/notifications")).text


async def test_the_bell_rings_while_one_looks(console: Console) -> None:
    seat, colleague = await console.sit(name="Lan Pham"), await console.sit(name="Mai Tran")
    ticket_id = await console.write(make_mail)
    async with connected(console, seat.token) as line:
        await line.next("hello")
        await line.send(type="join", topics={f"user:{seat.user_id}": None})
        await line.next("joined")
        await console.write(replies.note, ticket_id, "@Lan Pham?", author=Author(colleague.user_id), now=NOW)
        await Relay(console.db, HANDLERS).run_once()
        parts = {part["to"]: part["html"] for part in (await line.next("fragments"))["parts"]}
        assert "Notifications, 1 unread" in parts["bell"]


async def test_a_channel_is_switched_off_and_on_and_the_others_stay(console: Console) -> None:
    seat = await console.sit()
    off = await seat.post("/me/channels", switch="chat:off")
    assert 'value="chat:on"' in off.text
    state = await console.db.read(own_state, seat.user_id, utcnow())
    assert state is not None
    assert set(Medium) - state.media == {Medium.CHAT}
    assert 'value="chat:off"' in (await seat.post("/me/channels", switch="chat:on")).text
    assert (await seat.post("/me/channels", switch="fax:on")).status_code == 422


async def test_the_head_tells_since_when_the_customer_is_on_the_line(console: Console) -> None:
    seat, now = await console.sit(), utcnow()

    def visit(tx: Connection) -> tuple[int, int]:
        account_id = make_account(tx, Channel.CHAT)
        receipt = make_ticket(tx, account_id=account_id, channel=Channel.CHAT, thread_key="v1", sender="v1")
        visit_id = tx.execute(
            insert(ChatVisit).returning(ChatVisit.id),
            {
                "key": "v1",
                "account_id": account_id,
                "customer_id": 1,
                "ticket_id": receipt.ticket_id,
                "locale": "en",
                "opened_at": now - timedelta(minutes=5),
                "online_until": now + timedelta(minutes=1),
            },
        ).scalar_one()
        return receipt.ticket_id or 0, visit_id

    ticket_id, visit_id = await console.write(visit)
    assert "connected <time" in (await seat.page(path(ticket_id))).text
    async with connected(console, seat.token) as line:
        await line.next("hello")
        await console.write(lambda tx: visits.end(tx, visit_id, visits.EndedBy.CUSTOMER, now=now))
        await line.send(type="join", topics={f"ticket:{ticket_id}": 1})
        head = {part["to"]: part["html"] for part in (await line.next("fragments"))["parts"]}["thead"]
        assert "connected <time" not in head
        assert "last message <time" in head


async def test_a_running_call_counts_as_connected(console: Console) -> None:
    seat = await console.sit()

    def ring(tx: Connection) -> int:
        account_id = make_account(tx, Channel.PHONE)
        ticket_id = make_ticket(tx, account_id=account_id, channel=Channel.PHONE).ticket_id or 0
        call = {"channel_account_id": account_id, "external_id": "c1", "source": "cti", "direction": "in"}
        more = {"state": "answered", "ticket_id": ticket_id, "answered_at": NOW, "created_at": NOW, "live": True}
        tx.execute(insert(Call), {**call, **more})
        return ticket_id

    assert "connected <time" in (await seat.page(path(await console.write(ring)))).text


async def test_a_channel_in_trouble_is_marked_and_told_to_who_looks_after_it(console: Console) -> None:
    admin, boss, agent = await console.sit(Role.ADMIN), await console.sit(Role.SUPERVISOR), await console.sit()

    def break_it(tx: Connection) -> int:
        account_id = make_account(tx, Channel.EMAIL, name="Support <b>")
        channel_accounts.report(tx, account_id, now=NOW, error="no route to host")
        return account_id

    account_id = await console.write(break_it)
    assert "in trouble</span>" not in (await boss.page("/inbox")).text
    for minutes in (0, 5):
        await console.write(health.watch, NOW + timedelta(minutes=minutes))
    await Relay(console.db, HANDLERS).run_once()

    assert "Notifications, 1 unread" in (await admin.page("/admin/users")).text
    menu = await admin.part("/me/notifications")
    assert f'href="/admin/channels/{account_id}"' in menu.text
    assert "Support &lt;b&gt; does not work" in menu.text
    assert f"/admin/channels/{account_id}" not in (await boss.part("/me/notifications")).text
    assert "1 channel is in trouble" in (await boss.page("/inbox")).text
    assert "support@shop.test has not been reached since" in (await boss.part("/me/channel-health")).text
    # An agent who serves other queues has no use for it.
    assert "1 channel is in trouble" not in (await agent.page("/inbox")).text
