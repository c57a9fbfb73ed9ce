"""What the server signs for a browser: visit tokens, tickets to open a visit, proven identities, upload ids."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from itsdangerous import BadData, URLSafeSerializer

from contact_center.core.secrets import Vault

TICKET_LIFE = timedelta(hours=12)


@dataclass(frozen=True, slots=True)
class Upload:
    """A stored file of one visit; width and height only for an image that was re-detected as one."""

    digest: str
    name: str
    type: str
    size: int
    width: int | None
    height: int | None


@dataclass(frozen=True, slots=True)
class Identity:
    """A customer whom the website has vouched for: `subject` is their id there."""

    customer_id: int
    subject: str
    name: str
    email: str
    # Until when we believe the browser that shows it; None before we have signed it.
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Tokens:
    """Signs and checks; each kind has its own salt, so that none passes for another."""

    secret: str

    @classmethod
    def of(cls, vault: Vault) -> "Tokens":
        """The tokens of an installation."""
        return cls(vault.key("chat").hex())

    def _serializer(self, kind: str) -> URLSafeSerializer:
        return URLSafeSerializer(self.secret, salt=f"channels.chat.{kind}")

    def _load(self, kind: str, token: str, count: int) -> list[Any] | None:
        try:
            parts = self._serializer(kind).loads(token)
        except BadData:
            return None
        return parts if isinstance(parts, list) and len(parts) == count else None

    def visit_token(self, widget_key: str, visit_id: int) -> str:
        return str(self._serializer("visit").dumps([widget_key, visit_id]))

    def visit_of(self, token: str, widget_key: str) -> int | None:
        """The visit that the token is bound to; None if it is not ours or belongs to another widget."""
        parts = self._load("visit", token, 2)
        return int(parts[1]) if parts and parts[0] == widget_key else None

    def ticket(self, widget_key: str, *, now: datetime) -> str:
        return str(self._serializer("ticket").dumps([widget_key, int(now.timestamp())]))

    def ticket_fits(self, ticket: str, widget_key: str, *, now: datetime) -> bool:
        parts = self._load("ticket", ticket, 2)
        if not parts or parts[0] != widget_key:
            return False
        issued = datetime.fromtimestamp(parts[1], UTC)
        return timedelta(minutes=-5) <= now - issued <= TICKET_LIFE

    def identity(self, widget_key: str, generation: str, identity: Identity, *, now: datetime) -> str:
        """What a browser shows instead of the website's token, which is good for one use only."""
        parts = [widget_key, generation, int(now.timestamp()), identity.customer_id, identity.subject]
        return str(self._serializer("identity").dumps([*parts, identity.name, identity.email]))

    def identity_of(self, token: str, widget_key: str, generation: str, *, now: datetime) -> Identity | None:
        """The customer; None if it is not ours, too old, or older than the widget's present secret."""
        parts = self._load("identity", token, 7)
        if not parts or parts[0] != widget_key or parts[1] != generation:
            return None
        issued = datetime.fromtimestamp(parts[2], UTC)
        if not timedelta(minutes=-5) <= now - issued <= TICKET_LIFE:
            return None
        return replace(Identity(*parts[3:]), until=issued + TICKET_LIFE)

    def upload_id(self, visit_id: int, upload: Upload) -> str:
        parts = [visit_id, upload.digest, upload.name, upload.type, upload.size, upload.width, upload.height]
        return str(self._serializer("upload").dumps(parts))

    def upload_of(self, upload_id: str, visit_id: int) -> Upload | None:
        """The upload, if this visit made it."""
        parts = self._load("upload", upload_id, 7)
        return Upload(*parts[1:]) if parts and parts[0] == visit_id else None

    def upload(self, upload_id: str) -> Upload | None:
        """The upload behind an address that we made: who knows the address may see the file."""
        parts = self._load("upload", upload_id, 7)
        return Upload(*parts[1:]) if parts else None
