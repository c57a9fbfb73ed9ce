"""The installation's secret: signs tokens, encrypts channel credentials."""

import base64
import hashlib
import hmac
import os
import secrets
from pathlib import Path
from typing import Any

import orjson
from cryptography.exceptions import InvalidTag
from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from itsdangerous import BadSignature, SignatureExpired, URLSafeTimedSerializer

from contact_center.core.settings import Settings

SECRET_BYTES = 32
MIN_SECRET_LENGTH = 32
KEY_BYTES = 32
# Every sealing has a key of its own, so the nonce may stay the same.
_NONCE = bytes(12)


class BadToken(Exception):
    """A token that we did not sign, or that is too old."""


def load_secret(settings: Settings) -> str:
    """The secret of the settings, or the one in data_dir/secret, made (0600) on first use."""
    if settings.secret_key:
        return settings.secret_key
    if settings.production:
        raise ValueError("in production CONTACT_CENTER_SECRET_KEY (or _SECRET_KEY_FILE) must be set")
    return _from_file(settings.data_dir / "secret")


def _from_file(path: Path) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        # Two processes may start at once: whoever creates the file decides.
        descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    except FileExistsError:
        return path.read_text().strip()
    with os.fdopen(descriptor, "w") as file:
        file.write(secrets.token_urlsafe(SECRET_BYTES))
    return path.read_text().strip()


class Vault:
    """Signs and encrypts with keys derived from the secret, one per purpose."""

    def __init__(self, secret: str) -> None:
        if len(secret) < MIN_SECRET_LENGTH:
            raise ValueError(f"the secret key needs at least {MIN_SECRET_LENGTH} characters")
        self._secret = secret.encode()
        self._fernet = Fernet(base64.urlsafe_b64encode(self.key("encrypt")))

    def key(self, purpose: str) -> bytes:
        """A 32-byte key for one purpose."""
        return hmac.new(self._secret, purpose.encode(), hashlib.sha256).digest()

    def sign(self, purpose: str, value: Any) -> str:
        """A URL-safe token that holds `value` (JSON) and its time."""
        return URLSafeTimedSerializer(self.key(purpose), salt=purpose).dumps(value)

    def verify(self, purpose: str, token: str, *, max_age: int | None = None) -> Any:
        """The value of a token signed for `purpose` at most `max_age` seconds ago; raises BadToken."""
        try:
            return URLSafeTimedSerializer(self.key(purpose), salt=purpose).loads(token, max_age=max_age)
        except (BadSignature, SignatureExpired) as error:
            raise BadToken(str(error)) from error

    def encrypt(self, value: Any) -> bytes:
        """JSON, encrypted and authenticated."""
        return self._fernet.encrypt(orjson.dumps(value))

    def decrypt(self, data: bytes) -> Any:
        """What `encrypt` got; raises BadToken when the secret key is another one."""
        try:
            return orjson.loads(self._fernet.decrypt(data))
        except InvalidToken as error:
            raise BadToken("cannot be decrypted: the secret key has changed") from error

    def sealing_key(self) -> str:
        """The public half of the key that `unseal` opens with; whoever has it can `seal`, and nothing else."""
        return self._private().public_key().public_bytes_raw().hex()

    def unseal(self, data: bytes) -> Any:
        """What `seal` got; raises BadToken when it was sealed for another secret key."""
        private, given = self._private(), data[:KEY_BYTES]
        try:
            shared = private.exchange(X25519PublicKey.from_public_bytes(given))
            opened = _cipher(shared, given, private.public_key().public_bytes_raw()).decrypt(
                _NONCE, data[KEY_BYTES:], None
            )
        except (InvalidTag, ValueError) as error:
            raise BadToken("cannot be opened: the secret key has changed") from error
        return orjson.loads(opened)

    def _private(self) -> X25519PrivateKey:
        return X25519PrivateKey.from_private_bytes(self.key("seal"))


def seal(sealing_key: str, value: Any) -> bytes:
    """JSON that only the holder of the secret reads (X25519, HKDF, ChaCha20-Poly1305); writing needs no secret."""
    public = bytes.fromhex(sealing_key)
    once = X25519PrivateKey.generate()
    given = once.public_key().public_bytes_raw()
    shared = once.exchange(X25519PublicKey.from_public_bytes(public))
    return given + _cipher(shared, given, public).encrypt(_NONCE, orjson.dumps(value), None)


def _cipher(shared: bytes, given: bytes, public: bytes) -> ChaCha20Poly1305:
    info = b"contact-center seal" + given + public
    return ChaCha20Poly1305(HKDF(SHA256(), KEY_BYTES, salt=None, info=info).derive(shared))
