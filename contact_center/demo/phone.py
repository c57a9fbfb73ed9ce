"""The customer's phone as a page: texts and photos both ways, and calls that ring on the floor."""

from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import BaseRoute, Route

from contact_center.accounts.web import locale_of
from contact_center.core.clock import utcnow
from contact_center.core.errors import Invalid, NotFound
from contact_center.core.services import services
from contact_center.demo import call_view
from contact_center.demo.carrier import Carrier
from contact_center.demo.cast import NUMBER, PHONE_NUMBER, SHOP, SMS_NUMBER, WHATSAPP_NUMBER
from contact_center.demo.exchange import Exchange
from contact_center.demo.photo import crushed_parcel
from tickets.customers.identities import shown_phone
from tickets.states import Channel

KEYS = {**{digit: digit for digit in "0123456789"}, "star": "*", "hash": "#"}
MOST_TEXT = 1_600
WHATSAPP = Channel.WHATSAPP.value
# name, what is on the key, and the letters below it.
KEYPAD = (
    *(("1", "1", ""), ("2", "2", "ABC"), ("3", "3", "DEF"), ("4", "4", "GHI"), ("5", "5", "JKL"), ("6", "6", "MNO")),
    *(("7", "7", "PQRS"), ("8", "8", "TUV"), ("9", "9", "WXYZ"), ("star", "*", ""), ("0", "0", "+"), ("hash", "#", "")),
)
SAMPLE = 7
MOST_BYTES = 5 * 1024 * 1024
PICTURES = {b"\x89PNG": "image/png", b"\xff\xd8\xff": "image/jpeg", b"GIF8": "image/gif", b"RIFF": "image/webp"}


class PhonePage:
    """The page and what its buttons do."""

    def __init__(self, carrier: Carrier, exchange: Exchange) -> None:
        self.carrier = carrier
        self.exchange = exchange

    def routes(self) -> list[BaseRoute]:
        return [
            Route("/demo/phone", self.page),
            Route("/demo/phone/state", self.state),
            Route("/demo/phone/text", self.text, methods=["POST"]),
            Route("/demo/phone/sample", self.sample, methods=["POST"]),
            Route("/demo/phone/call", self.call, methods=["POST"]),
            Route("/demo/phone/answer", self.answer, methods=["POST"]),
            Route("/demo/phone/key/{key}", self.key, methods=["POST"]),
            Route("/demo/phone/hang-up", self.hang_up, methods=["POST"]),
            Route("/demo/phone/photo/{name}", self.photo),
        ]

    async def page(self, request: Request) -> Response:
        """The phone."""
        locale = await locale_of(request)
        html = services(request).templates.render(
            locale,
            "demo/phone.html",
            shop=SHOP,
            own=shown_phone(NUMBER, "VN"),
            sms_number=shown_phone(SMS_NUMBER, "VN"),
            whatsapp_number=shown_phone(WHATSAPP_NUMBER, "VN"),
            line=shown_phone(PHONE_NUMBER, "VN"),
            keys=KEYPAD,
            shell=None,
        )
        return HTMLResponse(html)

    async def state(self, request: Request) -> Response:
        """What the phone shows now."""
        return JSONResponse(self._state())

    async def text(self, request: Request) -> Response:
        """Send a text, a photo, or both, by SMS or WhatsApp."""
        async with request.form(max_files=1, max_fields=3, max_part_size=MOST_BYTES) as form:
            body = str(form.get("body") or "").strip()
            by_whatsapp = form.get("app") == WHATSAPP
            upload = form.get("photo")
            data = b"" if upload is None or isinstance(upload, str) else await upload.read()
        if len(body) > MOST_TEXT or len(data) > MOST_BYTES:
            raise Invalid("This is too large for an SMS.")
        photos = [self.carrier.keep(_picture_type(data), data)] if data else []
        if body or photos:
            await self.carrier.text(NUMBER, body, photos=photos, by_whatsapp=by_whatsapp)
        return JSONResponse(self._state())

    async def sample(self, request: Request) -> Response:
        """Send a photo of a crushed parcel, for whoever has none at hand."""
        by_whatsapp = request.query_params.get("app") == WHATSAPP
        photos = [self.carrier.keep("image/png", crushed_parcel(SAMPLE))]
        await self.carrier.text(NUMBER, "", photos=photos, by_whatsapp=by_whatsapp)
        return JSONResponse(self._state())

    async def call(self, request: Request) -> Response:
        """Call the shop."""
        await self.exchange.call_us(NUMBER)
        return JSONResponse(self._state())

    async def hang_up(self, request: Request) -> Response:
        """End the call, or refuse it while it rings."""
        await self.exchange.put_down(NUMBER)
        return JSONResponse(self._state())

    async def answer(self, request: Request) -> Response:
        """Pick up: the shop calls."""
        await self.exchange.pick_up(NUMBER)
        return JSONResponse(self._state())

    async def key(self, request: Request) -> Response:
        """Press one key: a digit, `star` or `hash`."""
        key = KEYS.get(request.path_params["key"])
        if key is None:
            raise NotFound("There is nothing here.")
        await self.exchange.key(NUMBER, key)
        return JSONResponse(self._state())

    async def photo(self, request: Request) -> Response:
        """A photo that was taken with this phone."""
        found = self.carrier.files.get(request.path_params["name"])
        if found is None:
            raise NotFound("There is nothing here.")
        return Response(found[1], media_type=found[0], headers={"content-security-policy": "sandbox"})

    def _state(self) -> dict[str, Any]:
        leg = self.exchange.calls.get(NUMBER)
        return {
            "texts": [
                {
                    "mine": text.mine,
                    "body": text.body,
                    "at": text.at.isoformat(),
                    "photos": list(text.photos),
                    "call": text.call,
                    "seconds": text.seconds,
                    "app": WHATSAPP if text.whatsapp else "sms",
                }
                for text in self.carrier.phone(NUMBER).texts
            ],
            "call": call_view.view(self.exchange, leg, utcnow()) if leg else None,
        }


def _picture_type(data: bytes) -> str:
    """The type of a picture by its first bytes; anything else is refused."""
    found = next((kind for mark, kind in PICTURES.items() if data.startswith(mark)), None)
    if found is None:
        raise Invalid("Choose a picture (PNG, JPEG, GIF or WebP).")
    return found
