"""Brings a finished stretch of history from its own file into the live one, a few tickets in each transaction.

The rows are copies of what the use cases wrote there; nothing is made up here. A ticket comes with all that belongs
to it, and with its place in the counters, in one transaction, so that no screen ever sees half of it.
"""

import sqlite3
import threading
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from contact_center.tables import METADATA

# Tickets in one transaction: others wait for the write lock no longer than these take.
BATCH = 25

# Table, its column that says where it belongs, and whose id that is; parents before children.
PARTS: tuple[tuple[str, str, str], ...] = (
    ("messages", "ticket_id", "tickets"),
    ("attachments", "message_id", "messages"),
    ("external_references", "message_id", "messages"),
    ("delivery_attempts", "message_id", "messages"),
    ("assignments", "ticket_id", "tickets"),
    ("work_items", "ticket_id", "tickets"),
    ("offers", "ticket_id", "tickets"),
    ("queue_entries", "ticket_id", "tickets"),
    ("routing_decisions", "work_item_id", "work_items"),
    ("sla_books", "ticket_id", "tickets"),
    ("sla_clocks", "ticket_id", "tickets"),
    ("calls", "ticket_id", "tickets"),
    ("surveys", "ticket_id", "tickets"),
    ("complaints", "ticket_id", "tickets"),
    ("complaint_steps", "complaint_id", "complaints"),
    ("evaluations", "ticket_id", "tickets"),
    ("evaluation_answers", "evaluation_id", "evaluations"),
    ("ticket_texts", "ticket_id", "tickets"),
    ("ticket_reads", "ticket_id", "tickets"),
    ("ticket_places", "ticket_id", "tickets"),
)
WHOLE = ("journal", "presence_log", "tickets")
# What is of the present only (who is at work, what waits to be handled), or is the same in both files from the start.
LEFT = frozenset(
    {"agent_states", "events", "installation_facts", "ticket_counters", "notifications", "channel_accounts"}
)
NUMBERED = tuple(name for name in (*WHOLE, *(table for table, _, _ in PARTS)) if "id" in METADATA.tables[name].columns)

OF_BATCH = "ticket_id IN (SELECT id FROM batch)"
CHOOSE = """
INSERT INTO batch SELECT id FROM past.tickets WHERE id NOT IN (SELECT id FROM main.tickets) ORDER BY id DESC LIMIT ?
"""
# A matter comes with the one that it follows up.
FOLLOWED = """
INSERT OR IGNORE INTO batch SELECT follows_up_id FROM past.tickets WHERE id IN (SELECT id FROM batch)
AND follows_up_id IS NOT NULL AND follows_up_id NOT IN (SELECT id FROM main.tickets)
AND follows_up_id NOT IN (SELECT id FROM batch)
"""
OPEN_THREAD = "thread_key IS NOT NULL AND status NOT IN ('resolved', 'closed')"
FREE_THREADS = f"""
UPDATE past.tickets SET thread_key = NULL
WHERE id IN (SELECT id FROM batch) AND {OPEN_THREAD} AND EXISTS (
    SELECT 1 FROM main.tickets AS live
    WHERE live.channel_account_id = past.tickets.channel_account_id AND live.thread_key = past.tickets.thread_key
    AND live.{OPEN_THREAD.replace("status", "live.status")}
)
"""
COUNT = """
INSERT INTO main.ticket_counters (queue_id, assignee_id, status, tickets)
SELECT queue_id, assignee_id, status, count(*) FROM past.ticket_places
WHERE ticket_id IN (SELECT id FROM batch) GROUP BY 1, 2, 3
ON CONFLICT (queue_id, assignee_id, status) DO UPDATE SET tickets = tickets + excluded.tickets
"""


class Merge:
    """The live file with a finished stretch beside it; every call of `step` is one transaction."""

    def __init__(self, live: Path, past: Path) -> None:
        # A loop that is killed in the middle of a step closes while the step's thread still runs.
        self._lock = threading.Lock()
        self._connection = sqlite3.connect(live, isolation_level=None, timeout=5, check_same_thread=False)
        for pragma in ("foreign_keys=ON", "synchronous=NORMAL", "temp_store=MEMORY"):
            self._connection.execute(f"PRAGMA {pragma}")
        self._connection.execute("ATTACH ? AS past", (str(past),))
        self._connection.execute("CREATE TEMP TABLE batch (id INTEGER PRIMARY KEY)")

    def close(self) -> None:
        """Give both files back."""
        with self._lock:
            self._connection.close()

    def step(self, *, present_from: datetime) -> int:
        """Copy the next rows; returns how many tickets have come, 0 when all are there.

        Newest tickets first: they are looked at first. Who was at work from `present_from` on is told elsewhere.
        """
        with self._lock:
            return self._step(present_from)

    def _step(self, present_from: datetime) -> int:
        run = self._connection.execute
        run("DELETE FROM batch")
        run("BEGIN IMMEDIATE")
        try:
            count = run(CHOOSE, (BATCH,)).rowcount
            while run(FOLLOWED).rowcount:
                pass
            if count:
                self._tickets()
            else:
                self._the_rest(present_from)
        except BaseException:
            run("ROLLBACK")
            raise
        run("COMMIT")
        return count

    def _tickets(self) -> None:
        self._connection.execute(FREE_THREADS)
        self._copy("tickets", "id IN (SELECT id FROM batch)")
        self._copy("journal", f"id IN (SELECT journal_id FROM past.messages WHERE {OF_BATCH})")
        for table, column, parent in PARTS:
            self._copy(table, f"{column} IN ({_ids(parent)})")
        self._connection.execute(COUNT)

    def _the_rest(self, present_from: datetime) -> None:
        """Reports of the carrier that changed a call but began none, and who was at work when."""
        self._copy("journal", "id NOT IN (SELECT id FROM main.journal)")
        moment = present_from.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")
        past = f"ended_at <= '{moment}' AND id NOT IN (SELECT id FROM main.presence_log)"
        self._copy("presence_log", past)

    def _copy(self, table: str, where: str) -> None:
        names = ", ".join(METADATA.tables[table].columns.keys())
        self._connection.execute(f"INSERT INTO main.{table} ({names}) SELECT {names} FROM past.{table} WHERE {where}")


def _ids(parent: str) -> str:
    if parent == "tickets":
        return "SELECT id FROM batch"
    column, grandparent = next((column, above) for table, column, above in PARTS if table == parent)
    return f"SELECT id FROM past.{parent} WHERE {column} IN ({_ids(grandparent)})"


def written(path: Path) -> int:
    """How many tickets a file has, finished or not; 0 while there is none."""
    try:
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
            return int(connection.execute("SELECT count(*) FROM tickets").fetchone()[0])
    except sqlite3.OperationalError:
        # Not there, or its writer just put it away.
        return 0
