"""The words and prefixes that tell sensitive numbers from others. Words are folded: lower case, without marks."""

import re

# Issuer prefixes with the lengths of their numbers (ISO/IEC 7812 as the networks publish them).
ISSUERS: tuple[tuple[re.Pattern[str], tuple[int, ...]], ...] = (
    (re.compile(r"9704"), (16, 19)),  # Napas, the domestic cards of Vietnam
    (re.compile(r"3[47]"), (15,)),  # American Express
    (re.compile(r"3(?:0[0-5]|095|[689])"), (14, 16, 19)),  # Diners Club
    (re.compile(r"35(?:2[89]|[3-8])"), (16, 17, 18, 19)),  # JCB
    (re.compile(r"5[1-5]|2(?:22[1-9]|2[3-9]|[3-6]|7[01]|720)"), (16,)),  # Mastercard
    (re.compile(r"6(?:011|4[4-9]|5)"), (16, 17, 18, 19)),  # Discover
    (re.compile(r"62|81"), (16, 17, 18, 19)),  # UnionPay
    (re.compile(r"220[0-4]"), (16, 17, 18, 19)),  # Mir
    (re.compile(r"50|5[6-8]|6[0379]"), (16, 18, 19)),  # Maestro, RuPay
    (re.compile(r"4"), (13, 16, 19)),  # Visa
)
CARD_SHAPES = ([4, 4, 4, 4], [4, 6, 5], [4, 6, 4], [4, 4, 4, 4, 3], [4, 3, 3, 3], [8, 8], [6, 13], [6, 10])

# The codes of the provinces and cities as they were when the cards were numbered.
PROVINCES = frozenset(
    f"{number:03}"
    for number in (
        *(1, 2, 4, 6, 8, 10, 11, 12, 14, 15, 17, 19, 20, 22, 24, 25, 26, 27, 30, 31, 33, 34, 35, 36, 37, 38),
        *(40, 42, 44, 45, 46, 48, 49, 51, 52, 54, 56, 58, 60, 62, 64, 66, 67, 68, 70, 72, 74, 75, 77, 79),
        *(80, 82, 83, 84, 86, 87, 89, 91, 92, 93, 94, 95, 96),
    )
)

CCCD_SHAPES = ([12], [3, 3, 3, 3], [4, 4, 4], [3, 1, 2, 6])
NINE_SHAPES = ([9], [3, 3, 3], [3, 2, 4])

# From a word to its number: a few words, no other number and no end of a sentence.
_NEAR = r"[^\w\[.!?\n]*(?:[^\W\d]{1,12}[^\w\[.!?\n]+){0,5}$"
# Right behind it: "is", "no.", "của tôi là".
_NEXT = r"[^\w\[!?\n]*(?:(?:is|was|no|nr|number|num|id|code|so|la|cua|toi|em|minh|my|the|ma)\b[^\w\[!?\n]*){0,4}$"


def _near(words: str) -> re.Pattern[str]:
    return re.compile(rf"\b(?:{words})\b{_NEAR}")


CARD = re.compile(
    r"\b(?:cards?|visa|master ?card|amex|jcb|napas|credit|debit|the tin dung|the ngan hang|so the|the atm)\b\D*$"
)
# A number of something else: an order, a parcel, an article, an account, a telephone.
OTHER_NUMBER = re.compile(
    r"\b(?:orders?|invoice|tracking|parcel|shipment|waybill|awb|imei|serial|sku|ean|barcode|isbn|reference|ref|booking"
    r"|transaction|account|acct|iban|stk|tai khoan|tel|phone|mobile|fax|hotline|sdt|dien thoai|don hang|don|ma don"
    rf"|van don|ma van don|hoa don|ma giao dich|ma vach|dat phong|dat cho|zip|postal|ticket|case)\b{_NEXT}"
)
CHECK_DIGITS = _near(r"cvv2?|cvc2?|card security code")
_IDS = (
    r"cccd|cmnd|cmt|cmtnd|can cuoc|chung minh thu|chung minh nhan dan|so dinh danh|ssn|social security|itin"
    r"|national id|identity card|id card|citizen id"
)
NATIONAL_ID = _near(_IDS)
ANY_ID = re.compile(rf"\b(?:{_IDS})\b")
PASSPORT = _near(r"passport|ho chieu")
CODE_BEFORE = _near(
    r"otp|passcode|one[- ]time (?:code|password|pin|passcode)|(?:verification|security|auth|authentication|login"
    r"|log-in|sign-in|access|2fa|sms) (?:code|pin)|ma (?:otp|xac thuc|xac minh|bao mat|dang nhap|pin|xac nhan)"
    r"|my pin|pin(?= (?:is|la)\b)|pin(?=\s?[:=])"
)
CODE_IS = re.compile(r"\bcode(?: is| was|:|=)[^\w\[]*$")
# Codes that are no secret.
OTHER_CODE = re.compile(
    r"\b(?:zip|postal|post|postcode|promo|promotion|discount|coupon|voucher|gift|error|status|area|country|city|branch"
    r"|order|tracking|product|item|bar|qr|swift|bank|sort|booking|reference|ref|response|exit|http|tax|dress|dial"
    r"|dialing|colour|color|model|store|stock|hs|naics|sic|course|job|source|referral|invite|case|ticket) code(?: is|"
    r" was|:|=)[^\w]*$"
)
# Without one of these words beside it no number is a code or the check digits of a card.
ANY_CODE = re.compile(
    # The first letter is quickly ruled out; most words of a long text are.
    r"\b(?=[bcdopx])(?:cvv2?|cvc2?|otp|pin|code|card security|pass(?:code|word)|one[- ]time"
    r"|xac (?:thuc|minh|nhan)|bao mat|dang nhap)\b"
)
CODE_AFTER = re.compile(
    r"[^\w\[\n]{0,3}(?:is|la|was) (?:(?:your|my|the|our|ma)\s+)?(?:[\w']+\s+){0,3}?"
    r"(?:otp|passcode|one[- ]time|verification code|security code|login code|xac thuc|xac minh|ma otp)\b"
)
# A number that is part of a word, of an address on the web, of an amount or of something longer.
GLUED_BEFORE = re.compile(r"(?:[^\W\d]|[/=&?#_@$€£₫+%]|\d[.,/:]|[^\W\d][-])$")
# In front of a number that is a part of its own in a web address; what names it there may still speak against a card.
ADDRESS_BEFORE = re.compile(r"(?:https?://|\bwww\.)[^\s<>\"']*[/=&?#]$", re.IGNORECASE)
GLUED_AFTER = re.compile(r"(?:[^\W\d]|[/=&_@%$€£₫]|[.,:]\d| ?(?:vnd|usd|eur|dong|k|d)\b)")
