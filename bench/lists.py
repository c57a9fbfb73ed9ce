"""G12: the page of a list out of a million tickets, against its template rendered from memory."""

import hashlib
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from itertools import cycle
from pathlib import Path
from typing import Any

import httpx2

from bench import desk, floor, machine, postgres
from bench.http import Http
from bench.processes import Server
from bench.stage import Bar, Scale, Slice, Stage, cpu_each
from contact_center.accounts.web import COOKIE
from contact_center.app import build
from contact_center.core import logs
from contact_center.core.db import open_database
from contact_center.core.secrets import Vault
from contact_center.core.settings import Settings
from contact_center.core.templates import Templates

TICKETS, CUSTOMERS, AGENTS = 1_000_000, 100_000, 20
ROWS = 60
# Every order of the list, and a view of those who are done: each walks another index.
PAGES = (
    "/inbox?view=open&sort=waiting",
    "/inbox?view=open&sort=newest",
    "/inbox?view=unassigned&sort=sla",
    "/inbox?view=resolved&sort=newest",
)
ROW = b'class="trow'

# One in twenty is open; they wait, have a target and sometimes an owner. Made without indexes, which come afterwards.
FILL = """
INSERT INTO customers (name, search, company, vip, note, attributes, created_at, listed_at, version)
  SELECT 'Customer ' || n, 'customer ' || n, '', n % 50 = 0, '', '{{}}', now(), now(), 1
  FROM generate_series(1, {customers}) n;
INSERT INTO contact_points (customer_id, kind, value, name, created_at)
  SELECT id, 'email', 'customer' || id || '@shop.test', '', now() FROM customers;
INSERT INTO tickets (subject, status, priority, kind, channel, queue_id, assignee_id, customer_id, contact_point_id,
                     seq, public_seq, preview, created_at, updated_at, waiting_since, resolved_at, sla_due_at,
                     reopened, version)
  SELECT 'Order ' || n || ' has not arrived', status, (array['low', 'medium', 'medium', 'high', 'urgent'])[n % 5 + 1],
         'question', (array['email', 'chat', 'sms', 'phone'])[n % 4 + 1], queues.id,
         CASE WHEN status = 'open' AND n % 3 = 0 THEN (SELECT min(id) FROM users) + n % {agents} END,
         n % {customers} + 1, n % {customers} + 1, 3, 3, 'I ordered it a week ago and it has not arrived yet',
         at, at, CASE WHEN status IN ('new', 'open') AND n % 3 > 0 THEN at END,
         CASE WHEN status = 'resolved' THEN at END,
         CASE WHEN status IN ('new', 'open') AND n % 3 < 2 THEN at + interval '30 days' END, 0, 1
  FROM queues, generate_series(1, {tickets}) n,
       LATERAL (SELECT now() - n * interval '2 seconds' AS at,
                       CASE WHEN n % 40 = 0 THEN 'new' WHEN n % 40 = 1 THEN 'open' WHEN n % 10 = 2 THEN 'pending'
                            WHEN n % 10 < 5 THEN 'resolved' ELSE 'closed' END AS status) of_ticket;
INSERT INTO sla_clocks (ticket_id, metric, started_at, target, counted_from, carried, pauses, due_at, warn_at)
  SELECT id, 'first_response', created_at, 2592000, created_at, 0, '[]', sla_due_at, sla_due_at - interval '6 days'
  FROM tickets WHERE sla_due_at IS NOT NULL;
INSERT INTO ticket_counters (queue_id, assignee_id, status, tickets)
  SELECT queue_id, coalesce(assignee_id, 0), status, count(*) FROM tickets GROUP BY 1, 2, 3;
"""


@dataclass
class Recorder:
    """What the pages hand to their templates."""

    templates: Templates
    seen: list[tuple[str, str, dict[str, Any]]] = field(default_factory=list)

    def render(self, locale: str, name: str, /, **values: Any) -> str:
        self.seen.append((locale, name, values))
        return Templates.render(self.templates, locale, name, **values)


async def recorded(url: str, token: str) -> tuple[Templates, list[tuple[str, str, dict[str, Any]]]]:
    """The templates, and for every page the values with which the product renders it."""
    logs.configure("error", "text")
    with tempfile.TemporaryDirectory(prefix="cc-bench-") as folder:
        settings = Settings(data_dir=Path(folder), database_url=url, secret_key=desk.SECRET)
        app = build(settings, loops=["none"])
        async with app.router.lifespan_context(app):
            templates = app.state.services.templates
            recorder = Recorder(templates)
            templates.render = recorder.render
            transport = httpx2.ASGITransport(app=app)
            async with httpx2.AsyncClient(transport=transport, base_url="http://bench.test") as client:
                client.cookies.set(COOKIE, token)
                for path in PAGES:
                    (await client.get(path, headers={"accept": "text/html"})).raise_for_status()
            del templates.render
    return templates, recorder.seen


class Memory:
    """The same pages, rendered over and over from what they were rendered from."""

    def __init__(self, templates: Templates, pages: Sequence[tuple[str, str, dict[str, Any]]]) -> None:
        self.templates = templates
        self.pages = cycle(pages)

    async def slice(self, seconds: float) -> Slice:
        cpu, begun, done = machine.own_seconds(), time.perf_counter(), 0
        while time.perf_counter() - begun < seconds:
            locale, name, values = next(self.pages)
            # The limit is what all of the template costs; that the product remembers rows is its own merit.
            self.templates.forget(locale)
            done += self.templates.render(locale, name, **values).count(ROW.decode()) == ROWS
        return Slice(done, time.perf_counter() - begun, machine.own_seconds() - cpu)


class Reader:
    """An agent who loads one list after the other."""

    def __init__(self, server: Server, http: Http, token: str, backends: Sequence[int]) -> None:
        self.server = server
        self.http = http
        self.cookie = f"{COOKIE}={token}"
        self.backends = backends
        self.pages = cycle(PAGES)

    async def slice(self, seconds: float) -> Slice:
        """Units are the pages that came with all their rows; CPU is the web process and its database backends."""
        cpu, begun, done = self._cpu(), time.perf_counter(), 0
        while time.perf_counter() - begun < seconds:
            status, page = await self.http.get(next(self.pages), cookie=self.cookie, accept="text/html")
            if status != 200 or page.count(ROW) != ROWS:
                raise SystemExit(f"bench: a list answered {status} with {page.count(ROW)} rows")
            done += 1
        return Slice(done, time.perf_counter() - begun, self._cpu() - cpu)

    def _cpu(self) -> float:
        return self.server.cpu() + machine.cpu_seconds(self.backends)


@asynccontextmanager
async def g12(scale: Scale) -> AsyncIterator[Stage]:
    """Lists of 60 out of a million tickets: CPU for a page."""
    tickets = scale.size(TICKETS, 5_000)
    name, token = await million(tickets, scale)
    templates, pages = await recorded(postgres.raw_url(name), token)
    with tempfile.TemporaryDirectory(prefix="cc-bench-") as folder:
        db = open_database(postgres.url(name))
        found = desk.Desk(Path(folder), db, postgres.raw_url(name), name)
        async with found.web() as server:
            http = await Http.open(server.port)
            reader = Reader(server, http, token, [])
            await reader.slice(0.2)
            reader.backends = await postgres.backends(name)
            bar = Bar("page of a list: 60 of 1 M, CPU", cpu_each, first=2.5, goal=1.6, unit="µs", at_least=False)
            yield Stage("G12", Memory(templates, pages).slice, reader.slice, [bar], notes={"tickets": tickets})
        await db.close()


async def million(tickets: int, scale: Scale) -> tuple[str, str]:
    """A kept database with so many tickets, filled if its schema or size is another one; and an agent's token."""
    customers = scale.size(CUSTOMERS, 500)

    async def fill(name: str) -> None:
        db = open_database(postgres.url(name))
        try:
            await db.write(partial(floor.furnish, agents=AGENTS), Vault(desk.SECRET))
        finally:
            await db.close()
        await postgres.fill_fast(name, "tickets", FILL.format(tickets=tickets, customers=customers, agents=AGENTS))

    name = f"cc_bench_lists_{tickets}"
    await postgres.kept(name, f"{tickets} tickets, {hashlib.sha256(FILL.encode()).hexdigest()[:8]}", fill)
    db = open_database(postgres.url(name))
    try:
        return name, await db.write(floor.sign_in)
    finally:
        await db.close()


STAGES = {"G12": g12}
