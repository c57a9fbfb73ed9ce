"""A carrier on loopback: Twilio's REST protocol for the official SDK, signed webhooks and receipts back to us."""

import base64
import itertools
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import format_datetime
from urllib.parse import parse_qsl, urlencode

import httpx2
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from twilio.request_validator import RequestValidator

from channels.sms.segments import measure
from contact_center.core.clock import utcnow
from contact_center.demo.voice.world import ACCOUNT_SID, AUTH_TOKEN

API = "http://carrier.test"


@dataclass
class Message:
    """One SMS the carrier took from us."""

    sid: str
    to: str
    sender: str
    body: str
    status_callback: str
    media: list[str]
    taken_at: datetime = field(default_factory=utcnow)
    status: str = "queued"
    content: str = ""
    variables: str = ""


@dataclass
class Carrier:
    """The carrier's state; `desk` posts to us, `fault` is what goes wrong with the next request of ours."""

    desk: httpx2.AsyncClient | None = None
    account_sid: str = ACCOUNT_SID
    auth_token: str = AUTH_TOKEN
    messages: list[Message] = field(default_factory=list)
    requests: list[Mapping[str, str]] = field(default_factory=list)
    refusals: dict[str, tuple[int, int, str]] = field(default_factory=dict)
    files: dict[str, tuple[str, bytes]] = field(default_factory=dict)
    contents: list[Mapping[str, object]] = field(default_factory=list)
    fault: str = ""
    _ids: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))

    def app(self) -> Starlette:
        base = "/2010-04-01/Accounts/{account}"
        return Starlette(
            routes=[
                Route(f"{base}/Messages.json", self._create, methods=["POST"]),
                Route(f"{base}/Messages.json", self._list, methods=["GET"]),
                Route("/v1/ContentAndApprovals", self._contents),
                Route(f"{base}/Messages/{{message}}/Media/{{name}}", self._media),
            ]
        )

    def http(self) -> httpx2.AsyncClient:
        """A client whose every request ends at this carrier."""
        return httpx2.AsyncClient(transport=_Line(self, httpx2.ASGITransport(app=self.app())))

    def sid(self, prefix: str) -> str:
        return f"{prefix}{next(self._ids):032x}"

    async def _create(self, request: Request) -> Response:
        if not self._authorised(request):
            return problem(401, 20003, "Authentication Error - invalid username")
        pairs = parse_qsl((await request.body()).decode(), keep_blank_values=True)
        form = dict(pairs)
        self.requests.append(form)
        if refusal := self.refusals.get(form["To"]):
            return problem(*refusal)
        message = Message(
            sid=self.sid("SM"),
            to=form["To"],
            sender=form.get("From") or form.get("MessagingServiceSid", ""),
            body=form.get("Body", ""),
            status_callback=form.get("StatusCallback", ""),
            media=[value for name, value in pairs if name == "MediaUrl"],
            content=form.get("ContentSid", ""),
            variables=form.get("ContentVariables", ""),
        )
        self.messages.append(message)
        segments = "0" if form.get("MessagingServiceSid") else str(measure(message.body).segments)
        answer = {"sid": message.sid, "account_sid": self.account_sid, "status": "queued", "body": message.body}
        return JSONResponse({**answer, "to": message.to, "num_segments": segments, "error_code": None}, status_code=201)

    async def _list(self, request: Request) -> Response:
        """What was taken for a recipient, newest first, as Twilio lists it."""
        if not self._authorised(request):
            return problem(401, 20003, "Authentication Error")
        asked = request.query_params
        shown = [
            {
                "sid": one.sid,
                "to": one.to,
                "from": one.sender,
                "body": one.body,
                "status": one.status,
                "direction": "outbound-api",
                "date_created": format_datetime(one.taken_at),
                "error_code": None,
            }
            for one in reversed(self.messages)
            if one.to == asked["To"] and one.taken_at.date().isoformat() >= asked["DateSent>"][:10]
        ]
        return JSONResponse({"messages": shown, "page": 0, "page_size": 50, "next_page_uri": None})

    async def _contents(self, request: Request) -> Response:
        """Two templates a page, as the Content API lists them."""
        if not self._authorised(request):
            return problem(401, 20003, "Authentication Error")
        page = int(request.query_params.get("Page", "0"))
        more = f"https://content.twilio.com/v1/ContentAndApprovals?PageSize=2&Page={page + 1}"
        meta = {"page": page, "page_size": 2, "key": "contents"}
        last = len(self.contents) <= 2 * page + 2
        shown = self.contents[2 * page : 2 * page + 2]
        return JSONResponse({"contents": shown, "meta": {**meta, "next_page_url": None if last else more}})

    async def _media(self, request: Request) -> Response:
        if not self._authorised(request):
            return problem(401, 20003, "Authentication Error")
        found = self.files.get(request.path_params["name"])
        return Response(found[1], media_type=found[0]) if found else problem(404, 20404, "not found")

    def _authorised(self, request: Request) -> bool:
        expected = base64.b64encode(f"{self.account_sid}:{self.auth_token}".encode()).decode()
        return request.headers.get("authorization") == f"Basic {expected}"

    async def post(self, url: str, form: Mapping[str, str], *, token: str | None = None) -> httpx2.Response:
        """A webhook as Twilio makes it: a form, signed over the address that it calls."""
        assert self.desk is not None
        signature = RequestValidator(token or self.auth_token).compute_signature(url, dict(form))
        headers = {"x-twilio-signature": signature, "content-type": "application/x-www-form-urlencoded"}
        return await self.desk.post(url, content=urlencode(form).encode(), headers=headers)

    async def text(self, url: str, *, sender: str, to: str, body: str, **more: str) -> httpx2.Response:
        """A customer's SMS; give `MessageSid` to repeat one."""
        sid = more.pop("MessageSid", None) or self.sid("SM")
        form = {"MessageSid": sid, "SmsSid": sid, "AccountSid": self.account_sid, "From": sender, "To": to}
        return await self.post(url, {**form, "Body": body, "NumMedia": "0", "NumSegments": "1", **more})

    async def receipt(self, message: Message, status: str, *, error: int | None = None) -> httpx2.Response:
        """What became of a message, to the address that we gave with it."""
        form = {"MessageSid": message.sid, "MessageStatus": status, "AccountSid": self.account_sid}
        if error:
            form["ErrorCode"] = str(error)
        return await self.post(message.status_callback, {**form, "To": message.to, "From": message.sender})

    async def call(self, url: str, call_sid: str, status: str, **more: str) -> httpx2.Response:
        """A report about a call."""
        form = {"CallSid": call_sid, "AccountSid": self.account_sid, "CallStatus": status, "Direction": "inbound"}
        return await self.post(url, {**form, **more})


def problem(status: int, code: int, message: str) -> Response:
    body = {"code": code, "message": message, "more_info": f"https://www.twilio.com/docs/errors/{code}"}
    return JSONResponse({**body, "status": status}, status_code=status)


class _Line(httpx2.AsyncBaseTransport):
    """The network between us and the carrier, which fails as the carrier's `fault` says, once."""

    def __init__(self, carrier: Carrier, inner: httpx2.AsyncBaseTransport) -> None:
        self.carrier = carrier
        self.inner = inner

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        fault, self.carrier.fault = self.carrier.fault, ""
        if fault == "unreachable":
            raise httpx2.ConnectError("connection refused", request=request)
        if fault == "busy":
            return httpx2.Response(429, json={"code": 20429, "message": "Too Many Requests", "status": 429})
        answer = await self.inner.handle_async_request(request)
        await answer.aread()
        match fault:
            case "answer lost":
                raise httpx2.ReadTimeout("timed out", request=request)
            case "cut":
                raise httpx2.RemoteProtocolError("server disconnected", request=request)
            case "gateway":
                return httpx2.Response(502, text="<html>bad gateway</html>")
            case "garbled":
                return httpx2.Response(201, text="<html>ok</html>")
            case "internal":
                return httpx2.Response(500, json=json.loads('{"code": 20500, "message": "Internal Server Error"}'))
        return answer
