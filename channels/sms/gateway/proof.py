"""Is this callback the gateway's? By a token, or by a signature over parts of it within a time (pure)."""

import base64
import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from channels.sms.gateway.config import Gateway, Proof

# A request that is older was recorded somewhere and is played again.
WINDOW = timedelta(minutes=5)
ALGORITHMS = ("sha256", "sha512", "sha1", "md5")
_PLACE = re.compile(r"\{\{\s*([^{}]+?)\s*\}\}")
_STAMP = re.compile(r"\d{14}")


def is_proven(
    gateway: Gateway,
    secrets: Sequence[str],
    *,
    headers: Mapping[str, str],
    fields: Mapping[str, str],
    body: bytes,
    zone: ZoneInfo,
    now: datetime,
) -> bool:
    """Whether one of the secrets (the callback secret, its successor while it is rotated) stands behind a callback.

    Names are looked up among the headers first, then among the fields. Without a secret nothing is proven.
    """
    held = [secret for secret in secrets if secret]
    given = _named(gateway.proof_at or "authorization", headers, fields)
    if not held or not given:
        return False
    if gateway.proof == Proof.TOKEN:
        return any(_same(given.removeprefix("Bearer ").strip(), secret) for secret in held)
    if gateway.algorithm not in ALGORITHMS:
        return False
    time = _named(gateway.time_at, headers, fields) if gateway.time_at else ""
    if gateway.time_at and not _is_fresh(time, zone, now):
        return False
    return any(_is_signed(gateway, secret, given, time, fields, body) for secret in held)


def _named(name: str, headers: Mapping[str, str], fields: Mapping[str, str]) -> str:
    return headers.get(name.lower()) or fields.get(name, "")


def _is_signed(gateway: Gateway, secret: str, given: str, time: str, fields: Mapping[str, str], body: bytes) -> bool:
    text = signed_text(gateway.proof_text or "{{body}}", secret, time, fields, body)
    if gateway.proof == Proof.HMAC:
        expected = hmac.digest(secret.encode(), text, gateway.algorithm)
    else:
        expected = hashlib.new(gateway.algorithm, text, usedforsecurity=False).digest()
    given = given.rpartition("=")[2] if given.startswith(f"{gateway.algorithm}=") else given
    return any(hmac.compare_digest(one, expected) for one in _decoded(given))


def signed_text(template: str, secret: str, time: str, fields: Mapping[str, str], body: bytes) -> bytes:
    """The bytes that were signed: fields by their names, the body as it came, the secret, the time."""
    parts: list[bytes] = []
    end = 0
    for place in _PLACE.finditer(template):
        parts.append(template[end : place.start()].encode())
        match place[1]:
            case "body":
                parts.append(body)
            case "secret":
                parts.append(secret.encode())
            case "time":
                parts.append(time.encode())
            case name:
                parts.append(fields.get(name, "").encode("utf-8", "surrogatepass"))
        end = place.end()
    return b"".join([*parts, template[end:].encode()])


def _decoded(given: str) -> list[bytes]:
    """A signature's bytes, in either spelling that gateways use."""
    found = []
    with suppress(ValueError):
        found.append(bytes.fromhex(given.strip()))
    with suppress(ValueError):
        found.append(base64.b64decode(given.strip().replace("-", "+").replace("_", "/"), validate=True))
    return found


def _same(given: str, secret: str) -> bool:
    return hmac.compare_digest(given.encode("utf-8", "surrogatepass"), secret.encode())


def _is_fresh(time: str, zone: ZoneInfo, now: datetime) -> bool:
    at = moment(time, zone)
    return at is not None and abs(now - at) <= WINDOW


def moment(text: str, zone: ZoneInfo) -> datetime | None:
    """A time as gateways write it: Unix seconds or milliseconds, yyyyMMddHHmmss in their zone, or ISO 8601."""
    written = text.strip()
    try:
        if _STAMP.fullmatch(written):
            return datetime.strptime(written, "%Y%m%d%H%M%S").replace(tzinfo=zone).astimezone(UTC)
        if written.isascii() and written.isdigit():
            seconds = int(written) / (1000 if len(written) > 11 else 1)
            return datetime.fromtimestamp(seconds, UTC)
        at = datetime.fromisoformat(written)
        return (at if at.tzinfo else at.replace(tzinfo=zone)).astimezone(UTC)
    except (ValueError, OverflowError, OSError):
        return None
