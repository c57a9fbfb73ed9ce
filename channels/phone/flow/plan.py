"""A line's call plan: what a caller hears and may choose, as the settings of the account keep it (pure)."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any
from urllib.parse import urlsplit

from contact_center.core.i18n import LOCALES, mark

DIGITS = "1234567890*#"
LONGEST_TEXT = 800
MOST_OPTIONS = 10
TRIES = (1, 2, 3)
UNTOLD = mark("Callers must learn that they are recorded: announce it, ask, or say it in a greeting of your own.")
# field -> its lowest and highest value, in seconds or minutes.
LIMITS: Mapping[str, tuple[int, int]] = {
    "timeout": (2, 20),
    "interval": (15, 120),
    "callback_after": (0, 1800),
    "most_minutes": (1, 60),
    "voicemail_seconds": (10, 600),
}
# The texts that a line may say in its own words.
TEXTS = ("greeting", "menu", "consent", "closed", "waiting", "voicemail")


class Consent(StrEnum):
    """How a caller learns that the talk is recorded: not at all, told, or asked for a key."""

    NONE = "none"
    ANNOUNCE = "announce"
    ASK = "ask"


class Way(StrEnum):
    """Where a caller goes who cannot go on as wished."""

    QUEUE = "queue"
    VOICEMAIL = "voicemail"
    HANG_UP = "hang_up"


class Voice(StrEnum):
    """Who speaks the texts."""

    WOMAN = "woman"
    MAN = "man"


@dataclass(frozen=True, slots=True)
class Option:
    """A key of the menu: the queue it leads to (None: the line's own), the language from there on ("": as before)."""

    digit: str
    queue_id: int | None = None
    locale: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything a line does with a caller; an empty text is ours in that language."""

    locale: str = "en"
    voice: Voice = Voice.WOMAN
    # name -> locale -> text
    texts: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    greeting_audio: str = ""
    hours: bool = True
    closed: Way = Way.VOICEMAIL
    options: Sequence[Option] = ()
    # This key says the menu again; "" for none.
    repeat: str = "*"
    timeout: int = 6
    tries: int = 3
    nothing: Way = Way.QUEUE
    wrong: Way = Way.QUEUE
    record: bool = False
    consent: Consent = Consent.ANNOUNCE
    # Who does not agree is served unrecorded (QUEUE), or not at all.
    refused: Way = Way.QUEUE
    music: str = ""
    interval: int = 30
    say_position: bool = True
    say_wait: bool = True
    callback: bool = True
    callback_after: int = 0
    most_minutes: int = 10
    voicemail: bool = True
    voicemail_seconds: int = 120
    transcribe: bool = False


def plan_of(settings: Mapping[str, Any]) -> Plan | None:
    """The plan of an account, if it has one that is switched on; what is stored was checked when it was saved."""
    stored = settings.get("plan")
    return read(stored) if isinstance(stored, Mapping) and stored.get("enabled") else None


def read(stored: Mapping[str, Any]) -> Plan:
    """A stored plan; what a newer or older version wrote beside it is ignored."""
    usual = Plan()
    known = {name: stored[name] for name in asdict(usual) if name in stored}
    kinds = {"voice": Voice, "closed": Way, "nothing": Way, "wrong": Way, "refused": Way, "consent": Consent}
    for name, kind in kinds.items():
        if name in known:
            known[name] = kind(known[name])
    if "options" in known:
        known["options"] = tuple(
            Option(str(one["digit"]), one.get("queue_id"), str(one.get("locale") or "")) for one in known["options"]
        )
    return Plan(**known)


def write(plan: Plan, *, enabled: bool) -> dict[str, Any]:
    """A plan as the account's settings keep it."""
    return {**asdict(plan), "options": [asdict(option) for option in plan.options], "enabled": enabled}


def mistakes(plan: Plan, queue_ids: Collection[int]) -> list[tuple[str, str]]:
    """(field, what to do) for everything that would leave a caller stranded."""
    found = [*_bad_menu(plan, queue_ids), *_bad_ways(plan), *_bad_addresses(plan)]
    for name, (low, high) in LIMITS.items():
        if not low <= getattr(plan, name) <= high:
            found.append((name, mark("This is too little or too much.")))
    if plan.tries not in TRIES:
        found.append(("tries", mark("Say the menu at least once and at most three times: nobody may be kept in it.")))
    for name, by_locale in plan.texts.items():
        found += [
            (f"{name}_{locale}", mark("This is too long to listen to. Shorten it."))
            for locale, text in by_locale.items()
            if len(text) > LONGEST_TEXT
        ]
    return found


def _bad_menu(plan: Plan, queue_ids: Collection[int]) -> list[tuple[str, str]]:
    found = []
    digits = [option.digit for option in plan.options]
    for place, option in enumerate(plan.options):
        if option.digit not in DIGITS or len(option.digit) != 1:
            found.append((f"digit_{place}", mark("Choose one key of the phone.")))
        elif option.digit in digits[:place]:
            found.append((f"digit_{place}", mark("This key leads somewhere already. Choose another one.")))
        elif option.digit == plan.repeat:
            found.append((f"digit_{place}", mark("This key repeats the menu. Choose another one.")))
        if option.queue_id is not None and option.queue_id not in queue_ids:
            found.append((f"queue_{place}", mark("This queue is no longer there. Choose another one.")))
        if option.locale and option.locale not in LOCALES:
            found.append((f"locale_{place}", mark("We do not speak this language.")))
    return found


def _bad_ways(plan: Plan) -> list[tuple[str, str]]:
    found = []
    for name in ("closed", "nothing", "wrong"):
        if getattr(plan, name) is Way.VOICEMAIL and not plan.voicemail:
            found.append((name, mark("There is no voicemail on this line. Switch it on, or choose another way.")))
    if plan.closed is Way.QUEUE:
        found.append(("closed", mark("Nobody answers a closed queue. Choose voicemail, or hang up.")))
    if plan.refused is Way.VOICEMAIL:
        found.append(("refused", mark("Serve the caller without a recording, or hang up.")))
    if plan.record and plan.consent is Consent.NONE and not plan.texts.get("greeting"):
        # Recording without a word is a crime in many countries; a greeting of one's own may say it.
        found.append(("consent", UNTOLD))
    return found


def _bad_addresses(plan: Plan) -> list[tuple[str, str]]:
    return [
        (name, mark("Write an address that begins with https://"))
        for name in ("greeting_audio", "music")
        if getattr(plan, name) and not _is_safe(getattr(plan, name))
    ]


def _is_safe(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme == "https" and bool(parts.hostname) and not any(char.isspace() for char in url)
