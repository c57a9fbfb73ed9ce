"""Password hashes (argon2id) and the rule that a password must meet."""

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from contact_center.core.errors import Invalid

MIN_LENGTH = 10
MAX_LENGTH = 200

# The second profile of RFC 9106: 64 MiB would let twenty logins at once take over a gigabyte.
_hasher = PasswordHasher(time_cost=3, memory_cost=19_456, parallelism=1)
# Verified against when there is no such user, so that both answers take as long: the hash of something that was thrown
# away, written down because to make one costs each start as much as a login.
NOBODY = "$argon2id$v=19$m=19456,t=3,p=1$jpmCQo3x4X9LpfKbETTXHg$AbY6jMzBOennrp7UUAylNS2M+i4RkVvrmkmX/8Py3yE"


def hash_password(password: str) -> str:
    """An argon2id hash; Invalid if the password is too short or too long."""
    if not MIN_LENGTH <= len(password) <= MAX_LENGTH:
        raise Invalid("A password needs at least {least} characters.", field="password", least=MIN_LENGTH)
    return _hasher.hash(password)


def matches(password: str, stored: str | None) -> bool:
    """Whether the password is the one behind the hash; takes as long when there is no hash."""
    try:
        _hasher.verify(stored or NOBODY, password[:MAX_LENGTH])
    except (VerificationError, InvalidHashError):
        return False
    return stored is not None
