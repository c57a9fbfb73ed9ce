"""What a gateway's answer to our request means for the message (pure)."""

import json
import re
from dataclasses import dataclass
from typing import Any

from channels.sms.gateway import soap
from channels.sms.gateway.config import Gateway, fits
from contact_center.core.i18n import mark
from contact_center.core.schema import clean_text

SLOW_DOWN = mark("The carrier asked us to slow down; the message is tried again.")
MOVED = mark("The SMS gateway has moved to another address. An administrator must enter the new one.")
REFUSED_LOGIN = mark("The SMS account's credentials were refused. An administrator must check them.")
REFUSED = mark("The carrier refused the message.")
LONGEST_TEXT = 300
LONGEST_ID = 200
LONGEST_SEARCHED = 2_000


@dataclass(frozen=True, slots=True)
class Taken:
    """The gateway has the message; `external_id` is its name for it, where it gives one."""

    external_id: str | None


@dataclass(frozen=True, slots=True)
class NotTaken:
    """It said no, and nothing was sent. `retryable`: the very same request may be made again later."""

    code: str
    text: str
    retryable: bool = False


@dataclass(frozen=True, slots=True)
class Unclear:
    """Nobody can tell from this whether the message was taken."""


def understand(gateway: Gateway, status: int, body: bytes) -> Taken | NotTaken | Unclear:
    """Read an answer; what is neither a clear yes nor a clear no is unclear, so that nothing is sent twice."""
    tree = _tree(body)
    if status >= 500:
        # SOAP tells of wrong requests with HTTP 500 too.
        blamed = soap.fault(tree)
        return NotTaken(blamed[0], clean_text(blamed[1])[:LONGEST_TEXT]) if blamed else Unclear()
    if status >= 300:
        return _refusal(gateway, status, tree)
    if not gateway.ok_at and not gateway.ok_values.strip():
        return Taken(_text_at(tree, gateway.id_at, LONGEST_ID))
    said = _text_at(tree, gateway.ok_at, LONGEST_TEXT) if gateway.ok_at else body.decode("utf-8", "replace").strip()
    if said is None:
        return Unclear()
    if _agrees(gateway.ok_values, said):
        return Taken(_text_at(tree, gateway.id_at, LONGEST_ID))
    return _no(gateway, tree, code=said[:20], text=REFUSED if gateway.ok_at else said[:LONGEST_TEXT])


def _agrees(wanted: str, said: str) -> bool:
    """Whether what was said is one of the values, each on its own line or between commas; none: anything is."""
    values = [value.strip() for value in wanted.replace(",", "\n").splitlines() if value.strip()]
    return not values or any(fits(value, said) for value in values)


def _refusal(gateway: Gateway, status: int, tree: Any) -> NotTaken:
    if status == 429:
        return NotTaken("429", SLOW_DOWN, retryable=True)
    if status < 400:
        return NotTaken(str(status), MOVED)
    return _no(gateway, tree, code=str(status), text=REFUSED_LOGIN if status in (401, 403) else REFUSED)


def _no(gateway: Gateway, tree: Any, *, code: str, text: str) -> NotTaken:
    own = _text_at(tree, gateway.error_at, LONGEST_TEXT)
    return NotTaken(_text_at(tree, gateway.code_at, 20) or code, own or text)


def _tree(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return soap.read(body)


def value_at(tree: Any, path: str) -> Any:
    """What stands at a path such as data.0.id; None where nothing does."""
    for step in path.split("."):
        if isinstance(tree, dict):
            tree = tree.get(step)
        elif isinstance(tree, list) and step.isdecimal() and int(step) < len(tree):
            tree = tree[int(step)]
        else:
            return None
    return tree


def as_text(value: Any) -> str | None:
    """A leaf as text, in the spelling of JSON for what is none; None for an object, a list or nothing."""
    match value:
        case str():
            return value
        case bool():
            return "true" if value else "false"
        case int() | float():
            return str(value)
        case _:
            return None


def _part(pattern: str, text: str) -> str | None:
    """What a regular expression finds in a text: its first group, or all of it; None where it does not fit."""
    try:
        found = re.search(pattern.strip(), text[:LONGEST_SEARCHED])
    except re.error:
        return None
    return (found[1] if found.re.groups else found[0]) if found else None


def _text_at(tree: Any, path: str, longest: int) -> str | None:
    place, _, pattern = path.partition(" ~ ")
    text = as_text(value_at(tree, place.strip())) if place else None
    if text is not None and pattern:
        text = _part(pattern, text)
    return clean_text(text).strip()[:longest] or None if text is not None else None
