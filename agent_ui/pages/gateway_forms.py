"""The form of an SMS account's HTTP gateway: what it stores, what it refuses, and what the presets fill in."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from zoneinfo import available_timezones

from agent_ui.forms import Form
from agent_ui.pages.admin import choices
from agent_ui.views import Choice
from channels.sms.gateway import config
from channels.sms.gateway.config import FIELDS, PROVIDER, WORDS, Body, Gateway, Proof, state_lines
from channels.sms.gateway.presets import PRESETS
from channels.sms.gateway.proof import ALGORITHMS
from channels.sms.gateway.request import PLACES, BadTemplate, prepare, values
from contact_center.core.i18n import gettext, mark
from tickets.channel_accounts import Account

TWILIO = "twilio"
PROVIDERS = {TWILIO: mark("Twilio"), PROVIDER: mark("HTTP gateway")}
SECRETS = ("gateway_user", "gateway_password", "callback_secret", "callback_secret_next")
METHODS = ("POST", "PUT", "GET")
BODIES = {
    Body.JSON.value: mark("JSON"),
    Body.FORM.value: mark("Form"),
    Body.XML.value: mark("XML (SOAP)"),
    Body.NONE.value: mark("None, all in the address"),
}
PROOFS = {
    Proof.TOKEN.value: mark("It repeats the callback secret"),
    Proof.HMAC.value: mark("It signs with the callback secret (HMAC)"),
    Proof.DIGEST.value: mark("It hashes a text that holds the callback secret"),
}
LONGEST = 4_000
# A message for trying templates out: with everything that may stand in one.
EXAMPLE = values(
    to="+84903123456",
    sender="SHOP",
    text="Xin chào",
    reference="1-20260101000000",
    receipt_url="https://desk.example/hooks/sms/key/receipt/token",
    secrets={"gateway_user": "user", "gateway_password": "password"},
)


@dataclass(frozen=True, slots=True)
class Offered:
    """What the page lets choose beside the fields."""

    provider: str
    providers: list[Choice]
    presets: list[Choice]
    preset: str
    hint: str
    documentation: str
    methods: list[Choice]
    bodies: list[Choice]
    proofs: list[Choice]
    algorithms: list[Choice]
    places: str


def offered(locale: str, form: Form) -> Offered:
    """The choices in the person's language."""
    preset = PRESETS.get(form.values.get("preset", ""))
    return Offered(
        provider=form.values.get("provider") or TWILIO,
        providers=choices(locale, PROVIDERS),
        presets=choices(locale, {key: one.name for key, one in PRESETS.items()}),
        preset=form.values.get("preset", ""),
        hint=gettext(locale, preset.hint) if preset else "",
        documentation=preset.documentation if preset else "",
        methods=[Choice(one, one) for one in METHODS],
        bodies=choices(locale, BODIES),
        proofs=choices(locale, PROOFS),
        algorithms=[Choice(one, one) for one in ALGORITHMS],
        places=" ".join(f"{{{{{name}}}}}" for name in PLACES),
    )


def chosen(query: Mapping[str, str]) -> dict[str, str]:
    """The form's values for the provider and the preset that the address names."""
    if query.get("provider") != PROVIDER:
        return {"provider": TWILIO}
    name = query.get("preset", "")
    preset = PRESETS.get(name, PRESETS["other"])
    filled = {field: getattr(Gateway(), field) for field in FIELDS} | dict(preset.values)
    return {
        "provider": PROVIDER,
        "preset": name if name in PRESETS else "other",
        **{f"gateway_{field}": str(value) for field, value in filled.items()},
    }


def read(form: Form) -> dict[str, Any]:
    """The settings of a posted form; every template is tried out."""
    stored = {name: form.text(f"gateway_{name}", longest=LONGEST) for name in FIELDS}
    stored["method"] = form.one_of("gateway_method", METHODS)
    stored["body_kind"] = form.one_of("gateway_body_kind", list(BODIES))
    stored["proof"] = form.one_of("gateway_proof", list(PROOFS))
    stored["algorithm"] = form.one_of("gateway_algorithm", ALGORITHMS)
    if not stored["url"]:
        form.fail("gateway_url", mark("This field cannot be empty."))
    elif form.ok:
        _try_out(form, stored)
    if bool(stored["in_from"]) != bool(stored["in_text"]):
        missing = "in_text" if stored["in_from"] else "in_from"
        form.fail(f"gateway_{missing}", mark("Incoming messages need both the sender's field and the text's."))
    if stored["time_at"] and stored["proof"] != Proof.TOKEN and not _covers_time(stored):
        form.fail("gateway_proof_text", mark("The signed text must contain the time, or the time proves nothing."))
    for name in ("ok_at", "id_at", "code_at", "error_at"):
        _check_pattern(form, f"gateway_{name}", stored[name])
    try:
        state_lines(stored["states"])
    except ValueError as error:
        form.fail(
            "gateway_states",
            mark("“%(line)s” is not a line such as 5 = delivered. Our words: %(words)s."),
            line=str(error),
            words=", ".join(WORDS),
        )
    zone = form.text("zone")
    if zone and zone not in available_timezones():
        form.fail("zone", mark("There is no such time zone. Write one such as Asia/Ho_Chi_Minh or Europe/Berlin."))
    preset = form.values.get("preset", "")
    return {
        "provider": PROVIDER,
        "preset": preset if preset in PRESETS else "other",
        "zone": zone,
        "gateway": {name: value for name, value in stored.items() if value},
    }


def _check_pattern(form: Form, name: str, path: str) -> None:
    try:
        re.compile(path.partition(" ~ ")[2].strip())
    except re.error as error:
        form.fail(name, mark("This is no regular expression: %(what)s"), what=str(error))


def _try_out(form: Form, stored: Mapping[str, str]) -> None:
    try:
        prepare(config.of({"gateway": stored}), EXAMPLE)
    except BadTemplate as error:
        sentence = {
            "url": mark("Write an address that begins with https:// and a host; the host can have no placeholder."),
            "headers": mark("Write one header a line, such as Authorization: Bearer {{password}}, in plain letters."),
            "body": mark("This is no valid template: %(what)s"),
        }[error.field]
        form.fail(f"gateway_{error.field}", sentence, what=str(error))


def _covers_time(stored: Mapping[str, str]) -> bool:
    text = stored["proof_text"].replace(" ", "")
    return "{{time}}" in text or f"{{{{{stored['time_at']}}}}}" in text


def gaps(settings: Mapping[str, Any]) -> list[str]:
    """What a gateway account lacks before it can send."""
    return [] if config.of(settings).url else [mark("cannot send: no gateway address")]


def hooks(account: Account, base_url: str) -> list[tuple[str, str]]:
    """(what it is for, address) of what is entered at the gateway."""
    base = f"{base_url}/hooks/sms/{account.key}"
    found = [(mark("Gateway: a message comes in (HTTP POST or GET)"), f"{base}/in")]
    found.append((mark("Gateway: reports, if it has one address for all of them"), f"{base}/receipt"))
    return found
