"""A colleague's own phone must say yes: a mailbox that picks up is no answer.

A leg to a telephone number of ours is called for itself and hears who is there; any key brings it into the conference.
Whoever presses none (a mailbox, a pocket) is hung up on, and counts as somebody who did not pick up. A phone in the
browser (`client:…`) has no mailbox and joins as it answers.
"""

from typing import Any

from sqlalchemy import Connection, Row, select
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from twilio.twiml.voice_response import Gather, VoiceResponse

from channels.phone.conference_hooks import LEG, check_owner
from channels.phone.flow import words
from channels.phone.flow.plan import Plan, plan_of
from channels.phone.legs import must_accept
from channels.phone.models import Call, CallLeg
from channels.phone.verbs import hook, room_twiml
from channels.sms.hooks import signed_form
from channels.sms.parse import first_values
from contact_center.accounts.models import User
from contact_center.core.errors import NotFound
from contact_center.core.i18n import gettext, mark
from contact_center.core.services import services
from tickets.channel_accounts import Account
from tickets.customers.identities import shown_phone
from tickets.states import Channel

ASKS = mark("A call from the contact center: %(number)s. Press any key to take it.")
HIDDEN = mark("a hidden number")
# The sentence is said so often, with so many seconds for a key after each time.
TIMES, KEY_SECONDS = 2, 4


def routes() -> list[BaseRoute]:
    """The address that a colleague's phone asks when it answers."""
    return [Route("/hooks/twilio/{key}/accept/{id:int}", receive, methods=["POST"])]


async def receive(request: Request) -> Response:
    """The phone was picked up, or a key was pressed: the question, then the conference."""
    held = services(request)
    account, form, _ = await signed_form(request, Channel.PHONE)
    leg_id = request.path_params["id"]
    await held.db.read(check_owner, account, LEG, leg_id)
    leg = await held.db.read(_leg, leg_id)
    if first_values(form).get("Digits"):
        return twiml_of(room_twiml(held.settings.base_url, account, leg.call_id, label=leg.client_key))
    return twiml_of(_question(held.settings.base_url, account, leg))


def twiml_of(text: str) -> Response:
    """A whole document as our answer."""
    return Response(text, media_type="text/xml")


def _question(base_url: str, account: Account, leg: Any) -> str:
    locale = leg.locale or "en"
    plan = plan_of(account.settings) or Plan()
    voice, language = words.voice_of(plan, locale)
    number = shown_phone(leg.customer) if leg.customer else gettext(locale, HIDDEN)
    answer = VoiceResponse()
    for _ in range(TIMES):
        gather = Gather(
            action=hook(base_url, account, "accept", leg.id), num_digits=1, timeout=KEY_SECONDS, finish_on_key=""
        )
        gather.say(gettext(locale, ASKS, number=number), voice=voice, language=language)
        answer.append(gather)
    answer.hangup()
    return str(answer)


def _leg(tx: Connection, leg_id: int) -> Row[Any]:
    row = tx.execute(
        select(CallLeg.id, CallLeg.call_id, CallLeg.client_key, CallLeg.user_id, CallLeg.number)
        .add_columns(Call.number.label("customer"), User.locale)
        .join(Call, Call.id == CallLeg.call_id)
        .outerjoin(User, User.id == CallLeg.user_id)
        .where(CallLeg.id == leg_id)
    ).one()
    if not must_accept(row):
        raise NotFound("There is nothing here.")
    return row
