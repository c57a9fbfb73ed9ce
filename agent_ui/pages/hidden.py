"""What was masked in a message, shown to those who may see it, for a reason that is kept."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from agent_ui import shell
from agent_ui.forms import read_form
from contact_center.accounts.permissions import Permission
from contact_center.accounts.web import signed_in
from contact_center.core.clock import utcnow
from contact_center.core.services import services
from tickets.sensitive import showing


def routes() -> list[Route]:
    """/messages/{id}/hidden"""
    return [
        Route("/messages/{message_id:int}/hidden", signed_in(show, Permission.REVEAL_SENSITIVE), methods=["POST"]),
    ]


async def show(request: Request) -> Response:
    """The message as it came, for this reader only: nothing of it is cached or sent to other screens."""
    held = services(request)
    reason = (await read_form(request)).text("reason")
    original = await held.db.write(
        showing.show,
        held.vault,
        request.path_params["message_id"],
        user_id=request.state.person.id,
        reason=reason,
        now=utcnow(),
    )
    headers = {"cache-control": "no-store"}
    return await shell.fragment(request, "parts/original.html", headers=headers, original=original)
