"""How personal data is written, in English and Vietnamese, with and without marks: the patterns of `redact`."""

import re

from contact_center.core.text import fold


def _any(*words: str) -> str:
    return "(?:" + "|".join(words) + ")"


_UPPER = "".join(c for c in map(chr, range(0x41, 0x1F00)) if c.isupper())
_CAPITAL = rf"[{_UPPER}][^\W\d_]*(?:['’-][^\W\d_]+)?"
NAME = rf"{_CAPITAL}(?:[ \t]+{_CAPITAL}){{0,3}}"
_OF = r"của (?:tôi|em|mình)"
_LINKS = _any("[:#=.]", r"no\.?", "number", "num", r"nr\.?", "số", "id", "code", "is", "là", "mã", _OF)
_LINK_WORDS = rf"(?:[ \t]*{_LINKS})*"
_TOKEN = r"(?=[A-Z0-9._/-]*\d)[A-Z0-9][A-Z0-9._/-]{2,38}[A-Z0-9]"

EMAIL = re.compile(
    r"(?<![\w.+%'-])[\w.+%'-]{1,64}[ \t]?(?:@|\(at\)|\[at\])[ \t]?[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}",
    re.I,
)
SPELT_EMAIL = re.compile(r"(?<![\w.+-])[\w.+-]{1,64} at [\w-]{1,63}(?: dot [\w-]{1,63}){1,4}", re.I)
LINK = re.compile(r"\bhttps?://[^\s<>\"']+", re.I)
# A link with a query, an id or a token leads to one person's page.
PRIVATE_LINK = re.compile(r"[?&#=@]|/[\w-]*\d{4,}|/[\w-]{20,}")
CARD = re.compile(r"(?<![\d-])\d(?:[ \t-]?\d){12,18}(?![\d-])")
IBAN = re.compile(r"\b[A-Z]{2}\d{2}(?:[ ]?[A-Z0-9]{2,4}){3,8}\b")

_BANK_WORDS = _any(
    r"\bstk",
    "số tài khoản",
    "so tai khoan",
    "bank account",
    "account number",
    r"account no\.?",
    r"acct\.?",
    "routing number",
    "sort code",
)
BANK = re.compile(rf"{_BANK_WORDS}{_LINK_WORDS}[ \t]*(\d[\d .-]{{4,30}}\d)", re.I)

SSN = re.compile(r"(?<![\d-])(?!000|666|9\d\d)\d{3}(?P<sep>[- ])(?!00)\d{2}(?P=sep)(?!0000)\d{4}(?![\d-])")
# Twelve digits that begin with the code of a province (001 to 096).
CCCD = re.compile(r"(?<![\d.,-])0(?:[0-8]\d|9[0-6])\d{9}(?![\d.,-])")
_ID_WORDS = _any(
    "ssn",
    "social security",
    "passport",
    "hộ chiếu",
    "ho chieu",
    "cccd",
    "cmnd",
    "căn cước(?: công dân)?",
    "can cuoc(?: cong dan)?",
    "chứng minh (?:thư|nhân dân)",
    "national id",
    "id card",
    "driver'?s? licen[cs]e",
    "tax id",
    "mã số thuế",
    "mst",
)
LABELLED_ID = re.compile(rf"\b{_ID_WORDS}{_LINK_WORDS}[ \t]*({_TOKEN})", re.I)

_ORDER_WORDS = _any(
    "order",
    "invoice",
    "receipt",
    "booking",
    "reservation",
    "tracking",
    "shipment",
    "parcel",
    "case",
    "ticket",
    "reference",
    "ref",
    "rma",
    "return",
    "transaction",
    "payment",
    "customer",
    "member(?:ship)?",
    "contract",
    "policy",
    "serial",
    "đơn(?: hàng)?",
    "mã đơn(?: hàng)?",
    "vận đơn",
    "mã vận đơn",
    "hóa đơn",
    "hoá đơn",
    "mã khách hàng",
    "mã giao dịch",
    "don hang",
    "ma don",
    "van don",
    "hoa don",
    "ma giao dich",
)
ORDER = re.compile(rf"\b{_ORDER_WORDS}{_LINK_WORDS}[ \t]*#?({_TOKEN})", re.I)
HASHED = re.compile(r"(?<![\w&])#[ \t]?([A-Z]{0,4}-?\d{3,}[\w-]*)", re.I)
CARRIER = re.compile(r"\b(?:1Z[0-9A-Z]{16}|[A-Z]{2}\d{9}[A-Z]{2}|SPXVN\w{8,}|GHN\w{6,}|VN\d{9,}\w*)\b")

_CODE_WORDS = _any(
    "otp",
    "pin",
    "passcode",
    "password",
    "passwd",
    "verification code",
    "security code",
    "mật khẩu",
    "mat khau",
    "mã (?:xác nhận|xác thực|otp)",
    "ma (?:xac nhan|xac thuc)",
)
CODE = re.compile(rf"\b{_CODE_WORDS}[ \t]*(?:[:=]|is|là|la|was)[ \t]*(\S{{3,40}}?)(?=[.,;!?)]?(?:\s|$))", re.I)

_SHORT_CODE_WORDS = _any(
    "otp",
    "pin",
    "cvv",
    "cvc",
    "verification code",
    "security code",
    "(?:the|my|your) code",
    "mã (?:xác nhận|xác thực|otp)",
    "ma (?:xac nhan|xac thuc|otp)",
)
SHORT_CODE = re.compile(rf"\b{_SHORT_CODE_WORDS}[ \t]*(?:[:=]|is|là|la|was)?[ \t]*(\d{{3,8}})\b", re.I)
CARD_PART = re.compile(
    r"\b(?:ending(?: in)?|ends in|last four|exp(?:iry|ires)?\.?|số cuối)[ \t:]*(\d{4}|\d{2}/\d{2,4})\b", re.I
)
PLATE = re.compile(r"\b\d{2}[A-Z]\d?[ -]\d{3}\.?\d{2}\b")

_BIRTH_WORDS = _any(
    "dob", "date of birth", "birth ?da(?:te|y)", "born(?: on)?", "ngày sinh", "sinh ngày", "ngay sinh", "sinh ngay"
)
BIRTH = re.compile(
    rf"\b{_BIRTH_WORDS}[ \t]*(?:[:=]|is|là)?[ \t]*"
    r"(\d{1,4}[./ -]\d{1,2}[./ -]\d{1,4}|\w+ \d{1,2},? \d{4}|\d{1,2} \w+ \d{4})",
    re.I,
)

_PHONE_WORDS = _any(
    "phone",
    "tel",
    "telephone",
    "mobile",
    "cell",
    "call(?: me)?(?: (?:on|at))?",
    "hotline",
    "sđt",
    "sdt",
    "số điện thoại",
    "so dien thoai",
    "điện thoại",
    "dien thoai",
    "gọi",
    "zalo",
    "whatsapp",
    "viber",
    "fax",
)
LABELLED_PHONE = re.compile(rf"\b{_PHONE_WORDS}{_LINK_WORDS}[ \t]*((?:\+|\()?\d[\d ().-]{{5,18}}\d)", re.I)
LONG_NUMBER = re.compile(r"(?<![\w.,/-])\+?\(?\d(?:[ ().-]{0,2}\d){8,40}(?![\w/-])")
AMOUNT = re.compile(r"\d{1,3}(?:([., ])\d{3})(?:\1\d{3})*(?:[.,]\d{1,2})?")
CURRENCY_AFTER = re.compile(r"\s?(?:đ|₫|vnd|vnđ|đồng|dong|usd|eur|gbp|\$|€|£|k\b|tr\b|triệu)", re.I)
CURRENCY_BEFORE = re.compile(r"(?:[$€£₫¥]|usd|eur|vnd)\s?$", re.I)
DATE = re.compile(r"(?<!\d)(?:\d{4}([./-])\d{1,2}\1\d{1,2}|\d{1,2}([./-])\d{1,2}\2\d{2,4})(?!\d)")

_STREET = _any(
    "Street",
    "St",
    "Avenue",
    "Ave",
    "Road",
    "Rd",
    "Boulevard",
    "Blvd",
    "Lane",
    "Ln",
    "Drive",
    "Dr",
    "Court",
    "Ct",
    "Way",
    "Square",
    "Sq",
    "Place",
    "Pl",
    "Terrace",
    "Highway",
    "Hwy",
    "Parkway",
    "Pkwy",
    "Crescent",
    "Close",
    "Alley",
    "Circle",
    "Row",
)
_TOWN_PART = _any(
    r"(?:Apt|Apartment|Suite|Unit|Floor|Flat|\#)\.?[ \t]*[\w-]+",
    r"[A-Z]{2}[ \t]+\d{5}(?:-\d{4})?",
    _CAPITAL,
    r"\d{5}",
)
_TOWN = rf"(?:,?[ \t]+{_TOWN_PART})*"
_VI_UNIT = _any(
    "phường",
    "quận",
    "huyện",
    "xã",
    "thị trấn",
    "thị xã",
    "thành phố",
    "tỉnh",
    "ấp",
    "thôn",
    "khu phố",
    "tổ",
    "phuong",
    "quan",
    "huyen",
    "thanh pho",
    "tinh",
    r"p\.",
    r"q\.",
    r"tp\.?",
    "district",
    "ward",
    "city",
    "hcm",
    "hcmc",
    "hà nội",
    "ha noi",
    "hanoi",
    "sài gòn",
    "saigon",
    "đà nẵng",
    "da nang",
    "việt nam",
    "vietnam",
)
_VI_ROAD = _any("đường", "phố", "ngõ", "ngách", "hẻm", "kiệt", "duong", "pho", "ngo", "hem")
_VI_HOUSE = r"(?:\b(?:số nhà|số|so nha|so|nhà|căn hộ|căn|lô)[ \t]+)?\b\d{1,5}[A-Za-z]?(?:/\d{1,4}[A-Za-z]?){0,4}"
# A dot inside "TP.HCM" is no end.
_VI_REST = r"(?:[^\n.;!?]|\.(?=\S))"
_VI_TAIL = rf"(?:,[ \t]*{_VI_UNIT}(?:[^\n.;,!?]|\.(?=\S)){{0,40}})"
_GERMAN_STREET = _any("[sS]traße", "[sS]trasse", r"[sS]tr\.", "weg", "platz", "allee", "gasse")
_FRENCH_STREET = "rue|boulevard|chemin|impasse|place"
_POST_TOWN = rf"(?:,?[ \t]+\d{{4,5}}[ \t]+{_CAPITAL})?"
DISTRICTS = re.compile(rf"(?i:\b(?:phường|quận|huyện|xã|phuong|quan|huyen))[ \t]+(?:\d{{1,2}}|{NAME})(?i:{_VI_TAIL})*")
ADDRESSES = (
    re.compile(rf"\b\d{{1,5}}[A-Za-z]?[ \t]+(?:[NSEW]\.?[ \t]+)?(?:[\w'’.-]+[ \t]+){{1,4}}?{_STREET}\b\.?{_TOWN}"),
    re.compile(r"\bP\.?[ \t]?O\.?[ \t]?Box[ \t]+\d+", re.I),
    re.compile(r"\b[A-Z]{1,2}\d[A-Z\d]?[ ]\d[ABD-HJLNP-UW-Z]{2}\b"),
    re.compile(rf"\b{_CAPITAL}(?:[ \t]{_CAPITAL})?,[ \t]+[A-Z]{{2}}[ \t]+\d{{5}}(?:-\d{{4}})?\b"),
    re.compile(rf"{_VI_HOUSE},?[ \t]+{_VI_ROAD}\b{_VI_REST}{{2,120}}", re.I),
    re.compile(rf"{_VI_HOUSE}[ \t]+{NAME}(?i:{_VI_TAIL})+"),
    DISTRICTS,
    re.compile(rf"\b{_CAPITAL}{_GERMAN_STREET}[ \t]+\d{{1,4}}[a-z]?{_POST_TOWN}"),
    re.compile(rf"\b\d{{1,4}}(?:bis|ter)?,?[ \t]+(?i:{_FRENCH_STREET})[ \t]+[^,.\n]{{3,40}}{_POST_TOWN}"),
)

_NAME_LABELS = (
    "name",
    "full name",
    "customer",
    "họ tên",
    "họ và tên",
    "ho ten",
    "người nhận",
    "nguoi nhan",
    "khách hàng",
)
_ADDRESS_LABELS = (
    "address",
    "ship to",
    "deliver to",
    "shipping address",
    "billing address",
    r"địa chỉ(?: [^:\n]{1,20})?",
    "dia chi",
)
# "My address is 5 Rue de la Paix, 75002 Paris": with a digit in it, to the end of the sentence.
ADDRESS_TOLD = re.compile(
    r"\b(?:address|địa chỉ|dia chi)(?: (?:của|cua) \w+)?[ \t]*(?:is|là|la|[:=])[ \t]*(?=[^\n.!?]{0,60}\d)"
    r"((?:[^\n.!?]|\.(?=\S)){6,140})",
    re.I,
)
NAME_LINE = re.compile(rf"^[ \t>*-]*{_any(*_NAME_LABELS)}[ \t]*[:=][ \t]*(\S[^\n]*)", re.I | re.M)
ADDRESS_LINE = re.compile(rf"^[ \t>*-]*{_any(*_ADDRESS_LABELS)}[ \t]*[:=][ \t]*(\S[^\n]*)", re.I | re.M)

_TITLES_EN = "mr|mrs|ms|miss|mx|dr|prof|mister|madame"
_TITLES_VI = "anh|chị|em|cô|chú|bác|ông|bà|bạn|thầy|chi|co|ong|ba"
HONORIFIC = re.compile(rf"\b(?:(?i:{_TITLES_EN})\.?|(?i:{_TITLES_VI})(?:[ \t]+(?i:anh|chị))?)[ \t]+({NAME})")
_INTRODUCTION = _any(
    "my name is",
    "my name's",
    "this is",
    "i am",
    "i'm",
    "signed",
    "tên tôi là",
    "tôi tên(?: là)?",
    "mình tên(?: là)?",
    "em tên(?: là)?",
    "tôi là",
    "mình là",
    "em là",
    "ten toi la",
    "toi ten la",
    "toi la",
    "minh la",
)
# Who says their name may write it in small letters: up to four words, to the next comma or little word.
_MY_NAME = _any(
    "my name is",
    "my name's",
    "tên (?:tôi|em) là",
    "(?:tôi|mình|em) tên(?: là)?",
    "ten toi la",
    "em ten(?: la)?",
)
_NAME_ENDS = r"(?=[ \t]+(?i:and|but|from|i|my|here|và|va|ở|o|sđt|sdt|số|so)\b|[,.!?;\n)]|$)"
NAMED = re.compile(rf"\b(?i:{_MY_NAME})[ \t]+([^\W\d_]+(?:[ \t]+[^\W\d_]+){{0,3}}?){_NAME_ENDS}")
_HOLDER = _any("chủ (?:tk|tài khoản|thẻ)", "account (?:holder|name)", "card ?holder", "khách hàng", "khach hang")
ACCOUNT_HOLDER = re.compile(rf"\b(?i:{_HOLDER})[ \t]*(?:[:=]|(?i:is|là))?[ \t]*({NAME})")
INTRODUCED = re.compile(rf"\b(?i:{_INTRODUCTION})[ \t]+({NAME})")
_GREETING = "hi|hello|hey|dear|thanks|thank you|cheers|regards|sincerely|yours|truly|chào|kính gửi|cảm ơn|cám ơn"
GREETED = re.compile(rf"\b(?i:{_GREETING}),?[ \t]+({NAME})")
HANDLE = re.compile(
    r"(?<![\w@./])@[A-Za-z][\w.]{2,30}\b|\b(?i:username|user name|nick|login)[ \t]*[:=][ \t]*(\S{3,40})"
)
IP = re.compile(r"(?<![\d.])(?:\d{1,3}\.){3}\d{1,3}(?![\d.])")
WORD = re.compile(r"[^\W\d_]+")


def _words(text: str) -> frozenset[str]:
    return frozenset(fold(word) for word in text.split())


# Capitalised words that follow a form of address without being a name.
NOT_NAMES = _words(
    """mr mrs ms dr there team all everyone everybody sir madam support customer customers folks again you so very much
    guys friend i quý quốc chị anh em bạn cô chú bác ông bà và the a an happy sorry glad sure afraid
    able not here just from monday tuesday wednesday thursday friday saturday sunday vietnam english
    android iphone windows mac facebook"""
)
# Parts of names that are also words: alone at the start of a sentence they stay.
ALSO_WORDS = _words(
    """will mark bill hope may april june august best long young day page grace art frank rich rose summer
    price case an my hoa mai thu anh em chi bình hai ba nam minh tâm sáu bảy tiền dùng hay cho đơn hàng
    vẫn thành the la"""
)
