"""The shop's line: what callers hear and may choose. An administrator changes it under Channels."""

from collections.abc import Mapping
from typing import Any

from channels.phone.flow.plan import Consent, Option, Plan, Way, write

GREETING = {
    "en": "Welcome to Lotus & Lane. Thank you for calling.",
    "vi": "Lotus & Lane xin chào. Cảm ơn bạn đã gọi.",
}
# Keys for sales, support, companies (who have office hours) and Vietnamese.
SALES, SUPPORT, COMPANIES, VIETNAMESE = "1", "2", "3", "9"


def stored(queues: Mapping[str, int]) -> dict[str, Any]:
    """The plan as the account's settings keep it; `queues` are the shop's by name."""
    plan = Plan(
        texts={"greeting": GREETING},
        options=(
            Option(SALES, queues["Orders"]),
            Option(SUPPORT, queues["Technical"]),
            Option(COMPANIES, queues["Business"]),
            Option(VIETNAMESE, None, "vi"),
        ),
        closed=Way.VOICEMAIL,
        record=True,
        consent=Consent.ANNOUNCE,
        interval=15,
        callback_after=20,
        most_minutes=5,
    )
    return write(plan, enabled=True)
