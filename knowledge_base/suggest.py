"""Suggests articles beside a ticket: what the customer says now, searched like a question."""

from collections.abc import Sequence

from sqlalchemy import Connection

from knowledge_base import cases
from knowledge_base.courtesies import substance
from knowledge_base.drafts import Author, Turn
from knowledge_base.search import Audience, Found, search
from knowledge_base.sentences import sentences

# The customer's last words tell what it is about now.
LAST_TURNS = 3
LONGEST_TURN = 2000
# Below this score two or three everyday words met by chance.
LEAST_SCORE = 2.5


def suggest(tx: Connection, ticket_id: int, *, limit: int = 3) -> list[Found]:
    """The best public and internal articles for a ticket, in its language first; none if nothing fits."""
    case = cases.load(tx, ticket_id)
    if case is None:
        return []
    query = f"{case.subject} {_last_words(case.turns)}"
    found = search(tx, query, audience=Audience.AGENTS, limit=limit * 3)
    fitting = [hit for hit in found if hit.score >= LEAST_SCORE]
    return sorted(fitting, key=lambda hit: hit.locale != case.locale)[:limit]


def _last_words(turns: Sequence[Turn]) -> str:
    theirs = [turn.text[:LONGEST_TURN] for turn in turns if turn.author is Author.CUSTOMER]
    return " ".join(sentence.text for text in theirs[-LAST_TURNS:] for sentence in substance(sentences(text)))
