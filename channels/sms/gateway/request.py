"""The request that hands one SMS to a gateway, filled in from the account's templates (pure)."""

import base64
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import phonenumbers
from phonenumbers import PhoneNumberFormat

from channels.sms.gateway import soap
from channels.sms.gateway.config import Body, Gateway
from channels.sms.segments import Encoding, measure
from contact_center.core.text import fold

PLACE = soap.PLACE
SECRETS = ("user", "password", "basic")
PLACES = (
    "to", "to_digits", "to_national", "from", "text", "text_without_marks", "unicode", "accented", "reference",
    "receipt_url", *SECRETS,
)  # fmt: skip
HIDDEN = "•••••"
LONGEST_HEADER = 2_000


class BadTemplate(ValueError):
    """A template that cannot be filled in; `field` is the part of the account that it stands in."""

    def __init__(self, field: str, text: str) -> None:
        super().__init__(text)
        self.field = field


@dataclass(frozen=True, slots=True)
class Prepared:
    """A request ready to leave."""

    method: str
    url: str
    headers: Mapping[str, str]
    content: bytes


def values(
    *, to: str, sender: str, text: str, reference: str, receipt_url: str, secrets: Mapping[str, Any]
) -> dict[str, str]:
    """What the placeholders stand for; `to` is E.164."""
    user, password = str(secrets.get("gateway_user", "")), str(secrets.get("gateway_password", ""))
    return {
        "to": to,
        "to_digits": to.removeprefix("+"),
        "to_national": _national(to),
        "from": sender,
        "text": text,
        "text_without_marks": without_marks(text),
        "unicode": "1" if measure(text).encoding is Encoding.UCS2 else "0",
        # GSM-7 knows some accented letters; gateways in Viet Nam ask whether there is any.
        "accented": "0" if text.isascii() else "1",
        "reference": reference,
        "receipt_url": receipt_url,
        "user": user,
        "password": password,
        "basic": base64.b64encode(f"{user}:{password}".encode()).decode(),
    }


def shown(filled: Mapping[str, str]) -> dict[str, str]:
    """The same without what opens anything, for a person to read."""
    return {**filled, **{name: HIDDEN for name in SECRETS if filled.get(name)}}


def prepare(gateway: Gateway, filled: Mapping[str, str]) -> Prepared:
    """Fill in the templates; raises BadTemplate. A value never breaks out of the place that it is put into."""
    headers = _headers(gateway.headers, filled)
    content = b""
    if gateway.body_kind == Body.JSON:
        content = _json(gateway.body, filled)
        headers.setdefault("content-type", "application/json")
    elif gateway.body_kind == Body.FORM:
        content = _form(gateway.body, filled)
        headers.setdefault("content-type", "application/x-www-form-urlencoded")
    elif gateway.body_kind == Body.XML:
        content = _xml(gateway.body, filled)
        headers.setdefault("content-type", soap.CONTENT_TYPE)
    return Prepared(gateway.method, _url(gateway.url, filled), headers, content)


def fill(field: str, template: str, filled: Mapping[str, str], escape: Callable[[str], str] = str) -> str:
    """A template with its places filled in; raises BadTemplate for a name that does not exist."""

    def put(found: re.Match[str]) -> str:
        if found[1] not in filled:
            raise BadTemplate(field, found[1])
        return escape(filled[found[1]])

    return PLACE.sub(put, template)


def without_marks(text: str) -> str:
    """Vietnamese as it is typed without marks, which costs one segment where it would be two; case is kept."""
    return "".join(_bare(char) for char in text)


def _bare(char: str) -> str:
    if char.isascii():
        return char
    plain = fold(char)
    return plain.upper() if char.isupper() else plain


def _national(to: str) -> str:
    try:
        number = phonenumbers.parse(to, None)
    except phonenumbers.NumberParseException:
        return to
    return "".join(sign for sign in phonenumbers.format_number(number, PhoneNumberFormat.NATIONAL) if sign.isdigit())


def _url(template: str, filled: Mapping[str, str]) -> str:
    parts = urlsplit(template.strip())
    # The host is the administrator's alone: nothing that a customer or an agent writes may choose it.
    if parts.scheme not in ("http", "https") or not parts.hostname or PLACE.search(parts.netloc):
        raise BadTemplate("url", template)
    return fill("url", template.strip(), filled, lambda value: quote(value, safe=""))


def _headers(template: str, filled: Mapping[str, str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for line in template.splitlines():
        if not line.strip():
            continue
        name, colon, value = line.partition(":")
        value = fill("headers", value.strip(), filled)
        good = re.fullmatch(r"[A-Za-z0-9-]+", name.strip()) and value.isascii() and value.isprintable()
        if not (colon and good) or len(value) > LONGEST_HEADER:
            raise BadTemplate("headers", name.strip()[:40])
        found[name.strip().lower()] = value
    return found


def _json(template: str, filled: Mapping[str, str]) -> bytes:
    try:
        tree = json.loads(template)
    except ValueError as error:
        raise BadTemplate("body", str(error)) from error
    return json.dumps(_filled_tree(tree, filled), ensure_ascii=False).encode()


def _xml(template: str, filled: Mapping[str, str]) -> bytes:
    try:
        return soap.fill(template, filled)
    except ValueError as error:
        raise BadTemplate("body", str(error)) from error


def _filled_tree(tree: Any, filled: Mapping[str, str]) -> Any:
    match tree:
        case str():
            return fill("body", tree, filled)
        case list():
            return [_filled_tree(one, filled) for one in tree]
        case dict():
            return {name: _filled_tree(one, filled) for name, one in tree.items()}
        case _:
            return tree


def _form(template: str, filled: Mapping[str, str]) -> bytes:
    pairs = []
    for line in template.splitlines():
        if not line.strip():
            continue
        name, equals, value = line.partition("=")
        if not equals or not name.strip():
            raise BadTemplate("body", line.strip()[:40])
        pairs.append((name.strip(), fill("body", value.strip(), filled)))
    return urlencode(pairs).encode()
