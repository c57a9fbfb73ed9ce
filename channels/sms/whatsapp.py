"""What WhatsApp adds to Twilio's messages: its addresses, and what stands in its webhook beside the words (pure)."""

from collections.abc import Mapping
from dataclasses import dataclass

from contact_center.core.schema import clean_text

PREFIX = "whatsapp:"
LONGEST_NAME = 120
LONGEST_PLACE = 300
MAP = "https://www.openstreetmap.org/?mlat={latitude}&mlon={longitude}#map=17/{latitude}/{longitude}"


@dataclass(frozen=True, slots=True)
class Location:
    """A place that somebody shared; `name` is what they or the map call it, with its address, or empty."""

    latitude: str
    longitude: str
    name: str

    def url(self) -> str:
        """Where a map shows it."""
        return MAP.format(latitude=self.latitude, longitude=self.longitude)


@dataclass(frozen=True, slots=True)
class Told:
    """The fields of one WhatsApp message: the profile's name, a pressed button, a place, what it answers to.

    `forwarded` is empty, `once` or `often`; `answers_to` is the sid of the message that was quoted.
    """

    name: str = ""
    button: str = ""
    payload: str = ""
    location: Location | None = None
    forwarded: str = ""
    answers_to: str = ""


NOTHING = Told()


def with_prefix(number: str) -> str:
    """Our number, or theirs, as Twilio wants it for WhatsApp."""
    return PREFIX + number


def without_prefix(address: str) -> str | None:
    """The number of a WhatsApp address, None for any other address."""
    text = address.strip()
    return text[len(PREFIX) :] if text[: len(PREFIX)].lower() == PREFIX else None


def read_told(values: Mapping[str, str]) -> Told:
    """What a webhook's form says; fields that Twilio leaves out are empty."""
    if not any(values.get(name, "").strip().lower().startswith(PREFIX) for name in ("From", "To")):
        return NOTHING
    return Told(
        name=_text(values, "ProfileName", LONGEST_NAME),
        button=_text(values, "ButtonText", LONGEST_PLACE) or _text(values, "ListTitle", LONGEST_PLACE),
        payload=_text(values, "ButtonPayload", LONGEST_PLACE) or _text(values, "ListId", LONGEST_PLACE),
        location=_location(values),
        forwarded="often" if _flag(values, "FrequentlyForwarded") else "once" if _flag(values, "Forwarded") else "",
        answers_to=_text(values, "OriginalRepliedMessageSid", 64),
    )


def _location(values: Mapping[str, str]) -> Location | None:
    latitude, longitude = _degrees(values.get("Latitude", ""), 90), _degrees(values.get("Longitude", ""), 180)
    if latitude is None or longitude is None:
        return None
    names = (_text(values, name, LONGEST_PLACE) for name in ("Label", "Address"))
    return Location(latitude, longitude, ", ".join(dict.fromkeys(name for name in names if name)))


def _degrees(text: str, most: int) -> str | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return f"{value:.6f}".rstrip("0").rstrip(".") if -most <= value <= most else None


def _text(values: Mapping[str, str], name: str, longest: int) -> str:
    return " ".join(clean_text(values.get(name, "")).split())[:longest]


def _flag(values: Mapping[str, str], name: str) -> bool:
    return values.get(name, "").strip().lower() == "true"
