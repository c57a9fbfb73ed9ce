"""Why a message could not be sent: Twilio's error codes as one closed table with a text for people (pure)."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SmsError:
    """One reason: `retryable` means that nothing left and the very same request may be made again later.

    `opted_out`: the customer asked for no SMS; `suppress`: nothing more should be sent to this address at all.
    """

    code: str
    text: str
    retryable: bool = False
    opted_out: bool = False
    suppress: bool = False


def _table(*errors: SmsError) -> dict[str, SmsError]:
    return {error.code: error for error in errors}


OPTED_OUT = "The customer has opted out of SMS and must write START first."

# https://www.twilio.com/docs/api/errors: those that sending an SMS can meet, in the words of our screens.
ERRORS = _table(
    # Our account and its settings: an administrator has to act.
    SmsError("20003", "The SMS account's credentials were refused. An administrator must check them."),
    SmsError("20005", "The SMS account is suspended or closed."),
    SmsError("20404", "The SMS account does not exist at the carrier."),
    SmsError("30002", "The SMS account was suspended before the message was sent."),
    SmsError("21212", "Our sender number is not valid."),
    SmsError("21603", "No sender number is set for this channel."),
    SmsError("21606", "Our sender number cannot send SMS to this country or is not ours."),
    SmsError("21659", "Our sender number does not belong to this SMS account."),
    SmsError("21660", "Our sender number and the SMS account do not belong together."),
    SmsError("21703", "The messaging service has no sender number."),
    SmsError("21704", "The messaging service has no sender number that fits this destination."),
    SmsError("21705", "The messaging service does not exist."),
    SmsError("21408", "SMS to this country is not switched on in the carrier account."),
    SmsError("21608", "A trial account can send only to verified numbers."),
    SmsError("21609", "The address for delivery receipts is not valid."),
    SmsError("30024", "Our sender is not registered with the recipient's network."),
    SmsError("30032", "Our toll-free number is not verified yet."),
    SmsError("30034", "Our number is not registered for business messages in the United States."),
    SmsError("30035", "Our number's registration is still being processed."),
    SmsError("30489", "This content needs an approved sender in the destination country."),
    # The customer's number.
    SmsError("21211", "The customer's number is not a valid phone number.", suppress=True),
    SmsError("21217", "The customer's number is not a valid phone number.", suppress=True),
    SmsError("21604", "There is no number to send to."),
    SmsError("21610", OPTED_OUT, opted_out=True, suppress=True),
    SmsError("21612", "The carrier cannot reach this number from ours."),
    SmsError("21614", "The customer's number is not a mobile phone."),
    SmsError("30003", "The phone is switched off, out of reach or does not exist."),
    SmsError("30004", "The number has blocked messages or cannot receive them."),
    SmsError("30005", "The number is unknown to its network."),
    SmsError("30006", "The number is a landline or its network takes no SMS."),
    # The text and its files.
    SmsError("21602", "The message has neither text nor a file."),
    SmsError("21617", "The text is too long for SMS (1,600 characters at most)."),
    SmsError("21618", "The carrier refused the text."),
    SmsError("21619", "The message has neither text nor a file."),
    SmsError("21620", "The address of an attached file is not valid."),
    SmsError("21621", "This number cannot send files (MMS)."),
    SmsError("21623", "The message has more than ten files."),
    SmsError("12300", "The carrier does not accept this type of file."),
    SmsError("11200", "The carrier could not fetch an attached file."),
    SmsError("30007", "A network filtered the message as unwanted."),
    SmsError("30009", "A part of the message was lost on the way."),
    SmsError("30019", "The message is too large for the recipient's network."),
    SmsError("30010", "The message would cost more than the limit that is set."),
    # Load and failures on the way. Only the refusals made before acceptance may be tried again by a program.
    SmsError("20429", "The carrier asked us to slow down; the message is tried again.", retryable=True),
    SmsError("21611", "The carrier's queue for our number is full; the message is tried again.", retryable=True),
    SmsError("30001", "The carrier's queue was full and the message was dropped."),
    SmsError("30022", "Our number sent more than the networks allow at once."),
    SmsError("30023", "Our number has reached its limit for today."),
    SmsError("30008", "The network did not say why it failed."),
    SmsError("30017", "The recipient's network is congested."),
    SmsError("30036", "The message could not be delivered in time."),
    SmsError("30410", "The recipient's network did not answer in time."),
    SmsError("30500", "The carrier had an internal failure."),
)

UNKNOWN_TEXT = "The carrier refused the message."
REJECTED = SmsError("rejected", UNKNOWN_TEXT)


def lookup(code: str | int | None, carrier_text: str = "") -> SmsError:
    """The error of a carrier's code; an unlisted code keeps its number and the carrier's own words."""
    key = str(code).strip() if code is not None else ""
    if key in ("", "0", "None"):
        return REJECTED
    known = ERRORS.get(key)
    return known or SmsError(key[:20], carrier_text.strip()[:300] or UNKNOWN_TEXT)


def from_response(http_status: int, code: str | int | None, carrier_text: str = "") -> SmsError | None:
    """What an HTTP refusal means; None when the outcome is unknown (5xx), so that nobody sends it again."""
    if http_status >= 500:
        return None
    if http_status == 429 and str(code) not in ERRORS:
        return ERRORS["20429"]
    if http_status in (401, 403) and str(code) not in ERRORS:
        return ERRORS["20003"]
    return lookup(code, carrier_text)
