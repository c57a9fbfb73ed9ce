"""Administration of sensitive data: what is masked when it comes in, and for how long originals are kept."""

from datetime import datetime

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from agent_ui.forms import blank, read_form
from agent_ui.pages.admin import admin_page, administer, go
from contact_center.accounts.audit import record
from contact_center.accounts.web import locale_of
from contact_center.core.clock import utcnow
from contact_center.core.i18n import mark
from contact_center.core.services import services
from tickets.sensitive import masking
from tickets.sensitive.find import Kind
from tickets.sensitive.masking import MOST_DAYS, Rules

# kind -> its name and what counts as one.
KINDS = {
    Kind.CARD: (
        mark("Card numbers"),
        mark("13 to 19 digits of a known issuer with a right check digit, and check digits after “CVV”."),
    ),
    Kind.NATIONAL_ID: (
        mark("National ids"),
        mark("Vietnamese CCCD and, after a word for it, CMND; US social security; UK national insurance; passports."),
    ),
    Kind.CODE: (
        mark("One-time codes"),
        mark("4 to 8 digits beside “OTP”, “verification code”, “mã xác thực” and their like."),
    ),
}


def routes() -> list[Route]:
    """/admin/sensitive"""
    return [administer("/sensitive", index, "GET", "POST")]


async def index(request: Request) -> Response:
    """One switch a kind, and the days."""
    held = services(request)
    if request.method == "POST":
        form = await read_form(request)
        kinds = frozenset(kind for kind in Kind if form.flag(kind.value))
        days = form.number("keep_days", 0, MOST_DAYS)
        if form.ok:
            await held.db.write(change, Rules(kinds, days), by=request.state.person.id, now=utcnow())
            return go("/admin/sensitive", "saved")
    else:
        rules = await held.db.read(masking.rules)
        values = {kind.value: "1" for kind in rules.kinds} | {"keep_days": str(rules.keep_days)}
        form = blank(await locale_of(request), values)
    status = 200 if form.ok else 422
    return await admin_page(request, "sensitive.html", "sensitive", status=status, form=form, kinds=KINDS)


def change(tx: Connection, wanted: Rules, *, by: int, now: datetime) -> None:
    """Set the rules, and audit them."""
    masking.set_rules(tx, wanted)
    details = {"masked": sorted(kind.value for kind in wanted.kinds), "keep_days": wanted.keep_days}
    record(tx, "sensitive.rules_changed", "sensitive:rules", now=now, user_id=by, details=details)
