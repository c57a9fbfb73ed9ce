"""The demo as one process: the product, its simulated floor and the counterparts that speak real protocols."""

import random
from collections.abc import Sequence
from pathlib import Path

from starlette.middleware import Middleware
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles

from contact_center.app import Extension, build
from contact_center.core import logs
from contact_center.core.clock import utcnow
from contact_center.core.loops import Loop
from contact_center.core.services import Services
from contact_center.core.settings import Settings
from contact_center.demo import doors, mark, shop
from contact_center.demo.bar import Bar, WithBar
from contact_center.demo.breaking import Breaker, CutLine
from contact_center.demo.carrier import MOUNT, Carrier
from contact_center.demo.exchange import Exchange
from contact_center.demo.floor import Floor
from contact_center.demo.historian import Historian
from contact_center.demo.loopback import free_port
from contact_center.demo.mailbox import MailServer
from contact_center.demo.phone import PhonePage
from contact_center.demo.shoppers import COUNT, others
from contact_center.demo.talk import Talk, opening
from contact_center.demo.visitors import Visitors
from contact_center.serving import serve_app
from tickets.states import Channel

FOLDER = Path(__file__).parent
TEXTERS = 3


def extension() -> Extension:
    """What the demo adds to the product."""
    breaker = Breaker()
    carrier = Carrier()
    bar = Bar(breaker, started_at=utcnow(), write=lambda: some_text(carrier, random.Random()))
    exchange = Exchange(carrier, random.Random())
    phone = PhonePage(carrier, exchange)
    mail = MailServer(random.Random())

    def loops(services: Services) -> Sequence[Loop]:
        carrier.connect(services)
        visitors = Visitors(services, random.Random())
        edges = {
            Channel.CHAT: visitors.begin,
            Channel.EMAIL: mail.begin,
            Channel.SMS: carrier.begin,
            Channel.PHONE: exchange.begin,
        }
        floor = Floor(services, edges, random.Random())
        past = Historian(services.settings, services.db, services.bus)
        return [floor.loop(), exchange.loop(), mail.loop(services), past.loop()]

    return Extension(
        routes=[
            *doors.ROUTES,
            *shop.routes(),
            *bar.routes,
            *carrier.routes(),
            *exchange.routes(),
            *phone.routes(),
            *mail.routes(),
            Mount("/demo/static", StaticFiles(directory=FOLDER / "static")),
        ],
        middleware=[Middleware(WithBar), Middleware(CutLine, breaker=breaker)],
        template_folders=[FOLDER / "templates"],
        loops=loops,
    )


async def some_text(carrier: Carrier, rng: random.Random) -> list[str]:
    """Three simulated customers text the shop, one after the other; the carrier's ids of their messages."""
    sent = []
    known = (await carrier.services.db.read(mark.read) or {}).get("scale", {}).get("customers", COUNT)
    for shopper in rng.sample(others(known), TEXTERS):
        script = opening(rng)
        talk = Talk(0, shopper.call_name, shopper.locale, script, shopper.order, shopper.item)
        sent.append(await carrier.first_text(shopper, script, talk))
    return sent


def serve(settings: Settings) -> None:
    """Serve until Ctrl+C; the terminal keeps the table of doors in sight unless more was asked for."""
    if "log_level" not in settings.model_fields_set:
        logs.configure("warning", settings.log_format)
    settings = settings.model_copy(update={"twilio_api_url": settings.base_url + MOUNT, "smtp_in_port": free_port()})
    serve_app(build(settings, extension=extension()), settings)
