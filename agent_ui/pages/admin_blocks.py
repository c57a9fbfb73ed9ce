"""Administration of blocks: whose messages make no conversation, how often each was stopped, and lifting."""

from datetime import timedelta

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from agent_ui.block_words import SCOPES, TERMS, TYPED
from agent_ui.forms import Form, blank, read_form
from agent_ui.pages.admin import admin_page, choices, go
from contact_center.accounts.permissions import Permission, may
from contact_center.accounts.web import locale_of, person_of, signed_in
from contact_center.core.clock import utcnow
from contact_center.core.i18n import mark
from contact_center.core.services import services
from tickets import blocks
from tickets.blocks import LONGEST_REASON, Scope


def routes() -> list[Route]:
    """/admin/blocks and what can be done to one: for administrators and supervisors."""
    return [
        Route("/admin/blocks", signed_in(index, Permission.MANAGE_BLOCKS), methods=["GET", "POST"]),
        Route("/admin/blocks/{block_id:int}/lift", signed_in(lift, Permission.MANAGE_BLOCKS), methods=["POST"]),
    ]


async def index(request: Request) -> Response:
    """The blocks in force, and the form for one more."""
    held = services(request)
    if request.method != "POST":
        return await _show(request, blank(await locale_of(request), {}))
    form = await read_form(request)
    scope = form.choice("scope", Scope, Scope.EMAIL)
    value = form.text("value", required=True, longest=320)
    reason = form.text("reason", longest=LONGEST_REASON)
    term, now = form.text("term"), utcnow()
    if scope in (Scope.VISITOR, Scope.IP):
        form.fail("scope", mark("Choose one of the values."))
    if form.ok:
        expires_at = now + timedelta(days=int(term)) if term and term in TERMS else None
        adding = held.db.write(
            blocks.add, scope, value, reason=reason, user_id=request.state.person.id, now=now, expires_at=expires_at
        )
        if await form.attempt(adding, name="value"):
            return go("/admin/blocks", "blocked")
    return await _show(request, form)


async def _show(request: Request, form: Form) -> Response:
    found = await services(request).db.read(blocks.in_force, utcnow())
    person = await person_of(request)
    return await admin_page(
        request,
        "blocks.html",
        "blocks",
        status=200 if form.ok else 422,
        blocks=found,
        may_release=may(person.role, Permission.ADMINISTER),
        form=form,
        label=blocks.label,
        scope_names=SCOPES,
        scopes=choices(form.locale, {scope.value: SCOPES[scope.value] for scope in TYPED}),
        terms=choices(form.locale, TERMS),
    )


async def lift(request: Request) -> Response:
    """Take this sender's messages again."""
    await read_form(request)
    block_id, by = request.path_params["block_id"], request.state.person.id
    await services(request).db.write(blocks.lift, block_id, user_id=by, now=utcnow())
    return go("/admin/blocks", "unblocked")
