"""Texts with places that are filled when they are used: `{{customer.name}}`. Pure."""

import re
from collections.abc import Mapping

from contact_center.core.errors import Invalid

NAMES = ("customer.name", "ticket.number", "ticket.subject", "queue.name", "agent.name")
_PLACE = re.compile(r"\{\{([^{}\n]{0,80})\}\}")


def check(text: str, *, field: str) -> None:
    """Invalid for a placeholder that nothing fills."""
    for found in _PLACE.finditer(text):
        if found[1].strip() not in NAMES:
            possible = ", ".join(f"{{{{{name}}}}}" for name in NAMES)
            raise Invalid(
                "“{name}” is no placeholder. Possible are: {possible}.", field=field, name=found[0], possible=possible
            )


def fill(text: str, values: Mapping[str, str]) -> str:
    """The text with its places filled; one without a value stays as it is. A value is never read as a place."""
    return _PLACE.sub(lambda found: values.get(found[1].strip(), "") or found[0], text)


def unfilled(text: str) -> str:
    """The first of our places that is still there, as written; "" for none."""
    return next((found[0] for found in _PLACE.finditer(text) if found[1].strip() in NAMES), "")
