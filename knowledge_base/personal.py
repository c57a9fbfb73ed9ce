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
    r"(?<![\w.+%'-])[\w.+%'-]{1,64}[ \t]?(?:@|\(at\)|\[at\])[ \t]?[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}", re.I
)
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
DISTRICTS = re.compile(rf"(?i:\b(?:phường|quận|huyện|xã|phuong|quan|huyen))[ \t]+(?:\d{{1,2}}|{NAME})(?i:{_VI_TAIL})*")
ADDRESSES = (
    re.compile(rf"\b\d{{1,5}}[A-Za-z]?[ \t]+(?:[NSEW]\.?[ \t]+)?(?:[\w'’.-]+[ \t]+){{1,4}}?{_STREET}\b\.?{_TOWN}"),
    re.compile(r"\bP\.?[ \t]?O\.?[ \t]?Box[ \t]+\d+", re.I),
    re.compile(r"\b[A-Z]{1,2}\d[A-Z\d]?[ ]\d[ABD-HJLNP-UW-Z]{2}\b"),
    re.compile(rf"\b{_CAPITAL}(?:[ \t]{_CAPITAL})?,[ \t]+[A-Z]{{2}}[ \t]+\d{{5}}(?:-\d{{4}})?\b"),
    re.compile(rf"{_VI_HOUSE},?[ \t]+{_VI_ROAD}\b{_VI_REST}{{2,120}}", re.I),
    re.compile(rf"{_VI_HOUSE}[ \t]+{NAME}(?i:{_VI_TAIL})+"),
    DISTRICTS,
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
INTRODUCED = re.compile(rf"\b(?i:{_INTRODUCTION})[ \t]+({NAME})")
_GREETING = "hi|hello|hey|dear|thanks|thank you|cheers|regards|chào|kính gửi|cảm ơn|cám ơn"
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
    """there team all everyone everybody sir madam support customer customers folks again you so very much
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
