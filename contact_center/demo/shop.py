"""The demo shop's own page, a foreign site to the contact center but for one script tag."""

from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute, Route

from contact_center.accounts.web import locale_of
from contact_center.core.i18n import LOCALES, choose, mark
from contact_center.core.services import services
from contact_center.demo import shop_login
from contact_center.demo.cast import SHOP

# One host and nothing inline: as strict as a page with the widget can be.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; frame-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


@dataclass(frozen=True, slots=True)
class Product:
    """Something on the shelf; `art` names its drawing in demo/shop_art.html."""

    art: str
    name: str
    text: str
    price: str
    tint: str


PRODUCTS = (
    Product("lamp", mark("Bamboo desk lamp"), mark("Warm light, folds flat"), "$48", "sand"),
    Product("teapot", mark("Ceramic tea set"), mark("Bat Trang glaze, four cups"), "$62", "sage"),
    Product("chair", mark("Reading chair"), mark("Ash wood and wool"), "$340", "clay"),
    Product("clock", mark("Wall clock"), mark("Silent sweep, 30 cm"), "$39", "mist"),
    Product("cooker", mark("Rice cooker"), mark("Six cups, keeps warm"), "$89", "sage"),
    Product("purifier", mark("Air purifier"), mark("For rooms up to 30 m²"), "$159", "mist"),
    Product("stool", mark("Folding stool"), mark("Carries 120 kg"), "$35", "clay"),
    Product("grinder", mark("Coffee grinder"), mark("Ceramic burrs, 18 steps"), "$54", "sand"),
)


def routes() -> list[BaseRoute]:
    """The page, on any host name; the doors lead to shop.localhost."""
    return [Route("/demo/shop", page), *shop_login.routes()]


async def page(request: Request) -> Response:
    """The shop in the visitor's language; `?lang=` switches."""
    locale = choose(request.query_params.get("lang"), await locale_of(request))
    login = await shop_login.login_of(request, locale)
    html = services(request).templates.render(
        locale,
        "demo/shop.html",
        shop=SHOP,
        products=PRODUCTS,
        other=next(one for one in LOCALES if one != locale),
        login=login,
    )
    # Its token is good once.
    response = HTMLResponse(html, headers={"Content-Security-Policy": POLICY, "Cache-Control": "no-store"})
    if login.left:
        shop_login.forget(response)
    return response
