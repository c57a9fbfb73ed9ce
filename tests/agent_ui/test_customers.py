"""Customers' pages: search, the profile over all channels, editing, suppressions, merging and undoing."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, event, select

from agent_ui.pages import customers_list
from channels.sms import consent
from channels.sms.keywords import Wish
from contact_center.accounts.permissions import Role
from contact_center.core.clock import utcnow
from tests.agent_ui.console import PAGE, SAME_ORIGIN, Console, cost
from tests.factories import make_account, make_ticket
from tickets.customers import contacts, events, last_contact
from tickets.customers.recognise import refresh_search
from tickets.inbound import Address
from tickets.models import ContactPoint, Customer
from tickets.numbers import number_of
from tickets.states import Channel, ContactKind

FORM = {**PAGE, **SAME_ORIGIN}


def make_customer(tx: Connection, name: str, mail: str) -> int:
    contact = contacts.find_or_create(tx, Address(ContactKind.EMAIL, mail, name=name), now=utcnow())
    refresh_search(tx, contact.customer_id)
    return contact.customer_id


def full(tx: Connection) -> int:
    """A customer with a conversation, an order and a namesake."""
    account_id = make_account(tx, Channel.EMAIL)
    customer_id = make_customer(tx, "Nguyễn Thị Mai", "mai.nguyen@shop.test")
    make_ticket(tx, account_id=account_id, channel=Channel.EMAIL, sender="mai.nguyen@shop.test", text="Đơn hàng đâu?")
    told = {
        "external_id": "LL-1",
        "kind": "order",
        "title": "Ghế tre",
        "state": "shipped",
        "amount": 120,
        "currency": "VND",
    }
    events.record(tx, customer_id, **told, occurred_at=utcnow(), now=utcnow())
    make_customer(tx, "Nguyen Thi Mai", "mai.nguyen+shop@shop.test")
    return customer_id


async def one(console: Console, query: Any) -> Any:
    return await console.db.read(lambda tx: tx.execute(query).one())


@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize("locale", ["en", "vi"])
async def test_everybody_who_sees_tickets_sees_customers(console: Console, role: Role, locale: str) -> None:
    customer_id = await console.write(full)
    seat = await console.sit(role, locale=locale)
    page = await seat.page(f"/customers/{customer_id}")
    assert page.status_code == 200
    for text in ("Nguyễn Thị Mai", "mai.nguyen@shop.test", "Đơn hàng đâu?", "Ghế tre", "/tickets/100"):
        assert text in page.text
    assert (f"/customers/{customer_id}/edit" in page.text) == (role is not Role.QA)
    assert (await seat.page("/customers")).status_code == 200


async def test_it_finds_names_without_accents_and_numbers_as_people_write_them(console_on_both: Console) -> None:
    def fill(tx: Connection) -> None:
        full(tx)
        found = contacts.find_or_create(tx, Address(ContactKind.PHONE, "+14155550100", name="Ann Lee"), now=utcnow())
        refresh_search(tx, found.customer_id)

    await console_on_both.write(fill)
    seat = await console_on_both.sit()
    assert "Nguyễn Thị Mai" in (await seat.page("/customers?find=nguyen+mai")).text
    assert "Ann Lee" in (await seat.page("/customers?find=(415)+555-0100")).text
    assert "Ann Lee" not in (await seat.page("/customers?find=100%25")).text


async def test_the_list_goes_back_page_by_page_at_one_cost(console: Console) -> None:
    seat = await console.sit()
    few = await cost(seat, "/customers")

    def fill(tx: Connection) -> None:
        for number in range(70):
            make_customer(tx, f"Person {number:03}", f"p{number}@shop.test")

    await console.write(fill)
    assert few == await cost(seat, "/customers")
    first = (await seat.page("/customers")).text
    older = first.partition('btn-small end" href="')[2].partition('"')[0].replace("&amp;", "&")
    second = (await seat.page(older)).text
    assert "Person 069" in first
    assert "Person 000" in second
    assert "Person 069" not in second


async def test_two_who_edit_at_once_do_not_overwrite_each_other(console: Console) -> None:
    customer_id = await console.write(full)
    seat = await console.sit()
    form = {
        "name": "Mai Nguyen",
        "company": "Lotus",
        "locale": "vi",
        "vip": "1",
        "note": "Calls at noon",
        "version": "1",
    }
    assert (await seat.post(f"/customers/{customer_id}/edit", FORM, **form)).status_code == 303
    row = await one(console, select(Customer).where(Customer.id == customer_id))
    assert (row.name, row.company, row.locale, row.vip) == ("Mai Nguyen", "Lotus", "vi", True)
    second = await seat.post(f"/customers/{customer_id}/edit", FORM, **{**form, "name": "Somebody"})
    assert second.status_code == 422
    assert "Somebody has changed this customer meanwhile" in second.text


async def test_an_address_is_added_refused_and_sent_to_again(console: Console) -> None:
    customer_id = await console.write(full)
    seat = await console.sit()
    path = f"/customers/{customer_id}/addresses"
    assert (await seat.post(path, FORM, kind="phone", address="+84912345678")).status_code == 303
    taken = await seat.post(path, FORM, kind="email", address="mai.nguyen+shop@shop.test")
    assert taken.status_code == 422
    assert "belongs to another customer" in taken.text
    assert (await seat.post(path, FORM, kind="email", address="nobody")).status_code == 422
    point = await one(console, select(ContactPoint.id).where(ContactPoint.value == "+84912345678"))
    await console.write(contacts.suppress, point.id, "opted_out", now=utcnow())
    assert "asked us to stop" in (await seat.page(f"/customers/{customer_id}")).text
    assert (await seat.post(f"{path}/{point.id}/lift", FORM)).status_code == 303
    lifted = await one(console, select(ContactPoint.suppressed_at).where(ContactPoint.id == point.id))
    assert lifted.suppressed_at is None
    assert (await seat.post(f"{path}/{point.id}/remove", FORM)).status_code == 303


async def test_an_opt_out_is_told_with_its_word_and_lifted_by_a_supervisor_with_a_reason(
    console_on_both: Console,
) -> None:
    console = console_on_both
    customer_id = await console.write(full)
    agent, supervisor = await console.sit(), await console.sit(Role.SUPERVISOR, name="Minh Le")

    def opt_out(tx: Connection) -> int:
        point_id = contacts.add(tx, customer_id, Address(ContactKind.PHONE, "+84912345678"), now=utcnow())
        assert point_id is not None
        consent.record(tx, point_id, Wish.STOP, account_id=None, source=consent.KEYWORD, word="hủy", now=utcnow())
        consent.close(tx, point_id, now=utcnow())
        return point_id

    point_id = await console.write(opt_out)
    path = f"/customers/{customer_id}/addresses/{point_id}/lift"
    page = (await agent.page(f"/customers/{customer_id}")).text
    assert "by writing “hủy”" in page
    assert path not in page
    assert (await agent.post(path, FORM, reason="They rang us")).status_code == 403
    assert "Say why" in (await supervisor.post(path, FORM, reason=" ")).text
    assert (await supervisor.post(path, FORM, reason="They rang us and asked for it")).status_code == 303
    assert "somebody has lifted it" not in (await supervisor.page(f"/customers/{customer_id}")).text
    page = (await agent.page(f"/customers/{customer_id}")).text
    assert "Lifted by Minh Le" in page
    assert "They rang us and asked for it" in page
    lifted = await one(console, select(ContactPoint.suppressed_at).where(ContactPoint.id == point_id))
    assert lifted.suppressed_at is None


async def test_a_duplicate_is_shown_with_evidence_merged_and_undone(console_on_both: Console) -> None:
    console = console_on_both
    customer_id = await console.write(full)
    seat = await console.sit()
    page = await seat.page(f"/customers/{customer_id}")
    assert "same mailbox" in page.text
    other = await one(console, select(Customer.id).where(Customer.id != customer_id))
    merged = await seat.post(f"/customers/{customer_id}/merge", FORM, other=str(other.id))
    assert merged.status_code == 303
    assert (await seat.page(f"/customers/{other.id}")).headers["location"] == f"/customers/{customer_id}"
    page = await seat.page(f"/customers/{customer_id}")
    assert "mai.nguyen+shop@shop.test" in page.text
    path = page.text.partition(f'action="/customers/{customer_id}/merges/')[2].partition('"')[0]
    assert (await seat.post(f"/customers/{customer_id}/merges/{path}", FORM)).status_code == 303
    assert (await seat.page(f"/customers/{other.id}")).status_code == 200


async def test_those_who_only_look_change_nothing(console: Console) -> None:
    customer_id = await console.write(full)
    seat = await console.sit(Role.QA)
    for path in ("edit", "addresses", "merge"):
        assert (await seat.post(f"/customers/{customer_id}/{path}", FORM, other="2")).status_code == 403


async def test_a_customer_who_is_not_there_is_not_found(console: Console) -> None:
    seat = await console.sit()
    assert (await seat.page("/customers/77")).status_code == 404


async def test_the_profile_costs_the_same_for_a_long_history(console: Console) -> None:
    customer_id = await console.write(full)
    seat = await console.sit()
    few = await cost(seat, f"/customers/{customer_id}")

    def more(tx: Connection) -> None:
        for number in range(40):
            told = {"external_id": f"LL-x{number}", "kind": "order", "title": f"Order {number}"}
            events.record(tx, customer_id, **told, occurred_at=utcnow(), now=utcnow())

    await console.write(more)
    assert few == await cost(seat, f"/customers/{customer_id}")
    page = await seat.page(f"/customers/{customer_id}")
    assert "?cursor=" in page.text


async def test_a_number_of_somebody_else_is_taken_away_from_the_conversation(console: Console) -> None:
    customer_id = await console.write(full)

    def call_from(tx: Connection) -> int:
        point_id = contacts.add(tx, customer_id, Address(ContactKind.PHONE, "+84912345678"), now=utcnow())
        assert point_id is not None
        return make_ticket(tx, account_id=make_account(tx), sender="+84912345678", text="Wrong number").ticket_id

    ticket_id = await console.write(call_from)
    seat = await console.sit(name="Lan Pham")
    path = f"/tickets/{number_of(ticket_id)}"
    assert "not-this-person" in (await seat.page(path)).text
    answer = await seat.post(f"{path}/not-this-person", FORM)
    assert (answer.status_code, answer.headers["location"]) == (303, path)
    page = (await seat.page(path)).text
    assert "is not Nguyễn Thị Mai: the number was taken away" in page
    assert "There is no address to answer to" in page
    assert "+84912345678" not in (await seat.page(f"/customers/{customer_id}")).text
    refused = await seat.post(f"{path}/not-this-person", FORM)
    assert refused.status_code == 422


async def test_an_address_that_was_only_typed_says_so_until_a_colleague_confirms_it(console: Console) -> None:
    customer_id = await console.write(full)
    claim = Address(ContactKind.EMAIL, "mai@work.test", claimed=True)
    point_id = await console.write(lambda tx: contacts.add(tx, customer_id, claim, now=utcnow()))
    seat, path = await console.sit(), f"/customers/{customer_id}/addresses/{point_id}/confirm"
    page = (await seat.page(f"/customers/{customer_id}")).text
    assert (page.count('<span class="sub wraps">only typed in a chat or a form'), path in page) == (1, True)
    assert (await seat.post(path, FORM)).status_code == 303
    assert "only typed in a chat or a form" not in (await seat.page(f"/customers/{customer_id}")).text
    assert (await (await console.sit(Role.QA)).post(path, FORM)).status_code == 403


async def test_the_list_begins_with_the_last_contact_and_keeps_its_filters_over_pages(console_on_both: Console) -> None:
    def fill(tx: Connection) -> None:
        for number in range(60):
            customer_id = make_customer(tx, f"Person {number:03}", f"p{number}@shop.test")
            last_contact.remember(tx, customer_id, "sms", utcnow() + timedelta(minutes=60 - number))
        rung = make_customer(tx, "Rung Up", "rung@shop.test")
        last_contact.remember(tx, rung, "phone", utcnow() + timedelta(minutes=90))

    await console_on_both.write(fill)
    seat = await console_on_both.sit()
    whole = (await seat.page("/customers")).text
    assert whole.index("Rung Up") < whole.index("Person 000") < whole.index("Person 001")
    first = (await seat.page("/customers?channel=sms")).text
    assert "Rung Up" not in first
    older = first.partition('btn-small end" href="')[2].partition('"')[0].replace("&amp;", "&")
    assert "channel=sms" in older
    second = (await seat.page(older)).text
    assert "Person 059" in second
    assert "Person 000" not in second
    assert '<option value="sms" selected>' in second
    assert "Nobody fits these filters" in (await seat.page("/customers?show=vip")).text


async def test_who_sent_only_newsletters_stands_in_a_list_of_their_own(console_on_both: Console) -> None:
    def fill(tx: Connection) -> None:
        account_id = make_account(tx, Channel.EMAIL)
        sender = {"channel": Channel.EMAIL, "sender": "offers@mall.test", "text": "All must go"}
        make_ticket(tx, account_id=account_id, newsletter="Offers", **sender)
        make_customer(tx, "Ordered Once", "ordered@shop.test")

    await console_on_both.write(fill)
    seat = await console_on_both.sit()
    everybody, apart = (await seat.page("/customers")).text, (await seat.page("/customers?show=apart")).text
    assert "offers@mall.test" not in everybody
    assert "Ordered Once" in everybody
    assert "offers@mall.test" in apart
    assert "Ordered Once" not in apart
    assert "offers@mall.test" in (await seat.page("/customers?find=offers")).text


async def test_a_page_of_the_list_is_one_statement_on_its_index(console: Console) -> None:
    def look(tx: Connection) -> tuple[int, str]:
        asked: list[tuple[str, Any]] = []
        event.listen(tx, "before_cursor_execute", lambda _c, _u, said, values, *_: asked.append((said, values)))
        customers_list.read_page(tx, customers_list.Wanted(), region="VN")
        (said, values), count = asked[0], len(asked)
        plan = tx.exec_driver_sql(f"EXPLAIN QUERY PLAN {said}", values).all()
        return count, " ".join(str(step) for step in plan)

    await console.write(full)
    count, plan = await console.db.read(look)
    assert count == 1
    assert "ix_customers_listed" in plan
    assert "SCAN tickets" not in plan
