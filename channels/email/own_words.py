"""Signs that a line is the author's although it stands where mail programs put theirs."""

import re
from collections.abc import Sequence

# "Your colleague Mai wrote:" is a sentence; programs write a name. Lower case: a display name may contain "Your".
_TOLD = re.compile(
    r"(?:^|[\s,，(])(?:your|our|my|his|her|their|the|me|us|you|colleague|courier|agent|votre|vos|notre|nos|mon|ma|"
    r"m['’]a|collègue|ihr|ihre|ihrer|ihres|unser|unsere|mein|meine|mir|uns|kollege|kollegin|su|nuestr[oa]|vuestr[oa]|"
    r"mi|nos ha|me ha|sua|seu|nosso|nossa|meu|minha|vostr[oa]|il vostro|mi ha|ci ha|uw|onze|mijn|"
    r"service client\w*|atención al cliente|kundenservice|kundendienst|customer (?:service|care)|support team|"
    r"quý|bên|bạn|anh|chị|CSKH|nhân viên|cửa hàng|chồng tôi|vợ tôi|của (?:bạn|tôi|shop|anh|chị|em))(?:[\s,，)]|$)|"
    r"\b(?:schrieb|schrieben) (?:Ihr|Ihre|Ihrer|Frau|Herr|mein|meine)\b|"
    r"御社|貴社|担当|弊社|你们|您的|贵公司|客服|我的|店员|상담원|귀사"
)
_ADDRESSES = re.compile(
    r"(?-i:\bP\.?\s?P?\.?\s?S\b\s?[.:,]|\bN\.?B\b\s?[.:]|\bI\b)|\?(?:\s|$)|"
    r"\b(?:please|could you|can you|my|ich|bitte|meine?|je|j['’]ai|veuillez|merci de|por favor|quiero|necesito|"
    r"per favore|vorrei|ik|graag|proszę|tôi|mình|xin|vui lòng|nhờ)\b|我|请|ください|お願い|주세요|пожалуйста",
    re.IGNORECASE,
)
_DISCLAIMER = re.compile(
    r"intended (?:recipient|only|solely|for)|confidential|privileged|vertraulich|confidentiel|confidencial|riservat|"
    r"vertrouwelijk|poufn|disclaimer|unsubscribe|abmelden|désinscri|printing this|print this|before printing|"
    r"environment|umwelt|virus|bảo mật|hủy đăng ký|registered (?:in|office)|handelsregister|geschäftsführer|"
    r"機密|保密|конфиденциал|received this (?:e-?mail|message) in error|sent from a contact form",
    re.IGNORECASE,
)
_NAMED = re.compile(r"<[^<>]{0,300}>|\"[^\"]{0,120}\"")
_WORDS = 5


def tells(line: str) -> bool:
    """Whether a line like "On 3 March your colleague Mai wrote:" tells what happened; quoted names do not count."""
    return _TOLD.search(_NAMED.sub(" ", line)) is not None


def speaks_to_us(lines: Sequence[str]) -> bool:
    """Whether below a line of dashes somebody goes on writing: a paragraph with a question, a wish or a PS in it."""
    paragraph: list[str] = []
    for line in (*lines, ""):
        if line.strip():
            paragraph.append(line.strip())
            continue
        words = " ".join(paragraph)
        asks = words.endswith("?") or (len(words.split()) >= _WORDS and _ADDRESSES.search(words))
        if asks and not _DISCLAIMER.search(words):
            return True
        paragraph.clear()
    return False


def is_disclaimer(text: str) -> bool:
    """Whether a gateway put this below the mail."""
    return _DISCLAIMER.search(text) is not None
