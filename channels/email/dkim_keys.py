"""DKIM: an account's own signing key, the record that its domain publishes, and the signature of a mail (RFC 6376).

Account settings: `dkim` {domain, selector, signs}; secrets: `dkim` {key}, an RSA key in PEM; without one, the key of
the setting `dkim_key`. A mail is signed after
it is composed; what readers see is signed once more than it is there, so that nobody can put a second field in front.
"""

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import dkim
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from contact_center.core.errors import Invalid
from tickets.channel_accounts import Account

LEAST_BITS = 1024
NEW_BITS = 2048
# What receivers show or act on.
_SIGNED = (
    *("from", "to", "cc", "subject", "date", "reply-to", "message-id", "in-reply-to", "references", "mime-version"),
    *("content-type", "content-transfer-encoding", "list-unsubscribe", "list-unsubscribe-post", "auto-submitted"),
)
# Signed once more than there are, an absent one as absent.
_TWICE = ("from", "to", "cc", "subject", "date", "reply-to", "content-type")
_LABEL = r"[a-z0-9](?:[a-z0-9_-]{0,61}[a-z0-9])?"
_DOMAIN = re.compile(rf"{_LABEL}(?:\.{_LABEL})+")
_SELECTOR = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")


@dataclass(frozen=True, slots=True)
class Signer:
    """The key that an account signs with, and under which name the world finds its public half."""

    domain: str
    selector: str
    key: bytes

    @property
    def name(self) -> str:
        """Where the record stands in the DNS."""
        return f"{self.selector}._domainkey.{self.domain}"

    @property
    def record(self) -> str:
        """The text of the record."""
        public = opened(self.key).public_key()
        der = public.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
        return f"v=DKIM1; k=rsa; p={base64.b64encode(der).decode()}"

    def signed(self, raw: bytes) -> bytes:
        """The mail with its signature in front."""
        signing = dkim.DKIM(raw)
        present = [name.decode().lower() for name, _ in signing.headers]
        names = [name for name in _SIGNED for _ in range(present.count(name))]
        field: bytes = signing.sign(
            self.selector.encode(),
            self.domain.encode(),
            self.key,
            canonicalize=(b"relaxed", b"relaxed"),
            include_headers=[name.encode() for name in (*names, *_TWICE)],
        )
        return field + raw


def new_key() -> str:
    """A fresh private key as PEM."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=NEW_BITS)
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()


def check_names(domain: str, selector: str) -> tuple[str, str]:
    """Domain and selector in small letters; raises Invalid."""
    domain, selector = domain.strip().lower(), selector.strip().lower()
    if not _DOMAIN.fullmatch(domain) or len(domain) > 200:
        raise Invalid("Write a domain such as shop.example.", field="dkim_domain")
    if not _SELECTOR.fullmatch(selector) or len(selector) > 60:
        raise Invalid("A selector has letters, digits and hyphens, such as desk2026.", field="dkim_selector")
    return domain, selector


def opened(pem: bytes) -> rsa.RSAPrivateKey:
    """The key behind a PEM; raises Invalid with what is wrong with it."""
    try:
        key = serialization.load_pem_private_key(pem.strip() + b"\n", password=None)
    except TypeError:
        raise Invalid("This key has a passphrase. Write it without one.", field="dkim_key") from None
    except (ValueError, UnsupportedAlgorithm):
        raise Invalid(
            "This is not a private key: it begins with -----BEGIN PRIVATE KEY-----", field="dkim_key"
        ) from None
    if not isinstance(key, rsa.RSAPrivateKey):
        raise Invalid("Only RSA keys are understood everywhere. Take one with 2048 bits.", field="dkim_key")
    if key.key_size < LEAST_BITS:
        raise Invalid("This key is too short: receivers ask for {least} bits.", field="dkim_key", least=LEAST_BITS)
    return key


def signer_of(account: Account, shared: str = "") -> Signer | None:
    """How an account signs, with its own key or the installation's `shared` one; None where it does not.

    Raises Invalid for a key that cannot be used.
    """
    return prepared(account, shared) if (account.settings.get("dkim") or {}).get("signs") else None


def own_key(account: Account) -> str:
    """The key that is stored with the account, as PEM; "" where there is none."""
    return str((account.secrets.get("dkim") or {}).get("key") or "")


def prepared(account: Account, shared: str = "") -> Signer | None:
    """The same for one whose record may not be published yet; None where no key was chosen."""
    chosen: Mapping[str, Any] = account.settings.get("dkim") or {}
    if not chosen:
        return None
    key = opened((own_key(account) or shared).encode()).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    )
    return Signer(str(chosen.get("domain")), str(chosen.get("selector")), key)
