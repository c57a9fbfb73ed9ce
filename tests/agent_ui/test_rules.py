"""Rules as administrators write them: refused with a sentence, previewed, switched on, moved, told in the timeline."""

from typing import Any

from sqlalchemy import Connection, select

from contact_center import wiring
from contact_center.accounts.models import AuditEntry
from contact_center.accounts.permissions import Role
from contact_center.automations.rule_models import Rule
from contact_center.automations.running import merged
from contact_center.automations.triggers import Trigger
from contact_center.core.clock import utcnow
from contact_center.core.relay import relay_batch
from tests.agent_ui.console import PAGE, SAME_ORIGIN, Console, Seat
from tests.factories import make_account, make_ticket, unique
from tickets.numbers import number_of
from tickets.states import Channel

FORM = {**PAGE, **SAME_ORIGIN}


def make_mail(tx: Connection) -> int:
    account = make_account(tx, Channel.EMAIL, address=unique("box") + "@shop.test")
    made = make_ticket(tx, account_id=account, channel=Channel.EMAIL, sender="mai@example.com", subject="A late cup")
    return made.ticket_id or 0


async def post(seat: Seat, path: str, *asked: tuple[str, ...], does: tuple[str, str], **fields: str) -> Any:
    names = ("c_group", "c_field", "c_op", "c_value", "c_name")
    rows = {name: [row[at] for row in asked] for at, name in enumerate(names)}
    return await seat.http.post(path, data={**fields, **rows, "a_do": does[0], "a_value": does[1]}, headers=FORM)


def rows_of(tx: Connection) -> list[Any]:
    return list(tx.execute(select(Rule.__table__).order_by(Rule.position)))


LATE = ("every", "subject", "contains", "late, trễ", "")
URGENT = ("priority", "urgent")


async def test_a_rule_is_saved_off_previewed_switched_on_and_told_where_it_ran(console_on_both: Console) -> None:
    console = console_on_both
    admin = await console.sit(Role.ADMIN)
    first = number_of(await console.write(make_mail))
    tried = await post(admin, "/admin/rules/new", LATE, does=URGENT, name="", trigger="ticket_opened", preview="1")
    assert "it would have matched 1." in tried.text
    assert f"#{first}" in tried.text
    assert await console.db.read(rows_of) == []
    saved = await post(admin, "/admin/rules/new", LATE, does=URGENT, name="Late ones", trigger="ticket_opened")
    path = saved.headers["location"].partition("?")[0]
    assert "it would have matched 1." in (await admin.page(path)).text
    (rule,) = await console.db.read(rows_of)
    assert not rule.active
    await admin.post(f"{path}/switch", FORM, on="1")
    second = await console.write(make_mail)
    handlers = merged(wiring.HANDLERS, wiring.RULE_HANDLERS, frozenset(Trigger))
    while await console.write(relay_batch, handlers, utcnow()):
        pass
    agent = await console.sit(locale="vi")
    shown = (await agent.page(f"/tickets/{number_of(second)}")).text
    assert "Quy tắc “Late ones”, vì Tiêu đề chứa một trong “late, trễ”" in shown
    listed = (await admin.page("/admin/rules")).text
    assert "times in 30 days" in listed

    def audited(tx: Connection) -> list[str]:
        return list(tx.execute(select(AuditEntry.action).where(AuditEntry.action.startswith("rule."))).scalars())

    assert await console.db.read(audited) == ["rule.created", "rule.switched_on"]


async def test_what_is_wrong_is_said_and_kept(console: Console) -> None:
    admin = await console.sit(Role.ADMIN)
    wrong = ("every", "language", "is", "Klingon", "")
    said = await post(admin, "/admin/rules/new", wrong, does=URGENT, name="Mine", trigger="resolved")
    assert said.status_code == 422
    assert said.text.count("Klingon") == 2
    draft = await post(admin, "/admin/rules/new", LATE, does=("draft", "Hi"), name="Mine", trigger="resolved")
    assert "only a macro can do it" in draft.text
    assert await console.db.read(rows_of) == []
    for role in (Role.AGENT, Role.SUPERVISOR, Role.QA):
        assert (await (await console.sit(role)).page("/admin/rules")).status_code == 403


async def test_rules_are_moved_and_deleted(console: Console) -> None:
    admin = await console.sit(Role.ADMIN)
    for name in ("One", "Two"):
        await post(admin, "/admin/rules/new", LATE, does=URGENT, name=name, trigger="ticket_opened")
    one, two = await console.db.read(rows_of)
    assert (await post(admin, "/admin/rules/new", LATE, does=URGENT, name="Two", trigger="resolved")).status_code == 422
    await admin.post(f"/admin/rules/{two.id}/move", FORM, to="up")
    assert [row.name for row in await console.db.read(rows_of)] == ["Two", "One"]
    await admin.post(f"/admin/rules/{one.id}/delete", FORM)
    assert [row.name for row in await console.db.read(rows_of)] == ["Two"]
    assert (await admin.page(f"/admin/rules/{one.id}")).status_code == 404
