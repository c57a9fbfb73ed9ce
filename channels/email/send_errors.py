"""Why a mail could not be handed over: a closed set with a text for people (pure)."""

from dataclasses import dataclass

from channels.email.bounce_reasons import kind_of, sentence_for, status_in
from channels.email.parsed import BounceKind
from contact_center.core.i18n import mark


@dataclass(frozen=True, slots=True)
class MailError:
    """One reason. `retryable`: the same mail may pass later; `suppress`: the address itself is bad."""

    code: str
    text: str
    retryable: bool = False
    suppress: bool = False


NOT_SET_UP = MailError(
    "not_set_up", mark("No outgoing mail server is set for this mailbox. An administrator must enter it.")
)
BAD_ADDRESS = MailError("bad_address", mark("This is not an e-mail address."), suppress=True)
NO_CONNECTION = MailError("no_connection", mark("The outgoing mail server cannot be reached."), retryable=True)
TIMEOUT = MailError("timeout", mark("The outgoing mail server did not answer in time."), retryable=True)
NO_TLS = MailError("no_tls", mark("The outgoing mail server offers no encryption. An administrator must check it."))
LOGIN_REFUSED = MailError(
    "login_refused", mark("The outgoing mail server refused our login. An administrator must check it.")
)
NO_PERMISSION = MailError("no_permission", mark("The provider gave no permission to send from this mailbox."))
SENDER_REFUSED = MailError("sender_refused", mark("The outgoing mail server does not let us send from this address."))
TOO_LARGE = MailError("too_large", mark("The message is larger than the outgoing mail server takes."))
FILE_MISSING = MailError("file_missing", mark("An attached file cannot be found on this server any more."))
DKIM_KEY = MailError(
    "dkim_key", mark("The key that signs mail of this mailbox cannot be used. An administrator must replace it.")
)
BROKEN_OFF = MailError("broken_off", mark("The connection to the outgoing mail server broke off."), retryable=True)

ERRORS = {
    error.code: error
    for error in (
        NOT_SET_UP, BAD_ADDRESS, NO_CONNECTION, TIMEOUT, NO_TLS, LOGIN_REFUSED, NO_PERMISSION,
        SENDER_REFUSED, TOO_LARGE, FILE_MISSING, DKIM_KEY, BROKEN_OFF,
        MailError("greylisted", mark("The recipient's server asked us to try again later."), retryable=True),
        MailError("recipient_refused", mark("The recipient's server refused the address.")),
        MailError("refused", mark("The outgoing mail server refused the message.")),
    )
}  # fmt: skip


def from_recipient_reply(code: int, words: str) -> MailError:
    """What the answer to RCPT TO means for the message and for the address."""
    if 400 <= code < 500:
        return ERRORS["greylisted"]
    status = status_in(f"{code} {words}")
    return MailError(
        "recipient_refused", sentence_for(status, words), suppress=kind_of(status, words) is BounceKind.HARD
    )


def from_data_reply(code: int, words: str) -> MailError:
    """What the answer to DATA, or any other refusal, means."""
    if code == 552 or "size" in words.lower():
        return TOO_LARGE
    if 400 <= code < 500:
        return ERRORS["greylisted"]
    return MailError("refused", sentence_for(status_in(f"{code} {words}"), words))
