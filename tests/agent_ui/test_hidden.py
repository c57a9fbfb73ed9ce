"""What was masked, in the console: shown by right and reason, withheld in the journal, switched by kind."""

from contact_center.accounts.permissions import Role
from tests.agent_ui.console import PAGE, SAME_ORIGIN, Console
from tests.conftest import NOW
from tests.factories import make_account, make_ticket
from tickets import inbox
from tickets.inbox import RawItem
from tickets.numbers import number_of
from tickets.sensitive import masking
from tickets.sensitive.find import Kind
from tickets.states import Channel

CARD = "my card is 4111 1111 1111 1111"
FORM = {**PAGE, **SAME_ORIGIN}


async def test_the_conversation_says_that_something_was_hidden(console: Console) -> None:
    receipt = await console.write(make_ticket, text=CARD)
    agent = await console.sit()
    page = (await agent.page(f"/tickets/{number_of(receipt.ticket_id)}")).text
    assert "Hidden: card number" in page
    assert "4111" not in page


async def test_a_supervisor_sees_it_with_a_reason(console: Console) -> None:
    receipt = await console.write(make_ticket, text=CARD)
    supervisor = await console.sit(Role.SUPERVISOR)
    answer = await supervisor.post(f"/messages/{receipt.message_id}/hidden", reason="refund")
    assert CARD in answer.text
    assert answer.headers["cache-control"] == "no-store"
    page = (await supervisor.page(f"/tickets/{number_of(receipt.ticket_id)}")).text
    assert "Looked at what was hidden, because: refund" in page
    assert (await supervisor.post(f"/messages/{receipt.message_id}/hidden", reason=" ")).status_code == 422


async def test_an_agent_does_not(console: Console) -> None:
    receipt = await console.write(make_ticket, text=CARD)
    agent = await console.sit()
    answer = await agent.post(f"/messages/{receipt.message_id}/hidden", reason="curious")
    assert answer.status_code == 403
    assert "4111" not in answer.text


async def test_the_journal_does_not_show_raw_bytes_that_hold_a_card(console: Console) -> None:
    admin = await console.sit(Role.ADMIN)
    account = await console.write(make_account)
    for key, raw in (("a", b"Body=4111+1111+1111+1111"), ("b", b"Body=hello")):
        item = RawItem(Channel.SMS, account, key, raw=raw, summary="x")
        item_id = await console.write(inbox.quarantine, item, "KeyError", now=NOW)
        page = (await admin.page(f"/admin/journal/{item_id}")).text
        assert "4111" not in page
        assert ("so it is not shown here" in page) == (key == "a")
        assert (await admin.post(f"/admin/journal/{item_id}/raw", headers=FORM)).content == raw


async def test_an_administrator_switches_kinds_off(console: Console) -> None:
    admin = await console.sit(Role.ADMIN)
    assert "Sensitive data" in (await admin.page("/admin/sensitive")).text
    saved = await admin.post("/admin/sensitive", headers=FORM, card="1", keep_days="7")
    assert saved.status_code == 303
    rules = await console.db.read(masking.rules)
    assert (rules.kinds, rules.keep_days) == (frozenset({Kind.CARD}), 7)
    wrong = await admin.post("/admin/sensitive", headers=FORM, card="1", keep_days="-1")
    assert wrong.status_code == 422
