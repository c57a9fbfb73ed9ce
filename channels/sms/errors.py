"""Why a message could not be sent: Twilio's error codes as one closed table with a text for people (pure)."""

from dataclasses import dataclass

from contact_center.core.i18n import mark


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


OPTED_OUT = mark("The customer has opted out of SMS and must write START first.")
OUTSIDE_WINDOW = mark(
    "More than 24 hours have passed since the customer's last message: WhatsApp takes only an approved template."
)

# https://www.twilio.com/docs/api/errors: those that sending an SMS can meet, in the words of our screens.
ERRORS = _table(
    # Our account and its settings: an administrator has to act.
    SmsError("20003", mark("The SMS account's credentials were refused. An administrator must check them.")),
    SmsError("20005", mark("The SMS account is suspended or closed.")),
    SmsError("20404", mark("The SMS account does not exist at the carrier.")),
    SmsError("30002", mark("The SMS account was suspended before the message was sent.")),
    SmsError("21212", mark("Our sender number is not valid.")),
    SmsError("21603", mark("No sender number is set for this channel.")),
    SmsError("21606", mark("Our sender number cannot send SMS to this country or is not ours.")),
    SmsError("21659", mark("Our sender number does not belong to this SMS account.")),
    SmsError("21660", mark("Our sender number and the SMS account do not belong together.")),
    SmsError("21703", mark("The messaging service has no sender number.")),
    SmsError("21704", mark("The messaging service has no sender number that fits this destination.")),
    SmsError("21705", mark("The messaging service does not exist.")),
    SmsError("21408", mark("SMS to this country is not switched on in the carrier account.")),
    SmsError("21608", mark("A trial account can send only to verified numbers.")),
    SmsError("21609", mark("The address for delivery receipts is not valid.")),
    SmsError("30024", mark("Our sender is not registered with the recipient's network.")),
    SmsError("30032", mark("Our toll-free number is not verified yet.")),
    SmsError("30034", mark("Our number is not registered for business messages in the United States.")),
    SmsError("30035", mark("Our number's registration is still being processed.")),
    SmsError("30489", mark("This content needs an approved sender in the destination country.")),
    # The customer's number.
    SmsError("21211", mark("The customer's number is not a valid phone number."), suppress=True),
    SmsError("21217", mark("The customer's number is not a valid phone number."), suppress=True),
    SmsError("21604", mark("There is no number to send to.")),
    SmsError("21610", OPTED_OUT, opted_out=True, suppress=True),
    SmsError("21612", mark("The carrier cannot reach this number from ours.")),
    SmsError("21614", mark("The customer's number is not a mobile phone.")),
    SmsError("21635", mark("The customer's number is a landline: it takes no SMS.")),
    SmsError("30003", mark("The phone is switched off, out of reach or does not exist.")),
    SmsError("30004", mark("The number has blocked messages or cannot receive them.")),
    SmsError("30005", mark("The number is unknown to its network.")),
    SmsError("30006", mark("The number is a landline or its network takes no SMS.")),
    # The text and its files.
    SmsError("21602", mark("The message has neither text nor a file.")),
    SmsError("21617", mark("The text is too long for SMS (1,600 characters at most).")),
    SmsError("21618", mark("The carrier refused the text.")),
    SmsError("21619", mark("The message has neither text nor a file.")),
    SmsError("21620", mark("The address of an attached file is not valid.")),
    SmsError("21621", mark("This number cannot send files (MMS).")),
    SmsError("21623", mark("The message has more than ten files.")),
    SmsError("12300", mark("The carrier does not accept this type of file.")),
    SmsError("11200", mark("The carrier could not fetch an attached file.")),
    SmsError("30007", mark("A network filtered the message as unwanted.")),
    SmsError("30009", mark("A part of the message was lost on the way.")),
    SmsError("30019", mark("The message is too large for the recipient's network.")),
    SmsError("30010", mark("The message would cost more than the limit that is set.")),
    # WhatsApp.
    SmsError("63003", mark("This number is not on WhatsApp.")),
    SmsError("63005", mark("WhatsApp did not take this content. Try other words or another file.")),
    SmsError("63007", mark("Our number is not a WhatsApp sender of this account.")),
    SmsError("63008", mark("The WhatsApp sender is not set up completely.")),
    SmsError("63010", mark("WhatsApp had an internal failure.")),
    SmsError("63012", mark("WhatsApp had an internal failure.")),
    SmsError("63013", mark("WhatsApp stopped the message: it breaks their rules.")),
    SmsError("63014", mark("The customer has blocked us on WhatsApp.")),
    SmsError("63015", mark("The number has not joined the WhatsApp sandbox.")),
    SmsError("63016", OUTSIDE_WINDOW),
    SmsError("63018", mark("WhatsApp takes no more from our number for the moment.")),
    SmsError("63019", mark("WhatsApp could not fetch the attached file.")),
    SmsError("63020", mark("Our WhatsApp business account has not accepted Twilio's invitation.")),
    SmsError("63021", mark("WhatsApp did not understand the template or its values.")),
    SmsError("63024", mark("The number cannot get WhatsApp messages.")),
    SmsError("63025", mark("WhatsApp has this file already.")),
    SmsError("63027", mark("The template does not exist in this language.")),
    SmsError("63028", mark("The template needs another number of values.")),
    SmsError("63029", mark("The customer's phone could not load the template.")),
    SmsError("63030", mark("WhatsApp does not know a part of the template.")),
    SmsError("63031", mark("Our number and the customer's are the same.")),
    SmsError("63032", mark("WhatsApp does not deliver this message to this person at present.")),
    SmsError("63033", mark("The customer has blocked us on WhatsApp.")),
    SmsError("63038", mark("The Twilio account has reached its limit for today.")),
    SmsError("63040", mark("WhatsApp has refused this template.")),
    SmsError("63041", mark("WhatsApp has paused this template because customers complained.")),
    SmsError("63042", mark("WhatsApp has switched this template off because customers complained.")),
    SmsError("63049", mark("WhatsApp holds marketing back from this person at present.")),
    SmsError("21655", mark("The template does not exist in the Twilio account.")),
    SmsError("21656", mark("The template's values are not complete.")),
    SmsError("21910", mark("Sender and recipient are not of the same channel.")),
    # Load and failures on the way. Only the refusals made before acceptance may be tried again by a program.
    SmsError("20429", mark("The carrier asked us to slow down; the message is tried again."), retryable=True),
    SmsError("21611", mark("The carrier's queue for our number is full; the message is tried again."), retryable=True),
    SmsError("30001", mark("The carrier's queue was full and the message was dropped.")),
    SmsError("30022", mark("Our number sent more than the networks allow at once.")),
    SmsError("30023", mark("Our number has reached its limit for today.")),
    SmsError("30008", mark("The network did not say why it failed.")),
    SmsError("30017", mark("The recipient's network is congested.")),
    SmsError("30036", mark("The message could not be delivered in time.")),
    SmsError("30410", mark("The recipient's network did not answer in time.")),
    SmsError("30500", mark("The carrier had an internal failure.")),
)

# What a person does about it, where that does not stand in the text: ours, for codes whose meaning asks for a deed.
ADVICE = {
    "21211": mark("Check the number with the customer: country, digits, no short code."),
    "21408": mark(
        "An administrator switches the country on in the Twilio Console: Messaging, Settings, Geo Permissions."
    ),
    "21610": mark("Answer another way. Sending opens again when the customer texts START."),
    "21612": mark("Answer another way; an administrator can add a sender for this country."),
    "21614": mark("Call, or ask for a mobile number."),
    "21635": mark("Call, or ask for a mobile number."),
    "30003": mark("Try again later. If it goes on failing, call or ask for another number."),
    "30005": mark("Check the number with the customer."),
    "30006": mark("Call, or ask for a mobile number."),
    "30007": mark("Write it without links and capitals, or answer another way. Sending the same again makes it worse."),
    "30008": mark("Try again once. If it fails again, answer another way."),
    "30034": mark("An administrator registers the number for business messages (A2P 10DLC) in the Twilio Console."),
    "63003": mark("Answer by SMS or call."),
    "63007": mark("An administrator compares the account's number with the WhatsApp senders in the Twilio Console."),
    "63013": mark("Change the words. In a template, no value may hold more than four spaces in a row."),
    "63014": mark("Answer another way until the customer writes again."),
    "63016": mark("Choose a template, or wait until the customer writes."),
    "63018": mark("Wait some minutes and try again."),
    "63024": mark("Ask the customer to open WhatsApp, update it and accept its terms; or answer by SMS or call."),
    "63032": mark("Answer by SMS or call. On WhatsApp it goes again once the customer writes to us."),
}
PAGE = "https://www.twilio.com/docs/api/errors/"

UNKNOWN_TEXT = mark("The carrier refused the message.")
REJECTED = SmsError("rejected", UNKNOWN_TEXT)


def lookup(code: str | int | None, carrier_text: str = "") -> SmsError:
    """The error of a carrier's code; an unlisted code keeps its number and the carrier's own words."""
    key = str(code).strip() if code is not None else ""
    if key in ("", "0", "None"):
        return REJECTED
    known = ERRORS.get(key)
    return known or SmsError(key[:20], carrier_text.strip()[:300] or UNKNOWN_TEXT)


def page_of(code: str | None) -> str:
    """Where Twilio explains a code of its own; "" for what is none."""
    return PAGE + code if code and code.isascii() and code.isdigit() and len(code) == 5 else ""


def from_response(http_status: int, code: str | int | None, carrier_text: str = "") -> SmsError | None:
    """What an HTTP refusal means; None when the outcome is unknown (5xx), so that nobody sends it again."""
    if http_status >= 500:
        return None
    if http_status == 429 and str(code) not in ERRORS:
        return ERRORS["20429"]
    if http_status in (401, 403) and str(code) not in ERRORS:
        return ERRORS["20003"]
    return lookup(code, carrier_text)
