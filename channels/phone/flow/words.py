"""What a line says where it has no words of its own, in the caller's language."""

from collections.abc import Mapping

from channels.phone.flow.plan import TEXTS, Consent, Plan, Voice
from contact_center.core.i18n import gettext, mark, ngettext

# Voices that Twilio documents for its text to speech; each speaks one language.
LANGUAGES: Mapping[str, str] = {"en": "en-US", "vi": "vi-VN"}
VOICES: Mapping[tuple[str, Voice], str] = {
    ("en", Voice.WOMAN): "Polly.Joanna-Neural",
    ("en", Voice.MAN): "Polly.Matthew-Neural",
    ("vi", Voice.WOMAN): "Google.vi-VN-Wavenet-A",
    ("vi", Voice.MAN): "Google.vi-VN-Wavenet-B",
}

PHRASES: Mapping[str, str] = {
    "greeting": mark("Hello, and thank you for calling."),
    "option": mark("For %(queue)s, press %(digit)s."),
    "language": mark("For English, press %(digit)s."),
    "repeat": mark("To hear this again, press %(digit)s."),
    "star": mark("star"),
    "hash": mark("hash"),
    "wrong": mark("That key leads nowhere."),
    "nothing": mark("We did not get your choice."),
    "consent_announce": mark("This call is recorded, so that we can serve you better."),
    "consent_ask": mark("May we record this call? Press 1 for yes, or any other key for no."),
    "unrecorded": mark("This call is not recorded. Please hold the line."),
    "waiting": mark("Please hold the line. We connect you to the next free colleague."),
    "next": mark("You are next in line."),
    "offer": mark("To be called back without losing your place, press 1."),
    "connecting": mark("We are connecting you now."),
    "closed": mark("Unfortunately nobody is here at the moment."),
    "nobody": mark("Unfortunately everybody is still busy."),
    "voicemail": mark("Please leave a message after the tone, and press the hash key when you are done."),
    "callback": mark("Thank you. You keep your place in line, and we call you back at this number: %(number)s."),
    "thanks": mark("Thank you for your message. We will get back to you. Goodbye."),
    "goodbye": mark("Thank you for calling. Goodbye."),
}


def voice_of(plan: Plan, locale: str) -> tuple[str, str]:
    """(Twilio's voice, its language) for a locale of ours."""
    return VOICES[locale, plan.voice], LANGUAGES[locale]


def phrase(plan: Plan, locale: str, name: str, **values: str) -> str:
    """A phrase in the line's own words, else in ours."""
    own = plan.texts.get(name, {}).get(locale, "") if name in TEXTS else ""
    if own:
        return own
    if name == "consent":
        name = f"consent_{plan.consent.value}"
    return gettext(locale, PHRASES[name], **values)


def announcement(plan: Plan, locale: str) -> str:
    """That the talk is recorded: the line's own words, unless those are a question, else ours."""
    own = plan.texts.get("consent", {}).get(locale, "") if plan.consent is Consent.ANNOUNCE else ""
    return own or gettext(locale, PHRASES["consent_announce"])


def place(locale: str, position: int) -> str:
    """A caller's place in the queue."""
    if position <= 1:
        return gettext(locale, PHRASES["next"])
    return ngettext(
        locale, "There is %(num)s caller before you.", "There are %(num)s callers before you.", position - 1
    )


def wait(locale: str, seconds: int) -> str:
    """How long it usually takes, in whole minutes."""
    minutes = max(1, -(-seconds // 60))
    return ngettext(
        locale,
        "The wait is about %(num)s minute at the moment.",
        "The wait is about %(num)s minutes at the moment.",
        minutes,
    )


def key_name(locale: str, digit: str) -> str:
    """A key as people say it."""
    return gettext(locale, PHRASES["star" if digit == "*" else "hash"]) if digit in "*#" else digit
