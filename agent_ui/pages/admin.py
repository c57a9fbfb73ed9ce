"""The frame of the administration pages: who may see them, the navigation, and what was just done."""

from collections.abc import Awaitable, Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from agent_ui.shell import NavItem, page
from agent_ui.views import Choice
from contact_center.accounts.permissions import Permission, may
from contact_center.accounts.web import locale_of, person_of, signed_in
from contact_center.core.i18n import gettext, mark

Endpoint = Callable[[Request], Awaitable[Response]]

# Heading → entries (key, words, icon); the address of an entry is /admin/{key}.
SECTIONS: tuple[tuple[str, tuple[tuple[str, str, str], ...]], ...] = (
    (mark("People"), (("users", mark("Users"), "user"), ("teams", mark("Teams"), "users"))),
    (
        mark("Work"),
        (
            ("queues", mark("Queues"), "layers"),
            ("hours", mark("Business hours"), "calendar-clock"),
            ("service-levels", mark("Service levels"), "target"),
            ("skills", mark("Skills"), "award"),
            ("profiles", mark("Routing profiles"), "workflow"),
            ("away-reasons", mark("Away reasons"), "coffee"),
            ("topics", mark("Topics"), "bookmark"),
            ("macros", mark("Macros"), "zap"),
            ("rules", mark("Rules"), "list-checks"),
        ),
    ),
    (mark("Channels"), (("channels", mark("Channel accounts"), "plug"),)),
    (
        mark("Safety"),
        (
            ("blocks", mark("Blocked senders"), "circle-slash"),
            ("sensitive", mark("Sensitive data"), "eye-off"),
        ),
    ),
    (
        mark("Records"),
        (
            ("journal", mark("Journal"), "inbox"),
            ("failures", mark("Failed handlers"), "circle-alert"),
            ("audit", mark("Audit log"), "shield-check"),
            ("system", mark("System"), "server"),
        ),
    ),
)

# What a redirect says was done (?done=…).
DONE = {
    "saved": mark("Saved."),
    "fetched": mark("Fetched."),
    "created": mark("Created."),
    "removed": mark("Removed."),
    "out": mark("The agent is out. What they had is back in its queues, with its age."),
    "back": mark("The agent is back and gets work again."),
    "activated": mark("The user can sign in again."),
    "deactivated": mark("The user was deactivated and signed out everywhere."),
    "password": mark("The new password is set. All logins of this user have ended."),
    "signed-out": mark("The login has ended."),
    "enabled": mark("The account is switched on."),
    "connected": mark("The mailbox is connected. It is signed in to within a few seconds."),
    "disabled": mark("The account is switched off. Nothing is taken or sent through it."),
    "blocked": mark("The sender is blocked. New messages of theirs go to the journal only."),
    "unblocked": mark("Messages of this sender are taken again."),
    "released": mark("It is let through and becomes a conversation within a few seconds."),
    "retried": mark("It will be tried again within a few seconds."),
    "lifted": mark("Messages go to this address again."),
    "merged": mark("The two customers are one now. You can undo this."),
    "unmerged": mark("The merge was undone."),
    "added": mark("Added."),
    "presence": mark("The status was set."),
    "requeue": mark("The work is back in its queue, with its age."),
    "assign": mark("The work was given to the agent."),
}


def done_text(request: Request, locale: str) -> str:
    """What the redirect to this page reports, or ""."""
    text = DONE.get(request.query_params.get("done", ""))
    return gettext(locale, text) if text else ""


def administer(path: str, endpoint: Endpoint, *methods: str) -> Route:
    """A route under /admin for people who may administer."""
    return Route(f"/admin{path}", signed_in(endpoint, Permission.ADMINISTER), methods=list(methods) or ["GET"])


async def admin_page(request: Request, template: str, section: str, *, status: int = 200, **values: Any) -> Response:
    """An administration page; `section` is the entry that is current in its navigation, which others do not see."""
    locale, person = await locale_of(request), await person_of(request)
    administers = may(person.role, Permission.ADMINISTER)
    return await page(
        request,
        f"admin/{template}",
        here="admin" if administers else "",
        status=status,
        sections=navigation(locale) if administers else [],
        section=section,
        done=done_text(request, locale),
        **values,
    )


def navigation(locale: str) -> list[tuple[str, list[NavItem]]]:
    """The headings with their entries, in the person's language."""
    return [
        (
            gettext(locale, heading),
            [NavItem(key, gettext(locale, label), f"/admin/{key}", icon) for key, label, icon in entries],
        )
        for heading, entries in SECTIONS
    ]


def go(path: str, done: str = "") -> Response:
    """To another page after a successful post."""
    return RedirectResponse(f"{path}?done={done}" if done else path, 303)


def choices(locale: str, table: dict[str, str]) -> list[Choice]:
    """A table of words (value → English) as options."""
    return [Choice(value, gettext(locale, label)) for value, label in table.items()]


def routes() -> list[Route]:
    """/admin itself: the first of its pages."""
    return [administer("", first)]


async def first(request: Request) -> Response:
    """Where administration begins."""
    return go("/admin/users")
