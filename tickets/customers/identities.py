"""One spelling for each address of a person: e-mail, phone number, visitor id. The database keys on it."""

import re
import unicodedata

import idna
import phonenumbers
from phonenumbers import NumberParseException, PhoneNumberFormat

from contact_center.core.i18n import mark
from tickets.states import ContactKind

LONGEST_EMAIL = 320
LONGEST_LOCAL_PART = 64
LONGEST_DOMAIN = 253

# Mobile ranges of Viet Nam that lost a digit on 2018-09-15 (Ministry of Information, decision 798/QD-BTTTT).
OLD_VIETNAM_PREFIXES = {
    "120": "70", "121": "79", "122": "77", "126": "76", "128": "78",
    "123": "83", "124": "84", "125": "85", "127": "81", "129": "82",
    "162": "32", "163": "33", "164": "34", "165": "35", "166": "36",
    "167": "37", "168": "38", "169": "39", "186": "56", "188": "58", "199": "59",
}  # fmt: skip

# What carriers send instead of a withheld number (Twilio spells the words on a phone's keys).
WITHHELD = frozenset({"+266696687", "+7378742833", "+2562533", "+8656696", "+86282452253"})
WITHHELD_WORDS = frozenset({"anonymous", "restricted", "blocked", "private", "unknown", "unavailable", "withheld"})

_VISITOR = re.compile(r"[A-Za-z0-9_-]{8,64}")
_PHONE_SCHEME = re.compile(r"^(?:tel|sms|smsto|callto):(?://)?", re.IGNORECASE)


class BadAddress(ValueError):
    """An address nobody could be reached at; the text says what is wrong with it."""


def normalise(kind: ContactKind, raw: str, *, region: str = "VN") -> str:
    """The normal spelling of `raw`; raises BadAddress."""
    match kind:
        case ContactKind.EMAIL:
            return normalise_email(raw)
        case ContactKind.PHONE:
            return normalise_phone(raw, region)
        case ContactKind.VISITOR:
            return normalise_visitor(raw)
        case ContactKind.HANDLE:
            return raw.strip()


def normalise_email(raw: str) -> str:
    """Lower case, NFC, the domain in its ASCII form (UTS 46); plus tags and dots stay; raises BadAddress.

    Mailboxes that differ in case alone are one person in practice, although RFC 5321 allows two.
    """
    text = unicodedata.normalize("NFC", raw).strip().strip("<>").strip()
    if text[:7].lower() == "mailto:":
        text = text[7:]
    local, at, domain = text.rpartition("@")
    if not (at and local and domain):
        raise BadAddress(mark("An e-mail address needs a name, an @ and a domain."))
    quoted = len(local) > 2 and local[0] == local[-1] == '"'
    if any(unicodedata.category(sign) in ("Cc", "Cf", "Cs", "Zl", "Zp") for sign in text):
        raise BadAddress(mark("The e-mail address holds invisible characters."))
    if not quoted and any(sign in '@"(),:;<>[]\\' or sign.isspace() for sign in local):
        raise BadAddress(mark("The e-mail address holds a space or a character that has no place there."))
    value = f"{unicodedata.normalize('NFC', local.lower())}@{_normal_domain(domain)}"
    if len(local) > LONGEST_LOCAL_PART or len(value) > LONGEST_EMAIL:
        raise BadAddress(mark("The e-mail address is too long."))
    return value


def _normal_domain(domain: str) -> str:
    name = domain.rstrip(".").lower()
    if name.startswith("[") and name.endswith("]"):
        return name
    try:
        ascii_name = idna.encode(name, uts46=True).decode("ascii")
    except (idna.IDNAError, UnicodeError):
        # Host names with an underscore break the rules and exist all the same.
        if not re.fullmatch(r"[a-z0-9_]([a-z0-9_.-]*[a-z0-9_])?", name) or ".." in name:
            raise BadAddress(mark("The part after the @ is not a domain.")) from None
        ascii_name = name
    if len(ascii_name) > LONGEST_DOMAIN:
        raise BadAddress(mark("The e-mail address is too long."))
    return ascii_name


def shown_email(value: str) -> str:
    """A normal e-mail address as people read it: the domain in its own letters."""
    local, _, domain = value.rpartition("@")
    try:
        return f"{local}@{idna.decode(domain)}"
    except (idna.IDNAError, UnicodeError):
        return value


def normalise_phone(raw: str, region: str = "VN") -> str:
    """E.164 (`+84912345678`); `region` reads numbers without a country; raises BadAddress.

    Old Vietnamese mobiles move to their ten-digit form. Numbers in international form need only be possible,
    since number plans grow faster than tables of them; national ones must be valid, or any digits would pass.
    """
    text = _PHONE_SCHEME.sub("", unicodedata.normalize("NFKC", raw).strip())
    if not text or text.lower() in WITHHELD_WORDS or text in WITHHELD:
        raise BadAddress(mark("The caller's number is withheld."))
    digits = "".join(sign for sign in text if sign.isdigit())
    candidates = [(text, region)] if text.startswith(("+", "00")) else [(text, region), (f"+{digits}", None)]
    for candidate, default in candidates:
        number = _read_phone(candidate, default or region)
        international = candidate.startswith(("+", "00"))
        known = phonenumbers.is_valid_number(number) if number else False
        written_so = international and text.startswith(("+", "00"))
        if number and (known or (written_so and phonenumbers.is_possible_number(number))):
            value = str(phonenumbers.format_number(number, PhoneNumberFormat.E164))
            # Zeros inside a number of no known plan may fall away once more when it is read again.
            return value if known or value == text else normalise_phone(value, region)
    raise BadAddress(mark("This is not a phone number that can be reached."))


def _read_phone(text: str, region: str) -> phonenumbers.PhoneNumber | None:
    try:
        number = phonenumbers.parse(re.sub(r"^00(?=[1-9])", "+", text), region)
    except NumberParseException:
        return None
    national = str(number.national_number)
    if number.country_code == 84 and len(national) == 10 and national[:3] in OLD_VIETNAM_PREFIXES:
        number.national_number = int(OLD_VIETNAM_PREFIXES[national[:3]] + national[3:])
    number.extension = None
    return number


def shown_phone(value: str, region: str = "VN") -> str:
    """An E.164 number as people write it: national inside `region`, international elsewhere."""
    try:
        number = phonenumbers.parse(value, None)
    except NumberParseException:
        return value
    home = phonenumbers.region_code_for_number(number) == region
    form = PhoneNumberFormat.NATIONAL if home else PhoneNumberFormat.INTERNATIONAL
    return str(phonenumbers.format_number(number, form))


def is_mobile(value: str) -> bool:
    """Whether an E.164 number may receive SMS, as far as its number plan tells."""
    try:
        kind = phonenumbers.number_type(phonenumbers.parse(value, None))
    except NumberParseException:
        return False
    fixed = {phonenumbers.PhoneNumberType.FIXED_LINE, phonenumbers.PhoneNumberType.TOLL_FREE}
    return kind not in fixed


def normalise_visitor(raw: str) -> str:
    """A widget's visitor id: 8 to 64 URL-safe characters, kept as they are; raises BadAddress."""
    text = raw.strip()
    if not _VISITOR.fullmatch(text):
        raise BadAddress(mark("A visitor id has 8 to 64 letters, digits, - or _."))
    return text
