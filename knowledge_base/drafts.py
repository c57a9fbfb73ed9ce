"""Turns a resolved case into the draft of an article, without a language model. Pure.

1. the question: the customer's first words; 2. the answer: the last substantial public answer; 3. courtesies go;
4. sentences about this case alone ("I have refunded you") are left out but shown to the reviewer; 5. people are
redacted; 6. a case that taught nothing is skipped with its reason. Every sentence keeps the message it came from.
"""

import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from contact_center.core.text import first_line, fold
from knowledge_base.courtesies import substance
from knowledge_base.redact import Personal, placeholder, redact
from knowledge_base.sentences import Sentence, rebuilt, sentences, word_count
from knowledge_base.text import containment, shingles, similarity, terms, trigrams

LEAST_ANSWER_WORDS = 20
LEAST_QUESTION_WORDS = 4
# An answer block is substantial when it has this share of the words of the longest one.
SUBSTANTIAL = 0.6
TITLE_LENGTH = 90
BAD_RATING = 2
# Above this share of its shingles an answer is the text of an article; above the other, the same question again.
COPIED = 0.6
SAME_TITLE = 0.75
SAME_ANSWER = 0.3
LONGEST_TEXT = 20_000


class Author(StrEnum):
    """Who wrote a turn of the conversation."""

    CUSTOMER = "customer"
    AGENT = "agent"


@dataclass(frozen=True)
class Turn:
    """One public message of a person (no notes, no automatic answers), without its quoted part."""

    message_id: int
    author: Author
    text: str


@dataclass(frozen=True)
class Case:
    """What is known of a resolved ticket."""

    subject: str
    locale: str
    turns: tuple[Turn, ...]
    rating: int | None = None
    names: tuple[str, ...] = ()
    known: tuple[str, ...] = ()
    linked_article_ids: tuple[int, ...] = ()


class Role(StrEnum):
    """What a sentence of the evidence became."""

    QUESTION = "question"
    ANSWER = "answer"
    LEFT_OUT = "left_out"


@dataclass(frozen=True)
class Evidence:
    """A sentence, redacted, with the message and the place in it that it came from."""

    role: Role
    message_id: int
    sentence: int
    text: str


@dataclass(frozen=True)
class DraftArticle:
    """What a reviewer gets to see."""

    title: str
    body: str
    answer: str
    locale: str
    evidence: tuple[Evidence, ...]
    redactions: Counter[Personal]


class Lesson(StrEnum):
    """Why a case taught nothing."""

    NO_QUESTION = "no_question"
    NO_ANSWER = "no_answer"
    ANSWER_TOO_SHORT = "answer_too_short"
    BAD_RATING = "bad_rating"
    ARTICLE_USED = "article_used"
    COPY_OF_ARTICLE = "copy_of_article"
    SAME_QUESTION = "same_question"


@dataclass(frozen=True)
class Skipped:
    """No draft, why, and the article that knows it already."""

    lesson: Lesson
    article_id: int | None = None


@dataclass(frozen=True)
class Known:
    """An article that exists already: its title and text."""

    article_id: int
    title: str
    text: str


HEADINGS: Mapping[str, tuple[str, str]] = {"en": ("Question", "Answer"), "vi": ("Câu hỏi", "Trả lời")}

_REPLY_MARK = re.compile(r"^\s*(?:(?:re|fwd?|aw|sv|tr|trả lời|chuyển tiếp)\s*:\s*|\[[^\]]*\]\s*)+", re.I)
# Subjects that say nothing; folded.
_EMPTY_SUBJECT = re.compile(
    r"^(?:\(?no subject\)?|help|question|urgent|support|hi|hello|request|issue|problem|inquiry|enquiry|chat|call|sms|"
    r"(?:new )?(?:chat|call|message|conversation|missed call|voicemail)\b.{0,40}|"
    r"ho tro|giup(?: voi)?|hoi|can gap|cau hoi|khieu nai|tro giup|cuoc goi.{0,40}|tin nhan.{0,40})$"
)
_ASKS = re.compile(
    r"\?\s*$|^(?:how|what|where|when|why|who|which|can|could|do|does|did|is|are|may|should|will|would)\b|"
    r"\b(?:lam sao|lam the nao|the nao|nhu the nao|sao lai|tai sao|vi sao|bao gio|khi nao|bao lau|o dau|duoc khong|"
    r"bao nhieu|co the|muon hoi|cho (?:em|minh|toi|chi|anh) hoi|khong a|khong vay)\b"
)
# Deeds done once for this customer; folded.
_DEEDS = (
    "refunded|cancelled|canceled|issued|credited|sent|shipped|checked|looked|updated|changed|reset|escalated|"
    "forwarded|processed|applied|extended|reissued|reopened|unlocked|removed|arranged|booked|asked|"
    "contacted|spoke|see that|can see"
)
_PROMISES = "get back|check|refund|send you|call you|escalate|look into|follow up|keep you"
_THINGS = "refund|parcel|package|order|case|ticket|replacement|account"
_WE_VI = "em|minh|ben em|shop|toi|chung toi|ben minh"
_DEEDS_VI = "kiem tra|hoan|huy|gui|chuyen|cap nhat|doi|tao|bao|lien he|xu ly|goi|ghi nhan|xac nhan|mo khoa|gia han"
_ONE_CASE = re.compile(
    "|".join(
        (
            rf"\b(?:i|we)(?:'ve| have)?(?: just| already| now| also| personally)* (?:{_DEEDS})\b",
            rf"\b(?:i|we)(?:'ll| will) (?:{_PROMISES})\b",
            rf"\byour (?:{_THINGS}) (?:has been|was|is now|will be|left|shipped|should)\b",
            rf"\b(?:{_WE_VI})(?: da| vua| moi| se| dang)+ (?:{_DEEDS_VI})\b",
            r"\bdon(?: hang)? (?:cua )?(?:anh|chi|ban|minh|quy khach)\b.{0,40}\b(?:da|dang|se|vua)\b",
        )
    )
)
# "I am [name].", "my number: [phone]": at most three words around what was taken out.
_PERSONAL_ONLY = re.compile(r"^(?:[^\s\[\]]+\s+){0,3}(?:\[[^\]]+\][\s,.;:!)]*)+$")
# Placeholders that tie a sentence to one customer; a phone or a link may be anybody's way in.
_TIES = (Personal.ORDER, Personal.CARD, Personal.BANK, Personal.NATIONAL_ID, Personal.ADDRESS, Personal.BIRTH)


def draft(case: Case, *, keep: Collection[str] = ()) -> DraftArticle | Skipped:
    """The draft a case teaches, or why there is none. `keep` are the company's own addresses, not redacted.

    Whether an article says it already is asked apart, with `known_already`: most cases end here without a search.
    """
    if case.rating is not None and case.rating <= BAD_RATING:
        return Skipped(Lesson.BAD_RATING)
    if case.linked_article_ids:
        return Skipped(Lesson.ARTICLE_USED, case.linked_article_ids[0])
    question, answer = _question(case.turns), _answer(case.turns)
    if not question and _empty_subject(case.subject):
        return Skipped(Lesson.NO_QUESTION)
    if not answer:
        return Skipped(Lesson.NO_ANSWER)
    if word_count([s for _, s in answer]) < LEAST_ANSWER_WORDS:
        return Skipped(Lesson.ANSWER_TOO_SHORT)
    found: Counter[Personal] = Counter()
    told, left_out = _general(_redacted(answer, case, keep, found), case.locale)
    if word_count([s for _, s in told]) < LEAST_ANSWER_WORDS:
        return Skipped(Lesson.ANSWER_TOO_SHORT)
    asked = [(turn, s) for turn, s in _redacted(question, case, keep, found) if not _PERSONAL_ONLY.match(s.text)]
    title = _title(case, asked, keep)
    text = rebuilt([s for _, s in told])
    return DraftArticle(
        title=title,
        body=_body(case.locale, title, asked, text),
        answer=text,
        locale=case.locale,
        evidence=tuple(
            Evidence(role, turn.message_id, sentence.number, sentence.text)
            for role, pairs in ((Role.QUESTION, asked), (Role.ANSWER, told), (Role.LEFT_OUT, left_out))
            for turn, sentence in pairs
        ),
        redactions=found,
    )


def known_already(drafted: DraftArticle, known: Sequence[Known]) -> Skipped | None:
    """The article that says this already: its text was copied, or the same question has a like answer."""
    own = shingles(terms(drafted.answer))
    asked = trigrams(terms(drafted.title))
    for article in known:
        theirs = shingles(terms(article.text))
        shared = containment(own, theirs)
        if shared >= COPIED:
            return Skipped(Lesson.COPY_OF_ARTICLE, article.article_id)
        alike = similarity(asked, trigrams(terms(article.title)))
        if alike >= SAME_TITLE and max(shared, containment(theirs, own)) >= SAME_ANSWER:
            return Skipped(Lesson.SAME_QUESTION, article.article_id)
    return None


Told = list[tuple[Turn, Sentence]]


def _question(turns: Sequence[Turn]) -> Told:
    """What the customer wrote before the first substantial answer began."""
    asked: Told = []
    for turn in turns:
        said = substance(sentences(turn.text[:LONGEST_TEXT]))
        if turn.author is Author.CUSTOMER:
            asked += [(turn, s) for s in said]
        elif word_count([s for _, s in asked]) >= LEAST_QUESTION_WORDS or word_count(said) >= LEAST_ANSWER_WORDS:
            break
    return asked if word_count([s for _, s in asked]) >= LEAST_QUESTION_WORDS else []


def _answer(turns: Sequence[Turn]) -> Told:
    """The last run of agents' messages that is substantial beside the longest one."""
    runs: list[Told] = [[]]
    for turn in turns:
        if turn.author is Author.CUSTOMER:
            runs.append([])
        else:
            runs[-1] += [(turn, s) for s in substance(sentences(turn.text[:LONGEST_TEXT]))]
    sizes = [word_count([s for _, s in run]) for run in runs]
    longest = max(sizes)
    return next(
        (
            run
            for run, size in zip(reversed(runs), reversed(sizes), strict=True)
            if size >= SUBSTANTIAL * longest and size
        ),
        [],
    )


def _redacted(pairs: Told, case: Case, keep: Collection[str], found: Counter[Personal]) -> Told:
    out: Told = []
    for turn, sentence in pairs:
        clean = redact(sentence.text, names=case.names, known=case.known, keep=keep, locale=case.locale)
        found.update(clean.found)
        out.append((turn, replace(sentence, text=clean.text)))
    return out


def _general(told: Told, locale: str) -> tuple[Told, Told]:
    """Sentences for everybody, and those about this one case."""
    general: Told = []
    left_out: Told = []
    for turn, sentence in told:
        tied = any(placeholder(kind, locale) in sentence.text for kind in _TIES)
        tied = tied or bool(_ONE_CASE.search(fold(sentence.text)))
        (left_out if tied else general).append((turn, sentence))
    return general, left_out


def _title(case: Case, asked: Told, keep: Collection[str]) -> str:
    bare = _REPLY_MARK.sub("", case.subject).strip()
    subject = redact(bare, names=case.names, known=case.known, keep=keep, locale=case.locale).text
    if not _empty_subject(case.subject) and len(subject.split()) >= 3 and "[" not in subject:
        return _clipped(subject)
    texts = [sentence.text for _, sentence in asked]
    asking = [text for text in texts if _ASKS.search(fold(text).strip())]
    best = next((text for text in asking if "[" not in text), None)
    return _clipped(best or (asking or texts or [subject])[0])


def _empty_subject(subject: str) -> bool:
    bare = fold(_REPLY_MARK.sub("", subject)).strip(" .!?")
    return not bare or bool(_EMPTY_SUBJECT.match(bare))


def _clipped(text: str) -> str:
    line = first_line(text, TITLE_LENGTH)
    return line[:1].upper() + line[1:]


def _body(locale: str, title: str, asked: Told, answer: str) -> str:
    """Question and answer; where the title is the whole question, the answer alone."""
    question = rebuilt([s for _, s in asked])
    if not asked or fold(question) == fold(title):
        return answer
    question_word, answer_word = HEADINGS.get(locale, HEADINGS["en"])
    quoted = "\n".join(f"> {line}".rstrip() for line in question.splitlines())
    return f"## {question_word}\n\n{quoted}\n\n## {answer_word}\n\n{answer}"
