"""Which topic a text is about, by naive Bayes over the words and pairs of words of earlier lessons (pure).

Each topic has a count of lessons and, per word, how many of them had it. A word speaks for a topic as much as it is
likelier there than anywhere: log((n + K·b) / (N + K) / b), with n of the topic's N lessons, b the share of all lessons
that have it, and K imagined lessons of the average kind, so that a topic with few lessons is sure of nothing.

The sum over a text's words exaggerates, as words come together: it is divided by the square root of how many there
are. Texts of a kind that nobody taught are then told apart by a low share (on CLINC150 half of them).
"""

import math
from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from itertools import pairwise

from knowledge_base.text import terms

IMAGINED = 10.0
"""Lessons of the average kind that every topic begins with."""
SURE = 0.2
"""The share from which on the first topic is worth a suggestion; below it the text is about something else."""
WORTH_SHOWING = 0.02
LONGEST = 2_000
"""Characters that are read: what somebody wants stands at the beginning."""
MOST_FEATURES = 400
EVERY = ""
"""The feature that every lesson has: its count is the number of lessons."""

Counts = Mapping[int, Mapping[str, int]]
"""Topic id → feature → in how many lessons."""


@dataclass(frozen=True, slots=True)
class Guess:
    """A topic and its share of the belief, 0 to 1; what is missing to 1 belongs to others and to no topic at all."""

    topic_id: int
    share: float


def features(text: str) -> list[str]:
    """The words of a text, folded as the search does it, and its pairs of neighbours; no numbers, each once, sorted."""
    words = [word for word in terms(text[:LONGEST]) if not word.isdigit()]
    found = dict.fromkeys(words) | dict.fromkeys(f"{one} {other}" for one, other in pairwise(words))
    return sorted(list(found)[:MOST_FEATURES])


def guess(found: Collection[str], counts: Counts, *, most: int = 3) -> list[Guess]:
    """The likeliest topics, the first one first; `counts` needs only the text's features and EVERY."""
    lessons = {topic: known.get(EVERY, 0) for topic, known in counts.items() if known.get(EVERY, 0) > 0}
    total = sum(lessons.values())
    scores: dict[int, float] = defaultdict(float)
    for feature in found:
        having = sum(counts[topic].get(feature, 0) for topic in lessons)
        if not having:
            continue
        usual = having / total
        for topic, number in lessons.items():
            share = (counts[topic].get(feature, 0) + IMAGINED * usual) / (number + IMAGINED)
            scores[topic] += math.log(share / usual)
    if not scores:
        return []
    # Words that nobody ever used speak for nothing, and make the text a stranger.
    calm = math.sqrt(len(found))
    weights = {topic: math.exp(min(score / calm, 500.0)) for topic, score in scores.items()}
    # 1 is the weight of a topic that nothing speaks for: no topic at all.
    everything = sum(weights.values()) + 1.0
    ordered = sorted(weights, key=lambda topic: (-weights[topic], topic))[:most]
    return [Guess(topic, weights[topic] / everything) for topic in ordered]


def suggestions(found: Collection[str], counts: Counts) -> list[Guess]:
    """The topics worth offering: none unless the first is likely enough."""
    guesses = guess(found, counts)
    if not guesses or guesses[0].share < SURE:
        return []
    return [one for one in guesses if one.share >= WORTH_SHOWING]
