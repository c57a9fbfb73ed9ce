"""WhatsApp's approved templates: read from Twilio's Content API, kept per account, filled with values."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, select

from channels.sms.models import WhatsAppTemplate
from contact_center.core.errors import Invalid, NotFound
from contact_center.core.schema import clean_text
from contact_center.core.upsert import upsert
from tickets.replies import Reply
from tickets.states import Channel
from tickets.windows import TEMPLATE

APPROVED = "approved"
LONGEST_VALUE = 300
_PLACE = re.compile(r"{{\s*(\w{1,40})\s*}}")
# Where the words stand in the kinds of content that WhatsApp takes to begin with, the richest first.
_WORDS = ("title", "body", "subtitle", "header_text", "footer")


@dataclass(frozen=True, slots=True)
class Template:
    """One template: `body` with its {{places}}, `variables` place -> example, `status` in WhatsApp's word."""

    sid: str
    name: str
    language: str
    category: str
    status: str
    reason: str
    body: str
    variables: Mapping[str, str]

    def values(self) -> dict[str, Any]:
        """As columns."""
        return {name: getattr(self, name) for name in self.__slots__} | {"variables": dict(self.variables)}


def read(content: Any) -> Template | None:
    """A content resource of the SDK with its approval; None for one that was never handed in to WhatsApp."""
    approval = content.approval_requests or {}
    status = str(approval.get("status") or "").lower()
    if not content.sid or status in ("", "unsubmitted"):
        return None
    body = _body(content.types or {})
    examples = {str(name): str(value) for name, value in (content.variables or {}).items()}
    places = {name: examples.get(name, "") for name in _PLACE.findall(body)}
    return Template(
        sid=content.sid,
        name=clean_text(str(approval.get("name") or content.friendly_name or content.sid))[:200],
        language=str(content.language or "").replace("_", "-")[:20],
        category=str(approval.get("category") or "").lower()[:40],
        status=status[:40],
        reason=clean_text(str(approval.get("rejection_reason") or ""))[:500],
        body=body,
        # A place may stand in a button's address only: it needs a value all the same.
        variables={**places, **examples},
    )


def _body(types: Mapping[str, Any]) -> str:
    """The words of the richest kind of content, as one text."""
    for content in sorted(types.items(), key=lambda one: one[0] == "twilio/text"):
        words = [str(content[1].get(name) or "").strip() for name in _WORDS if isinstance(content[1], dict)]
        if any(words):
            return clean_text("\n".join(word for word in words if word))
    return ""


def fill(body: str, values: Mapping[str, str]) -> str:
    """The text that the customer will read; a place without a value stays as it is."""
    return _PLACE.sub(lambda place: values.get(place[1]) or place[0], body)


def keep(tx: Connection, account_id: int, found: Sequence[Template], *, now: datetime) -> int:
    """Make an account's templates those that were found; returns how many there are."""
    for template in found:
        values = {"channel_account_id": account_id, "synced_at": now, **template.values()}
        upsert(tx, WhatsAppTemplate, key=("channel_account_id", "sid"), values=values)
    tx.execute(
        delete(WhatsAppTemplate).where(
            WhatsAppTemplate.channel_account_id == account_id, WhatsAppTemplate.synced_at < now
        )
    )
    return len(found)


def all_of(tx: Connection, account_id: int) -> Sequence[Row[Any]]:
    """All templates of an account, by name and language."""
    return tx.execute(
        select(WhatsAppTemplate.__table__)
        .where(WhatsAppTemplate.channel_account_id == account_id)
        .order_by(WhatsAppTemplate.name, WhatsAppTemplate.language, WhatsAppTemplate.id)
    ).all()


def usable(tx: Connection, account_id: int, locale: str) -> Sequence[Row[Any]]:
    """Those that may be sent, the customer's language first."""
    approved = [row for row in all_of(tx, account_id) if row.status == APPROVED]
    spoken = locale.replace("_", "-").partition("-")[0]
    return sorted(approved, key=lambda row: row.language.partition("-")[0] != spoken)


def answer_of(
    tx: Connection, account_id: int, template_id: int, values: Mapping[str, str], *, contact_point_id: int
) -> Reply:
    """A template with its values, as a reply; raises what `filled` raises."""
    text, meta = filled(tx, account_id, template_id, values)
    point = contact_point_id
    return Reply(text, channel=Channel.WHATSAPP, account_id=account_id, contact_point_id=point, meta=meta)


def filled(
    tx: Connection, account_id: int, template_id: int, values: Mapping[str, str]
) -> tuple[str, Mapping[str, Any]]:
    """The words of a template with its values, and the `meta` of a message that is made of it.

    NotFound for one that is not the account's; Invalid for one that is not approved or lacks a value.
    """
    row = tx.execute(
        select(WhatsAppTemplate.__table__).where(
            WhatsAppTemplate.id == template_id, WhatsAppTemplate.channel_account_id == account_id
        )
    ).first()
    if row is None:
        raise NotFound("There is no such template.")
    if row.status != APPROVED:
        raise Invalid("WhatsApp has not approved this template.", field="template")
    # WhatsApp refuses values with line breaks or long gaps.
    given = {name: " ".join(values.get(name, "").split())[:LONGEST_VALUE] for name in row.variables}
    for name, value in given.items():
        if not value:
            raise Invalid("Fill in all places of the template.", field=f"v_{name}")
    return fill(row.body, given) or row.name, {TEMPLATE: {"sid": row.sid, "name": row.name, "variables": given}}
