"""The hot path on PostgreSQL: a message in an open (or new) thread of a known contact, in one statement.

Journal row, ticket, gap-free seq, message and events are common table expressions of one statement, built once.
The journal decides: if it has the external id already, nothing else happens. What does not fit here (an unknown
contact, a resolved thread to reopen, a duplicate) writes nothing and is left to the step-by-step path.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Connection, Double, LargeBinary, TextClause, bindparam, text
from sqlalchemy.types import TypeEngine

from contact_center.core.direct import Direct
from contact_center.core.events import poke
from contact_center.core.schema import Json, SafeText, UtcDateTime, clean_json, clean_text
from contact_center.core.text import first_line, gist
from tickets.inbound import InboundMessage, Receipt
from tickets.matching import REOPEN_WITHIN, Evidence
from tickets.models import OPEN_THREAD
from tickets.timeline import PREVIEW_LENGTH, Appended, add_files, announcement

# The sender, if we know them and nobody has blocked them.
_CONTACT = """cp AS (
  SELECT id, customer_id FROM contact_points WHERE kind = :contact_kind AND value = :sender
  AND NOT EXISTS (SELECT 1 FROM blocks WHERE lifted_at IS NULL
                  AND (scope = :contact_kind AND value = :sender OR scope = 'ip' AND value = :origin)))"""
# Taken only if the thread is open (in the wanted ticket), or if nothing stands against a new ticket.
_JOURNAL = f"""j AS (
  INSERT INTO journal (channel, channel_account_id, external_id, state, sender, summary, raw, raw_digest, attempts,
                       received_at, finished_at)
  SELECT :channel, :account, :external_id, 'accepted', :sender, :summary, :raw, :raw_digest, 1, :now, :now FROM cp
  WHERE EXISTS (SELECT 1 FROM tickets WHERE channel_account_id = :account AND thread_key = :thread AND {OPEN_THREAD}
                AND (:ticket IS NULL OR id = :ticket))
     OR :ticket IS NULL AND NOT (
             EXISTS (SELECT 1 FROM tickets WHERE channel_account_id = :account AND thread_key = :thread
                     AND thread_key IS NOT NULL AND status = 'resolved' AND resolved_at > :reopen_after)
          OR EXISTS (SELECT 1 FROM tickets WHERE channel_account_id = :account AND thread_key = :thread
                     AND merged_into_id IS NOT NULL))
  ON CONFLICT (channel_account_id, external_id) DO NOTHING RETURNING id)"""
_ADVANCE = """
  seq = tickets.seq + 1, public_seq = tickets.public_seq + 1, updated_at = :now, last_inbound_at = :now,
  waiting_since = CASE WHEN tickets.status NOT IN ('spam', 'newsletter') THEN coalesce(tickets.waiting_since, :now) END,
  preview = :preview, snoozed_until = NULL,
  status = CASE WHEN tickets.status IN ('pending', 'snoozed') THEN 'open' ELSE tickets.status END
"""
_TICKET = "tickets.id, seq, public_seq, queue_id, assignee_id, tickets.customer_id"
_OPEN_TICKET = f"""a AS (
  UPDATE tickets SET {_ADVANCE} FROM j
  WHERE channel_account_id = :account AND thread_key = :thread AND {OPEN_THREAD}
  RETURNING {_TICKET}, false AS created)"""
# Whoever opens the same thread at this moment decides who inserts it and who goes on in it.
_NEW_TICKET = f"""n AS (
  INSERT INTO tickets (subject, status, priority, kind, channel, channel_account_id, thread_key, queue_id, customer_id,
                       contact_point_id, locale, locale_share, seq, public_seq, preview, created_at, updated_at,
                       last_inbound_at, waiting_since, reopened, version)
  SELECT :subject, 'new', 'medium', 'question', :channel, :account, :thread,
         coalesce(:queue, (SELECT queue_id FROM channel_accounts WHERE id = :account)), cp.customer_id, cp.id, :locale,
         :locale_share, 1, 1, :preview, :now, :now, :now, :now, 0, 1
  FROM j, cp WHERE NOT EXISTS (SELECT 1 FROM a)
  ON CONFLICT (channel_account_id, thread_key) WHERE {OPEN_THREAD} DO UPDATE SET {_ADVANCE}
  RETURNING {_TICKET}, (xmax = 0) AS created),
t AS (SELECT * FROM a UNION ALL SELECT * FROM n)"""
_MESSAGE = """m AS (
  INSERT INTO messages (ticket_id, seq, public_seq, kind, channel, channel_account_id, author_kind, contact_point_id,
                        subject, text, quoted, html, external_id, journal_id, matched_by, automatic, meta, created_at)
  SELECT t.id, t.seq, t.public_seq, :kind, :channel, :account, 'customer', cp.id, :message_subject, :body, '', :html,
         :external_id, j.id, CASE WHEN t.created THEN NULL ELSE 'thread' END, false, :meta, :now
  FROM t, j, cp RETURNING id)"""
# The outer query needs the same shape from both branches.
_FACTS = """jsonb_build_object('ticket_id', t.id, 'message_id', m.id, 'seq', t.seq, 'public_seq', t.public_seq,
  'kind', :kind, 'name', NULL, 'automatic', false, 'user_id', NULL, 'channel', :channel, 'queue_id', t.queue_id,
  'assignee_id', t.assignee_id, 'customer_id', t.customer_id, 'moves', true)"""
_TOPICS = """jsonb_build_array('ticket:' || t.id, 'lists', 'queue:' || t.queue_id)
  || CASE WHEN t.assignee_id IS NULL THEN '[]'::jsonb ELSE jsonb_build_array('user:' || t.assignee_id) END
  || CASE WHEN :channel = 'chat' THEN jsonb_build_array('visit:' || :thread) ELSE '[]'::jsonb END"""
_EVENTS = f"""e AS (
  INSERT INTO events (name, version, payload, topics, created_at)
  SELECT 'ticket.created', 1, jsonb_build_object('ticket_id', t.id, 'queue_id', t.queue_id, 'channel', :channel,
         'customer_id', t.customer_id, 'automated', false, 'by_user_id', NULL),
         jsonb_build_array('ticket:' || t.id, 'lists', 'queue:' || t.queue_id), :now FROM t WHERE t.created
  UNION ALL
  SELECT 'message.created', 1, {_FACTS}, {_TOPICS}, :now FROM t, m)"""
_WRITTEN = """SELECT t.id, t.seq, t.public_seq, t.queue_id, t.assignee_id, t.customer_id, t.created, m.id AS message_id,
       j.id AS journal_id, cp.id AS contact_point_id
FROM t, m, j, cp"""
_TYPES: Mapping[TypeEngine[Any], Sequence[str]] = {
    SafeText(): (
        *("contact_kind", "sender", "channel", "external_id", "summary", "raw_digest", "thread", "subject", "locale"),
        *("preview", "kind", "message_subject", "body", "html", "origin"),
    ),
    BigInteger(): ("account", "queue", "ticket"),
    UtcDateTime(): ("now", "reopen_after"),
    LargeBinary(): ("raw",),
    Double(): ("locale_share",),
    Json: ("meta",),
}


def _append(*steps: str) -> TextClause:
    """One statement of these steps, each a common table expression."""
    binds = [bindparam(name, type_=kind) for kind, names in _TYPES.items() for name in names]
    return text(f"WITH {', '.join(steps)}\n{_WRITTEN}").bindparams(*binds)


_STEPS = (_CONTACT, _JOURNAL, _OPEN_TICKET, _NEW_TICKET, _MESSAGE)
APPEND = _append(*_STEPS, _EVENTS)
APPEND_DIRECTLY = Direct(APPEND)
APPEND_WITHOUT_EVENTS = _append(*_STEPS)
"""What the events cost is measured against this one (bench, G4)."""


def append_in_one(
    tx: Connection, inbound: InboundMessage, *, now: datetime, ticket_id: int | None = None, alone: bool = False
) -> Receipt | None:
    """Take the message in one statement, or write nothing and return None.

    `ticket_id`: only into this ticket. `alone`: the statement is all there is, so no transaction stands around it.
    """
    if inbound.automated:
        return None
    parameters = parameters_of(inbound, now=now, ticket_id=ticket_id)
    row = APPEND_DIRECTLY.first(tx, parameters) if alone else tx.execute(APPEND, parameters).first()
    if row is None:
        return None
    add_files(tx, row.message_id, inbound.attachments)
    _poke(tx, row, inbound, parameters)
    return Receipt(
        "accepted",
        row.id,
        row.message_id,
        row.seq,
        row.public_seq,
        None if row.created else Evidence.THREAD.value,
        row.created,
    )


def parameters_of(inbound: InboundMessage, *, now: datetime, ticket_id: int | None = None) -> dict[str, Any]:
    """The values of APPEND's parameters for a message; the bench runs the statement with and without its events."""
    return {
        "contact_kind": inbound.sender.kind.value,
        "sender": inbound.sender.value,
        "origin": inbound.origin,
        "channel": inbound.channel.value,
        "account": inbound.account_id,
        "external_id": inbound.external_id,
        "summary": first_line(inbound.subject or inbound.text, PREVIEW_LENGTH),
        "raw": inbound.raw,
        "raw_digest": inbound.raw_digest,
        "now": now,
        "reopen_after": now - REOPEN_WITHIN,
        "thread": inbound.thread_key,
        "ticket": ticket_id,
        "subject": inbound.ticket_subject(),
        "queue": inbound.queue_id,
        "locale": inbound.locale,
        "locale_share": inbound.locale_share,
        "preview": gist(inbound.text, PREVIEW_LENGTH),
        "kind": inbound.kind.value,
        "message_subject": inbound.message_subject(),
        "body": inbound.text,
        "html": inbound.html,
        "meta": clean_json(inbound.meta),
    }


def _poke(tx: Connection, row: Any, inbound: InboundMessage, parameters: dict[str, Any]) -> None:
    """The same pokes that `timeline.announce` sends, with the values at hand."""
    appended = Appended(
        row.message_id,
        row.id,
        row.seq,
        row.public_seq,
        row.queue_id,
        row.assignee_id,
        row.customer_id,
        inbound.thread_key,
        inbound.channel.value,
    )
    local = {
        "id": row.message_id,
        "ticket_id": row.id,
        "seq": row.seq,
        "public_seq": row.public_seq,
        "kind": inbound.kind.value,
        "channel": inbound.channel.value,
        "channel_account_id": inbound.account_id,
        "author_kind": "customer",
        "user_id": None,
        "contact_point_id": row.contact_point_id,
        "subject": parameters["message_subject"],
        "text": clean_text(inbound.text),
        "quoted": "",
        "html": inbound.html,
        "external_id": inbound.external_id,
        "client_id": None,
        "journal_id": row.journal_id,
        "matched_by": None if row.created else Evidence.THREAD.value,
        "automatic": False,
        "delivery": None,
        "delivery_error": None,
        "send_after": None,
        "meta": parameters["meta"],
        "created_at": parameters["now"],
        "attachments": inbound.attachments,
    }
    created = announcement(appended, kind=inbound.kind, moves=True, local=local)
    poke(tx, *created.topics, name=created.name, payload=created.payload, local=local)
