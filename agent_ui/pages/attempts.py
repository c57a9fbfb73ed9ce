"""How a message fared: each try with what the other side said, and once more on request."""

from typing import Any

from sqlalchemy import Connection, select
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from agent_ui import sentences, shell
from agent_ui.pages.ticket import translate
from channels import delivery
from channels.sms import errors
from channels.sms.gateway.config import is_gateway
from contact_center.accounts.web import locale_of
from contact_center.core.clock import utcnow
from contact_center.core.errors import NotFound
from contact_center.core.services import services
from tickets.models import ChannelAccount, ExternalReference, Message
from tickets.states import Channel

BY_TWILIO = (Channel.SMS.value, Channel.WHATSAPP.value)


async def show(request: Request) -> Response:
    """The ledger of one message, loaded when its menu opens."""
    message_id = request.path_params["message_id"]
    message, rows, references = await services(request).db.read(_read, message_id)
    _ = translate(await locale_of(request))
    by_twilio = message.channel in BY_TWILIO and not is_gateway(message.settings or {})
    attempts = [
        (row, sentences.why_failed(row.error or "", _), *(_help(row.error_code, _) if by_twilio else ("", "")))
        for row in rows
    ]
    return await shell.fragment(
        request, "parts/attempts.html", message=message, attempts=attempts, references=references
    )


def _help(code: str | None, _: sentences.Gettext) -> tuple[str, str]:
    """What to do about a code of Twilio's, and where Twilio explains it."""
    return _(errors.ADVICE.get(code or "", "")), errors.page_of(code)


async def again(request: Request) -> Response:
    """Try once more what was not delivered."""
    await services(request).db.write(delivery.again, request.path_params["message_id"], now=utcnow())
    return JSONResponse({"queued": True})


def _read(tx: Connection, message_id: int) -> tuple[Any, Any, Any]:
    message = tx.execute(
        select(Message.id, Message.delivery, Message.channel, ChannelAccount.settings)
        .outerjoin(ChannelAccount, ChannelAccount.id == Message.channel_account_id)
        .where(Message.id == message_id)
    ).first()
    if message is None or message.delivery is None:
        raise NotFound("There is no such message.")
    of_message = select(ExternalReference.reference).where(ExternalReference.message_id == message_id)
    return message, delivery.attempts_of(tx, message_id), tx.execute(of_message).scalars().all()
