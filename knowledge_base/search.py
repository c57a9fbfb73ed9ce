"""Finds articles: the database's full-text index gives candidates, one formula ranks them on both databases.

1. how often the query's terms occur; 2. candidates by the terms, in the index's own order; 3. when a term is unknown
(a slip of the finger) candidates with a like title; 4. `ranking.rank`. Three statements, or four with step 3.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from itertools import pairwise
from typing import Any

from sqlalchemy import Connection, Row, TextClause, bindparam, insert, text

from contact_center.core.text import first_line
from knowledge_base.articles import ArticleState
from knowledge_base.models import VECTOR, ArticleSearch
from knowledge_base.ranking import PREFIX_LENGTH, Statistics, document, joined, rank
from knowledge_base.redact import redact
from knowledge_base.text import stem, terms, trigrams

# Beyond this many candidates the index's own ranking has decided already.
CANDIDATES = 120
# Long questions are cut to their rarest terms.
MOST_TERMS = 24
TELLING_TERMS = 14


class Audience(StrEnum):
    """Who searches: customers see public articles, agents internal ones too, authors all that are not archived."""

    CUSTOMERS = "customers"
    AGENTS = "agents"
    AUTHORS = "authors"


STATES: Mapping[Audience, tuple[str, ...]] = {
    Audience.CUSTOMERS: (ArticleState.PUBLIC.value,),
    Audience.AGENTS: (ArticleState.PUBLIC.value, ArticleState.INTERNAL.value),
    Audience.AUTHORS: tuple(state.value for state in ArticleState if state is not ArticleState.ARCHIVED),
}


@dataclass(frozen=True)
class Found:
    """An article that fits the query; a higher score fits better."""

    article_id: int
    external_id: str | None
    slug: str
    locale: str
    state: str
    title: str
    body: str
    score: float


def search(
    tx: Connection, query: str, *, audience: Audience, locale: str | None = None, limit: int = 10
) -> list[Found]:
    """The best articles for the query; with `locale` only those in that language."""
    asked = list(dict.fromkeys(terms(query)))
    if not asked:
        return []
    index = _statistics(tx, asked)
    ordered = terms(query)
    if len(asked) > MOST_TERMS:
        kept = set(sorted(asked, key=lambda term: index.frequency.get(term, 0) or index.documents)[:MOST_TERMS])
        ordered = [term for term in ordered if term in kept]
    wanted = joined(ordered, index.frequency)
    rows = _candidates(tx, wanted, STATES[audience], locale)
    if any(not index.frequency.get(term) for term in ordered):
        rows |= _like(tx, ordered, STATES[audience], locale)
    documents = [document(key, row.search_title, row.search_body, wanted) for key, row in rows.items()]
    hits = _one_per_article(rank(ordered, documents, index), rows)
    return [
        Found(
            article_id=row.article_id,
            external_id=row.external_id,
            slug=row.slug,
            locale=row.locale,
            state=row.state,
            title=row.title,
            body=row.body,
            score=score,
        )
        for row, score in hits[:limit]
    ]


def nearest(tx: Connection, words: str, *, limit: int) -> list[Row[Any]]:
    """The texts that share most with these words in the index's own order, drafts too: cheap, for comparing."""
    # Long words tell texts apart, short ones are in all of them.
    telling = sorted(dict.fromkeys(terms(words)), key=len, reverse=True)[:TELLING_TERMS]
    if not telling:
        return []
    values = {"query": _expression(tx, telling), "states": STATES[Audience.AUTHORS], "locale": None, "limit": limit}
    return list(tx.execute(_MATCHES[tx.dialect.name], values))


def remember(tx: Connection, query: str, *, locale: str, place: str, found: Sequence[Found], now: datetime) -> None:
    """Note what was searched for, redacted: searches without a result show what is missing."""
    clean = first_line(redact(query[:300]).text, 200)
    if clean:
        tx.execute(
            insert(ArticleSearch),
            {
                "query": clean,
                "locale": locale,
                "place": place,
                "results": len(found),
                "best_article_id": found[0].article_id if found else None,
                "created_at": now,
            },
        )


def _one_per_article(hits: Sequence[Any], rows: Mapping[int, Row[Any]]) -> list[tuple[Row[Any], float]]:
    """The best language of each article."""
    best: dict[int, tuple[Row[Any], float]] = {}
    for hit in hits:
        row = rows[hit.key]
        best.setdefault(row.article_id, (row, hit.score))
    return list(best.values())


_FREQUENCY = {
    "sqlite": text("SELECT term, doc AS holding FROM article_terms WHERE term IN :terms").bindparams(
        bindparam("terms", expanding=True)
    ),
    "postgresql": text(
        f"""SELECT asked.term, (SELECT count(*) FROM article_texts
                                WHERE {VECTOR} @@ (quote_literal(asked.term))::tsquery) AS holding
        FROM unnest(CAST(:terms AS text[])) AS asked(term)"""
    ),
}
_SIZES = text(
    "SELECT count(*) AS documents, coalesce(avg(title_length), 0) AS title, coalesce(avg(body_length), 0) AS body "
    "FROM article_texts"
)


def _statistics(tx: Connection, asked: Sequence[str]) -> Statistics:
    looked_up = [*asked, *(a + b for a, b in pairwise(asked))]
    sizes = tx.execute(_SIZES).one()
    rows = tx.execute(_FREQUENCY[tx.dialect.name], {"terms": looked_up})
    frequency = {row.term: row.holding for row in rows if row.holding}
    return Statistics(sizes.documents, float(sizes.title), float(sizes.body), frequency)


_COLUMNS = """t.id, t.article_id, t.slug, t.locale, t.title, t.body, t.search_title, t.search_body,
    a.state, a.external_id, a.source_ticket_id"""
_READABLE = "a.state IN :states AND (CAST(:locale AS text) IS NULL OR t.locale = :locale)"


def _readable(statement: str) -> TextClause:
    return text(statement).bindparams(bindparam("states", expanding=True), limit=CANDIDATES)


_MATCHES = {
    "sqlite": _readable(
        f"""SELECT {_COLUMNS} FROM article_search s JOIN article_texts t ON t.id = s.rowid
        JOIN articles a ON a.id = t.article_id
        WHERE article_search MATCH :query AND {_READABLE}
        ORDER BY bm25(article_search, 5.0, 1.0), t.id LIMIT :limit"""
    ),
    "postgresql": _readable(
        f"""SELECT {_COLUMNS} FROM article_texts t JOIN articles a ON a.id = t.article_id
        WHERE {VECTOR} @@ CAST(:query AS tsquery) AND {_READABLE}
        ORDER BY ts_rank({VECTOR}, CAST(:query AS tsquery)) DESC, t.id LIMIT :limit"""
    ),
}
_LIKE = {
    "sqlite": _readable(
        f"""SELECT {_COLUMNS} FROM article_grams g JOIN article_texts t ON t.id = g.rowid
        JOIN articles a ON a.id = t.article_id
        WHERE article_grams MATCH :query AND {_READABLE}
        ORDER BY bm25(article_grams), t.id LIMIT :limit"""
    ),
    "postgresql": _readable(
        f"""SELECT {_COLUMNS} FROM article_texts t JOIN articles a ON a.id = t.article_id
        WHERE t.search_title LIKE ANY (CAST(:query AS text[])) AND {_READABLE}
        ORDER BY similarity(t.search_title, :whole) DESC, t.id LIMIT :limit"""
    ),
}


def _candidates(tx: Connection, asked: Sequence[str], states: Sequence[str], locale: str | None) -> dict[int, Row[Any]]:
    values = {"query": _expression(tx, asked), "states": states, "locale": locale}
    return {row.id: row for row in tx.execute(_MATCHES[tx.dialect.name], values)}


def _expression(tx: Connection, asked: Sequence[str]) -> str:
    """Any of the terms, long ones also as the beginning of a word, in the index's own language."""
    unique = list(dict.fromkeys(asked))
    if tx.dialect.name == "sqlite":
        return " OR ".join(f'"{term}"*' if len(term) >= PREFIX_LENGTH else f'"{term}"' for term in unique)
    return " | ".join(f"'{term}':*" if len(term) >= PREFIX_LENGTH else f"'{term}'" for term in unique)


def _like(tx: Connection, asked: Sequence[str], states: Sequence[str], locale: str | None) -> dict[int, Row[Any]]:
    """Articles whose title shares trigrams with the query."""
    grams = [gram for gram in trigrams([stem(term) for term in asked if len(term) >= 3]) if " " not in gram]
    if not grams:
        return {}
    if tx.dialect.name == "sqlite":
        query: Any = " OR ".join(f'"{gram}"' for gram in grams)
        values = {"query": query}
    else:
        values = {"query": [f"%{gram}%" for gram in grams], "whole": " ".join(asked)}
    return {row.id: row for row in tx.execute(_LIKE[tx.dialect.name], {**values, "states": states, "locale": locale})}
