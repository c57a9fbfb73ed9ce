"""What happened to me: the menu behind the bell."""

from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from agent_ui import shell
from agent_ui.views import Notice
from channels import health
from contact_center.accounts.permissions import Permission, may
from contact_center.accounts.users import Person
from contact_center.accounts.web import locale_of, person_of
from contact_center.core.clock import utcnow
from contact_center.core.i18n import gettext, mark, ngettext
from contact_center.core.services import services
from tickets import notifications
from tickets.notifications import What
from tickets.numbers import number_of

ICONS = {
    What.ASSIGNED: "user-round",
    What.REASSIGNED: "arrow-left-right",
    What.REPLIED: "reply",
    What.MENTIONED: "at-sign",
    What.MISSED: "clock-alert",
    What.HELD: "calendar-clock",
    What.SILENT: "triangle-alert",
    What.FAILING: "circle-alert",
    What.WELL: "circle-check",
}
# What a person did to me, and the same where nobody did it.
SENTENCES = {
    What.ASSIGNED: (mark("%(by)s gave you #%(number)s"), mark("#%(number)s was given to you")),
    What.REASSIGNED: (mark("%(by)s took over #%(number)s"), mark("#%(number)s went back to the queue")),
    What.MENTIONED: (mark("%(by)s mentioned you on #%(number)s"),) * 2,
    What.MISSED: (mark("You missed an offer: #%(number)s"),) * 2,
    What.HELD: (mark("Your scheduled reply on #%(number)s was held back"),) * 2,
}
OF_ACCOUNTS = {
    What.SILENT: mark("%(account)s has fallen silent"),
    What.FAILING: mark("%(account)s does not work"),
    What.WELL: mark("%(account)s works again"),
}

REPLIED = (mark("%(customer)s answered on #%(number)s"), mark("%(customer)s wrote %(num)d messages on #%(number)s"))


async def show(request: Request) -> Response:
    """The newest notifications, loaded when the menu opens."""
    person, locale = await person_of(request), await locale_of(request)
    rows = await services(request).db.read(notifications.recent, person.id)
    return await shell.fragment(request, "parts/notices.html", notices=[as_notice(row, locale, person) for row in rows])


def as_notice(row: Any, locale: str, person: Person) -> Notice:
    """A row in words."""
    what = What(row.what)
    if what in OF_ACCOUNTS:
        text = gettext(locale, OF_ACCOUNTS[what], account=row.account)
        url = f"/admin/channels/{row.channel_account_id}" if may(person.role, Permission.ADMINISTER) else ""
        return Notice(ICONS[what], text, row.address, url, row.created_at, row.read_at is None, ticket=False)
    number = number_of(row.ticket_id)
    if what is What.REPLIED:
        customer = row.customer or gettext(locale, "The customer")
        text = ngettext(locale, *REPLIED, row.messages, customer=customer, number=number)
    else:
        known, unknown = SENTENCES[what]
        text = gettext(locale, known if row.by_name else unknown, by=row.by_name or "", number=number)
    return Notice(ICONS[what], text, row.subject, f"/tickets/{number}", row.created_at, row.read_at is None)


async def troubles(request: Request) -> Response:
    """What is wrong with the channels that the person serves, loaded when the menu opens."""
    person = await person_of(request)
    rows = await services(request).db.read(health.troubles, person.id)
    return await shell.fragment(request, "parts/troubles.html", troubles=rows)


async def read(request: Request) -> Response:
    """All of it is read."""
    person = await person_of(request)
    await services(request).db.write(notifications.mark_read, person.id, now=utcnow())
    return await show(request) if "hx-request" in request.headers else RedirectResponse("/inbox", 303)
