"""The ranking formula on real questions and on small made ones."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge_base.ranking import Document, Statistics, document, joined, rank
from knowledge_base.text import terms
from tests.knowledge_base.corpus import covid_corpus


def index(query: str, *articles: tuple[str, str]) -> tuple[list[Document], Statistics]:
    folded = [(terms(title), terms(body)) for title, body in articles]
    frequency = Counter(term for title, body in folded for term in {*title, *body})
    count = max(1, len(articles))
    titles, bodies = sum(len(title) for title, _ in folded), sum(len(body) for _, body in folded)
    wanted = joined(terms(query), frequency)
    documents = [document(k, " ".join(title), " ".join(body), wanted) for k, (title, body) in enumerate(folded)]
    return documents, Statistics(len(articles), titles / count, bodies / count, frequency)


def found(query: str, *articles: tuple[str, str]) -> list[int]:
    documents, statistics = index(query, *articles)
    return [hit.key for hit in rank(terms(query), documents, statistics)]


@pytest.mark.long
def test_it_beats_bm25_on_real_questions() -> None:
    corpus = covid_corpus()
    first = third = 0
    for query, right in corpus.queries.items():
        best = found(query, *corpus.articles)[:3]
        first += bool(right & set(best[:1]))
        third += bool(right & set(best))
    assert first / len(corpus.queries) >= 0.75
    assert third / len(corpus.queries) >= 0.885


def test_the_title_outweighs_the_body() -> None:
    assert found("refund", ("Shipping", "refund refund refund"), ("Refund", "how it works")) == [1, 0]


def test_a_misspelt_word_still_finds_its_article() -> None:
    assert found("pasword", ("Reset your password", "…"), ("Track a parcel", "…"))[:1] == [0]


def test_a_word_written_in_two_parts_finds_the_joined_one() -> None:
    assert joined(["corona", "virus", "test"], {"coronavirus": 2}) == ["coronavirus", "test"]
    assert joined(["corona", "virus"], {}) == ["corona", "virus"]


def test_a_stranger_finds_nothing() -> None:
    assert found("zebra", ("Refund", "money back")) == []


@given(st.lists(st.tuples(st.text("abc ", max_size=12), st.text("abc ", max_size=20)), max_size=8), st.text("abc "))
def test_order_is_total_and_scores_never_fall_below_zero(articles: list[tuple[str, str]], query: str) -> None:
    documents, statistics = index(query, *articles)
    hits = rank(terms(query), documents, statistics)
    assert hits == sorted(hits, key=lambda hit: (-hit.score, hit.key))
    assert all(hit.score >= 0 for hit in hits)
    assert hits == rank(terms(query), documents[::-1], statistics)
