"""What a newcomer finds on the first page of the demo."""

from sqlalchemy import Connection, func, select

from contact_center.core.db import one_shot
from contact_center.core.settings import Settings
from contact_center.demo import cast, mark, quality, seed
from contact_center.demo.reserve import first_row
from knowledge_base.models import Article
from tests.conftest import NOW
from tests.demo import books
from tests.demo.small import SMALL
from tickets.customers.events import CustomerEvent
from tickets.models import Customer, Message, Ticket


def count(tx: Connection, model: type, *conditions: object) -> int:
    return tx.execute(select(func.count()).select_from(model).where(*conditions)).scalar_one()  # type: ignore[arg-type]


def test_today_was_made_by_the_use_cases_and_its_books_add_up(small_demo: Settings) -> None:
    books.check(small_demo, now=NOW)
    with one_shot(small_demo.database) as tx:
        assert count(tx, Ticket) >= SMALL.today - 3
        assert count(tx, Ticket, Ticket.created_at > NOW) == 0
        assert count(tx, Message, Message.kind == "outbound", Message.automatic.is_(False)) > SMALL.today / 2


def test_the_shop_has_its_people_customers_and_articles(small_demo: Settings) -> None:
    with one_shot(small_demo.database) as tx:
        people = cast.load(tx)
        assert (len(people.agents), len(people.supervisors), len(people.queues)) == (8, 2, 4)
        assert people.qa
        assert people.admin
        assert count(tx, Customer) == SMALL.customers
        assert count(tx, Customer, Customer.vip) >= 1
        assert count(tx, CustomerEvent) >= SMALL.customers
        assert count(tx, Article, Article.state == "public") == 25
        assert 0 < count(tx, Article, Article.state == "draft") <= 2 * quality.DRAFTS_WAITING


def test_the_present_leaves_the_numbers_before_it_to_the_past(small_demo: Settings) -> None:
    with one_shot(small_demo.database) as tx:
        state = mark.read(tx)
        assert state is not None
        today = mark.month(state)[-1]
        assert tx.execute(select(func.min(Ticket.id))).scalar_one() == today.first_id
        assert tx.execute(select(func.min(Message.id))).scalar_one() == first_row("messages", today.first_id)
        assert state["history"] == {"written": 0, "of": SMALL.tickets - SMALL.today, "merged": [], "done": False}


def test_the_shop_before_its_first_customer_is_kept_for_the_past(small_demo: Settings) -> None:
    kept = books.rows(seed.base_path(small_demo))
    assert (kept["customers"], kept["tickets"], kept["messages"], kept["journal"]) == (SMALL.customers, 0, 0, 0)
