"""A stand-in for the server's side of the widget protocol, in memory, for the widget's own tests."""

import asyncio
import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from channels.chat import frames, parse
from channels.chat.asking import Hours, phone_of, regions_of
from channels.chat.assets import load_assets
from channels.chat.frames import AuthorKind, EndedBy, File, Place, PublicMessage, VisitState
from channels.chat.page import Widget, choose_locale, content_policy, frame_page, status
from channels.chat.tokens import Tokens, Upload
from contact_center.core.errors import Invalid

HOST_PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Shop</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
</head><body><h1>A shop</h1><p>Its policy allows one host and nothing inline.</p><button id="own">Help</button>
<script async src="{origin}/widget/loader.js" data-widget="shop" {attributes}></script></body></html>"""


async def transmit(socket: WebSocket, frame: bytes) -> None:
    await socket.send_text(frame.decode())


@dataclass
class Visit:
    id: int
    messages: list[PublicMessage] = field(default_factory=list)
    sockets: list[WebSocket] = field(default_factory=list)
    by_client_id: dict[str, PublicMessage] = field(default_factory=dict)
    agent: str | None = None
    queue: Place | None = None
    read: int = 0
    seen: int = 0
    ended: bool = False
    survey: int | None = None
    email: str = ""
    got: list[parse.Frame] = field(default_factory=list)


class StandIn:
    """Holds visits in memory; `say`, `change` and `end` play the agent."""

    def __init__(self, translate: Callable[[str], str] = str, hours: Hours = Hours(True)) -> None:
        self.visits: dict[int, Visit] = {}
        self.widget = Widget("shop", "Harbor Supply", origins=("*",))
        self.translate = translate
        self.hours = hours
        self.tokens = Tokens("stand-in")
        self.assets = load_assets()
        self.ids = itertools.count(1)
        self.mail: list[parse.OfflineMessage] = []
        self.told: list[parse.Identify] = []
        self.hellos: list[parse.Hello] = []
        self.files: dict[str, bytes] = {}
        self.invitations: list[dict[str, object]] = []
        # Whether somebody can answer now, and how often a browser has asked.
        self.able, self.asked = True, 0
        self.counts: dict[int, tuple[int, int]] = {}
        self.first_place: Place | None = Place(3, 130)
        self.host_attributes = ""
        self.clock = lambda: datetime.now(UTC)
        self.app = Starlette(
            routes=[
                Route("/", self.host),
                Route("/widget/loader.js", self.loader),
                Route("/widget/static/{version}/{name}", self.asset),
                Route("/widget/shop/frame", self.frame),
                Route("/widget/shop/status", self.status),
                Route("/widget/shop/answers", self.answers),
                Route("/widget/shop/articles", self.articles),
                Route("/widget/shop/phone", self.phone),
                Route("/widget/shop/files", self.upload, methods=["POST"]),
                Route("/widget/shop/files/{digest}", self.download),
                Route("/widget/shop/offline", self.offline, methods=["POST"]),
                Route("/widget/shop/invitations", self.count, methods=["POST"]),
                Route("/widget/shop/identity", self.identify, methods=["POST"]),
                WebSocketRoute("/widget/shop/ws", self.socket),
            ]
        )

    def origin(self, request: Request) -> str:
        return f"http://127.0.0.1:{request.url.port}"

    async def host(self, request: Request) -> Response:
        own = self.origin(request)
        page = HOST_PAGE.format(origin=own, attributes=self.host_attributes)
        policy = f"default-src 'none'; script-src {own}; frame-src {own}"
        return HTMLResponse(page, headers={"Content-Security-Policy": policy})

    async def loader(self, request: Request) -> Response:
        asset = self.assets.files["loader.js"]
        return Response(asset.packed, headers={"Content-Type": asset.type, "Content-Encoding": "gzip"})

    async def asset(self, request: Request) -> Response:
        asset = self.assets.files[request.path_params["name"]]
        return Response(asset.packed, headers={"Content-Type": asset.type, "Content-Encoding": "gzip"})

    async def frame(self, request: Request) -> Response:
        page = frame_page(
            self.widget,
            self.hours,
            locale=choose_locale(request.query_params.get("locale", "en")),
            theme=request.query_params.get("theme", ""),
            ticket=self.tokens.ticket("shop", now=self.clock()),
            assets=f"/widget/static/{self.assets.version}/",
            _=self.translate,
            invitations=self.invitations,
        )
        policy = content_policy(self.widget, self.origin(request))
        return HTMLResponse(page, headers={"Content-Security-Policy": policy})

    async def answers(self, request: Request) -> Response:
        self.asked += 1
        return JSONResponse({"able": self.able})

    async def status(self, request: Request) -> Response:
        return JSONResponse(status(self.hours, self.tokens.ticket("shop", now=self.clock()), self.widget.choices))

    async def phone(self, request: Request) -> Response:
        try:
            number = phone_of(request.query_params["number"], regions_of(request.headers["accept-language"], "VN"))
        except Invalid:
            return JSONResponse({}, status_code=422)
        return JSONResponse({"phone": number})

    async def articles(self, request: Request) -> Response:
        return JSONResponse({"articles": [{"title": "Where is my parcel?", "url": "/help/parcel"}]})

    async def upload(self, request: Request) -> Response:
        token = request.headers["authorization"].removeprefix("Bearer ")
        visit = self.tokens.visit_of(token, "shop")
        data = await request.body()
        digest = f"f{next(self.ids)}"
        self.files[digest] = data
        name, kind = request.headers["x-file-name"], request.headers["content-type"]
        upload = Upload(digest, name, kind, len(data), 320, 200)
        assert visit is not None
        answer = {"id": self.tokens.upload_id(visit, upload), "name": name, "type": kind, "size": len(data)}
        image = {"image": kind.startswith("image/"), "width": 320, "height": 200}
        return JSONResponse({**answer, **image, "url": f"/widget/shop/files/{digest}"}, status_code=201)

    async def download(self, request: Request) -> Response:
        return Response(self.files[request.path_params["digest"]], media_type="image/png")

    async def offline(self, request: Request) -> Response:
        self.mail.append(parse.parse_offline(await request.body()))
        return JSONResponse({"number": 100 + len(self.mail)}, status_code=201)

    async def count(self, request: Request) -> Response:
        for one, (shown, opened) in parse.parse_counts(await request.body()).items():
            before = self.counts.get(one, (0, 0))
            self.counts[one] = (before[0] + shown, before[1] + opened)
        return Response(status_code=204)

    async def identify(self, request: Request) -> Response:
        """Believes every token of the form `subject:name`, once."""
        posted = parse.parse_identify(await request.body())
        if posted.token in [one.token for one in self.told]:
            return JSONResponse({"detail": "The token was used already."}, status_code=403)
        self.told.append(posted)
        subject, _, name = posted.token.partition(":")
        return JSONResponse({"identity": posted.token, "subject": subject, "name": name, "email": "a@shop.example"})

    def open(self, hello: parse.Hello) -> tuple[Visit, str | None]:
        if hello.token:
            visit_id = self.tokens.visit_of(hello.token, "shop")
            if visit_id is not None and visit_id in self.visits:
                return self.visits[visit_id], None
            raise KeyError
        visit = Visit(len(self.visits) + 1, email=hello.email, queue=self.first_place)
        self.visits[visit.id] = visit
        return visit, self.tokens.visit_token("shop", visit.id)

    async def socket(self, socket: WebSocket) -> None:
        await socket.accept()
        hello = parse.parse_frame(await socket.receive_text())
        assert isinstance(hello, parse.Hello)
        self.hellos.append(hello)
        try:
            visit, token = self.open(hello)
        except KeyError:
            await socket.close(frames.Close.BAD_TOKEN)
            return
        await transmit(socket, frames.hello(self.state(visit), visit.messages[hello.since :], token=token))
        visit.sockets.append(socket)
        try:
            while True:
                await self.handle(visit, socket, parse.parse_frame(await socket.receive_text()))
        except WebSocketDisconnect:
            pass
        finally:
            visit.sockets.remove(socket)

    def state(self, visit: Visit) -> VisitState:
        last = len(visit.messages)
        return VisitState(
            visit.id,
            101,
            last,
            visit.agent,
            visit.queue,
            visit.read,
            visit.seen,
            visit.ended,
            visit.survey,
            visit.email,
        )

    async def handle(self, visit: Visit, socket: WebSocket, frame: parse.Frame) -> None:
        visit.got.append(frame)
        if isinstance(frame, parse.Ping):
            await transmit(socket, frames.pong())
        elif isinstance(frame, parse.Send):
            await self.take(visit, socket, frame)
        elif isinstance(frame, parse.Read):
            visit.seen = max(visit.seen, frame.public_seq)
            await self.tell(visit, frames.seen(visit.seen))
        elif isinstance(frame, parse.Profile):
            visit.email = frame.email
            await transmit(socket, frames.profile(frame.name, frame.email))
        elif isinstance(frame, parse.Transcript):
            await transmit(socket, frames.transcript(frame.email))
        elif isinstance(frame, parse.Csat):
            visit.survey = frame.score
            await transmit(socket, frames.csat(frame.score))
        elif isinstance(frame, parse.End):
            await self.end(visit, EndedBy.CUSTOMER)

    async def take(self, visit: Visit, socket: WebSocket, send: parse.Send) -> None:
        known = visit.by_client_id.get(send.client_id)
        if known is None:
            uploads = [self.tokens.upload_of(one, visit.id) for one in send.files]
            files = tuple(
                File(
                    u.digest, u.name, u.type, u.size, f"/widget/shop/files/{u.digest}", u.type[:5] == "image", 320, 200
                )
                for u in uploads
                if u
            )
            known = self.store(visit, AuthorKind.CUSTOMER, "", send.text, client_id=send.client_id, files=files)
            visit.by_client_id[send.client_id] = known
            await self.tell(visit, frames.message(known))
        await transmit(socket, frames.ack(send.client_id, known.public_seq, known.sent_at))

    def store(
        self,
        visit: Visit,
        kind: AuthorKind,
        name: str,
        text: str,
        *,
        client_id: str | None = None,
        files: tuple[File, ...] = (),
        ago: timedelta = timedelta(0),
    ) -> PublicMessage:
        seq = len(visit.messages) + 1
        one = PublicMessage(seq, next(self.ids), kind, name, text, self.clock() - ago, client_id, files)
        visit.messages.append(one)
        return one

    async def tell(self, visit: Visit, frame: bytes) -> None:
        for socket in list(visit.sockets):
            await transmit(socket, frame)

    async def say(self, visit: Visit, text: str, name: str = "Lan Nguyen", files: tuple[File, ...] = ()) -> None:
        await self.tell(visit, frames.message(self.store(visit, AuthorKind.AGENT, name, text, files=files)))

    async def join(self, visit: Visit, name: str | None = "Lan Nguyen") -> None:
        visit.agent, visit.queue = name, None
        await self.tell(visit, frames.presence(name))

    async def end(self, visit: Visit, by: EndedBy = EndedBy.AGENT) -> None:
        visit.ended, visit.survey = True, 0
        await self.tell(visit, frames.ended(by, survey=True))


class Running:
    """The stand-in on a free port of the running loop."""

    def __init__(self, standin: StandIn, port: int = 0) -> None:
        config = uvicorn.Config(
            standin.app,
            port=port,
            log_level="error",
            ws="websockets-sansio",
            lifespan="off",
            timeout_graceful_shutdown=1,
        )
        self.server = uvicorn.Server(config)

    async def __aenter__(self) -> str:
        self.task = asyncio.create_task(self.server.serve())
        while not self.server.started:
            await asyncio.sleep(0.01)
        port = self.server.servers[0].sockets[0].getsockname()[1]
        return f"http://localhost:{port}"

    async def __aexit__(self, *problem: object) -> None:
        self.server.should_exit = True
        await self.task
