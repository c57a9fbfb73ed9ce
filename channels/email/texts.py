"""The words that we put around outgoing mail, in the customer's language."""

from contact_center.core.i18n import gettext


def footer_of(locale: str, number: int, *, automatic: bool) -> str:
    """The line under a mail: which matter it is, and how to answer."""
    if automatic:
        return gettext(
            locale, "This message was sent automatically. Your matter has the number #%(number)s.", number=number
        )
    return gettext(locale, "Your matter has the number #%(number)s. Answer this mail to add to it.", number=number)


def unsubscribe_line(locale: str, url: str) -> str:
    """How to get no more mails of this kind."""
    return gettext(locale, "If you do not want to be asked any more: %(url)s", url=url)


def receipt_of(locale: str, number: int, subject: str, team: str) -> str:
    """The acknowledgement that a new matter has arrived."""
    return gettext(
        locale,
        "Hello,\n\n"
        "thank you for your message “%(subject)s”. It has reached us and has the number #%(number)s.\n"
        "A member of our team will answer you. If you want to add something, simply answer this mail.\n\n"
        "%(team)s",
        number=number,
        subject=subject,
        team=team,
    )
