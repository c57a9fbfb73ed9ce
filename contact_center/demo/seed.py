"""Fills an empty database with the demo shop and its month of history."""

import random
import tomllib
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import Connection

from contact_center import wiring
from contact_center.core.db import sqlite_engine
from contact_center.core.secrets import Vault
from contact_center.core.settings import Settings
from contact_center.demo import cast as casting
from contact_center.demo import mark, quality, shoppers
from contact_center.demo.history import History
from knowledge_base import articles
from knowledge_base.articles import ArticleState, Content, Origin

DAYS = 30
DAY_TICKETS = 3
# The last day is dense: what the board and the lists show.
TODAY_TICKETS = 90
Report = Callable[[float, str], None]


def fill(settings: Settings, vault: Vault, *, now: datetime, report: Report) -> None:
    """Everything that the demo shows on its first page view; `report` gets the share done and what is being done."""
    # Nothing is lost if the machine dies now: the demo simply begins anew.
    engine = sqlite_engine(settings.database, synchronous="OFF")
    rng = random.Random(20)
    opened = (now - timedelta(days=DAYS)).replace(minute=0, second=0, microsecond=0)
    with engine.connect() as connection:

        def begin() -> Connection:
            if connection.in_transaction():
                connection.commit()
            connection.begin()
            return connection

        tx = begin()
        cast = casting.build(tx, vault, now=opened)
        report(0.02, "customers and orders")
        people = shoppers.store(tx, shoppers.invent(), now=opened)
        _articles(tx, cast, opened)
        scorecard = quality.prepare(tx, cast, now=opened)
        history = History(begin(), cast, people, wiring.HANDLERS, rng, base_url=settings.base_url)
        _plan(history, opened, now)
        span = (now - opened).total_seconds()
        history.run(
            lambda moment: report(0.05 + 0.9 * (moment - opened).total_seconds() / span, f"{history.opened} tickets"),
            begin,
        )
        quality.evaluate(history.tx, cast, scorecard, rng, now=now)
        history.deliver(history.tx, now)
        history.settle(now)
        mark.write(begin(), seeded_at=now.isoformat(), worked_until=now.isoformat(), pace="calm")
        connection.commit()
    engine.dispose()


def _plan(history: History, opened: datetime, now: datetime) -> None:
    for number in range(DAYS + 1):
        day = opened + timedelta(days=number)
        if day >= now:
            break
        history.plan_day(day, TODAY_TICKETS if now - day < timedelta(days=1, hours=1) else DAY_TICKETS, now)


def _articles(tx: Connection, cast: casting.Cast, now: datetime) -> None:
    texts = tomllib.loads((Path(__file__).parent / "articles.toml").read_text("utf-8"))
    author = Origin(author_id=cast.supervisors["Brian Doyle"])
    for number, article in enumerate(texts.values()):
        at = now + timedelta(hours=number)
        article_id = articles.create(
            tx, Content(article["en"][0], article["en"][1], "en"), now=at, origin=author, state=ArticleState.PUBLIC
        )
        assert article_id is not None
        articles.edit(
            tx, article_id, Content(article["vi"][0], article["vi"][1], "vi"), author_id=author.author_id, now=at
        )
