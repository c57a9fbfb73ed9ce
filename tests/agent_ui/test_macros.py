"""Macros: written by who may, previewed, run whole and once a click; the reply waits in the composer."""

from typing import Any

from sqlalchemy import Connection, insert, select

from contact_center.accounts.models import AuditEntry, Team, TeamMember
from contact_center.accounts.permissions import Role
from contact_center.automations.models import Macro
from contact_center.core.clock import utcnow
from tests.agent_ui.console import PAGE, SAME_ORIGIN, SCRIPT, Console, Seat
from tests.factories import make_account, make_ticket, unique
from tickets import identity_checks, lifecycle
from tickets.identity_checks import Method
from tickets.models import Message
from tickets.numbers import number_of
from tickets.states import Channel, Status

FORM = {**PAGE, **SAME_ORIGIN}


def make_mail(tx: Connection) -> int:
    account = make_account(tx, Channel.EMAIL, address=unique("box") + "@shop.test")
    made = make_ticket(tx, account_id=account, channel=Channel.EMAIL, sender="mai@example.com", subject="A cup")
    return made.ticket_id or 0


async def write(seat: Seat, path: str, *actions: tuple[str, str], **fields: str) -> Any:
    rows = {"a_do": [kind for kind, _ in actions], "a_value": [value for _, value in actions]}
    return await seat.http.post(path, data={**fields, **rows}, headers=FORM)


async def macro_of(console: Console, name: str) -> Any:
    def read(tx: Connection) -> Any:
        return tx.execute(select(Macro.__table__).where(Macro.name == name)).first()

    return await console.db.read(read)


async def entries(console: Console, ticket_id: int) -> list[Any]:
    def read(tx: Connection) -> list[Any]:
        return list(tx.execute(select(Message.__table__).where(Message.ticket_id == ticket_id).order_by(Message.seq)))

    return await console.db.read(read)


async def test_a_macro_does_everything_once_a_click_and_leaves_its_reply_in_the_composer(
    console_on_both: Console,
) -> None:
    console = console_on_both
    seat = await console.sit(name="Lan Nguyen")
    ticket = await console.write(make_mail)
    does = [("tag", "Refund"), ("draft", "Dear {{customer.name}}, #{{ticket.number}} is ours. {{agent.name}}")]
    done = await write(
        seat, "/macros/new", *does, ("priority", "high"), name="Money back", scope=f"user:{seat.user_id}"
    )
    assert done.status_code == 303
    macro = await macro_of(console, "Money back")
    number = number_of(ticket)
    offered = (await seat.part(f"/tickets/{number}/macros")).text
    assert "Money back" in offered
    assert f"Dear {{{{customer.name}}}}, #{number} is ours. Lan Nguyen" in offered
    url = f"/tickets/{number}/macros/{macro.id}"
    answers = [await seat.post(url, SCRIPT, client_id="click-1") for _ in range(2)]
    assert answers[0].json()["draft"].endswith("Lan Nguyen")
    assert answers[1].json()["draft"] == ""
    names = [entry.meta.get("name") for entry in await entries(console, ticket)]
    assert names == [None, "priority_changed", "tags_changed", "macro_ran"]
    assert (await console.db.read(lifecycle.access, ticket)).priority == "high"
    assert (await macro_of(console, "Money back")).used == 1
    page = (await seat.page(f"/tickets/{number}")).text
    assert "Macro “Money back” · Lan Nguyen" in page


async def test_nothing_is_done_where_one_thing_cannot_be(console_on_both: Console) -> None:
    console = console_on_both
    seat = await console.sit()
    ticket = await console.write(make_mail)
    await console.write(lifecycle.set_status, ticket, Status.CLOSED, user_id=None, now=utcnow())
    await write(seat, "/macros/new", ("tag", "late"), ("status", "open"), name="Open it", scope=f"user:{seat.user_id}")
    macro = await macro_of(console, "Open it")
    refused = await seat.post(f"/tickets/{number_of(ticket)}/macros/{macro.id}", SCRIPT, client_id="one")
    assert refused.status_code == 409
    assert "cannot become open" in refused.json()["detail"]
    assert [entry.meta.get("name") for entry in await entries(console, ticket)] == [None, "status_changed"]
    assert (await macro_of(console, "Open it")).used == 0


async def test_a_macro_can_want_a_confirmed_identity_and_sends_only_if_it_says_so(console: Console) -> None:
    seat = await console.sit()
    ticket = await console.write(make_mail)
    reply = ("reply", "Your limit is higher now.")
    own = {"scope": f"user:{seat.user_id}"}
    await write(seat, "/macros/new", reply, name="Raise", requires_identity="1", **own)
    url = f"/tickets/{number_of(ticket)}/macros/{(await macro_of(console, 'Raise')).id}"
    refused = await seat.post(url, SCRIPT, client_id="one")
    assert refused.status_code == 409
    assert "Confirm their identity first" in refused.json()["detail"]
    assert "Confirm first that the customer" in (await seat.part(f"/tickets/{number_of(ticket)}/macros")).text
    confirmed = {"minutes": 60, "note": "", "user_id": seat.user_id, "now": utcnow()}
    await console.write(identity_checks.confirm, ticket, Method.QUESTIONS, **confirmed)
    assert (await seat.post(url, SCRIPT, client_id="one")).status_code == 200
    sent = [entry for entry in await entries(console, ticket) if entry.kind == "outbound"]
    assert [(one.text, one.delivery, one.automatic) for one in sent] == [("Your limit is higher now.", "queued", False)]


async def test_whose_macros_one_sees_and_writes(console: Console) -> None:
    one, other = await console.sit(), await console.sit()
    chief = await console.sit(Role.SUPERVISOR)

    def team_of(tx: Connection) -> int:
        team_id = tx.execute(insert(Team).returning(Team.id), {"name": "Night shift"}).scalar_one()
        tx.execute(insert(TeamMember), {"team_id": team_id, "user_id": one.user_id})
        return int(team_id)

    team = await console.write(team_of)
    note = ("note", "Seen at night")
    assert (await write(one, "/macros/new", note, name="Mine", scope=f"user:{one.user_id}")).status_code == 303
    assert (await write(chief, "/macros/new", note, name="Ours", scope=f"team:{team}")).status_code == 303
    assert (await write(chief, "/macros/new", note, name="Every", scope="all")).status_code == 303
    for scope in ("all", f"team:{team}", f"user:{other.user_id}"):
        assert (await write(one, "/macros/new", note, name="No", scope=scope)).status_code == 403
    seen = {name: (await seat.page("/macros")).text for name, seat in (("one", one), ("other", other))}
    assert [name in seen["one"] for name in ("Mine", "Ours", "Every")] == [True, True, True]
    assert [name in seen["other"] for name in (">Mine<", "Ours", "Every")] == [False, False, True]
    mine = (await macro_of(console, "Mine")).id
    ticket = number_of(await console.write(make_mail))
    assert (await other.post(f"/tickets/{ticket}/macros/{mine}", SCRIPT, client_id="x")).status_code == 404
    assert (await other.post(f"/macros/{mine}/delete", FORM)).status_code == 404
    assert (await one.post(f"/macros/{mine}/delete", FORM)).status_code == 303
    assert await macro_of(console, "Mine") is None

    def audited(tx: Connection) -> list[str]:
        return list(tx.execute(select(AuditEntry.action).where(AuditEntry.action.startswith("macro."))).scalars())

    assert await console.db.read(audited) == ["macro.created", "macro.created"]


async def test_what_was_typed_wrong_is_said_and_kept(console: Console) -> None:
    seat = await console.sit(locale="vi")
    own = {"scope": f"user:{seat.user_id}"}
    wrong = await write(seat, "/macros/new", ("draft", "Dear {{customer.shoe}}"), name="Shoes", **own)
    assert wrong.status_code == 422
    assert wrong.text.count("customer.shoe") == 2
    assert (await write(seat, "/macros/new", ("tag", "a"), name="Twice", **own)).status_code == 303
    again = await write(seat, "/macros/new", ("tag", "b"), name="Twice", **own)
    assert again.status_code == 422
    assert "Đã có macro tên Twice" in again.text
    assert (await (await console.sit(Role.QA)).page("/macros/new")).status_code == 403
    admin = await console.sit(Role.ADMIN)
    assert "Macros" in (await admin.page("/admin/macros")).text
    assert (await write(admin, "/admin/macros/new", ("tag", "b"), name="Shared", scope="all")).status_code == 303
