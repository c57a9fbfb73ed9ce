"""The demo's carrier: Twilio's REST protocol for the official SDK on loopback, signed webhooks and receipts back."""

import asyncio
import base64
import json
import secrets
from collections import OrderedDict
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from urllib.parse import parse_qsl, urlencode, urlsplit
from zlib import crc32

import httpx2
import structlog
from sqlalchemy import Connection, select
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route
from twilio.request_validator import RequestValidator

from channels.models import DeliveryAttempt
from channels.receipts import attempt_of
from channels.sms.keywords import Wish, recognise
from channels.sms.whatsapp import without_prefix
from contact_center.core.clock import utcnow
from contact_center.core.loops import sleep
from contact_center.core.outbound import trust
from contact_center.core.services import Services
from contact_center.demo import whatsapp
from contact_center.demo.cast import SMS_NUMBER, TWILIO_ACCOUNT, TWILIO_TOKEN
from contact_center.demo.photo import crushed_parcel
from contact_center.demo.scripts import Script
from contact_center.demo.shoppers import Shopper
from contact_center.demo.talk import Talk
from tickets.models import ChannelAccount, Message
from tickets.states import Channel

log = structlog.get_logger()

# Programs post here without a browser's origin, so it lies where the same-origin guard lets them.
MOUNT = "/hooks/demo-carrier"
BASE = f"{MOUNT}/2010-04-01/Accounts/{{account}}"
MOST_PHONES = 500
MOST_TEXTS = 200
TRIES = 3
RECEIPTS = ((0.4, "sent"), (0.9, "delivered"))
# WhatsApp tells when it was read, too; free text too late is taken and then fails.
READ = ((2.0, "read"),)
TOO_LATE = ((0.6, "failed"),)
FREE_TEXT_FOR = timedelta(hours=24)
OUTSIDE_WINDOW = "63016"
THINKING_SECONDS = (6.0, 14.0)
# Twilio answers its own English keywords by itself; so does this one.
OWN_ANSWERS = {
    Wish.STOP: "You have successfully been unsubscribed. You will not receive any more messages from this number. "
    "Reply START to resubscribe.",
    Wish.START: "You have successfully been re-subscribed to messages from this number. Reply HELP for help. "
    "Reply STOP to unsubscribe.",
    Wish.HELP: "Reply STOP to unsubscribe. Msg&Data Rates May Apply.",
}


@dataclass(frozen=True, slots=True)
class Text:
    """One SMS on a customer's phone; `photos` are addresses that the phone page can show.

    `call` is how a call ended, in the carrier's word, where the entry is a call; `seconds` were talked then.
    """

    mine: bool
    body: str
    at: datetime
    photos: tuple[str, ...] = ()
    call: str = ""
    seconds: int = 0
    whatsapp: bool = False


@dataclass(slots=True)
class Phone:
    """A customer's phone: what it shows, whether its owner opted out, and what a simulated owner says next."""

    texts: list[Text] = field(default_factory=list)
    opted_out: bool = False
    talk: Talk | None = None
    said: int = 0
    # When its owner last wrote by WhatsApp: free text may come back for a day.
    whatsapp_at: datetime | None = None


class Carrier:
    """The network between customers' phones and us; all state is this process's memory."""

    def __init__(self) -> None:
        self.services: Services
        self.phones: OrderedDict[str, Phone] = OrderedDict()
        self.files: dict[str, tuple[str, bytes]] = {}
        self._errands: set[asyncio.Task[None]] = set()

    def routes(self) -> list[BaseRoute]:
        """Twilio's own addresses, under our base."""
        return [
            Route(f"{BASE}/Messages.json", self._create, methods=["POST"]),
            Route(f"{MOUNT}/v1/ContentAndApprovals", self._templates),
            Route(f"{BASE}/Messages/{{message}}/Media/{{name}}", self._media),
        ]

    def connect(self, services: Services) -> None:
        """Begin to serve a process."""
        self.services = services

    def phone(self, number: str) -> Phone:
        """The phone with this number; the one used longest ago makes room."""
        phone = self.phones.setdefault(number, Phone())
        self.phones.move_to_end(number)
        while len(self.phones) > MOST_PHONES:
            self.phones.popitem(last=False)
        return phone

    def soon(self, errand: Coroutine[None, None, None]) -> None:
        """Do something beside the request; what fails is logged and forgotten, as on a real network."""
        task = asyncio.create_task(errand)
        self._errands.add(task)
        task.add_done_callback(self._errands.discard)

    async def begin(self, shopper: Shopper, script: Script, talk: Talk) -> None:
        """A simulated customer texts us, and goes on after each answer."""
        await self.first_text(shopper, script, talk)

    async def first_text(self, shopper: Shopper, script: Script, talk: Talk) -> str:
        """The same; returns the id of the text."""
        phone = self.phone(shopper.phone)
        phone.talk, phone.said = talk, 1
        photos = [self.keep("image/png", crushed_parcel(crc32(shopper.order.encode())))] if script.photo else []
        return await self.text(shopper.phone, talk.line(0) or script.words[talk.locale].subject, photos=photos)

    async def text(self, number: str, body: str, *, photos: list[str] | None = None, by_whatsapp: bool = False) -> str:
        """A customer's SMS, MMS or WhatsApp message, as Twilio hands it to us; `photos` are kept files. Its id."""
        phone = self.phone(number)
        shown = tuple(f"/demo/phone/photo/{name}" for name in photos or ())
        _show(phone, Text(True, body, utcnow(), shown, whatsapp=by_whatsapp))
        keyword = recognise(body)
        if by_whatsapp:
            phone.whatsapp_at = utcnow()
        elif keyword and keyword.carrier_answers:
            phone.opted_out = keyword.wish is Wish.STOP or (phone.opted_out and keyword.wish is not Wish.START)
            _show(phone, Text(False, OWN_ANSWERS[keyword.wish], utcnow()))
        sid = new_sid("MM" if photos else "SM")
        form = {
            "MessageSid": sid,
            "AccountSid": TWILIO_ACCOUNT,
            "From": number,
            "To": SMS_NUMBER,
            "Body": body,
            "NumSegments": "1",
            "NumMedia": str(len(photos or ())),
        }
        api = self.services.settings.twilio_api_url
        for index, name in enumerate(photos or ()):
            address = f"{api}/2010-04-01/Accounts/{TWILIO_ACCOUNT}/Messages/{sid}/Media/{name}"
            form |= {f"MediaUrl{index}": address, f"MediaContentType{index}": self.files[name][0]}
        channel = Channel.SMS
        if by_whatsapp:
            channel = Channel.WHATSAPP
            form |= whatsapp.told(number)
        key = await self.services.db.read(webhook_key, channel)
        await self.post(f"/hooks/twilio/{key}/{channel.value}", form)
        return sid

    def note(self, number: str, ending: str, seconds: int) -> None:
        """Put a call that is over into the phone's list."""
        _show(self.phone(number), Text(True, "", utcnow(), call=ending, seconds=seconds))

    def keep(self, content_type: str, data: bytes) -> str:
        """Keep a photo for whoever fetches it; its name."""
        name = new_sid("ME")
        self.files[name] = (content_type, data)
        return name

    async def post(self, address: str, form: Mapping[str, str]) -> httpx2.Response | None:
        """A webhook as Twilio makes it, signed over the public address; tried again if nobody answers."""
        parts = urlsplit(address)
        base = self.services.settings.base_url
        url = base + parts.path
        signature = RequestValidator(TWILIO_TOKEN).compute_signature(url, dict(form))
        headers = {"x-twilio-signature": signature, "content-type": "application/x-www-form-urlencoded"}
        for attempt in range(1, TRIES + 1):
            try:
                async with httpx2.AsyncClient(verify=trust(), trust_env=False, timeout=10.0) as http:
                    answer = await http.post(url, content=urlencode(form).encode(), headers=headers)
                if answer.status_code < 500:
                    return answer
                failure = f"status {answer.status_code}"
            except httpx2.HTTPError as error:
                failure = type(error).__name__
            log.info("demo.webhook_failed", path=parts.path, attempt=attempt, failure=failure)
            await sleep(attempt)
        return None

    async def _create(self, request: Request) -> Response:
        """The SDK sends a message: it is on the customer's phone at once, the receipts follow."""
        if not authorised(request):
            return problem(401, 20003, "Authenticate")
        pairs = parse_qsl((await request.body()).decode(), keep_blank_values=True)
        form = dict(pairs)
        number = without_prefix(form.get("To", ""))
        if number is not None:
            return self._by_whatsapp(number, form, pairs)
        phone = self.phone(form.get("To", ""))
        if phone.opted_out:
            return problem(400, 21610, "Attempt to send to unsubscribed recipient")
        sid = new_sid("SM")
        # The page shows them from its own host name, so that the content policy lets it.
        photos = tuple(urlsplit(value).path for name, value in pairs if name == "MediaUrl")
        _show(phone, Text(False, form.get("Body", ""), utcnow(), photos))
        self.soon(self._deliver(sid, form, phone))
        return taken(sid, form)

    def _by_whatsapp(self, number: str, form: Mapping[str, str], pairs: list[tuple[str, str]]) -> Response:
        """A WhatsApp message: a template at any time, free text for a day after the customer's last message."""
        phone, body = self.phone(number), form.get("Body", "")
        template = form.get("ContentSid", "")
        if template:
            words = whatsapp.words(template, json.loads(form.get("ContentVariables") or "{}"))
            if words is None:
                return problem(400, 63027, "Template does not exist for a language and locale")
            body = words
        sid = new_sid("SM")
        if not template and (phone.whatsapp_at is None or utcnow() - phone.whatsapp_at > FREE_TEXT_FOR):
            self.soon(self._report(sid, form, TOO_LATE, ErrorCode=OUTSIDE_WINDOW))
            return taken(sid, form)
        photos = tuple(urlsplit(value).path for name, value in pairs if name == "MediaUrl")
        _show(phone, Text(False, body, utcnow(), photos, whatsapp=True))
        self.soon(self._report(sid, form, RECEIPTS + READ))
        return taken(sid, form)

    async def _report(
        self, sid: str, form: Mapping[str, str], receipts: tuple[tuple[float, str], ...], **more: str
    ) -> None:
        """Tell the address in the message what becomes of it, step by step."""
        callback = form.get("StatusCallback", "")
        for after, status in receipts:
            await sleep(after)
            if callback:
                told = {"MessageSid": sid, "MessageStatus": status, "AccountSid": TWILIO_ACCOUNT, **more}
                await self.post(callback, {**told, "To": form["To"], "From": form.get("From", SMS_NUMBER)})

    async def _deliver(self, sid: str, form: Mapping[str, str], phone: Phone) -> None:
        callback = form.get("StatusCallback", "")
        await self._report(sid, form, RECEIPTS)
        if phone.talk is not None and not await self._is_automatic(callback):
            await self._go_on(form["To"], phone)

    async def _go_on(self, number: str, phone: Phone) -> None:
        """A simulated customer reads the answer and says the next line, if there is one."""
        line = phone.talk.line(phone.said) if phone.talk else None
        if line is None:
            phone.talk = None
            return
        phone.said += 1
        low, high = THINKING_SECONDS
        await sleep(low + secrets.randbelow(round(high - low)))
        await self.text(number, line)

    async def _is_automatic(self, callback: str) -> bool:
        attempt_id = attempt_of(self.services.vault, callback.rpartition("/")[2])
        return attempt_id is None or await self.services.db.read(_was_automatic, attempt_id)

    async def _templates(self, request: Request) -> Response:
        """The shop's WhatsApp templates, for whom has the credentials."""
        return whatsapp.listed() if authorised(request) else problem(401, 20003, "Authenticate")

    async def _media(self, request: Request) -> Response:
        """A photo of an inbound MMS, for whom has the credentials."""
        if not authorised(request):
            return problem(401, 20003, "Authenticate")
        found = self.files.get(request.path_params["name"])
        return Response(found[1], media_type=found[0]) if found else problem(404, 20404, "Not found")


def _show(phone: Phone, text: Text) -> None:
    phone.texts.append(text)
    del phone.texts[:-MOST_TEXTS]


def taken(sid: str, form: Mapping[str, str]) -> Response:
    """Twilio's answer to a message that it has taken."""
    answer = {"sid": sid, "account_sid": TWILIO_ACCOUNT, "status": "queued", "num_segments": "1"}
    return JSONResponse({**answer, "to": form.get("To"), "body": form.get("Body")}, status_code=201)


def new_sid(prefix: str) -> str:
    """An id of Twilio's form."""
    return prefix + secrets.token_hex(16)


def authorised(request: Request) -> bool:
    """Whether the caller shows the demo account's credentials."""
    expected = base64.b64encode(f"{TWILIO_ACCOUNT}:{TWILIO_TOKEN}".encode()).decode()
    return secrets.compare_digest(request.headers.get("authorization", ""), f"Basic {expected}")


def problem(status: int, code: int, message: str) -> Response:
    """An error in Twilio's form."""
    body = {"code": code, "message": message, "more_info": f"https://www.twilio.com/docs/errors/{code}"}
    return JSONResponse({**body, "status": status}, status_code=status)


def webhook_key(tx: Connection, channel: Channel) -> str:
    """The webhook key of the shop's account; the demo makes one of each channel."""
    statement = select(ChannelAccount.key).where(ChannelAccount.channel == channel.value).order_by(ChannelAccount.id)
    return str(tx.execute(statement.limit(1)).scalar_one())


def _was_automatic(tx: Connection, attempt_id: int) -> bool:
    statement = select(Message.automatic).join(DeliveryAttempt, DeliveryAttempt.message_id == Message.id)
    return bool(tx.execute(statement.where(DeliveryAttempt.id == attempt_id)).scalar_one_or_none())
