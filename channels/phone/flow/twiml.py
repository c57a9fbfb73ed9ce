"""What a caller hears at a spot, as TwiML (pure): built with Twilio's own classes, so that every text is escaped."""

from collections.abc import Mapping
from dataclasses import dataclass

from twilio.twiml import TwiML
from twilio.twiml.voice_response import Gather, VoiceResponse

from channels.phone.flow import words
from channels.phone.flow.plan import Plan
from channels.phone.flow.steps import Spot, Step
from contact_center.core.i18n import LOCALES

# How long silence after the words of a question is taken for "no key"; in the queue the music itself is the pause.
CONSENT_SECONDS = 6
WAIT_SECONDS = 1
# In the names of queues: the one that the line itself leads to.
OWN_QUEUE = 0
SILENCE_SECONDS = 5


@dataclass(frozen=True, slots=True)
class Scene:
    """A spot with everything its document needs. `next_url` takes the key, `recording_url` hears of the voicemail."""

    plan: Plan
    spot: Spot
    next_url: str
    recording_url: str
    transcription_url: str
    # What is played in the queue, between two announcements.
    music_url: str
    queues: Mapping[int, str]
    position: int | None = None
    wait_seconds: int | None = None
    offers_callback: bool = False
    # The caller's number in digits that can be spoken; empty where it is hidden.
    number: str = ""


def document(scene: Scene) -> VoiceResponse:
    """The document of a spot; TALKING has one of its own (channels.phone.verbs.join_twiml)."""
    answer = VoiceResponse()
    match scene.spot.step:
        case Step.MENU:
            _say_first(answer, scene)
            _menu(answer, scene)
        case Step.CONSENT:
            _say_first(answer, scene)
            gather = _gather(scene, CONSENT_SECONDS)
            _say(gather, scene, "consent")
            answer.append(gather)
        case Step.WAITING | Step.RINGING:
            _say_first(answer, scene)
            _hold(answer, scene)
        case Step.VOICEMAIL:
            _say_first(answer, scene)
            _record(answer, scene)
        case _:
            _say_first(answer, scene)
            answer.hangup()
    return answer


def _say_first(answer: VoiceResponse, scene: Scene) -> None:
    """The phrase the spot begins with (a greeting may be a recording); whoever comes into the queue hears more."""
    spot, plan = scene.spot, scene.plan
    if spot.said == "greeting" and plan.greeting_audio:
        answer.play(plan.greeting_audio)
    elif spot.said:
        number = {"number": scene.number} if spot.said == "callback" else {}
        _say(answer, scene, spot.said, **number)
    if spot.step is Step.WAITING and spot.said and spot.consent == "announced":
        _say(answer, scene, "consent")
    if spot.step is Step.WAITING and spot.said == "greeting":
        _say(answer, scene, "waiting")


def _menu(answer: VoiceResponse, scene: Scene) -> None:
    plan = scene.plan
    gather = _gather(scene, plan.timeout)
    for text, locale in menu_texts(plan, scene.queues):
        _speak(gather, plan, text, locale)
    if plan.repeat:
        digit = words.key_name(scene.spot.locale, plan.repeat)
        _say(gather, scene, "repeat", digit=digit)
    answer.append(gather)


def menu_texts(plan: Plan, queues: Mapping[int, str]) -> list[tuple[str, str]]:
    """(text, locale) of the menu: the line's own words in each language, else one sentence a key."""
    own = plan.texts.get("menu", {})
    order = sorted(LOCALES, key=lambda locale: locale != plan.locale)
    if any(own.get(locale) for locale in order):
        return [(own[locale], locale) for locale in order if own.get(locale)]
    found = []
    for option in plan.options:
        locale = option.locale or plan.locale
        digit = words.key_name(locale, option.digit)
        if option.queue_id is None and option.locale not in ("", plan.locale):
            text = words.phrase(plan, locale, "language", digit=digit)
        else:
            text = words.phrase(plan, locale, "option", queue=queues.get(option.queue_id or OWN_QUEUE, ""), digit=digit)
        found.append((text, locale))
    return found


def on_hold(scene: Scene) -> VoiceResponse:
    """One round for a caller who is on hold in a talk, where no key is heard; RINGING and WAITING as in the queue."""
    answer = VoiceResponse()
    _say_place(answer, scene)
    answer.play(scene.plan.music or scene.music_url)
    # Twilio plays such a document once.
    answer.redirect(scene.next_url)
    return answer


def _hold(answer: VoiceResponse, scene: Scene) -> None:
    """One round in the queue: where they stand, what they may do, then music until the next one."""
    gather = _gather(scene, WAIT_SECONDS)
    _say_place(gather, scene)
    if scene.offers_callback:
        _say(gather, scene, "offer")
    gather.play(scene.plan.music or scene.music_url)
    answer.append(gather)


def _say_place(answer: TwiML, scene: Scene) -> None:
    plan, spot = scene.plan, scene.spot
    if spot.step is Step.RINGING:
        _say(answer, scene, "connecting")
        return
    if plan.say_position and scene.position is not None:
        _speak(answer, plan, words.place(spot.locale, scene.position), spot.locale)
    if plan.say_wait and scene.wait_seconds is not None:
        _speak(answer, plan, words.wait(spot.locale, scene.wait_seconds), spot.locale)


def _record(answer: VoiceResponse, scene: Scene) -> None:
    plan = scene.plan
    _say(answer, scene, "voicemail")
    heard = {"transcribe": True, "transcribe_callback": scene.transcription_url} if plan.transcribe else {}
    answer.record(
        action=scene.next_url,
        max_length=plan.voicemail_seconds,
        timeout=SILENCE_SECONDS,
        finish_on_key="#",
        play_beep=True,
        trim="trim-silence",
        recording_status_callback=scene.recording_url,
        recording_status_callback_event="completed absent",
        **heard,
    )
    # Twilio goes on here only when it heard nothing at all.
    answer.redirect(scene.next_url)


def _gather(scene: Scene, timeout: int) -> Gather:
    return Gather(
        action=scene.next_url,
        input="dtmf",
        num_digits=1,
        timeout=timeout,
        finish_on_key="",
        action_on_empty_result=True,
    )


def _say(answer: TwiML, scene: Scene, name: str, **values: str) -> None:
    _speak(answer, scene.plan, words.phrase(scene.plan, scene.spot.locale, name, **values), scene.spot.locale)


def _speak(answer: TwiML, plan: Plan, text: str, locale: str) -> None:
    voice, language = words.voice_of(plan, locale)
    answer.say(text, voice=voice, language=language)
