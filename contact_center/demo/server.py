"""The demo as one process: the product, its simulated floor and the counterparts that speak real protocols."""

import random
from collections.abc import Sequence
from pathlib import Path

from starlette.middleware import Middleware
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles

from contact_center.app import Extension, build
from contact_center.core.clock import utcnow
from contact_center.core.loops import Loop
from contact_center.core.services import Services
from contact_center.core.settings import Settings
from contact_center.demo import doors, shop
from contact_center.demo.bar import Bar, WithBar
from contact_center.demo.breaking import Breaker, CutLine
from contact_center.demo.carrier import MOUNT, Carrier
from contact_center.demo.exchange import Exchange
from contact_center.demo.floor import Floor
from contact_center.demo.loopback import free_port
from contact_center.demo.mailbox import MailServer
from contact_center.demo.phone import PhonePage
from contact_center.demo.visitors import Visitors
from contact_center.serving import serve_app
from tickets.states import Channel

FOLDER = Path(__file__).parent


def extension() -> Extension:
    """What the demo adds to the product."""
    breaker = Breaker()
    bar = Bar(breaker, started_at=utcnow())
    carrier = Carrier()
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
        return [Floor(services, edges, random.Random()).loop(), exchange.loop(), mail.loop(services)]

    return Extension(
        routes=[
            *doors.ROUTES,
            *shop.routes(),
            *bar.routes,
            *carrier.routes(),
            *phone.routes(),
            *mail.routes(),
            Mount("/demo/static", StaticFiles(directory=FOLDER / "static")),
        ],
        middleware=[Middleware(CutLine, breaker=breaker), Middleware(WithBar)],
        template_folders=[FOLDER / "templates"],
        loops=loops,
    )


def serve(settings: Settings) -> None:
    """Serve until Ctrl+C."""
    settings = settings.model_copy(update={"twilio_api_url": settings.base_url + MOUNT, "smtp_in_port": free_port()})
    serve_app(build(settings, extension=extension()), settings)
