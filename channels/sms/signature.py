"""Is this request Twilio's? Its signature over the public URL and the form, or over the URL and a body hash."""

import hmac
from collections.abc import Sequence
from urllib.parse import parse_qs, urlsplit

from starlette.datastructures import ImmutableMultiDict
from twilio.request_validator import RequestValidator, get_signature_algorithm

from channels.sms.parse import Form


def is_signed(
    url: str,
    form: Form,
    signature: str | None,
    *,
    secrets: Sequence[str],
    settings_header: str | None = None,
    body: bytes | None = None,
) -> bool:
    """Whether one of the secrets (auth token, its successor while it is rotated, shared key) signed this request.

    `url` is the public address as Twilio called it, with its query; the port variants are both tried.
    `body` is given for JSON, which is signed by the bodySHA256 of the query. A missing header is False.
    """
    if not signature or not signature.isascii():
        return False
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return False
    params: ImmutableMultiDict[str, str] | str = ImmutableMultiDict(list(form))
    if body is not None:
        if "bodySHA256" not in parse_qs(parts.query):
            return False
        try:
            params = body.decode("utf-8")
        except UnicodeDecodeError:
            return False
    algorithm = get_signature_algorithm(settings_header)
    validators = [RequestValidator(secret) for secret in secrets if secret]
    if body is None and any(_is_exact(one, url, params, signature, algorithm) for one in validators):
        return True
    return any(one.validate(url, params, signature, algorithm) for one in validators)


def _is_exact(validator: RequestValidator, url: str, params: object, signature: str, algorithm: str | None) -> bool:
    """Whether the very address was signed, as it nearly always is: `validate` computes every variant of it first."""
    try:
        return hmac.compare_digest(validator.compute_signature(url, params, algorithm), signature)
    except ValueError:
        return False
