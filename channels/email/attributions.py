"""Lines like "On 3 March 2026 at 10:15, Anna <anna@example.com> wrote:" in many languages.

A sentence of the author's own ("On Monday we wrote:") has no address and no time, or a pronoun as its
subject; then only quote signs right below make it an attribution.
"""

import re
from collections.abc import Callable, Sequence

from channels.email.own_words import tells

_MAX_LINES = 5
_MAX_CHARS = 500
_END_VERBS = (
    r"wrote|writes|(?:a|à) écrit|escribió|ha escrito|escribio|escreveu|ha scritto|scrive|scrisse|"
    r"skrev|kirjoitti|"
    r"napisał\(a\)|napisał|napisała|napsal\(a\)|napsal|napsala|napísal\(a\)|napísal|napísala|написал\(а\)|"
    r"написал|написала|"
    r"пишет|пише|писал\(а\)|писал|писала|написав\(ла\)|написав|написала|написа|a scris|írta|yazdı|έγραψε|"
    r"kirjutas|"
    r"parašė|rašė|rakstīja|je napisao/la|je napisal/a|je napisao|je napisala|je napisal|napisao je|napisao|"
    r"menulis|је написао/ла|је написала|је написао|"
    r"schreef|schrieb|schrieben|schreibt|geschreven|pisze|đã viết|viết|เขียน|เขียนว่า|כתב/ה|כתבה|כתב|كتب|"
    r"كتبت|نوشت|写道|"
    r"寫道|撰写|写到|のメール|"
    r"さんは書きました|さんが書きました|書きました|님이 작성함|님이 작성|작성함|작성|ने लिखा|va escriure|ha escrit"
)
_MIDDLE_VERBS = (
    r"schrieb|schreef|skrev|kirjoitti|napisał\(a\)|napisał|napisała|napsal\(a\)|napsal|написал\(а\)|пише|"
    r"пишет|escribió|"
    r"escreveu|a écrit|ha scritto|wrote|írta|yazdı|đã viết|viết|menulis"
)
_PRONOUNS = (
    "i|we|you|he|she|they|ich|wir|sie|er|du|ihr|je|j'|nous|vous|on|il|elle|yo|nosotros|usted|tú|eu|nós|"
    "você|io|noi|lei|"
    "jag|vi|jeg|ik|wij|we|u|ja|my|já|я|мы|вы|ми|ви|він|tôi|chúng tôi|mình|bạn|em|anh|chị|我|我们|您|你|私"
)
_TAIL = r"[\s:：*_>\-–—)\]\"'»‬]{0,12}$"
# What may stand after the verb; the verbs are compared without it, as one tuple for str.endswith.
_TRAILING = " \t\xa0:：*_>-–—)]\"'»\u202c"
_ENDS = ":：>-*﹕_\u202c"
_VERBS = tuple(
    {
        verb.replace("\\", "").rstrip(_TRAILING)
        for verb in _END_VERBS.replace("(?:a|à) écrit", "a écrit|à écrit").split("|")
    }
)
_HAS_MIDDLE_VERB = re.compile(rf"(?:^|\s)(?:{_MIDDLE_VERBS})\s+(?P<after>\S.{{0,200}})$", re.IGNORECASE)
_TIME = re.compile(
    r"\d{1,2}[:.h時시点點][ ]?\d{2}|\d{1,2}\s?[ap]\.?m\b|klo \d|\d{1,2} Uhr|上午|下午|오전|오후|午前|午後",
    re.IGNORECASE,
)
_DATE = re.compile(
    r"\b\d{4}[-/.年]\s?\d{1,2}[-/.月]|\b\d{1,2}[./-]\s?\d{1,2}[./-]\s?\d{2,4}\b|\b(?:19|20)\d{2}\b|\d월 \d|"
    r"\d{1,2} \w{3,12}\.?,? \d{4}"
)
_EVIDENCE = re.compile(r"[\d@]")
_ADDRESS = re.compile(r"[^\s<>\"@]{1,64}@[\w.\-…]{1,255}")
# Lotus Notes: "Anna Smith wrote on 03/02/2026 10:15:00:".
_NOTES = re.compile(
    r"^\S.{1,120} (?:wrote on|schrieb am|a écrit le|a écrit sur|ha scritto il|escribió el|skrev den) \d.{4,60}:$",
    re.IGNORECASE,
)
_YOU_WROTE = re.compile(r"^(?:as |what |when )?(?:i|we|you|he|she|they|wie (?:sie|ich|wir)) ", re.IGNORECASE)
# Horde and its kin.
_QUOTING = re.compile(r"^(?:quoting|zitat von|citando|citazione di|cytowanie|citat från|citaat van) ", re.IGNORECASE)
_ENDS_WITH_ADDRESS = re.compile(r"@[^\s<>]{1,255}>[\s\u200e\u200f\u202c]{0,3}[:：][\u202c\u200e\u200f]?$")
# Catalan Gmail puts the day after the name: "Missatge de Anna <anna@example.com> del dia dl., 2 de nov. …:".
_CATALAN = re.compile(r"^\s{0,3}missatge de \S.{1,200}@.{1,200}\sdel dia\s.{4,80}:$", re.IGNORECASE)
_PRONOUN_SUBJECT = re.compile(
    rf"(?:^|[\s,，])(?:{_PRONOUNS})\s{{1,3}}(?:{_END_VERBS}){_TAIL}|\s(?:schrieb|schrieben|schreef|skrev|"
    rf"escribió|escreveu)\s+(?:{_PRONOUNS})\b[^<]{{0,60}}$",
    re.IGNORECASE,
)
# Hebrew writes "on the date" onto the next word, and Gmail puts marks of direction around it.
_STARTER = re.compile(
    r"^\s{0,3}(?:[-–—*_]{1,10}\s*)?(?:on|at|in|am|um|den|der|dnia|w dniu|dne|dňa|le|el|il|em|op|den|på|"
    r"il giorno|ngày|vào|lúc|vào lúc|"
    r"ở|στις|la|в|у|le|tarihinde|pada|pe|em|dňa|a|ma|në|u|в|на|за|дня|ב|‫ב|في|در|missatge de|เมื่อ|在|于|於)[\s,:‪]|"
    r"^[\s\u200f\u202b]{0,4}בתאריך\s",
    re.IGNORECASE,
)
_DATE_START = re.compile(
    r"^\s{0,3}(?:[*_]{0,2})(?:\w{2,12}[.,]{1,2}\s)?\d{1,4}(?:[-/. 年月]|\s?[-.]\s)\s?\w{1,12}", re.IGNORECASE
)
# Old Gmail wrote no verb: "2016-03-03 17:21 GMT+01:00 Anna <anna@example.com>:".
_BARE_ISO = re.compile(
    r"^\s{0,3}\d{4}[-/]\d{1,2}[-/]\d{1,2}(?:\s+(?:klo\s)?\d{1,2}[:.]\d{2}(?:\s?[ap]m)?\s+(?:GMT|"
    r"UTC)[+-][\d:]{1,5}\s+\S.{0,120}"
    r"|\s[^<>@]{1,80}<[^<>\s]{1,64}@[^<>\s]{1,255}>:?)\s*$"
)


def attributions(
    texts: Sequence[str], is_quote: Callable[[int], bool], quote_follows: Callable[[int], bool]
) -> dict[int, int]:
    """Where attributions start, with their number of lines; `is_quote` and `quote_follows` look at a line."""
    found: dict[int, int] = {}
    for end, text in enumerate(texts):
        stripped = text.rstrip()
        if not stripped or stripped[-1] not in _ENDS:
            if stripped[:2].strip().isdigit() and not is_quote(end) and _BARE_ISO.match(stripped):
                found.setdefault(end, 1)
            continue
        # Inside a quote the attributions are older ones; only "> wrote:" may end one of ours.
        if is_quote(end) and (end == 0 or is_quote(end - 1)):
            continue
        if is_quote(end) and _STARTER.match(text.lstrip("> ")):
            # It is whole: nothing of it stands above.
            continue
        if not _EVIDENCE.search(" ".join(texts[max(0, end - _MAX_LINES) : end + 1])):
            continue
        start = _start_of(texts, end, is_quote, quote_follows)
        if start is not None:
            found.setdefault(start, end - start + 1)
    return found


def _start_of(
    texts: Sequence[str], end: int, is_quote: Callable[[int], bool], quote_follows: Callable[[int], bool]
) -> int | None:
    """The first line of the attribution that ends in line `end`: the shortest run of lines that is one."""
    window = ""
    best: int | None = None
    for start in range(end, max(-1, end - _MAX_LINES), -1):
        window = f"{texts[start].strip()} {window}".strip()
        if len(window) > _MAX_CHARS:
            break
        if start != end and not texts[start].strip():
            # Only a first line that says when may stand above an empty one.
            if start == 0 or not (_TIME.search(texts[start - 1]) and _STARTER.match(texts[start - 1])):
                break
            continue
        if is_quote(start):
            continue
        if _is_attribution(window, texts[start], quote_follows(end + 1)):
            opens = _STARTER.match(texts[start]) or _DATE_START.match(texts[start])
            # What stands above a line that is one already, or that is quoted, may be the author's own.
            if opens or (best is None and not is_quote(end)):
                best = start
            if opens:
                break
        elif best is not None:
            break
    return best


def _is_attribution(window: str, first: str, quoted: bool) -> bool:
    if _BARE_ISO.match(window) or _CATALAN.match(window):
        return True
    if window[-1] not in _ENDS:
        return False
    time = _TIME.search(window) is not None
    date = _DATE.search(window) is not None
    address = _ADDRESS.search(window) is not None
    if not (time or date or address):
        return False
    strong = quoted or address or (time and date)
    if not quoted and tells(window):
        return False
    starts = _STARTER.match(first) is not None or _DATE_START.match(first) is not None
    if window[-60:].lower().rstrip(_TRAILING).endswith(_VERBS):
        return strong and (starts or address or quoted) and not _is_own_sentence(window, quoted)
    if starts and time and date and address and _ENDS_WITH_ADDRESS.search(window):
        return True
    if time and date and _NOTES.search(window):
        return quoted or not _YOU_WROTE.match(window)
    whole = quoted and address and window.rstrip("*_ ")[-1] in ":：" and len(window) <= 300
    if whole and ((time and date) or _QUOTING.match(window)):
        # In whatever language: a day, a time, an address and a colon, right above the quoted lines.
        return True
    if window.rstrip("*_ ")[-1] not in ":：" or len(window) > 300 or _HAS_MIDDLE_VERB.search(window) is None:
        return False
    return strong and (starts or address) and (address or time) and not _is_own_sentence(window, quoted)


def _is_own_sentence(window: str, quoted: bool) -> bool:
    """Whether "On 3 March at 10:15 I wrote:" is the author speaking: never when quote signs follow."""
    return not quoted and _PRONOUN_SUBJECT.search(window) is not None
