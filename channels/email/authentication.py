"""What our own mail server found out about the sender (RFC 8601); a forged field never verifies anybody."""

import re
from collections.abc import Sequence
from enum import StrEnum

from channels.email.headers import decoded

_RESULT = re.compile(r"\b(dmarc|spf|dkim)\s?=\s?([a-z]{3,12})\b", re.IGNORECASE)
_COMMENT = re.compile(r"\([^()]{0,500}\)")


class Verdict(StrEnum):
    """pass: the sender's domain vouches for the mail; fail: it disowns it; none: nobody knows."""

    PASS = "pass"
    FAIL = "fail"
    NONE = "none"


def verdict(fields: Sequence[str], trusted_host: str) -> Verdict:
    """The verdict of the topmost field that the trusted host wrote; others are anybody's words."""
    if not trusted_host:
        return Verdict.NONE
    for value in fields:
        line = _COMMENT.sub(" ", decoded(value))
        host, _, results = line.partition(";")
        if host.strip().split(" ")[0].lower() != trusted_host.lower():
            continue
        found = {name.lower(): result.lower() for name, result in reversed(_RESULT.findall(results))}
        if found.get("dmarc") == "pass":
            return Verdict.PASS
        if found.get("dmarc") == "fail" or (found.get("spf") == "fail" and found.get("dkim") != "pass"):
            return Verdict.FAIL
        return Verdict.NONE
    return Verdict.NONE
