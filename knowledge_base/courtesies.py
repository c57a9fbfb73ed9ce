"""Tells what a message says from its courtesies: greeting, thanks, apology, closing, signature. Pure."""

import re
from collections.abc import Sequence
from dataclasses import replace

from contact_center.core.text import fold
from knowledge_base.personal import NAME
from knowledge_base.sentences import Sentence

# A longer sentence that begins with thanks usually goes on to say something.
LONGEST_COURTESY = 18

_SIGNATURE = re.compile(r"^(?:-- ?|_{5,}|—)$")
_ONLY_A_NAME = re.compile(rf"^{NAME}$")
_AFTER_GREETING = re.compile(r"^.{2,50}?[,!.:](?:\s+|$)|^[^,!.:?]{2,40}\s+(?:ạ|nhé)[,!.]?\s+", re.S)

# All of the following is matched on folded text: one alternative a line, English first, then Vietnamese.
_SENT_FROM = re.compile("|".join((r"^sent from my ", r"^get outlook for ", r"^gui tu (?:iphone|dien thoai|may)")))
_GREETING = re.compile(
    r"^(?:da[, ]+)?(?:"
    + "|".join(
        (
            r"hi",
            r"hello",
            r"hey",
            r"dear",
            r"greetings",
            r"good (?:morning|afternoon|evening|day)",
            r"xin (?:kinh )?chao",
            r"kinh (?:chao|gui)",
            r"(?:em |shop |ben em |minh )?chao",
            r"alo",
        )
    )
    + r")\b"
)
# After these words only a name and a signature follow.
_FAREWELL = re.compile(
    "|".join(
        (
            r"^(?:(?:best|kind|warm|many|with)[ ,]+){0,2}(?:regards|wishes)\b[^?]{0,25}$",
            r"^yours (?:sincerely|faithfully|truly)\b",
            r"^(?:yours|sincerely|respectfully|cordially|cheers|best|take care)[ ,.!~:)]*$",
            r"^(?:tran trong|than men|than ai|tran quy|kinh thu)[ ,.!~:)]*$",
        )
    )
)
# These end a message only when something was said before.
_THANKS = re.compile(
    "|".join(
        (
            r"^(?:many |best |kind )?(?:thanks|thank you|thx|tks)[ ,.!~:)]*$",
            r"^(?:xin |em )?cam on(?: nhieu| ban| anh| chi| shop| em| a)*[ ,.!~:)]*$",
        )
    )
)
_YOU_VI = r"(?:anh/chi|anh chi|anh|chi|ban|minh|quy khach)"
_WE_VI = r"(?:em|minh|ben em|ben minh|shop|chung toi|toi)"
_COURTESY = re.compile(
    r"^(?:(?:da|vang|ok|okay|a|well|and|also)[ ,]+)*(?:"
    + "|".join(
        (
            r"(?:many )?thanks?\b",
            r"(?:we|i) (?:really |truly )?appreciate\b",
            r"(?:we |i )?hope (?:this|that|you|the)\b",
            r"(?:i am|i'?m|we are|we'?re) (?:so |very |really |truly )*(?:sorry|happy to help|glad)\b",
            r"(?:sorry|apologies|(?:we|i) (?:do )?apologi[sz]e)\b",
            r"(?:please )?(?:let (?:me|us) know|feel free|do not hesitate|don'?t hesitate|reach out|write back)\b",
            r"if (?:you|there)(?:'re| are| is)? ?(?:have|need|any(?:thing)?)\b.*(?:let (?:me|us) know|contact|reply)",
            r"(?:is there )?(?:anything|something) else\b",
            r"(?:can|may) i help you with\b",
            r"let me (?:just |quickly )?(?:check|look|see|find out)\b.{0,40}$",
            r"(?:happy|glad) to help",
            r"(?:you'?re|you are) (?:very )?welcome",
            r"(?:no problem|my pleasure)\b",
            r"(?:have a|enjoy your|enjoy the) (?:\w+ ){0,2}(?:day|evening|weekend|week|night|one|time)\b",
            r"(?:my name is|this is \w+ from)\b",
            r"i(?:'ll| will) be (?:helping|assisting)\b",
            r"(?:please )?(?:wait|hold on|bear with)\b.{0,40}$",
            r"(?:one|just a) (?:moment|second|minute)\b",
            rf"(?:{_WE_VI} )?(?:xin |rat |thanh that |chan thanh )*(?:cam on|xin loi)\b",
            rf"(?:{_WE_VI} )?(?:rat )?mong {_YOU_VI}\b.*\bthong cam",
            rf"neu (?:{_YOU_VI} )?(?:can|co|con)\b.*\b(?:ho tro|thac mac|lien he|(?:nhan|bao) (?:em|shop|lai))",
            rf"(?:{_YOU_VI} )?(?:con|can) (?:can |co )?(?:gi|them)\b.*\b(?:ho tro|giup|khong)",
            rf"de {_WE_VI} (?:kiem tra|xem|hoi)\b.{{0,40}}$",
            r"chuc (?:anh|chi|ban|minh|quy khach|mot|a|c)\b",
            r"rat vui (?:duoc|khi)",
            r"khong co (?:gi|chi)(?: dau| a)*[.!]*$",
            rf"{_WE_VI} (?:ten )?la .{{2,30}}(?:ho tro|tu van|cham soc)",
            rf"(?:vui long |xin |{_YOU_VI} )*(?:doi|cho) (?:em |minh |shop )?(?:chut|giay lat|ti|mot chut)",
        )
    )
    + r")"
)


def substance(found: Sequence[Sentence]) -> list[Sentence]:
    """The sentences that say something: without greeting, thanks, apology, closing and everything after that."""
    kept: list[Sentence] = []
    for sentence in found:
        folded = fold(sentence.text).strip()
        if _SIGNATURE.match(sentence.text) or _SENT_FROM.match(folded):
            break
        if not sentence.bullet and (_FAREWELL.match(folded) or (kept and _THANKS.match(folded))):
            break
        shortened = _without_greeting(sentence, folded)
        if shortened is None or _is_courtesy(shortened.text):
            continue
        kept.append(shortened)
    return kept[:-1] if len(kept) > 1 and _is_signed(kept[-1], found[-1]) else kept


def _is_signed(last: Sentence, end: Sentence) -> bool:
    """Whether the message ends with nothing but a name."""
    return last.number == end.number and not last.bullet and bool(_ONLY_A_NAME.match(last.text))


def _without_greeting(sentence: Sentence, folded: str) -> Sentence | None:
    """The sentence after "Hi Anna, "; None when nothing follows."""
    if not _GREETING.match(folded):
        return sentence
    match = _AFTER_GREETING.match(sentence.text)
    rest = sentence.text[match.end() :].strip() if match else ""
    if len(rest.split()) < 2:
        return None
    return replace(sentence, text=rest[:1].upper() + rest[1:])


def _is_courtesy(text: str) -> bool:
    return len(text.split()) <= LONGEST_COURTESY and bool(_COURTESY.match(fold(text).strip()))
