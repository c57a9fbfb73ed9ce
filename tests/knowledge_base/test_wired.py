"""Everything wired: resolving a ticket drafts an article and plans a survey, on the relay's real table."""

from sqlalchemy import Connection, func, select

from contact_center.core.db import Database
from contact_center.core.events import EventRow, HandlerFailure
from contact_center.core.relay import relay_batch
from contact_center.wiring import HANDLERS
from knowledge_base.models import Article
from tests.factories import make_ticket
from tests.knowledge_base.test_harvest import LATER, resolved_case
from tickets.quality.models import Complaint, Survey


def relayed(tx: Connection) -> None:
    while relay_batch(tx, HANDLERS, LATER):
        pass


def counted(tx: Connection) -> list[int]:
    tables = (Article, Survey, Complaint, HandlerFailure)
    return [tx.execute(select(func.count()).select_from(table)).scalar_one() for table in tables]


async def test_a_resolution_teaches_and_asks(db: Database) -> None:
    await db.write(resolved_case)
    await db.write(relayed)
    assert await db.read(counted) == [1, 1, 0, 0]
    names = await db.read(lambda tx: set(tx.execute(select(EventRow.name)).scalars()))
    assert {"ticket.resolved", "article.created", "article.drafted"} <= names


async def test_a_customer_who_complains_in_so_many_words_is_taken_at_them(db: Database) -> None:
    await db.write(make_ticket, text="I want to file a complaint about your driver.")
    await db.write(relayed)
    assert await db.read(counted) == [0, 0, 1, 0]
