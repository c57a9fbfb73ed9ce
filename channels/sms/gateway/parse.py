"""A gateway's callback, whatever its form, as plain fields, and what they say (pure)."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from channels.sms.gateway.answer import as_text
from channels.sms.gateway.config import Gateway, fits, state_of
from channels.sms.parse import MAX_BODY, MAX_FIELDS, BadForm, InboundSms
from channels.sms.segments import measure
from contact_center.core.schema import clean_text
from tickets.states import Delivery

Fields = Mapping[str, str]
MAX_DEPTH = 6
LONGEST_ID = 200


@dataclass(frozen=True, slots=True)
class Report:
    """What became of one of our messages: `state` is None where it changes nothing."""

    external_id: str
    reference: str
    said: str
    state: Delivery | None
    error: str


def read_fields(query: bytes, body: bytes, content_type: str) -> dict[str, str]:
    """The fields of a callback: of its address, and of its body as JSON (a.b for nested ones) or as a form.

    The first value of a name stays, so that a copy appended to the address changes nothing. Raises BadForm.
    """
    try:
        pairs = parse_qsl(query.decode("ascii"), keep_blank_values=True, max_num_fields=MAX_FIELDS)
        if body.lstrip()[:1] in (b"{", b"["):
            pairs = [*_leaves(json.loads(body), "", MAX_DEPTH), *pairs]
        elif body.strip():
            charset = "utf-8" if "json" in content_type else "ascii"
            pairs = [*parse_qsl(body.decode(charset), keep_blank_values=True, max_num_fields=MAX_FIELDS), *pairs]
    except (ValueError, RecursionError) as error:
        raise BadForm(f"not fields: {error}") from error
    fields: dict[str, str] = {}
    for name, value in pairs[:MAX_FIELDS]:
        fields.setdefault(clean_text(name), clean_text(value))
    return fields


def _leaves(tree: Any, path: str, depth: int) -> list[tuple[str, str]]:
    if depth < 0:
        raise BadForm("nested too deeply")
    children: list[tuple[str, Any]] = []
    if isinstance(tree, dict):
        children = [(str(name), one) for name, one in tree.items()]
    elif isinstance(tree, list):
        children = [(str(index), one) for index, one in enumerate(tree)]
    found = []
    for name, one in children:
        here = f"{path}.{name}" if path else name
        text = as_text(one)
        found += [(here, text)] if text is not None else _leaves(one, here, depth - 1)
    return found


def is_report(gateway: Gateway, fields: Fields) -> bool:
    """Whether a callback to the common address is a report about our message, not a customer's."""
    if not gateway.kind_at:
        return False
    said = fields.get(gateway.kind_at, "")
    return any(fits(kind.strip(), said) for kind in gateway.kind_receipt.split(",") if kind.strip())


def parse_inbound(gateway: Gateway, fields: Fields, *, unnamed: str) -> InboundSms:
    """A customer's message; `unnamed` is its id where the gateway gives none. Raises BadForm."""
    body = clean_text(fields.get(gateway.in_text, ""))[:MAX_BODY]
    sender = clean_text(fields.get(gateway.in_from, "")).strip()
    if not gateway.receives or not sender:
        raise BadForm(f"{gateway.in_from or 'the sender'} is missing")
    sid = clean_text(fields.get(gateway.in_id, "")).strip() if gateway.in_id else unnamed
    if not sid:
        raise BadForm(f"{gateway.in_id} is missing")
    return InboundSms(
        sid=sid[:LONGEST_ID],
        account_sid="",
        service_sid="",
        sender=sender,
        recipient="",
        body=body,
        media=(),
        segments=measure(body).segments,
        country="",
        opt_out="",
    )


def parse_report(gateway: Gateway, fields: Fields) -> Report:
    """A report; several state fields, between commas, are read as one value with spaces."""
    names = [name.strip() for name in gateway.receipt_state.split(",") if name.strip()]
    said = " ".join(fields.get(name, "") for name in names)[:80]
    return Report(
        external_id=fields.get(gateway.receipt_id, "").strip()[:LONGEST_ID] if gateway.receipt_id else "",
        reference=fields.get(gateway.receipt_reference, "").strip()[:80] if gateway.receipt_reference else "",
        said=said,
        state=state_of(gateway, said) if names else None,
        error=clean_text(fields.get(gateway.receipt_error, ""))[:300] if gateway.receipt_error else "",
    )
