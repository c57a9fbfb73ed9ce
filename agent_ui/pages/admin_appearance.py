"""Administration of a chat widget's look: what it asks, in which words, and how that will look before it is saved."""

import re
from collections.abc import Mapping
from datetime import datetime
from functools import partial
from html import escape
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from agent_ui.forms import Form, blank, read_form
from agent_ui.pages.admin import admin_page, administer, choices, go
from agent_ui.pages.admin_channels import all_queues
from agent_ui.pages.admin_widget import widget_account
from agent_ui.pages.channel_forms import ASKS
from agent_ui.views import Choice
from channels.chat.asking import MOST_CHOICES, NAME_CHARACTERS, Hours
from channels.chat.page import CUSTOM, DEFAULT_ACCENT, FORM_LIMIT, LOCALES, content_policy, frame_page
from channels.chat.routes import assets
from channels.chat.widgets import widget_from
from contact_center.accounts.audit import record
from contact_center.accounts.web import locale_of
from contact_center.core.clock import utcnow
from contact_center.core.i18n import gettext, mark
from contact_center.core.secrets import Vault
from contact_center.core.services import services
from tickets import channel_accounts
from tickets.channel_accounts import Account
from tickets.topics import by_path

SIDES = {"right": mark("At the right"), "left": mark("At the left")}
LANGUAGES = {"en": mark("In English"), "vi": mark("In Vietnamese")}
WORDS = {
    "greeting": (mark("Greeting"), ""),
    "greeting_more": (mark("Below the greeting"), ""),
    "choice": (mark("What the choice is called"), mark("Empty: “Topic”.")),
    "offline": (mark("When nobody is there"), mark("{when} becomes the next opening.")),
    "form": (mark("Title of the contact form"), mark("The form as a page of its own, at any hour.")),
    "form_more": (mark("Below the title of the contact form"), ""),
    "consent": (mark("Line about privacy"), mark("Shown above the button; empty: no line.")),
}
MOST_FORMS = 1_000
COLOUR = re.compile(r"#[0-9a-fA-F]{6}")


def routes() -> list[Route]:
    """/admin/channels/…/appearance and its preview."""
    return [
        administer("/channels/{account_id:int}/appearance", appearance, "GET", "POST"),
        administer("/channels/{account_id:int}/preview", preview),
    ]


def values_of(settings: Mapping[str, Any]) -> dict[str, str]:
    """A widget's settings as the values of the form."""
    widget = widget_from("", "", settings)
    values = {"accent": widget.accent, "ask_name": widget.ask_name, "ask_email": widget.ask_email}
    values |= {"ask_phone": widget.ask_phone}
    for number, choice in enumerate(widget.choices):
        values |= {f"choice_{number}_queue": str(choice.queue_id), f"choice_{number}_topic": str(choice.topic_id or "")}
        values |= {f"choice_{number}_{locale}": choice.names.get(locale, "") for locale in LOCALES}
    values |= {"form_on": "1" if widget.form_on else "", "form_limit": str(widget.form_limit)}
    values |= {"side": widget.side, "consent_url": widget.consent_url}
    for locale, own in widget.texts.items():
        values |= {f"{name}_{locale}": own.get(name, "") for name in CUSTOM}
    return values


def read_look(form: Form) -> dict[str, Any]:
    """The settings of a posted form."""
    accent, url = form.text("accent"), form.text("consent_url", longest=500)
    if not COLOUR.fullmatch(accent):
        form.fail("accent", mark("Write a colour as #rrggbb."))
    parts = urlsplit(url)
    if url and (parts.scheme not in ("http", "https") or not parts.netloc):
        form.fail("consent_url", mark("Write a whole address: https://…"))
    texts = {
        locale: {name: form.text(f"{name}_{locale}", longest=longest) for name, longest in CUSTOM.items()}
        for locale in LOCALES
    }
    return {
        "accent": accent or DEFAULT_ACCENT,
        "ask_name": form.one_of("ask_name", list(ASKS)),
        "ask_email": form.one_of("ask_email", list(ASKS)),
        "ask_phone": form.one_of("ask_phone", list(ASKS)),
        "choices": read_choices(form),
        "side": form.one_of("side", list(SIDES)),
        "form_on": form.flag("form_on"),
        "form_limit": form.number("form_limit", 1, MOST_FORMS, default=FORM_LIMIT),
        "consent_url": url,
        "texts": {locale: {name: text for name, text in own.items() if text} for locale, own in texts.items()},
    }


def read_choices(form: Form) -> list[dict[str, Any]]:
    """What a chat may be about: the lines with a queue, each under its place."""
    found = []
    for number in range(MOST_CHOICES):
        names = {one: form.text(f"choice_{number}_{one}", longest=NAME_CHARACTERS) for one in LOCALES}
        queue_id = form.reference(f"choice_{number}_queue")
        if queue_id is None and any(names.values()):
            form.fail(f"choice_{number}_queue", mark("Say where it goes."))
        elif queue_id is not None and not any(names.values()):
            form.fail(f"choice_{number}_{LOCALES[0]}", mark("Customers need a name to read."))
        elif queue_id is not None:
            topic_id = form.reference(f"choice_{number}_topic")
            found.append({"id": number + 1, "queue_id": queue_id, "topic_id": topic_id, "names": names})
    return found


def places(tx: Connection, locale: str) -> tuple[list[Choice], list[Choice]]:
    """The queues and the topics that a choice may name, after "none"."""
    none = Choice("", "–")
    paths = sorted((path, topic_id) for path, topic_id in by_path(tx).items())
    return [none, *all_queues(tx)], [none, *(Choice(str(topic_id), path) for path, topic_id in paths)]


async def appearance(request: Request) -> Response:
    """The form, with a preview beside it that follows what is typed."""
    held, locale = services(request), await locale_of(request)
    account_id = request.path_params["account_id"]
    account = await held.db.read(widget_account, held.vault, account_id)
    form = blank(locale, values_of(account.settings))
    if request.method == "POST":
        form = await read_form(request)
        look = read_look(form)
        if form.ok:
            await held.db.write(save, held.vault, account_id, look, by=request.state.person.id, now=utcnow())
            return go(f"/admin/channels/{account_id}/appearance", "saved")
    queues, topics = await held.db.read(places, locale)
    used = [
        n for n in range(MOST_CHOICES) if any(form.values.get(f"choice_{n}_{part}") for part in ("queue", *LOCALES))
    ]
    return await admin_page(
        request,
        "channel_appearance.html",
        "channels",
        queues=queues,
        topics=topics,
        lines=min(max(used, default=0) + 2, MOST_CHOICES),
        name_characters=NAME_CHARACTERS,
        status=200 if form.ok else 422,
        account=account,
        form=form,
        asks=choices(locale, ASKS),
        sides=choices(locale, SIDES),
        languages=LANGUAGES,
        words=WORDS,
        longest=CUSTOM,
        **contact_form(held.settings.base_url or str(request.base_url), account),
    )


def contact_form(base_url: str, account: Account) -> dict[str, Any]:
    """Whether there is a contact form, where, and what shows it in a website's page."""
    url = f"{base_url.rstrip('/')}/contact/{account.key}"
    frame = f'<iframe src="{url}?embed" title="{escape(account.name)}" width="100%" height="860"></iframe>'
    on = widget_from(account.key, account.name, account.settings).form_on
    return {"form_url": url, "form_frame": frame, "form_on": on}


def save(tx: Connection, vault: Vault, account_id: int, look: Mapping[str, Any], *, by: int, now: datetime) -> None:
    """Change what a widget looks like, and audit it."""
    account = widget_account(tx, vault, account_id)
    settings = {name: value for name, value in account.settings.items() if name != "greeting"} | dict(look)
    channel_accounts.change(tx, vault, account_id, now=now, values={"settings": settings})
    details = {"name": account.name, "settings": settings}
    record(tx, "channel_account.changed", f"channel_account:{account_id}", now=now, user_id=by, details=details)


async def preview(request: Request) -> Response:
    """The widget's own page with what the form holds now. It has no ticket, so nothing can be sent from it."""
    held = services(request)
    account = await held.db.read(widget_account, held.vault, request.path_params["account_id"])
    query = request.query_params
    locale = query.get("language", LOCALES[0])
    locale = locale if locale in LOCALES else LOCALES[0]
    widget = widget_from("preview", account.name, read_look(Form(dict(query), locale)))
    page = frame_page(
        widget,
        Hours(query.get("hours") != "closed"),
        locale=locale,
        theme=query.get("theme", ""),
        ticket="",
        assets=f"/widget/static/{assets().version}/",
        _=partial(gettext, locale),
    )
    policy = content_policy(widget, f"{request.url.scheme}://{request.url.netloc}")
    headers = {"Content-Security-Policy": policy, "Cache-Control": "no-store"}
    return Response(page, media_type="text/html", headers=headers)
