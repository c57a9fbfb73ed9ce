"""Real questions and the articles that answer them (corpora/kb/covid_faq.json, read from ../shared)."""

import json
import os
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import pytest

FILE = Path(__file__).parents[3] / "shared" / "corpora" / "kb" / "covid_faq.json"


@dataclass(frozen=True)
class Corpus:
    """Articles as (title, body), and each query with the places of the articles that answer it."""

    articles: list[tuple[str, str]]
    queries: dict[str, set[int]]


def covid_corpus() -> Corpus:
    """Read the corpus, or skip where it is absent (in CI it must be there)."""
    if not FILE.exists() and not os.environ.get("CI"):
        pytest.skip("../shared/corpora is not here")
    rows = json.loads(FILE.read_text())
    articles = [(row["question"], row["answer"]) for row in rows if row["query_type"] == "faq"]
    places: dict[str, set[int]] = defaultdict(set)
    for place, (_, answer) in enumerate(articles):
        places[answer].add(place)
    queries: dict[str, set[int]] = defaultdict(set)
    for row in rows:
        if row["query_type"] != "faq" and row["label"] == 1:
            queries[row["question"]] |= places[row["answer"]]
    return Corpus(articles, dict(queries))
