"""What a new demo has on its first page: the shop, its people and customers, its help center, and a busy day."""

import random
import sqlite3
import tomllib
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import Connection, Engine

from contact_center import wiring
from contact_center.core.db import sqlite_engine, take_pokes
from contact_center.core.events import Handlers
from contact_center.core.relay import BATCH, relay_batch
from contact_center.core.secrets import Vault, load_secret
from contact_center.core.settings import Settings
from contact_center.demo import automation, mark, quality, shoppers, whatsapp
from contact_center.demo import cast as casting
from contact_center.demo.history import History
from contact_center.demo.matters import Customers
from contact_center.demo.month import Scale, Stretch, stretches
from contact_center.demo.reserve import reserved
from knowledge_base import articles
from knowledge_base.articles import ArticleState, Content, Origin
from tickets import channel_accounts

Report = Callable[[float, str], None]
# A board would notice a timer that is late.
TODAY_TICK = timedelta(minutes=2)


def fill(settings: Settings, *, now: datetime, scale: Scale, report: Report) -> None:
    """Everything that the demo shows on its first page; `report` gets the share done and what is being done."""
    path = database_path(settings)
    vault = Vault(load_secret(settings))
    # Nothing is lost if the machine dies now: the demo simply begins anew.
    engine = sqlite_engine(settings.database, synchronous="OFF")
    parts = stretches(now, scale)
    today = parts[-1]
    with engine.begin() as tx:
        mark.write(tx, **mark.begun(now, scale, parts))
        _shop(tx, vault, scale.customers, now=parts[0].begin, report=report)
    _keep_base(path, base_path(settings))
    with reserved(path, today.first_id):
        write(
            engine,
            settings,
            today,
            handlers=wiring.HANDLERS,
            until=now,
            tick=TODAY_TICK,
            report=lambda done, opened: report(0.3 + 0.7 * done, f"{opened} tickets of today"),
        )
    with engine.begin() as tx:
        mark.write(tx, seeded_at=now.isoformat(), worked_until=now.isoformat(), pace="calm")
    engine.dispose()


def write(
    engine: Engine,
    settings: Settings,
    stretch: Stretch,
    *,
    handlers: Handlers,
    until: datetime,
    report: Callable[[float, int], None],
    tick: timedelta,
) -> None:
    """Let a stretch of the past happen in the database behind `engine`, and what came of it until now."""
    rng = random.Random(f"{stretch.number} of {stretch.customers}")
    span = until - stretch.begin
    with engine.connect() as connection:
        connection.begin()
        history = assemble(connection, settings, handlers, rng, key=f"month-{stretch.number}")

        def commit(moment: datetime) -> Connection:
            report((moment - stretch.begin) / span, history.customers.opened)
            return next_transaction(connection)

        history.plan_customers(stretch.begin, stretch.end, stretch.customers)
        history.plan_work(stretch.begin, stretch.end, tick=tick)
        if stretch.end < until:
            history.plan_handover(stretch.end)
            history.plan_work(stretch.end, until, tick=tick)
        history.run(until, commit)
        if stretch.end < until:
            history.hand_over(until)
        connection.commit()


def next_transaction(connection: Connection) -> Connection:
    """Commit, and begin again on the same connection."""
    connection.commit()
    connection.begin()
    return connection


def assemble(tx: Connection, settings: Settings, handlers: Handlers, rng: random.Random, *, key: str) -> History:
    """The shop's people of a database that was seeded before, with nothing on their agenda; `key` is of this time."""
    cast = casting.load(tx)
    line = channel_accounts.by_id(tx, Vault(load_secret(settings)), cast.accounts["Shop line"])
    # In the past nobody was at the other end to press a key: calls rang on the floor at once.
    line = replace(line, settings={**line.settings, "plan": None, "ring_agents": True})
    people = shoppers.invent((mark.read(tx) or {})["scale"]["customers"])
    customers = Customers(cast, people, line, rng, key=key)
    scorecard_id = quality.conversation_scorecard(tx)
    return History(tx, cast, customers, handlers, rng, base_url=settings.base_url, scorecard_id=scorecard_id)


def database_path(settings: Settings) -> Path:
    """The SQLite file of the demo."""
    return Path(settings.database.removeprefix("sqlite:///"))


def base_path(settings: Settings) -> Path:
    """The shop before anybody wrote to it: what every week of the past begins with. Gone when all are written."""
    return settings.data_dir / "history-base.db"


def _keep_base(live: Path, base: Path) -> None:
    with closing(sqlite3.connect(live)) as source, closing(sqlite3.connect(base)) as copy:
        source.backup(copy)


def _shop(tx: Connection, vault: Vault, customers: int, *, now: datetime, report: Report) -> None:
    cast = casting.build(tx, vault, now=now)
    report(0.02, "customers and orders")
    supervisor_id = cast.supervisors["Huong Vo"]
    shoppers.store(tx, shoppers.invent(customers), supervisor_id=supervisor_id, now=now)
    report(0.25, "help center")
    _articles(tx, cast, now)
    quality.prepare(tx, cast, now=now)
    whatsapp.seed(tx, cast.accounts["Shop WhatsApp"], now=now)
    automation.seed(tx, cast, now=now)
    # What this has told is handled before anybody writes; nobody was there to be poked.
    while relay_batch(tx, wiring.HANDLERS, now) == BATCH:
        pass
    take_pokes(tx)


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
