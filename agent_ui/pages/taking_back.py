"""Undo: a reply comes back into the composer before it leaves."""

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from contact_center.accounts.web import person_of
from contact_center.core.clock import utcnow
from contact_center.core.services import services
from tickets import taking_back
from tickets.taking_back import TakenBack


async def undo(request: Request) -> Response:
    """Take a reply back; answers with what the composer shows again: its way, its text and its files."""
    person = await person_of(request)
    back = await services(request).db.write(
        taking_back.take_back, request.path_params["message_id"], user_id=person.id, now=utcnow()
    )
    return JSONResponse(answer_of(back))


def answer_of(back: TakenBack) -> dict[str, Any]:
    """What the composer's script puts back."""
    files = [{"id": file.id, "name": file.filename, "size": file.size} for file in back.files]
    copies = {"cc": list(back.cc), "bcc": list(back.bcc)}
    return {"ticket": back.ticket_id, "via": back.key, "text": back.text, "files": files, **copies}
